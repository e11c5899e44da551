"""Rare sites: who carries a rare allele, told by the common sites on both sides of it.

The common sites of the whole block are known before the first rare site. At a rare site haplotypes stand in two
orders: the forward PBWT of the common sites before it and the reverse PBWT of those after it. People who share a
rare allele inherited the stretch around it, so they are near each other in both. The first carrier (the one of
lowest index) is drawn from all haplotypes; each further one is looked for among candidates: the neighbours of
known carriers in both orders, and those who shared a rare allele with a known carrier at a site before. Candidates
are asked one by one, the likeliest first, each answer a bit under mixed contexts; when none likely is left, the
next carrier is drawn from all haplotypes above the first.
"""

import numpy as np

from haploom.entropy_coding.index_draws import code_draw, new_trees, tree_depth
from haploom.entropy_coding.match_lengths import half_octave, octave
from haploom.entropy_coding.mixing import code_mixed
from haploom.entropy_coding.pbwt import advance, rank_of
from haploom.entropy_coding.reverse_sweep import REVERSE_SEGMENT, load_segment, reverse_checkpoints
from haploom.entropy_coding.site_classes import BOUNDS
from haploom.kernels import int64, kernel

_REACH = 20  # neighbours looked at on each side of a carrier in each order
_MEMORY = 4  # latest shared rare sites kept of each haplotype
_UNLIKELY = 20  # a candidate less probable than this (16 bits) is not asked
_LIMIT = 1000
_N_INPUTS = 6

_UNSEEN, _CANDIDATE, _REFUSED, _CARRIER = range(4)


@kernel
def evidence(before: int, after: int, shared: int) -> int:
    """Index of the joint context of a candidate."""
    return (octave(before) * 16 + octave(after)) * 8 + min(shared, 7)


@kernel
def meet(
    x: int,
    before: int,
    after: int,
    shared: int,
    state: np.ndarray,
    lengths: np.ndarray,
    listed: np.ndarray,
    n_listed: int,
) -> int:
    """Note what speaks for haplotype x; returns the new number of candidates listed."""
    if state[x] == _UNSEEN:
        state[x] = _CANDIDATE
        lengths[x] = 0
        listed[n_listed] = x
        n_listed += 1
    lengths[x, 0] = max(lengths[x, 0], before)
    lengths[x, 1] = max(lengths[x, 1], after)
    lengths[x, 2] += shared
    return n_listed


@kernel
def meet_neighbours(
    order: np.ndarray,
    start: np.ndarray,
    i: int,
    position: int,
    side: int,
    state: np.ndarray,
    lengths: np.ndarray,
    listed: np.ndarray,
    n_listed: int,
) -> int:
    """Meet the haplotypes around place i of one order. side: 0 before the site, 1 after it."""
    n = order.size
    since = int64(start[i])
    for j in range(i - 1, max(i - 1 - _REACH, -1), -1):
        length = max(position - since, 0)
        n_listed = meet(order[j], length * (1 - side), length * side, 0, state, lengths, listed, n_listed)
        since = max(since, int64(start[j]))
    since = int64(-(2**31))
    for j in range(i + 1, min(i + 1 + _REACH, n)):
        since = max(since, int64(start[j]))
        length = max(position - since, 0)
        n_listed = meet(order[j], length * (1 - side), length * side, 0, state, lengths, listed, n_listed)
    return n_listed


