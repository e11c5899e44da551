"""Who may share a rare allele with its known carriers, and what speaks for each of them.

For every haplotype: `state` (int8) says whether it is unseen, a candidate, refused or a carrier, and `evidence`
(int64, 3) holds the longest match with a known carrier before the site and after it, in sites, and how often it
shared a rare allele with one. `listed` (int64) names those that are not unseen, in the order they were met.
"""

import numpy as np

from haploom.entropy_coding.match_lengths import octave
from haploom.kernels import int64, kernel

UNSEEN, CANDIDATE, REFUSED, CARRIER = range(4)
MEMORY = 4  # latest shared rare sites kept of each haplotype
_REACH = 20  # neighbours looked at on each side of a carrier in each order
_LATEST_SHARED = 4  # what having shared the very latest one counts; each earlier one counts 1


@kernel
def evidence_context(before: int, after: int, shared: int) -> int:
    """Joint context of what speaks for a candidate, below 2048."""
    return (octave(before) * 16 + octave(after)) * 8 + min(shared, 7)


@kernel
def meet(
    x: int,
    before: int,
    after: int,
    shared: int,
    state: np.ndarray,
    evidence: np.ndarray,
    listed: np.ndarray,
    n_listed: int,
) -> int:
    """Note what speaks for haplotype x; returns the new number of candidates listed."""
    if state[x] == UNSEEN:
        state[x] = CANDIDATE
        evidence[x] = 0
        listed[n_listed] = x
        n_listed += 1
    evidence[x, 0] = max(evidence[x, 0], before)
    evidence[x, 1] = max(evidence[x, 1], after)
    evidence[x, 2] += shared
    return n_listed


@kernel
def meet_neighbours(
    order: np.ndarray,
    start: np.ndarray,
    i: int,
    position: int,
    side: int,
    state: np.ndarray,
    evidence: np.ndarray,
    listed: np.ndarray,
    n_listed: int,
) -> int:
    """Meet the haplotypes around place i of one order. side: 0 before the site, 1 after it."""
    n = order.size
    since = int64(start[i])
    for j in range(i - 1, max(i - 1 - _REACH, -1), -1):
        length = max(position - since, 0)
        n_listed = meet(order[j], length * (1 - side), length * side, 0, state, evidence, listed, n_listed)
        since = max(since, int64(start[j]))
    since = int64(-(2**31))
    for j in range(i + 1, min(i + 1 + _REACH, n)):
        since = max(since, int64(start[j]))
        length = max(position - since, 0)
        n_listed = meet(order[j], length * (1 - side), length * side, 0, state, evidence, listed, n_listed)
    return n_listed


@kernel
def meet_companions(
    x: int,
    latest: np.ndarray,
    carriers: np.ndarray,
    first: np.ndarray,
    found: np.ndarray,
    state: np.ndarray,
    evidence: np.ndarray,
    listed: np.ndarray,
    n_listed: int,
) -> int:
    """Meet those who shared a rare allele with x at the sites `latest`, int64 (n, MEMORY), names; -1 for none."""
    for m in range(MEMORY):
        r = latest[x, m]
        if r < 0:
            break
        shared = _LATEST_SHARED if m == 0 else 1
        for companion in carriers[first[r] : first[r] + found[r]]:
            n_listed = meet(companion, 0, 0, shared, state, evidence, listed, n_listed)
    return n_listed


@kernel
def likeliest(
    state: np.ndarray, evidence: np.ndarray, listed: np.ndarray, n_listed: int, cells: np.ndarray, above: int
) -> tuple[int, int]:
    """The candidate to whose evidence the cells give the highest probability, and that probability (16 bits).

    (-1, above) where no candidate has more than `above`. The first met goes first among equals.
    """
    best, best_p = int64(-1), int64(above)
    for j in range(n_listed):
        x = listed[j]
        if state[x] == CANDIDATE:
            p = cells[evidence_context(evidence[x, 0], evidence[x, 1], evidence[x, 2])] >> 32
            if p > best_p:
                best, best_p = x, p
    return best, best_p
