"""What the neighbours of a haplotype say in several PBWT orders.

Within a site haplotypes are coded in the main order, so in another order the neighbours of a haplotype may be known or
not yet. In each order the nearest known haplotype above and below, at most REACH places away, gives its allele and
the length of its match.
"""

import numpy as np

from haploom.entropy_coding.donors import UNKNOWN
from haploom.entropy_coding.match_lengths import octave
from haploom.kernels import int64, kernel

REACH = 16

# Places in a tally of neighbours.
LONGEST_0, LONGEST_1, VOTES_0, VOTES_1, FIRST = range(5)


@kernel
def known_above(known: np.ndarray, start: np.ndarray, o: int, i: int, site: int) -> tuple[int, int]:
    """Allele and match length in sites of the nearest known haplotype above place i, or (UNKNOWN, 0).

    known: uint8 (n,), alleles by place in the order, UNKNOWN where not coded. start: int32 (n,), as in `pbwt.advance`.
    """
    since = int64(start[o, i])
    for j in range(i - 1, max(i - 1 - REACH, -1), -1):
        if known[o, j] != UNKNOWN:
            return int64(known[o, j]), max(site - since, 0)
        since = max(since, int64(start[o, j]))
    return int64(UNKNOWN), int64(0)


@kernel
def known_below(known: np.ndarray, start: np.ndarray, o: int, i: int, site: int) -> tuple[int, int]:
    """As `known_above`, of the haplotypes below place i."""
    since = int64(-1)
    for j in range(i + 1, min(i + 1 + REACH, start.shape[1])):
        since = max(since, int64(start[o, j]))
        if known[o, j] != UNKNOWN:
            return int64(known[o, j]), max(site - since, 0)
    return int64(UNKNOWN), int64(0)


@kernel
def side_context(allele: int, length: int) -> int:
    """0 to 24: nothing known, or the allele and the octave of the match length."""
    if allele == UNKNOWN:
        return int64(0)
    return 1 + allele * 12 + min(max(octave(length) - 1, 0), 11)


@kernel
def count_vote(tally: np.ndarray, allele: int, length: int) -> None:
    """Add one neighbour to a tally."""
    if allele == 0:
        tally[LONGEST_0] = max(tally[LONGEST_0], length)
        tally[VOTES_0] += 1
    elif allele == 1:
        tally[LONGEST_1] = max(tally[LONGEST_1], length)
        tally[VOTES_1] += 1


@kernel
def neighbour_contexts(
    places: np.ndarray, h: int, known: np.ndarray, start: np.ndarray, site: int, contexts: np.ndarray, tally: np.ndarray
) -> None:
    """One context below 625 for each order, and a tally of all neighbours.

    places: int32 (n_orders,), where the haplotype is in each order; order 0 is the main one. known: uint8
    (n_orders, n). start: int32 (n_orders, n). contexts: int64 (n_orders,), filled. tally: int64 (5,), filled: longest
    match for 0 and for 1, number of neighbours with 0 and with 1, and the allele just above in the main order.
    """
    tally[:] = 0
    for o in range(places.shape[1]):
        i = places[h, o]
        allele, length = known_above(known, start, o, i, site)
        above = side_context(allele, length)
        count_vote(tally, allele, length)
        if o == 0:
            # Nobody below is known in the main order; how well the next one matches still tells something.
            tally[FIRST] = allele
            below = octave(site - start[0, i + 1]) if i + 1 < start.shape[1] else int64(0)
        else:
            allele, length = known_below(known, start, o, i, site)
            below = side_context(allele, length)
            count_vote(tally, allele, length)
        contexts[o] = above * 25 + below
