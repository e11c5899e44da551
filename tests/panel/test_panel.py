"""Panels of haplotypes and of dosages: what they refuse, selection, frequencies."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from haploom.errors import HaploomError
from haploom.panel import MISSING, DosagePanel, Panel, Variants
from haploom.panel import bits as packing


def variants_of(n_sites: int) -> Variants:
    columns = ([text] * n_sites for text in (".", "A", "C"))
    return Variants(["22"] * n_sites, range(10, 10 + n_sites), *columns)


@pytest.fixture
def alleles() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 2, (6, 11), dtype=np.uint8)


@pytest.fixture
def panel(alleles) -> Panel:
    return Panel.from_alleles(alleles, variants_of(11), ["a", "b", "c"], {"population": np.array(["X", "Y", "X"])})


def test_panel__rows_are_haplotypes_and_columns_sites(panel, alleles, monkeypatch):
    assert (panel.n_haplotypes, panel.n_samples, panel.n_sites) == (6, 3, 11)
    assert_array_equal(panel.alleles(), alleles)
    assert_array_equal(panel.alleles(slice(2, 4)), alleles[2:4])
    monkeypatch.setattr(packing, "BLOCK_BYTES", 25)
    blocks = list(panel.blocks())
    assert len(blocks) == 3
    assert_array_equal(np.concatenate([block for _, block in blocks]), alleles)


def test_panel__frequencies(panel, alleles):
    assert_array_equal(panel.allele_counts(), alleles.sum(axis=0, dtype=int))
    frequency = alleles.mean(axis=0)
    assert_allclose(panel.minor_allele_frequencies(), np.minimum(frequency, 1 - frequency))
    common = panel.common(0.2)
    assert_array_equal(common.alleles(), alleles[:, np.minimum(frequency, 1 - frequency) > 0.2])
    assert 0 < common.n_sites < 11
    for maf in (-0.1, 0.5):
        with pytest.raises(HaploomError, match=r"wanted at least 0 and below 0\.5"):
            panel.common(maf)


def test_panel__selects_people_in_the_order_given(panel, alleles):
    part = panel.select_samples(["c", "a"])
    assert part.samples == ("c", "a")
    assert_array_equal(part.alleles(), alleles[[4, 5, 0, 1]])
    assert part.labels("population").tolist() == ["X", "X"]
    with pytest.raises(HaploomError, match="2 of 3 wanted samples are not among the 3 here: x, y"):
        panel.select_samples(["x", "a", "y"])


def test_panel__labels_per_haplotype(panel):
    assert panel.labels("population", per="haplotype").tolist() == ["X", "X", "Y", "Y", "X", "X"]
    with pytest.raises(HaploomError, match=r"no label level 'tribe' \(there is: population\)"):
        panel.labels("tribe")


def test_panel__selects_sites(panel, alleles):
    part = panel.select_sites(np.array([1, 4, 10]))
    assert_array_equal(part.alleles(), alleles[:, [1, 4, 10]])
    assert part.variants.position_bp.tolist() == [11, 14, 20]


def test_panel__refuses_what_does_not_fit(panel, alleles):
    for change in (
        {"bits": panel.bits[:, :1]},
        {"bits": panel.bits[:4]},
        {"bits": panel.bits.astype(np.int8)},
        {"bits": panel.bits | 1},  # a bit past the last site
        {"samples": ("a", "b", "a")},
        {"populations": {"population": np.array(["X"])}},
    ):
        fields = {"bits": panel.bits, "variants": panel.variants, "samples": panel.samples, **change}
        with pytest.raises(ValueError):
            Panel(**fields)
    for wrong in (alleles + 1, alleles.astype(float), alleles[:, :5], alleles[0]):
        with pytest.raises(ValueError):
            Panel.from_alleles(wrong, panel.variants, panel.samples)


def test_dosages__of_haplotypes(panel, alleles):
    dosages = DosagePanel.from_panel(panel)
    assert_array_equal(dosages.dosages, alleles[::2] + alleles[1::2])
    assert dosages.labels("population").tolist() == ["X", "Y", "X"]
    assert_allclose(dosages.alternate_frequencies(), alleles.mean(axis=0))
    assert_array_equal(dosages.common(0.2).variants.position_bp, panel.common(0.2).variants.position_bp)


def test_dosages__missing_calls_do_not_count():
    dosages = np.array([[0, MISSING, 2], [1, MISSING, MISSING]], dtype=np.int8)
    panel = DosagePanel(dosages, variants_of(3), ("a", "b"))
    assert_allclose(panel.missing_rate(), [0, 1, 0.5])
    assert_allclose(panel.alternate_frequencies(), [0.25, np.nan, 1])
    assert panel.common(0.1).variants.position_bp.tolist() == [10]
    assert panel.select_samples(["b"]).dosages.tolist() == [[1, -1, -1]]


def test_dosages__refuse_what_does_not_fit():
    for wrong in (
        np.full((1, 3), 3, np.int8),
        np.full((1, 3), -2, np.int8),
        np.zeros((1, 3)),
        np.zeros((2, 3), np.int8),
    ):
        with pytest.raises(ValueError):
            DosagePanel(wrong, variants_of(3), ("a",))


def test_panels__one_line_to_look_at():
    labels = {"population": np.array(["x"])}
    panel = DosagePanel(np.zeros((1, 3), np.int8), variants_of(3), ("a",), labels)
    assert repr(panel) == f"DosagePanel(1 people, {panel.variants.extent()}; labels: population)"
    phased = Panel.from_alleles(np.zeros((2, 3), np.uint8), variants_of(3), ("a",))
    assert repr(phased) == f"Panel(2 haplotypes of 1 people, {panel.variants.extent()}; labels: none)"
    with pytest.raises(TypeError, match="one string"):
        phased.select_samples("a")
