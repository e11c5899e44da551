"""Differences counted in words, against a comparison allele by allele."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from haploom.panel.bits import pack_rows
from haploom.popgen.differences import as_words, differences_of_all


@given(st.integers(0, 2**32 - 1), st.integers(0, 200))
def test_differences_of_all__of_any_number_of_sites(seed, n_sites):
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, 2, (3, n_sites), np.uint8), rng.integers(0, 2, (5, n_sites), np.uint8)
    found = differences_of_all(as_words(pack_rows(one)), as_words(pack_rows(other)))
    assert_array_equal(found, (one[:, None] != other).sum(axis=2))
