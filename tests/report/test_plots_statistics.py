"""What is drawn, read back from the axes."""

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal

from haploom.report import plots_statistics as drawn
from haploom.report.plots import PALETTE


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_entropy_density__shares_add_up_and_empty_bins_are_left_out():
    ax = Figure().add_subplot()
    drawn.entropy_density(ax, {"AFR": np.array([0, 0, 0.5, 1.0]), "OCE": np.zeros(3)})
    afr, oce = ax.get_lines()
    shares = afr.get_ydata()
    assert_allclose(shares[[0, 12, 24]], [0.5, 0.25, 0.25])
    assert np.isnan(np.delete(shares, [0, 12, 24])).all()
    assert oce.get_ydata()[0] == 1
    assert legend(ax) == ["AFR (mean 0.375)", "OCE (mean 0.000)"]
    assert [to_hex(line.get_color()).upper() for line in (afr, oce)] == list(PALETTE[:2])


def test_window_entropy__marks_the_width_chosen():
    ax = Figure().add_subplot()
    drawn.window_entropy(ax, [50, 100], {"A": [1.0, 2.0], "B": [1.5, 2.5]}, [2.0, 3.0], 100)
    assert legend(ax) == ["A", "B", "all together"]
    assert_array_equal(ax.get_lines()[1].get_xydata(), [[50, 1.5], [100, 2.5]])
    assert list(ax.get_lines()[3].get_xdata()) == [100, 100]
    assert ax.texts[0].get_text() == " 100 sites: the paper's rule"


def test_folded_spectra__are_shares_of_the_sites_that_vary():
    ax = Figure().add_subplot()
    sites = np.zeros(50, dtype=int)
    sites[[0, 49]] = 3000, 1000
    drawn.folded_spectra(ax, {"A": sites})
    (line,) = ax.get_lines()
    assert_allclose(line.get_xydata()[[0, 49]], [[1, 0.75], [50, 0.25]])
    assert np.isnan(line.get_ydata()[1:49]).all()
    assert legend(ax) == ["A (4,000 sites)"]


def test_ld_decay__bins_without_pairs_are_left_out_and_bp_are_kb():
    ax = Figure().add_subplot()
    curves = {"A": (np.array([50, np.nan, 2000]), np.array([0.5, np.nan, 0.1]), 1234)}
    drawn.ld_decay(ax, "bp", curves)
    assert_allclose(ax.get_lines()[0].get_xydata(), [[0.05, 0.5], [2, 0.1]])
    assert ax.get_xlabel() == "Distance (kb)"
    assert legend(ax) == ["A (1,234 pairs)"]
    ax = Figure().add_subplot()
    drawn.ld_decay(ax, "sites", curves)
    assert_allclose(ax.get_lines()[0].get_xdata(), [50, 2000])


def test_correlation_profile__a_bar_of_r2_on_the_populations_line():
    ax = Figure().add_subplot()
    r = {"A": np.array([-0.5, np.nan]), "B": np.array([0.1, 1.0])}
    drawn.correlation_profile(ax, "22:5:A:C", np.array([7000, 9000]), r)
    (a,), (b, c) = (collection.get_segments() for collection in ax.collections)
    assert_allclose(a, [[7, 0], [7, 0.9 * 0.25]])
    assert_allclose(b, [[7, -1], [7, -1 + 0.9 * 0.01]])
    assert_allclose(c, [[9, -1], [9, -0.1]])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["A", "B"]
    assert ax.get_title() == "LD of 22:5:A:C with the 2 sites after it"


def test_information_by_stride__a_cell_a_pair_and_blanks_where_unknown():
    ax = Figure().add_subplot()
    values = np.array([[0.5, 0.1, np.nan], [0.2, np.nan, np.nan]])
    drawn.information_by_stride(ax, values, [1, 10])
    shown = ax.collections[0].get_array()
    assert_array_equal(np.ma.getmaskarray(shown), np.isnan(values))
    assert_array_equal(shown.compressed(), [0.5, 0.1, 0.2])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["1", "10"]


def test_information_by_stride__of_nothing_is_drawn_all_the_same():
    for nothing in (np.zeros((2, 3)), np.full((2, 3), np.nan)):
        figure = Figure()
        drawn.information_by_stride(figure.add_subplot(), nothing, [1, 2])
        figure.canvas.draw()


def test_folded_spectra__more_lines_than_colours_are_told_apart():
    ax = Figure().add_subplot()
    drawn.folded_spectra(ax, {f"p{i}": np.ones(50, np.int64) for i in range(9)})
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.get_lines()}) == 9
