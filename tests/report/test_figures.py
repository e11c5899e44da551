"""Figures as files."""

import sys
from xml.etree import ElementTree

import numpy as np
import pytest

from haploom.errors import MissingExtraError
from haploom.report import figures, plots


def some_map(ax):
    rng = np.random.default_rng(1)
    names = ["<b>&amp;</b>", "$x$", "日本"]  # the last is not in matplotlib's own font
    plots.latent_map(ax, rng.standard_normal((30, 2)), rng.choice(names, 30), order=names)


@pytest.mark.parametrize("draw", [figures.svg, figures.png])
def test_figures__same_drawing_same_bytes_on_any_day(draw, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    first = draw(some_map)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert draw(some_map) == first


def test_svg__is_whole_xml_with_its_text_as_text():
    root = ElementTree.fromstring(figures.svg(some_map))
    text = "".join(root.itertext())
    assert "<b>&amp;</b> (" in text
    assert "$x$ (" in text
    assert "日本 (" in text


def test_svg__ink_follows_the_page():
    root = figures.svg(some_map).decode()
    assert "prefers-color-scheme:dark" in root
    assert "stroke: currentColor" in root
    assert "fill: currentColor" in root
    assert "#010203" not in root, "the stand-in for the page's ink was left in"
    assert "#000000" not in root, "black lines vanish on a dark page"


def test_svg__a_crowd_is_drawn_as_pixels():
    n = 100_000
    Z = np.random.default_rng(1).standard_normal((n, 2))
    data = figures.svg(lambda ax: plots.latent_map(ax, Z, np.full(n, "AFR"), order=["AFR"]))
    assert b"<image" in data
    assert len(data) < 500_000


def test_png__is_a_png_of_the_size_asked_for():
    data = figures.png(some_map, size_in=(4, 3))
    assert data.startswith(b"\x89PNG")
    width, height = (int.from_bytes(data[at : at + 4]) for at in (16, 20))
    assert width / height == pytest.approx(4 / 3, rel=0.01)


def test_figures__nothing_global_is_left_changed():
    import matplotlib

    before = dict(matplotlib.rcParams)
    figures.svg(some_map)
    assert dict(matplotlib.rcParams) == before


def test_figures__without_matplotlib_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'haploom\[plots\]'"):
        figures.svg(some_map)


def test_svg__colours_that_nobody_chose_are_of_the_palette():
    drawn = figures.svg(lambda ax: [ax.bar([0], [1]), ax.plot([0, 1], [0, 1])]).decode().upper()
    assert plots.PALETTE[0] in drawn
    assert "#1F77B4" not in drawn  # matplotlib's first
