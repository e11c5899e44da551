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

from haploom.entropy_coding.candidates import (
    CARRIER,
    MEMORY,
    REFUSED,
    UNSEEN,
    evidence_context,
    likeliest,
    meet_companions,
    meet_neighbours,
)
from haploom.entropy_coding.index_draws import code_draw, new_trees, tree_depth
from haploom.entropy_coding.match_lengths import half_octave, octave
from haploom.entropy_coding.mixing import code_mixed
from haploom.entropy_coding.pbwt import advance, rank_of
from haploom.entropy_coding.reverse_sweep import REVERSE_SEGMENT, load_segment, reverse_checkpoints
from haploom.entropy_coding.site_classes import BOUNDS
from haploom.kernels import int64, kernel

_UNLIKELY = 20  # a candidate less probable than this (16 bits) is not asked
_LIMIT = 1000
_N_INPUTS = 6
_TABLE = 1 << 13  # cells of each input
# Trees to draw from: 0 for singletons, 1-5 for the first carrier by class, 6-10 for others by how many must still
# come, and the one that learns from all.
_N_TREES = 12


@kernel
def question_contexts(
    evidence: np.ndarray, kind: int, n_found: int, remaining: int, tries: int, refused: int, chosen: np.ndarray
) -> int:
    """Fill `chosen` with the cells for asking whether one candidate is a carrier; returns the weight set, 0 to 31.

    evidence: int64 (3,), the candidate's. kind: class of the site. remaining: carriers it must still have.
    tries: octave of the candidates refused since the last carrier. refused: half octave of the longest match refused.
    """
    before, after, shared = evidence[0], evidence[1], min(evidence[2], 7)
    total = half_octave(before + after)
    tries, remaining = min(tries, 7), min(remaining, 7)
    chosen[0] = evidence_context(before, after, shared)
    chosen[1] = (half_octave(before) * 8 + tries) * 8 + remaining
    chosen[2] = (half_octave(after) * 8 + tries) * 8 + shared
    chosen[3] = (total * 8 + shared) * 8 + octave(n_found)
    chosen[4] = (min(kind, 15) * 32 + min(n_found, 31)) * 8 + tries
    chosen[5] = (total * 32 + refused) * 2 + (1 if shared else 0)
    for a in range(_N_INPUTS):
        chosen[a] += a * _TABLE
    return tries * 4 + min(shared, 3)


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
    evidence = np.zeros((n, 3), dtype=np.int64)
    listed = np.empty(n, dtype=np.int64)
    latest = np.full((n, MEMORY), -1, dtype=np.int64)

    trees = new_trees(_N_TREES, n)
    tree_weights = np.full((_N_TREES, tree_depth(n) + 1, 2), 65536 * 6 // 10, dtype=np.int64)
    cells = np.full(_N_INPUTS * _TABLE, int64(6000) << 32, dtype=np.int64)
    weights = np.full((64, _N_INPUTS), 65536 * 2 // 10, dtype=np.int64)
    more_cells = np.full(4096, int64(32768) << 32, dtype=np.int64)
    more_weights = np.full((64, 2), 32768, dtype=np.int64)
    chosen = np.empty(_N_INPUTS, dtype=np.int64)
    logits = np.empty(_N_INPUTS, dtype=np.int64)

    k = 0
    for r in range(sites.size):
        kind = int64(classes[r])
        least, most = min(BOUNDS[kind], n), min(BOUNDS[kind + 1] - 1, n)
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
        refused = int64(0)
        while n_found < most:
            if n_found >= least:
                _, likely = likeliest(state, evidence, listed, n_listed, cells, 0)
                extra = n_found - least
                chosen[0] = octave(likely) * 8 + min(extra, 7)
                chosen[1] = 128 + (min(kind, 15) * 16 + min(extra, 15)) * 8 + octave(likely) // 2
                more = int64(n_found < n_carriers)
                more = code_mixed(coder, data, more_cells, chosen[:2], more_weights[kind], logits, 4, _LIMIT, more)
                if not more:
                    break
            hit = int64(-1)
            misses = 0
            remaining = max(least - n_found, 0)
            while n_found > 0 and hit < 0:
                x, _ = likeliest(state, evidence, listed, n_listed, cells, _UNLIKELY)
                if x < 0:
                    break
                which = question_contexts(evidence[x], kind, n_found, remaining, octave(misses), refused, chosen)
                bit = code_mixed(coder, data, cells, chosen, weights[which], logits, 5, _LIMIT, int64(truth[x]))
                if bit:
                    hit = x
                else:
                    state[x] = REFUSED
                    refused = max(refused, half_octave(evidence[x, 0] + evidence[x, 1]))
                    misses += 1
            if hit < 0:
                while next_drawn < n_carriers and state[mine[next_drawn]] == CARRIER:
                    next_drawn += 1
                wanted = int64(mine[min(next_drawn, most - 1)])
                tree = 1 + min(kind - 2, 4) if n_found == 0 else 6 + min(remaining, 4)
                hit = code_draw(coder, data, trees, tree, tree_weights[tree], lowest, n, wanted)
            if n_found == 0:
                lowest = hit + 1
                state[:hit] = REFUSED
            if state[hit] == UNSEEN:  # drawn, and nobody's neighbour
                listed[n_listed] = hit
                n_listed += 1
            state[hit] = CARRIER
            n_found += 1
            if n_found < most:
                n_listed = meet_neighbours(order, start, rank[hit], site, 0, state, evidence, listed, n_listed)
                n_listed = meet_neighbours(
                    after[0], after[1], after[2, hit], -site, 1, state, evidence, listed, n_listed
                )
                n_listed = meet_companions(hit, latest, carriers, first, found, state, evidence, listed, n_listed)

        truth[mine[:n_carriers]] = 0
        n_told = 0
        for x in range(n):
            if state[x] == CARRIER:
                mine[n_told] = x
                n_told += 1
                for m in range(MEMORY - 1, 0, -1):
                    latest[x, m] = latest[x, m - 1]
                latest[x, 0] = r
        found[r] = n_told
        state[:] = UNSEEN


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
