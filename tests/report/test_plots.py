"""What is drawn, read back from the axes; how it is coloured, against models of colour blindness."""

import itertools
import warnings

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal

from haploom.report import plots

# Machado, Oliveira & Fernandes 2009: what eyes that lack one kind of cone see of linear RGB.
COLOUR_VISION = {
    "normal": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
SRGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE_XYZ = np.array([0.95047, 1, 1.08883])


def linear_rgb(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def cie_lab(rgb: np.ndarray) -> np.ndarray:
    xyz = SRGB_TO_XYZ @ rgb.clip(0, 1) / WHITE_XYZ
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", COLOUR_VISION)
def test_palette__any_two_colours_can_be_told_apart(vision):
    seen = [cie_lab(np.asarray(COLOUR_VISION[vision]) @ linear_rgb(colour)) for colour in plots.PALETTE]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 16


@pytest.mark.parametrize("page", ["#ffffff", "#14171c"], ids=["light", "dark"])
def test_palette__stands_out_from_the_page(page):
    luminance = [SRGB_TO_XYZ[1] @ linear_rgb(colour) for colour in plots.PALETTE]
    background = SRGB_TO_XYZ[1] @ linear_rgb(page)
    contrast = [(max(y, background) + 0.05) / (min(y, background) + 0.05) for y in luminance]
    assert min(contrast) > 2.2


def test_label_styles__follow_the_order_and_differ_for_26_populations():
    styles = plots.label_styles([f"p{i}" for i in range(26)])
    assert len(set(styles.values())) == 26
    assert styles["p0"] == (plots.PALETTE[0], "o")
    assert plots.label_styles(["p0", "new"])["p0"] == styles["p0"]


def test_latent_map__every_haplotype_is_drawn_once_in_its_colour():
    rng = np.random.default_rng(1)
    Z, labels, held_out = rng.standard_normal((50, 3)), rng.choice(["EUR", "AFR"], 50), rng.random(50) < 0.2
    ax = Figure().add_subplot()
    plots.latent_map(ax, Z, labels, order=["AFR", "EUR", "OCE"], held_out=held_out)
    drawn = {}
    for dots in ax.collections:
        for x, y in np.asarray(dots.get_offsets()):
            assert (x, y) not in drawn
            drawn[x, y] = to_hex(dots.get_facecolors()[0]).upper(), bool(dots.get_linewidths()[0] > 0)
    colour = {label: style[0] for label, style in plots.label_styles(["AFR", "EUR", "OCE"]).items()}
    wanted = {(z[0], z[1]): (colour[label], held) for z, label, held in zip(Z, labels, held_out.tolist())}
    assert drawn == wanted
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    counts = [(labels == label).sum() for label in ("AFR", "EUR", "OCE")]
    assert legend == [f"AFR ({counts[0]})", f"EUR ({counts[1]})", "OCE (0)", f"not trained on ({held_out.sum()})"]


def test_latent_map__odd_names_stand_in_the_legend_as_they_are():
    names = ["_hidden", "$x$", "<script>", "日本"]
    ax = Figure().add_subplot()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.latent_map(ax, np.zeros((4, 2)), np.array(names), order=names)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [f"{name} (1)" for name in names]


def test_loss_curve__terms_keep_their_colour_from_training_to_validation():
    ax = Figure().add_subplot()
    train = {"total": np.array([9.0, 5.0]), "KL": np.array([1.0, 2.0])}
    plots.loss_curve(ax, train, {"total": np.array([10.0, 6.0])})
    total, total_validation, kl = ax.get_lines()
    assert_array_equal(total.get_xydata(), [[1, 9], [2, 5]])
    assert_array_equal(total_validation.get_xydata(), [[1, 10], [2, 6]])
    assert total.get_color() == total_validation.get_color() != kl.get_color()
    assert (total.get_linestyle(), total_validation.get_linestyle()) == ("-", "--")
    assert ax.get_ylabel() == "Loss per haplotype (nats)"


def test_entropy_by_population__bars_and_intervals():
    ax = Figure().add_subplot()
    mean, low, high = np.array([0.26, 0.15]), np.array([0.25, 0.1]), np.array([0.28, 0.2])
    plots.entropy_by_population(ax, ["AFR", "OCE"], mean, low, high, [1322, 80])
    assert [bar.get_height() for bar in ax.patches] == [0.26, 0.15]
    segments = ax.collections[0].get_segments()
    assert_allclose([segment[:, 1] for segment in segments], [[0.25, 0.28], [0.1, 0.2]])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["AFR\n(1,322)", "OCE\n(80)"]
    assert ax.get_ylabel().endswith("(bits)")


def test_entropy_by_population__many_names_are_upright_on_one_line():
    ax, n = Figure().add_subplot(), 26
    plots.entropy_by_population(ax, [f"P{i}" for i in range(n)], np.ones(n), np.ones(n), np.ones(n), [1200] * n)
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {90}
    assert ax.get_xticklabels()[3].get_text() == "P3 (1,200)"


def test_entropy_pairs__bars_stand_at_the_values_given():
    ax = Figure().add_subplot()
    plots.entropy_pairs(ax, ["A", "B"], np.array([0.2, 0.1]), np.array([0.15, 0.05]), sources=("old", "new"))
    assert [bar.get_height() for bar in ax.patches] == [0.2, 0.1, 0.15, 0.05]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["A", "B"]
    assert ax.get_xlabel() == "Population (left: old; right, hatched: new)"
    assert [bool(bar.get_hatch()) for bar in ax.patches] == [False, False, True, True]


def test_latent_map__legend_below_names_the_same_labels():
    Z, labels = np.arange(8.0).reshape(4, 2), np.array(["A", "A", "B", "B"])
    texts = []
    for below in (False, True):
        ax = Figure().add_subplot()
        plots.latent_map(ax, Z, labels, order=["A", "B"], legend_below=below)
        texts.append([text.get_text() for text in ax.get_legend().get_texts()])
    assert texts[0] == texts[1] == ["A (2)", "B (2)"]
