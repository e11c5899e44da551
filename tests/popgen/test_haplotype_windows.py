import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from small_histories import history, panel_of

from haploom.popgen.haplotype_windows import choose_window, haplotype_windows


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 9).map(lambda people: 2 * people), st.integers(1, 40)),
           elements=st.integers(0, 1)),
    st.lists(st.integers(1, 45), min_size=1, max_size=3, unique=True),
)  # fmt: skip
def test_haplotype_windows__count_what_numpy_counts(alleles, widths):
    alleles[len(alleles) // 2 :] = alleles[: len(alleles) // 2]  # so that some are the same
    n, n_sites = alleles.shape
    for width, counts in haplotype_windows(panel_of(alleles), np.arange(n), widths).items():
        assert counts.start.tolist() == list(range(0, n_sites, width))
        for place, start in enumerate(counts.start):
            copies = np.unique(alleles[:, start : start + width], axis=0, return_counts=True)[1]
            p = copies / n
            assert counts.stop[place] == min(start + width, n_sites)
            assert counts.n_distinct[place] == len(copies)
            assert counts.entropy_bits[place] == pytest.approx(-(p * np.log2(p)).sum(), abs=1e-12)


def test_haplotype_windows__diversity_is_scikit_allels():
    allel = pytest.importorskip("allel")
    _, panel = history()
    rows = np.arange(3, 70)
    counts = haplotype_windows(panel, rows, [7])[7]
    full = counts.stop - counts.start == 7
    wanted = allel.moving_haplotype_diversity(panel.alleles(rows).T.astype(np.int8), size=7)
    np.testing.assert_allclose(counts.diversity[full], wanted)
    assert counts.mean_of_full(counts.diversity) == pytest.approx(wanted.mean())


def test_haplotype_windows__blocks_of_sites_join(monkeypatch):
    _, panel = history()
    rows = np.arange(80)
    whole = haplotype_windows(panel, rows, [13, 50])
    monkeypatch.setattr("haploom.panel.bits.BLOCK_BYTES", 80 * 11)
    for width, counts in haplotype_windows(panel, rows, [13, 50]).items():
        np.testing.assert_array_equal(counts.entropy_bits, whole[width].entropy_bits)
        np.testing.assert_array_equal(counts.n_distinct, whole[width].n_distinct)


def test_haplotype_windows__the_last_one_counts_apart():
    alleles = np.zeros((4, 5))
    alleles[:2, :2] = 1
    counts = haplotype_windows(panel_of(alleles), np.arange(4), [2, 8])
    assert counts[2].entropy_bits.tolist() == [1, 0, 0]
    assert counts[2].mean_of_full(counts[2].entropy_bits) == 0.5
    assert np.isnan(counts[8].mean_of_full(counts[8].entropy_bits))


def test_choose_window__by_hand():
    # Steps: 50 x 2 = 100, 400 x 1 = 400, 500 x 0.5 = 250; the largest leads to 500.
    assert choose_window([50, 100, 500, 1000], [1, 3, 4, 4.5]) == 500
    for widths in ([50], [50, 50]):
        with pytest.raises(ValueError, match="two or more rising"):
            choose_window(widths, [1.0] * len(widths))


def test_choose_window__is_the_papers_on_1000_genomes(real_data):
    from haploom.io import read_panel

    panel = read_panel(real_data / "chr22-dense.vcf.gz")
    counts = haplotype_windows(panel, np.arange(panel.n_haplotypes))
    assert choose_window(list(counts), [each.mean_of_full(each.entropy_bits) for each in counts.values()]) == 2500
