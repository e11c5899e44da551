"""Alleles under a mix of a model's word and the rows before, and code indices: against entropies, and copies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from haploom.entropy_coding.code_indices import decode_codes, encode_codes
from haploom.entropy_coding.guided_alleles import LOGIT_BITS, GuidedAlleles


def encoded(alleles, log_odds, groups, width, n_groups, step=1000):
    coder = GuidedAlleles(*alleles.shape, width, n_groups)
    for start in range(0, len(alleles), step):
        rows = slice(start, start + step)
        coder.code(log_odds[rows], groups[rows], alleles[rows].copy())
    return coder.finish()


def decoded(data, log_odds, groups, width, n_groups, step=1000):
    coder = GuidedAlleles(*log_odds.shape, width, n_groups, data)
    for start in range(0, len(log_odds), step):
        rows = slice(start, start + step)
        coder.code(log_odds[rows], groups[rows], np.zeros(log_odds[rows].shape, dtype=np.uint8))
    return np.unpackbits(coder.rows, axis=1, count=log_odds.shape[1])


@given(st.integers(0, 2**32), st.integers(0, 20), st.integers(1, 90), st.integers(1, 90))
def test_guided_alleles__decode_inverts_encode_however_rows_are_cut(seed, n_rows, n_sites, width):
    rng = np.random.default_rng(seed)
    alleles = rng.integers(0, 2, (n_rows, n_sites), dtype=np.uint8)
    alleles[n_rows // 2 :] = alleles[: n_rows - n_rows // 2]  # donors that are right
    log_odds = rng.integers(-4000, 4000, (n_rows, n_sites))
    groups = rng.integers(0, 3, (n_rows, -(-n_sites // width)))
    data = encoded(alleles, log_odds, groups, width, 3)
    assert data == encoded(alleles, log_odds, groups, width, 3, step=1)
    assert_array_equal(decoded(data, log_odds, groups, width, 3, step=7), alleles)


def test_guided_alleles__a_true_model_is_believed():
    # Alleles drawn from the very probabilities that are given: nothing is shorter than their entropy.
    rng = np.random.default_rng(1)
    p = rng.beta(0.5, 0.5, (300, 400)).clip(0.01, 0.99)
    alleles = (rng.random(p.shape) < p).astype(np.uint8)
    log_odds = np.rint(np.log(p / (1 - p)) * 2**LOGIT_BITS).astype(np.int64)
    entropy = -(p * np.log2(p) + (1 - p) * np.log2(1 - p)).sum()
    data = encoded(alleles, log_odds, np.zeros((300, 1), int), 400, 1)
    assert 0.98 * entropy < 8 * len(data) < 1.05 * entropy


def test_guided_alleles__copies_cost_little_whatever_the_model_says():
    rng = np.random.default_rng(2)
    founders = rng.integers(0, 2, (10, 2000), dtype=np.uint8)
    alleles = np.concatenate([founders, founders[rng.integers(0, 10, 200)]])
    nothing = np.zeros(alleles.shape, dtype=np.int64)
    data = encoded(alleles, nothing, np.zeros((210, 1), int), 2000, 1)
    # The founders cost a bit an allele; of a copy, the first 32 sites until it is found, and little more.
    assert founders.size < 8 * len(data) < 1.05 * founders.size + 200 * 2 * 32


def test_guided_alleles__shapes_that_do_not_fit_are_refused():
    coder = GuidedAlleles(2, 5, 5, 1)
    with pytest.raises(ValueError, match="log-odds"):
        coder.code(np.zeros((1, 4)), np.zeros((1, 1)), np.zeros((1, 5), np.uint8))


@given(st.integers(0, 2**32), st.integers(0, 30), st.integers(1, 5), st.integers(1, 300))
def test_code_indices__decode_inverts_encode(seed, n_rows, n_columns, n_codes):
    codes = np.random.default_rng(seed).integers(0, n_codes, (n_rows, n_columns))
    assert_array_equal(decode_codes(encode_codes(codes, n_codes), n_rows, n_columns, n_codes), codes)


def test_code_indices__rows_alike_so_far_foretell_the_next_code():
    rng = np.random.default_rng(3)
    kinds = rng.integers(0, 64, (12, 20))  # twelve haplotypes, told apart by any window
    codes = kinds[rng.integers(0, 12, 1000)]
    bits = 8 * len(encode_codes(codes, 64))
    # log2 12 a row, once; each window once for each kind, and the rest for the rows of a kind that come together.
    assert bits < 1000 * np.log2(12) + 20 * 12 * 12 + 1000 * 20 * 0.1
