"""Codes by what they cost: against every code tried, and against what prices are for."""

import numpy as np
from numpy.testing import assert_array_equal

from haploom.compression.code_choice import best_codes
from haploom.exact import CodeTable
from haploom.panel.bits import pack_rows


def table_and_rows():
    rng = np.random.default_rng(5)
    steps = rng.integers(-30, 30, (3, 6, 8)).astype(np.int8)
    table = CodeTable(steps, 22)
    alleles = table.decide(rng.integers(0, 6, (200, 3))) ^ (rng.random((200, 22)) < 0.1)
    return table, alleles.astype(np.uint8)


def bits_under(table, alleles, codes):
    log_odds = table.logits(codes) / 16
    return (np.logaddexp(0, log_odds) - alleles * log_odds) / np.log(2)


def test_best_codes__no_other_code_is_cheaper():
    table, alleles = table_and_rows()
    found = best_codes(table, pack_rows(alleles))
    windows = np.arange(22) // 8
    every = np.stack([bits_under(table, alleles, np.full((200, 3), code)) for code in range(6)])
    for window in range(3):
        costs = every[:, :, windows == window].sum(axis=2)
        # The table's sums are rounded to 1/16 nat a site: a code may cost as much more than the best.
        assert (costs[found[:, window], np.arange(200)] <= costs.min(axis=0) + 8 / 16 / np.log(2)).all()


def test_best_codes__those_that_save_less_than_they_cost_are_not_used():
    table, alleles = table_and_rows()
    rows = pack_rows(alleles)
    entropies, sizes = [], []
    for believed in (1.0, 0.5, 0.001):
        codes = best_codes(table, rows, believed)
        shares = [np.bincount(column, minlength=6) / 200 for column in codes.T]
        entropies.append(-sum((p[p > 0] * np.log2(p[p > 0])).sum() for p in shares))
        sizes.append(bits_under(table, alleles, codes).sum())
    assert entropies[0] > entropies[1] > entropies[2] == 0
    assert sizes[0] < sizes[1] < sizes[2]
    assert_array_equal(best_codes(table, rows, 0.001), np.repeat(codes[:1], 200, axis=0))
