"""Common sites of haplotypes beside a reference: as in `common_sites`, with the reference's alleles known on all sides.

A new haplotype stands among those of the reference in every PBWT order, and at a site all of the reference is known
before the first new allele. So two kinds of context know more than within one panel: the neighbours in the main order
on both sides, and the counts of those that match, above and below. Before the new alleles of a site, those of some
reference haplotypes are foretold in the same contexts, each from all the others, and learned but not coded: what
the mix knows of a population costs the new haplotypes nothing.
"""

import numpy as np

from haploom.entropy_coding.common_sites import (
    COUNT_INPUTS,
    EVEN,
    FIRST_WEIGHT,
    OTHER_INPUTS,
    SITE_CELLS,
    TABLE,
    code_under_three_sets,
    count_contexts,
    forget_shorter,
    other_contexts,
)
from haploom.entropy_coding.donors import DONOR_INPUTS, UNKNOWN, donor_contexts, learn_donors, new_donors
from haploom.entropy_coding.match_lengths import octave
from haploom.entropy_coding.neighbours import VOTES_0, VOTES_1, known_below, neighbour_contexts, side_context
from haploom.entropy_coding.pbwt import new_orders, pass_site
from haploom.entropy_coding.range_coder import blank_encoder
from haploom.kernels import int64, kernel


@kernel
def counts_below(
    order: np.ndarray, start: np.ndarray, column: np.ndarray, site: int, kind: int, n_known: int, below: np.ndarray
) -> None:
    """Count contexts of every place of an order from the known haplotypes below it: fills int64 (n, COUNT_INPUTS).

    order, start: int32 (n,), as in `pbwt.advance`. column: uint8 (n,), known of haplotypes below n_known.
    """
    counts = np.zeros((COUNT_INPUTS, 3), dtype=np.int64)
    for i in range(order.size - 1, -1, -1):
        count_contexts(counts, kind, below[i])
        h = order[i]
        if h < n_known:
            for level in range(COUNT_INPUTS):
                counts[level, column[h]] += 1
                counts[level, 2] = 1 + column[h]
        forget_shorter(counts, site - start[i])


@kernel
def code_common_beside(
    coder: np.ndarray,
    data: np.ndarray,
    alleles: np.ndarray,
    sites: np.ndarray,
    classes: np.ndarray,
    rules: np.ndarray,
    n_donors: int,
    n_known: int,
    step: int,
) -> None:
    """Code the new columns of the common sites, in and out.

    alleles: uint8 (n_sites, n_haplotypes) of 0 and 1 (1 = minor), columns below n_known known. sites: int64
    (n_common,), rows that are common. classes: uint8 (n_common,), by the known columns. rules, n_donors: as in
    `common_sites.code_common_sites`. step: every step-th known haplotype is foretold to learn from.
    """
    n = alleles.shape[1]
    nowhere, no_data = blank_encoder()
    n_orders = rules.shape[0]
    order, start, places, scratch = new_orders(n_orders, n)
    known = np.empty((n_orders, n), dtype=np.uint8)
    donors = new_donors(n, n_donors)
    told = np.empty(n, dtype=np.uint8)
    surprises = np.zeros(n, dtype=np.int64)
    counts = np.empty((COUNT_INPUTS, 3), dtype=np.int64)
    below = np.empty((n, COUNT_INPUTS), dtype=np.int64)
    tally = np.empty(5, dtype=np.int64)

    first_order = 2 * COUNT_INPUTS
    other = first_order + n_orders
    fresh = other + OTHER_INPUTS - 1  # the input whose table starts anew at every site
    n_inputs = other + OTHER_INPUTS + (DONOR_INPUTS if n_donors else 0)
    cells = np.full(n_inputs * TABLE, EVEN, dtype=np.int64)
    chosen = np.zeros(n_inputs, dtype=np.int64)
    of_neighbours, of_others, of_donors = chosen[first_order:other], chosen[other:], chosen[fresh + 1 :]
    logits, three = np.zeros(n_inputs, dtype=np.int64), np.zeros(3, dtype=np.int64)
    by_votes = np.full((256, n_inputs), FIRST_WEIGHT, dtype=np.int64)
    by_length = np.full((64, n_inputs), FIRST_WEIGHT, dtype=np.int64)
    by_class = np.full((64, n_inputs), FIRST_WEIGHT, dtype=np.int64)
    last = np.full((64, 3), 65536 // 3, dtype=np.int64)

    for k in range(sites.size):
        site, kind = sites[k], int64(classes[k])
        column = alleles[site]
        for h in range(n):
            told[h] = column[h] if h < n_known else UNKNOWN
        for o in range(n_orders):
            for h in range(n):
                known[o, places[h, o]] = told[h]
        counts_below(order[0], start[0], column, site, kind, n_known, below)
        cells[fresh * TABLE : fresh * TABLE + SITE_CELLS] = EVEN
        of_site = by_class[kind].copy()
        for turn in range(2):  # first some of the reference, to learn from, then those that are new
            counts[:] = 0
            ones = int64(0)
            for i in range(n):
                h = order[0, i]
                length = site - start[0, i]
                forget_shorter(counts, length)
                if (h >= n_known) if turn else (h < n_known and h % step == 0):
                    surprise = min(surprises[h] >> 8, 3)
                    count_contexts(counts, kind, chosen)
                    for level in range(COUNT_INPUTS):
                        chosen[COUNT_INPUTS + level] = below[i, level]
                    neighbour_contexts(places, h, known, start, site, of_neighbours, tally)
                    allele, match = known_below(known, start, 0, i, site)
                    of_neighbours[0] = of_neighbours[0] // 25 * 25 + side_context(allele, match)
                    other_contexts(tally, length, kind, surprise, i * 16 // n, ones, of_others)
                    if n_donors:
                        donor_contexts(donors[h], told, site, of_donors)
                    for a in range(n_inputs):
                        chosen[a] += a * TABLE
                    votes_0, votes_1 = tally[VOTES_0], tally[VOTES_1]
                    set_a = by_votes[min(votes_0, 15) * 16 + min(votes_1, 15)]
                    set_b = by_length[octave(length) * 4 + surprise]
                    of_last = last[min(votes_0, 7) * 8 + min(votes_1, 7)]
                    bit, p = code_under_three_sets(
                        coder if turn else nowhere, data if turn else no_data, cells, chosen, logits, set_a, set_b,
                        of_site, three, of_last, int64(column[h]),
                    )  # fmt: skip
                    column[h] = bit
                    told[h] = bit
                    for o in range(n_orders):
                        known[o, places[h, o]] = bit
                    ones += bit
                    surprises[h] += ((65536 - p if bit else p) - surprises[h] * 64) >> 8
                if told[h] != UNKNOWN:
                    for level in range(COUNT_INPUTS):
                        counts[level, told[h]] += 1
                        counts[level, 2] = 1 + told[h]

        for a in range(n_inputs):
            by_class[kind, a] += (of_site[a] - by_class[kind, a]) >> 2
        if n_donors:
            learn_donors(donors, order[0], start[0], column, site)
        pass_site(rules, k, kind, order, start, places, column, site, scratch)
