"""Differences between haplotypes against plain NumPy and SciPy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_array_equal

from haploom.audit.distances import (
    adversarial_accuracy,
    closer_outside,
    nearest,
    nearest_within,
    wasserstein,
)
from haploom.panel.bits import pack_rows
from haploom.popgen.differences import as_words

ALLELES = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=150), elements=st.integers(0, 1))


def differences(one, other):
    return (one[:, None] != other[None]).sum(axis=2)


@given(ALLELES, st.integers(0, 2**32 - 1), st.integers(1, 90), st.integers(1, 3))
def test_nearest__is_what_all_pairs_say(one, seed, n_other, threads):
    other = np.random.default_rng(seed).integers(0, 2, (n_other, one.shape[1]), dtype=np.uint8)
    found = nearest(as_words(pack_rows(one)), as_words(pack_rows(other)), threads)
    assert_array_equal(found.of_one, differences(one, other).min(axis=1))
    assert_array_equal(found.of_other, differences(one, other).min(axis=0))


@given(ALLELES)
def test_nearest_within__is_what_all_pairs_say(alleles):
    apart = differences(alleles, alleles)
    np.fill_diagonal(apart, alleles.shape[1] + 1)
    assert_array_equal(nearest_within(as_words(pack_rows(alleles))), apart.min(axis=1))


@given(*[arrays(np.int64, st.integers(1, 40), elements=st.integers(-50, 50))] * 2)
def test_wasserstein__is_scipys(one, other):
    from scipy.stats import wasserstein_distance

    np.testing.assert_allclose(wasserstein(one, other), wasserstein_distance(one, other), atol=1e-9)


def test_adversarial_accuracy__known_values():
    # Two people of each. Distances outside 2, 2, 2, 2 and inside 1, 3, 2, 2: one nearer inside, one not, two equal.
    one = closer_outside(np.array([2, 2, 2, 2]), np.array([1, 3, 2, 2]))
    assert_array_equal(one, [0.5, 0.5])
    apart, copied = closer_outside(np.full(4, 9), np.ones(4)), closer_outside(np.zeros(4), np.ones(4))
    assert adversarial_accuracy(apart, apart) == 1
    assert adversarial_accuracy(copied, copied) == 0
    assert adversarial_accuracy(one, one) == 0.5