@kernel
def code_rare_sites(
    coder: np.ndarray,
    data: np.ndarray,
    carriers: np.ndarray,
    first: np.ndarray,
    found: np.ndarray,
    classes: np.ndarray,
    sites: np.ndarray,
    columns: np.ndarray,
    common_sites: np.ndarray,
    n_sites: int,
) -> None:
    """Code the carriers of the minor allele at every rare site, in and out.

    carriers: int32 (n_slots,); those of rare site r, increasing, are carriers[first[r] : first[r] + found[r]].
    first: int64 (n_rare,), with room for the most carriers the class allows. found: int64 (n_rare,).
    classes: uint8 (n_rare,). sites: int64 (n_rare,), places among all n_sites sites of the block.
    columns: uint8 (n_common, n_haplotypes), already decoded. common_sites: int64 (n_common,), their places.
    """
    n_common, n = columns.shape
    order = np.arange(n).astype(np.int32)
    start = np.zeros(n, dtype=np.int32)
    rank = np.arange(n).astype(np.int32)
    scratch = np.empty((2, n), dtype=np.int32)
    checkpoints = reverse_checkpoints(columns, common_sites, n_sites)
    segment = np.empty((REVERSE_SEGMENT, 3, n), dtype=np.int32)
    loaded = -1

    state = np.zeros(n, dtype=np.int8)
    truth = np.zeros(n, dtype=np.uint8)
    lengths = np.zeros((n, 3), dtype=np.int64)
    listed = np.empty(n, dtype=np.int64)
    latest = np.full((n, _MEMORY), -1, dtype=np.int64)

    trees = new_trees(12, n)
    tree_weights = np.full((12, tree_depth(n) + 1, 2), 65536 * 6 // 10, dtype=np.int64)
    cells = np.full(_N_INPUTS << 13, int64(6000) << 32, dtype=np.int64)
    weights = np.full((64, _N_INPUTS), 65536 * 2 // 10, dtype=np.int64)
    more_cells = np.full(4096, int64(32768) << 32, dtype=np.int64)
    more_weights = np.full((64, 2), 32768, dtype=np.int64)
    chosen = np.empty(_N_INPUTS, dtype=np.int64)
    logits = np.empty(_N_INPUTS, dtype=np.int64)

    k = 0
    for r in range(sites.size):
        least, most = min(BOUNDS[classes[r]], n), min(BOUNDS[classes[r] + 1] - 1, n)
        if least == 0:
            continue
        mine = carriers[first[r] : first[r] + most]
        if most == 1:
            mine[0] = code_draw(coder, data, trees, 0, tree_weights[0], 0, n, mine[0])
            found[r] = 1
            continue
        site = sites[r]
        if k < n_common and common_sites[k] < site:
            while k < n_common and common_sites[k] < site:
                advance(order, start, columns[k], common_sites[k], scratch)
                k += 1
            rank_of(order, rank)
        if loaded != k // REVERSE_SEGMENT:
            loaded = k // REVERSE_SEGMENT
            load_segment(segment, checkpoints, loaded, columns, common_sites)
        after = segment[k % REVERSE_SEGMENT]

        n_carriers = found[r]
        truth[mine[:n_carriers]] = 1
        next_drawn = 0  # encoder: carriers before this place in `mine` have been told
        n_found = 0
        n_listed = 0
        lowest = int64(0)
        best_refused = 0
        while n_found < most:
            if n_found >= least:
                more = int64(n_found < n_carriers)
                likely = 0
                for j in range(n_listed):
                    if state[listed[j]] == _CANDIDATE:
                        x = listed[j]
                        likely = max(likely, cells[evidence(lengths[x, 0], lengths[x, 1], lengths[x, 2])] >> 32)
                chosen[0] = min(octave(likely), 15) * 8 + min(n_found - least, 7)
                chosen[1] = 128 + (min(classes[r], 15) * 16 + min(n_found - least, 15)) * 8 + octave(likely) // 2
                more = code_mixed(
                    coder, data, more_cells, chosen[:2], more_weights[classes[r]], logits, 4, _LIMIT, more
                )
                if not more:
                    break
            hit = -1
            misses = 0
            remaining = max(least - n_found, 0)
            while n_found > 0:
                best, best_p = -1, int64(_UNLIKELY)
                for j in range(n_listed):
                    x = listed[j]
                    if state[x] == _CANDIDATE:
                        p = cells[evidence(lengths[x, 0], lengths[x, 1], lengths[x, 2])] >> 32
                        if p > best_p:
                            best, best_p = x, p
                if best < 0:
                    break
                left, right, shared = lengths[best, 0], lengths[best, 1], min(lengths[best, 2], 7)
                total = left + right
                tries = octave(misses)
                chosen[0] = evidence(left, right, shared)
                chosen[1] = (1 << 13) + (half_octave(left) * 8 + min(tries, 7)) * 8 + min(remaining, 7)
                chosen[2] = (2 << 13) + (half_octave(right) * 8 + min(tries, 7)) * 8 + shared
                chosen[3] = (3 << 13) + (half_octave(total) * 8 + shared) * 8 + octave(n_found)
                chosen[4] = (4 << 13) + (min(classes[r], 15) * 32 + min(n_found, 31)) * 8 + min(tries, 7)
                chosen[5] = (5 << 13) + (half_octave(total) * 32 + best_refused) * 2 + (1 if shared else 0)
                which = min(tries, 7) * 4 + min(shared, 3)
                bit = int64(truth[best])
                bit = code_mixed(coder, data, cells, chosen, weights[which], logits, 5, _LIMIT, bit)
                if bit:
                    hit = best
                    break
                state[best] = _REFUSED
                best_refused = max(best_refused, half_octave(total))
                misses += 1
            if hit < 0:
                while next_drawn < n_carriers and state[mine[next_drawn]] == _CARRIER:
                    next_drawn += 1
                wanted = int64(mine[min(next_drawn, most - 1)])
                kind = 1 + min(int64(classes[r]) - 2, 4) if n_found == 0 else 6 + min(remaining, 4)
                hit = code_draw(coder, data, trees, kind, tree_weights[kind], lowest, n, wanted)
            if n_found == 0:
                lowest = hit + 1
                state[:hit] = _REFUSED
            if state[hit] == _UNSEEN:
                listed[n_listed] = hit
                n_listed += 1
            state[hit] = _CARRIER
            n_found += 1
            if n_found < most:
                n_listed = meet_neighbours(order, start, rank[hit], site, 0, state, lengths, listed, n_listed)
                n_listed = meet_neighbours(
                    after[0], after[1], after[2, hit], -site, 1, state, lengths, listed, n_listed
                )
                for m in range(_MEMORY):
                    s = latest[hit, m]
                    if s >= 0:
                        for x in carriers[first[s] : first[s] + found[s]]:
                            n_listed = meet(x, 0, 0, 4 if m == 0 else 1, state, lengths, listed, n_listed)

        truth[mine[:n_carriers]] = 0
        n_told = 0
        for x in range(n):
            if state[x] == _CARRIER:
                mine[n_told] = x
                n_told += 1
                for m in range(_MEMORY - 1, 0, -1):
                    latest[x, m] = latest[x, m - 1]
                latest[x, 0] = r
        found[r] = n_told
        state[:] = _UNSEEN


@kernel
def gather_carriers(
    alleles: np.ndarray, flipped: np.ndarray, rare: np.ndarray, first: np.ndarray, carriers: np.ndarray
) -> None:
    """List who carries the minor allele at each rare site: fills `carriers` as `code_rare_sites` wants them.

    alleles: uint8 (n_sites, n_haplotypes). flipped: uint8 (n_sites,). rare: int64 (n_rare,), places of the rare sites.
    """
    for r in range(rare.size):
        slot = first[r]
        minor = 1 - flipped[rare[r]]
        for h in range(alleles.shape[1]):
            if alleles[rare[r], h] == minor:
                carriers[slot] = h
                slot += 1


@kernel
def spread_carriers(
    carriers: np.ndarray,
    first: np.ndarray,
    found: np.ndarray,
    rare: np.ndarray,
    flipped: np.ndarray,
    alleles: np.ndarray,
) -> None:
    """The inverse of `gather_carriers`: fills the rows of the rare sites."""
    for r in range(rare.size):
        minor = 1 - flipped[rare[r]]
        alleles[rare[r]] = 1 - minor
        for slot in range(first[r], first[r] + found[r]):
            alleles[rare[r], carriers[slot]] = minor
