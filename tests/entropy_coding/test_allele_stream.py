"""Alleles under given probabilities: round trips, length against the ideal, the table against the standard library."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from haploom.entropy_coding.allele_stream import allele_probabilities, code_alleles, decode_alleles


@given(st.integers(0, 2**32), st.integers(0, 9), st.integers(0, 40))
def test_code_alleles__decode_inverts_it(seed, n_rows, n_sites):
    rng = np.random.default_rng(seed)
    alleles = rng.integers(0, 2, (n_rows, n_sites), dtype=np.uint8)
    probabilities = rng.choice([1, 2, 300, 32768, 65534, 65535], (n_rows, n_sites)).astype(np.uint16)
    given_alleles = alleles.copy()
    data = code_alleles(alleles, probabilities)
    assert_array_equal(decode_alleles(data, probabilities), alleles)
    assert_array_equal(alleles, given_alleles)


@pytest.mark.parametrize("spread", [0.1, 2.0, 6.0])
def test_code_alleles__length_is_the_ideal(spread):
    rng = np.random.default_rng(3)
    probabilities = allele_probabilities(rng.normal(0, spread * 4096, (100, 3000)).astype(np.int64), 12)
    alleles = (rng.random(probabilities.shape) < probabilities / 65536).astype(np.uint8)
    ideal_bytes = -np.log2(np.where(alleles, probabilities, 65536 - probabilities.astype(np.int64)) / 65536).sum() / 8
    assert -1 < len(code_alleles(alleles, probabilities)) - ideal_bytes < 0.001 * ideal_bytes + 8


@pytest.mark.parametrize("bits", [2, 8, 12, 20])
def test_allele_probabilities__equal_the_standard_librarys(bits):
    log_odds = np.array([-1e15, -12.0, -11.0, -2.5, -1 / 256, 0, 0.3, 5.0, 11.0, 12.0, 1e15])
    log_odds = np.floor(log_odds * 2.0**bits)
    got = allele_probabilities(log_odds, bits)
    wanted = [65536 / (1 + math.exp(min(-x, 700))) for x in log_odds / 2.0**bits]
    assert got.dtype == np.uint16
    assert (np.abs(got - np.clip(wanted, 1, 65535)) <= 0.5 + 32768 / 512).all()  # half a step of 1/256 nat
    assert_array_equal(got[[0, 5, -1]], [1, 32768, 65535])


def test_code_alleles__what_does_not_fit_is_refused():
    alleles = np.zeros((2, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="have probabilities"):
        code_alleles(alleles, np.ones((3, 2), dtype=np.uint16))
    with pytest.raises(ValueError, match="wanted uint16"):
        code_alleles(alleles, np.ones((2, 3)))
    with pytest.raises(ValueError, match="probability 0"):
        decode_alleles(b"", np.zeros((2, 3), dtype=np.uint16))
