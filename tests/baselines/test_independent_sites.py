"""Allele frequencies by hand, and that probabilities sum to one."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from haploom.baselines.independent_sites import IndependentSites
from haploom.errors import HaploomError, SiteMismatchError
from haploom.panel import Panel, Variants

ALLELES = np.array([[0, 1, 1], [0, 1, 0], [0, 1, 0], [1, 1, 0]], dtype=np.uint8)
LABELS = np.array(["b", "b", "a", "a"])


@pytest.fixture(scope="module")
def panel() -> Panel:
    dots = np.full(3, ".")
    return Panel.from_alleles(ALLELES, Variants(np.full(3, "1"), np.arange(1, 4), dots, dots, dots), ["P", "Q"])


def test_independent_sites__worked_out_by_hand(panel):
    # (1 + 1) / 6, (4 + 1) / 6, (1 + 1) / 6.
    sites = IndependentSites().fit(panel)
    assert_allclose(sites.frequencies_, [[1 / 3, 5 / 6, 1 / 3]])
    new = np.array([[1, 0, 1], [0, 1, 0]], dtype=np.uint8)
    assert_allclose(sites.log_likelihood(new), np.log([1 / 54, 10 / 27]))
    known = np.array([True, False, True])
    assert_allclose(sites.log_likelihood(new, known), np.log([1 / 9, 4 / 9]))
    assert_allclose(sites.impute(new, known), [[1, 5 / 6, 1], [0, 5 / 6, 0]], rtol=1e-6)
    assert_array_equal(sites.log_likelihood(new, np.zeros(3, dtype=bool)), [0, 0])


def test_independent_sites__frequencies_of_each_label(panel):
    sites = IndependentSites().fit(panel, LABELS)
    assert sites.classes_ is not None
    assert sites.classes_.tolist() == ["a", "b"]
    assert_allclose(sites.frequencies_, [[1 / 2, 3 / 4, 1 / 4], [1 / 4, 3 / 4, 1 / 2]])
    new = np.ones((3, 3), dtype=np.uint8)
    labels = np.array(["b", "a", "b"])
    assert_allclose(sites.log_likelihood(new, labels=labels), np.log([3 / 32, 3 / 32, 3 / 32]))
    imputed = sites.impute(new, np.zeros(3, dtype=bool), labels)
    assert_allclose(imputed, sites.frequencies_[[1, 0, 1]])


def test_independent_sites__probabilities_of_all_strings_sum_to_one(panel):
    strings = np.array(list(product((0, 1), repeat=3)), dtype=np.uint8)
    assert_allclose(np.exp(IndependentSites().fit(panel).log_likelihood(strings)).sum(), 1)


def test_independent_sites__what_cannot_be_used_is_refused(panel):
    sites = IndependentSites().fit(panel, LABELS)
    with pytest.raises(HaploomError, match="no allele frequencies for c: fitted were a, b"):
        sites.log_likelihood(ALLELES, labels=np.array(["a", "b", "c", "a"]))
    with pytest.raises(ValueError, match="labels are wanted"):
        sites.log_likelihood(ALLELES)
    with pytest.raises(SiteMismatchError, match="have 2 sites, the reference 3"):
        sites.log_likelihood(ALLELES[:, :2], labels=LABELS)
    with pytest.raises(ValueError, match="3 labels for 4 haplotypes"):
        IndependentSites().fit(panel, LABELS[:3])
