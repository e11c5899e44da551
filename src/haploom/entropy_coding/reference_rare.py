"""Rare sites of haplotypes beside a reference: which of the new ones carry the minor allele too.

As in `rare_sites`, but the carriers of the reference are known at the start: their neighbours and companions among
the new haplotypes are the first candidates. Whether there is one more carrier is a bit each time. Before the new
haplotypes of a site, the same is asked of some of the reference, as if those were new, and learned but not coded.
"""

from typing import NamedTuple

import numpy as np

from haploom.entropy_coding.candidates import (
    CANDIDATE,
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
from haploom.entropy_coding.range_coder import blank_encoder
from haploom.entropy_coding.rare_sites import question_contexts
from haploom.entropy_coding.reverse_sweep import REVERSE_SEGMENT, load_segment, reverse_checkpoints
from haploom.kernels import int64, kernel

_UNLIKELY = 20  # a candidate less probable than this (16 bits) is not asked
_LIMIT = 1000
_N_QUESTION, _QUESTION_CELLS = 6, 1 << 13
_N_MORE, _MORE_CELLS = 4, 1 << 12
_KEPT = 64  # carriers of a site that are remembered as companions


class Learned(NamedTuple):
    """What has been learned: cells and weights of the questions and of whether there is one more; int64, flat cells."""

    cells: np.ndarray
    weights: np.ndarray
    more_cells: np.ndarray
    more_weights: np.ndarray
    lately: np.ndarray  # (64,): whether the last sites of each class had a new carrier, a bit each
    chosen: np.ndarray
    logits: np.ndarray


class Company(NamedTuple):
    """Who stands near whom: `state`, `evidence` and `listed` as in `candidates`, and what was shared at sites before.

    carriers: int32, those of rare site r are carriers[first[r] : first[r] + kept[r]]. latest: int64 (n, MEMORY).
    order, start, rank: int32 (n,), forward PBWT before the site. after: int32 (3, n), the reverse one.
    """

    state: np.ndarray
    evidence: np.ndarray
    listed: np.ndarray
    carriers: np.ndarray
    first: np.ndarray
    kept: np.ndarray
    latest: np.ndarray
    order: np.ndarray
    start: np.ndarray
    rank: np.ndarray
    after: np.ndarray


@kernel
def meet_around(x: int, site: int, company: Company, n_listed: int) -> int:
    """Meet the neighbours of carrier x in both orders and its companions; returns how many are listed."""
    state, evidence, listed, after = company.state, company.evidence, company.listed, company.after
    n_listed = meet_neighbours(
        company.order, company.start, company.rank[x], site, 0, state, evidence, listed, n_listed
    )
    n_listed = meet_neighbours(after[0], after[1], after[2, x], -site, 1, state, evidence, listed, n_listed)
    return meet_companions(
        x, company.latest, company.carriers, company.first, company.kept, state, evidence, listed, n_listed
    )


@kernel
def more_contexts(kind: int, n_found: int, company: Company, n_listed: int, learned: Learned) -> None:
    """Choose the cells for whether there is one more carrier: by what the candidates' evidence promises."""
    likely, expected = int64(0), int64(0)
    for j in range(n_listed):
        x = company.listed[j]
        if company.state[x] == CANDIDATE:
            evidence = company.evidence[x]
            p = learned.cells[evidence_context(evidence[0], evidence[1], evidence[2])] >> 32
            likely = max(likely, p)
            expected += p
    found, kind, lately = min(n_found, 7), min(kind, 15), learned.lately[kind] & 3
    chosen = learned.chosen
    chosen[0] = (octave(likely) * 8 + found) * 4 + lately
    chosen[1] = _MORE_CELLS + (kind * 16 + min(n_found, 15)) * 8 + octave(likely) // 2
    chosen[2] = 2 * _MORE_CELLS + (half_octave(expected >> 6) * 8 + found) * 8 + kind // 2
    chosen[3] = 3 * _MORE_CELLS + (kind * 4 + lately) * 8 + found


@kernel
def ask_for_one(
    coder: np.ndarray,
    data: np.ndarray,
    row: np.ndarray,
    kind: int,
    n_found: int,
    company: Company,
    n_listed: int,
    learned: Learned,
) -> int:
    """Ask the candidates, the likeliest first, until one is a carrier; returns it, or -1 when no likely one is left."""
    state, evidence = company.state, company.evidence
    misses, refused = int64(0), int64(0)
    while True:
        x, _ = likeliest(state, evidence, company.listed, n_listed, learned.cells, _UNLIKELY)
        if x < 0:
            return int64(-1)
        which = question_contexts(evidence[x], kind, n_found, 0, octave(misses), refused, learned.chosen)
        weights = learned.weights[which]
        if code_mixed(coder, data, learned.cells, learned.chosen, weights, learned.logits, 5, _LIMIT, int64(row[x])):
            return x
        state[x] = REFUSED
        refused = max(refused, half_octave(evidence[x, 0] + evidence[x, 1]))
        misses += 1


@kernel
def untold(mine: np.ndarray, n_mine: int, state: np.ndarray) -> int:
    """The first of the carriers `mine` that is not yet told, -1 where all are."""
    for j in range(n_mine):
        if state[mine[j]] != CARRIER:
            return int64(mine[j])
    return int64(-1)


@kernel
def code_rare_beside(
    coder: np.ndarray,
    data: np.ndarray,
    alleles: np.ndarray,
    sites: np.ndarray,
    classes: np.ndarray,
    common_sites: np.ndarray,
    n_known: int,
    n_folds: int,
    most: int,
) -> None:
    """Code the new columns of the rare sites, in and out.

    alleles: uint8 (n_sites, n_haplotypes) of 0 and 1 (1 = minor), whole at common sites; elsewhere the columns below
    n_known are known. sites, common_sites: int64, rows that are rare and common. classes: uint8 (n_rare,), by the known
    columns. n_folds: how many groups of the reference, each as many as are new, are asked to learn from. most: new
    carriers that a site can have, which bounds the time.
    """
    n = alleles.shape[1]
    n_new = n - n_known
    n_folded = min(n_new, n_known // 2)
    columns = alleles[common_sites]
    n_common = common_sites.size
    order = np.arange(n).astype(np.int32)
    start = np.zeros(n, dtype=np.int32)
    rank = np.arange(n).astype(np.int32)
    scratch = np.empty((2, n), dtype=np.int32)
    checkpoints = reverse_checkpoints(columns, common_sites, alleles.shape[0])
    segment = np.empty((REVERSE_SEGMENT, 3, n), dtype=np.int32)
    loaded = -1

    state = np.full(n, REFUSED, dtype=np.int8)  # all but those asked
    evidence, listed = np.zeros((n, 3), dtype=np.int64), np.empty(n, dtype=np.int64)
    latest = np.full((n, MEMORY), -1, dtype=np.int64)
    first, kept = np.arange(sites.size) * _KEPT, np.zeros(sites.size, dtype=np.int64)
    carriers = np.zeros(sites.size * _KEPT, dtype=np.int32)
    of_reference, others, mine = np.empty((3, n), dtype=np.int32)
    learned = Learned(
        np.full(_N_QUESTION * _QUESTION_CELLS, int64(6000) << 32, dtype=np.int64),
        np.full((64, _N_QUESTION), 65536 * 2 // 10, dtype=np.int64),
        np.full(_N_MORE * _MORE_CELLS, int64(32768) << 32, dtype=np.int64),
        np.full((64, _N_MORE), 65536 // _N_MORE, dtype=np.int64),
        np.zeros(64, dtype=np.int64),
        np.empty(_N_QUESTION, dtype=np.int64),
        np.empty(_N_QUESTION, dtype=np.int64),
    )
    trees = new_trees(3, n_new)
    tree_weights = np.full((2, tree_depth(n_new) + 1, 2), 65536 * 6 // 10, dtype=np.int64)
    nowhere, no_data = blank_encoder()

    k = 0
    for r in range(sites.size):
        kind, site = int64(classes[r]), sites[r]
        row = alleles[site]
        if k < n_common and common_sites[k] < site:
            while k < n_common and common_sites[k] < site:
                advance(order, start, columns[k], common_sites[k], scratch)
                k += 1
            rank_of(order, rank)
        if loaded != k // REVERSE_SEGMENT:
            loaded = k // REVERSE_SEGMENT
            load_segment(segment, checkpoints, loaded, columns, common_sites)
        after = segment[k % REVERSE_SEGMENT]
        company = Company(state, evidence, listed, carriers, first, kept, latest, order, start, rank, after)
        n_of_reference = 0
        for h in range(n_known):
            if row[h]:
                of_reference[n_of_reference] = h
                n_of_reference += 1

        for turn in range(n_folds + 1):
            learning = turn < n_folds  # the last turn is that of the new haplotypes
            if learning and n_of_reference == 0:
                continue
            begin, n_asked = ((r * n_folds + turn) * n_folded % n_known, n_folded) if learning else (n_known, n_new)
            for j in range(n_asked):
                state[(begin + j) % n_known if learning else begin + j] = UNSEEN
            n_listed, n_others, n_mine = 0, 0, 0
            for j in range(n_of_reference):
                x = of_reference[j]
                if state[x] == UNSEEN:
                    mine[n_mine] = x
                    n_mine += 1
                else:
                    others[n_others] = x
                    n_others += 1
            if not learning:
                for h in range(n_known, n):
                    if row[h]:
                        mine[n_mine] = h
                        n_mine += 1
            for j in range(n_others):
                n_listed = meet_around(others[j], site, company, n_listed)
            to, into = (nowhere, no_data) if learning else (coder, data)
            n_found, lowest = 0, int64(0)
            while n_found < min(n_asked, most):
                more_contexts(kind, n_found, company, n_listed, learned)
                wanted = untold(mine, n_mine, state)
                if not code_mixed(
                    to, into, learned.more_cells, learned.chosen[:_N_MORE], learned.more_weights[kind], learned.logits,
                    4, _LIMIT, int64(wanted >= 0),
                ):  # fmt: skip
                    break
                hit = ask_for_one(to, into, row, kind, n_found, company, n_listed, learned)
                if hit < 0 and learning:
                    hit = wanted
                elif hit < 0:
                    tree = min(n_others + n_found, 1)
                    wanted = max(wanted - n_known, 0)
                    hit = code_draw(to, into, trees, tree, tree_weights[tree], lowest, n_new, wanted) + n_known
                    for h in range(n_known, hit):  # the lowest is drawn first
                        if state[h] != CARRIER:
                            state[h] = REFUSED
                    lowest = hit + 1 - n_known
                if state[hit] == UNSEEN:
                    listed[n_listed] = hit
                    n_listed += 1
                state[hit] = CARRIER
                n_found += 1
                n_listed = meet_around(hit, site, company, n_listed)
            if learning:
                for j in range(n_asked):
                    state[(begin + j) % n_known] = REFUSED
            else:
                learned.lately[kind] = learned.lately[kind] << 1 | int64(n_found > 0)
        for h in range(n_known, n):
            row[h] = state[h] == CARRIER
            state[h] = REFUSED

        for h in range(n):
            if row[h] and kept[r] < _KEPT:
                carriers[first[r] + kept[r]] = h
                kept[r] += 1
        for x in carriers[first[r] : first[r] + kept[r]] if kept[r] > 1 else carriers[:0]:
            for m in range(MEMORY - 1, 0, -1):
                latest[x, m] = latest[x, m - 1]
            latest[x, 0] = r
