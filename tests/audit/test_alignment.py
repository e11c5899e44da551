"""The three panels at the same sites, however they are written."""

import logging

import numpy as np
import pytest

from haploom.audit.alignment import aligned, windows_of
from haploom.errors import HaploomError, SiteMismatchError
from haploom.panel import Panel, Variants


@pytest.fixture
def three(two_populations):
    """Synthetic, training and held-out people."""
    names = two_populations.samples
    return [two_populations.select_samples(names[start::3]) for start in range(3)]


def test_aligned__swapped_alleles_are_recoded(three):
    synthetic, train, holdout = three
    v = synthetic.variants
    swapped = Panel.from_alleles(
        1 - synthetic.alleles(), Variants(v.chrom, v.position_bp, v.id, v.alt, v.ref), synthetic.samples
    )
    found, *_ = aligned(swapped, train, holdout)
    plain, *_ = aligned(synthetic, train, holdout)
    np.testing.assert_array_equal(found.bits, plain.bits)


def test_aligned__sites_that_one_lacks_are_left_out_and_told(three, caplog):
    synthetic, train, holdout = three
    with caplog.at_level(logging.WARNING):
        found = aligned(synthetic.select_sites(slice(0, 250)), train, holdout.select_sites(slice(10, None)))
    assert [panel.variants.site_keys() for panel in found] == [train.variants.site_keys()[10:250]] * 3
    np.testing.assert_array_equal(found[1].alleles(), train.alleles()[:, 10:250])
    assert ["50 of the" in caplog.text, "synthetic" in caplog.text, "held-out" in caplog.text] == [True] * 3


def test_aligned__frequency_is_of_the_training_people(three):
    synthetic, train, holdout = three
    found = aligned(synthetic, train, holdout, maf=0.2)
    wanted = train.variants.select(train.minor_allele_frequencies() > 0.2).site_keys()
    assert all(panel.variants.site_keys() == wanted for panel in found)


def test_aligned__people_in_both_are_refused(three):
    synthetic, train, _ = three
    with pytest.raises(HaploomError, match="20 people are both training and held-out"):
        aligned(synthetic, train, train)


def test_aligned__other_sites_are_refused(three):
    synthetic, train, holdout = three
    with pytest.raises(SiteMismatchError, match=r"synthetic people have 100 of the training people's 300 sites"):
        aligned(synthetic.select_sites(slice(0, 100)), train, holdout)


def test_windows_of__are_of_the_generators_own_sites(three):
    own = three[0].variants  # 300 sites, windows of 100: borders before sites 100 and 200
    kept = np.array([3, 98, 99, 100, 101, 250, 299])
    np.testing.assert_array_equal(windows_of(own.select(kept), own, 100), [0, 0, 0, 1, 1, 2, 2])
    # Nothing is left of the second window: the third is the next one, and there is one border.
    np.testing.assert_array_equal(windows_of(own.select(np.array([5, 6, 200, 201])), own, 100), [0, 0, 1, 1])
