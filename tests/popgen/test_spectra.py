"""Spectra and heterozygosity against tskit, which reads them off trees, and scikit-allel."""

import numpy as np
import pytest
from small_histories import history, panel_of

from haploom.popgen.diversity import expected_heterozygosity, observed_heterozygosity
from haploom.popgen.spectra import allele_spectrum, folded_by_percent, folded_spectrum


def test_spectra__are_tskits():
    trees, panel = history()
    n, counts = panel.n_haplotypes, panel.allele_counts()
    unfolded, folded = (
        trees.allele_frequency_spectrum(polarised=polarised, span_normalise=False) for polarised in (True, False)
    )
    np.testing.assert_allclose(allele_spectrum(counts, n)[1:n], unfolded[1:n])
    np.testing.assert_allclose(folded_spectrum(counts, n)[1:], folded[1 : n // 2 + 1])


def test_spectra__are_scikit_allels():
    allel = pytest.importorskip("allel")
    counts = np.random.default_rng(1).integers(0, 22, 500)
    np.testing.assert_array_equal(allele_spectrum(counts, 21), allel.sfs(counts, n=21))
    folded = allel.sfs_folded(np.stack([21 - counts, counts], axis=1), n=21)
    np.testing.assert_array_equal(folded_spectrum(counts, 21), folded)


def test_folded_by_percent__edges_belong_below():
    # Of 300: 0 and 300 are fixed, 1 and 3 are up to 1 %, 4 and 297 + ... up to 2 %, 150 is 50 %.
    by_percent = folded_by_percent(np.array([0, 300, 1, 3, 297, 4, 294, 150]), 300)
    assert by_percent[[0, 1, 49]].tolist() == [3, 2, 1]
    assert by_percent.sum() == 6


def test_spectra__impossible_counts_are_errors():
    for spectrum in (allele_spectrum, folded_spectrum, folded_by_percent):
        for counts, n in (([5], 4), ([-1], 4), ([0], 0)):
            with pytest.raises(ValueError, match="allele counts"):
                spectrum(np.array(counts), n)


def test_expected_heterozygosity__sums_to_tskits_diversity():
    trees, panel = history()
    pi = expected_heterozygosity(panel.allele_counts(), panel.n_haplotypes).sum()
    assert pi == pytest.approx(trees.diversity(span_normalise=False))
    assert np.isnan(expected_heterozygosity(np.array([1]), 1)).all()


def test_observed_heterozygosity__is_scikit_allels():
    allel = pytest.importorskip("allel")
    alleles = np.random.default_rng(4).integers(0, 2, (24, 33), dtype=np.uint8)
    rows = np.arange(4, 20)
    genotypes = allel.HaplotypeArray(alleles[rows].T.astype(np.int8)).to_genotypes(ploidy=2)
    got = observed_heterozygosity(panel_of(alleles), rows)
    np.testing.assert_allclose(got, allel.heterozygosity_observed(genotypes))


@pytest.mark.parametrize("rows", [[], [0], [1, 2], [0, 3]])
def test_observed_heterozygosity__needs_whole_people(rows):
    with pytest.raises(ValueError, match="both haplotypes"):
        observed_heterozygosity(panel_of(np.zeros((4, 2))), np.array(rows, dtype=int))
