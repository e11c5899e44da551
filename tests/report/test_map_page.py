"""The interactive map: what is in the file, and what a browser makes of it."""

import base64
import hashlib
import json
import re

import numpy as np
import pytest

pytest.importorskip("jinja2")

from headless import CHROMIUM, Page

from haploom.embedding import Embedding
from haploom.errors import HaploomError
from haploom.report.map_page import label_order, render_map, save_map_page
from haploom.report.plots import label_styles

HOSTILE = "<script>alert(1)</script>"
BREAKOUT = '</script><img src=x onerror="document.title=1">&amp;{{7*7}}'
browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to open pages in")


def small_map(n_latent: int = 2, spread: bool = False) -> tuple[dict[str, Embedding], dict[str, np.ndarray]]:
    """Six people, two maps: person k's haplotypes lie at (k, 0) and (k, 1) of one, (-k, 0) and (-k, 2) of the other."""
    samples = (HOSTILE, BREAKOUT, "p2", "p3", "p4", "p5")
    z = np.zeros((12, n_latent), dtype=np.float32)
    z[:, 0], z[:, 1] = np.repeat(np.arange(6), 2), np.tile([0, 1], 6)
    parts = ("train",) * 4 + ("test", "new")
    wide = np.full_like(z, 0.1) if spread else None
    populations = {
        "region": np.array(["north", "north", "south", "south", "south", "south"]),
        "town": np.array(["b", HOSTILE, "c", "a", "a", "a"]),
    }
    other = z * np.array([-1, 2, 1][:n_latent], dtype=np.float32)
    return {"VAE": Embedding(samples, parts, z, 1, wide), "PCA": Embedding(samples, parts, other)}, populations


def data_of(page: str) -> dict:
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)[1])


def decoded(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind)


def test_map_page__holds_every_point_label_and_style():
    maps, populations = small_map()
    data = data_of(render_map(maps, populations, "region"))
    assert data["samples"] == list(maps["VAE"].samples)
    assert [level["name"] for level in data["levels"]] == ["region", "town", "part of the model's split"]
    for level, labels in zip(data["levels"], [*populations.values(), np.array(maps["VAE"].parts)]):
        assert [level["labels"][code] for code in decoded(level["codes"], "<u4")] == labels.tolist()
        assert [(style["colour"], style["marker"]) for style in level["styles"]] == list(
            label_styles(level["labels"]).values()
        )
    for panel, embedding in zip(data["panels"], maps.values()):
        np.testing.assert_array_equal(decoded(panel["x"], "<f4"), embedding.z[:, 0].astype("<f4"))
        np.testing.assert_array_equal(decoded(panel["y"], "<f4"), embedding.z[:, 1].astype("<f4"))


def test_map_page__ellipses_are_the_projected_posterior():
    # The plane's axes are two orthonormal directions among three, so equal variances stay as they are in any plane.
    maps, populations = small_map(3, spread=True)
    panel = data_of(render_map({"VAE": maps["VAE"]}, populations, "region"))["panels"][0]
    xx, xy, yy = (decoded(text, "<f4") for text in panel["ellipse"])
    np.testing.assert_allclose([xx, yy], 0.01, rtol=1e-5)
    np.testing.assert_allclose(xy, 0, atol=1e-7)
    # Only along the third latent, in which nothing varies: nothing is left of it in the plane.
    only_third = maps["VAE"].spread * [0, 0, 1]
    flat = Embedding(maps["VAE"].samples, maps["VAE"].parts, maps["VAE"].z, 1, only_third)
    panel = data_of(render_map({"VAE": flat}, populations, "region"))["panels"][0]
    np.testing.assert_allclose([decoded(text, "<f4") for text in panel["ellipse"]], 0, atol=1e-9)


def test_map_page__only_its_own_script_may_run():
    page = render_map(*small_map(), "region", title=HOSTILE)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    *_, script = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    for name in (HOSTILE, BREAKOUT):
        assert name not in page
    assert "<title>&lt;script&gt;" in page


def test_label_order__labels_of_one_region_stand_together():
    towns = ["b", "d", "a", "c", "a"]
    regions = ["west", "east", "west", "east", "west"]
    assert label_order(towns, [towns, regions]) == ["c", "d", "a", "b"]
    assert label_order(towns, [towns]) == ["a", "b", "c", "d"]
    assert label_order(regions, [towns, regions]) == ["east", "west"]
    assert label_order(["a", "a", "b"], [["x", "y", "y"]]) == ["a", "b"]  # b's and a's share a region: no order


def test_map_page__refusals(tmp_path):
    maps, populations = small_map()
    fewer = Embedding(maps["PCA"].samples[:5], maps["PCA"].parts[:5], maps["PCA"].z[:10])
    with pytest.raises(HaploomError, match="PCA places 5 people as haplotypes and VAE 6"):
        save_map_page({**maps, "PCA": fewer}, populations, "region", tmp_path / "map.html")
    save_map_page(maps, {}, None, tmp_path / "map.html")
    with pytest.raises(HaploomError, match="exists"):
        save_map_page(maps, populations, "region", tmp_path / "map.html")


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    if CHROMIUM is None:
        pytest.skip("no Chromium to open pages in")
    path = tmp_path_factory.mktemp("map") / "map.html"
    save_map_page(*small_map(spread=True), "region", path)
    with Page(1400, 900) as page:
        page.open(path)
        yield page


def spot(page: Page, plot: int, x: float, y: float) -> tuple[float, float]:
    """Where on the screen a place of a plot is."""
    box = f"plots[{plot}].box.getBoundingClientRect()"
    left, top = page.value(
        f"(({{ left, top }}, [x, y]) => [left + x, top + y])({box}, plots[{plot}].toPixels({x}, {y}))"
    )
    return left, top


@browser
def test_map_page__opens_without_a_complaint_and_fetches_nothing(opened):
    assert opened.value("plots.length") == 2
    assert opened.value("document.querySelectorAll('img, script').length") == 2  # the data and the script
    assert [url for url in opened.requests if not url.startswith("file:")] == []
    assert len(opened.requests) == 1
    assert opened.problems == []


@browser
def test_map_page__hover_names_the_haplotype_and_all_labels_as_text(opened):
    opened.mouse("mouseMoved", *spot(opened, 0, 0, 1))
    opened.settle()
    lines = opened.value("[...element('hover').children].map(line => line.textContent)")
    assert lines[:4] == [f"{HOSTILE}, haplotype 2", "region: north", "town: b", "part of the model's split: train"]
    assert lines[4:] == ["z1: 0.000 ± 0.10", "z2: 1.000 ± 0.10"]
    # The other plot rings the same row, and the pointer there names it too.
    opened.mouse("mouseMoved", *spot(opened, 1, -4, 2))
    opened.settle()
    assert opened.value("[map.hovered, element('hover').firstChild.textContent]") == [9, "p4, haplotype 2"]
    assert opened.value("document.title") == "Map"
    # Beside every point, nobody is named.
    opened.mouse("mouseMoved", *spot(opened, 0, 2.5, 0.5))
    opened.settle()
    assert opened.value("element('hover').hidden")
    assert opened.problems == []


@browser
def test_map_page__search_chooses_exact_names_first(opened):
    found = {}
    for text in (HOSTILE, "p", "south", "P3", "nobody of this name"):
        found[text] = opened.value(
            f"(search({json.dumps(text)}), [element('chosen').value, element('count').textContent])"
        )
    assert found["p"][0].split("\n")[-4:] == ["p2", "p3", "p4", "p5"]  # and the scripts, which hold a p
    assert found["south"] == ["p2\np3\np4\np5", "4 samples, 8 of their haplotypes"]
    assert found["P3"][0] == "p3"
    assert found[HOSTILE][0] == f"{HOSTILE}\n{BREAKOUT}"  # one by name, one by town
    assert found["nobody of this name"] == ["", "Nobody has such a name or label"]
    opened.value("element('clear').click()")
    assert opened.value("map.chosen") is None


@browser
def test_map_page__lasso_lists_those_inside_and_the_table_holds_them(opened):
    opened.value("setMode('lasso')")
    corners = [(1.5, -0.03), (3.5, -0.03), (3.5, 0.5), (1.5, 0.5)]
    opened.mouse("mousePressed", *spot(opened, 0, *corners[0]), button="left", buttons=1, clickCount=1)
    for corner in corners[1:]:
        opened.mouse("mouseMoved", *spot(opened, 0, *corner), button="left", buttons=1)
    opened.mouse("mouseReleased", *spot(opened, 0, *corners[-1]), button="left", clickCount=1)
    opened.settle()
    assert opened.value("element('chosen').value") == "p2\np3"
    header, *rows = (line.split("\t") for line in opened.value("chosenTable()").splitlines())
    assert header[:4] == ["sample", "haplotype", "region", "town"]
    assert [row[:4] for row in rows] == [["p2", "1", "south", "c"], ["p3", "1", "south", "a"]]
    assert [[float(cell) for cell in row[-4:]] for row in rows] == [[2, 0, -2, 0], [3, 0, -3, 0]]
    opened.value("(setMode('pan'), element('clear').click())")
    assert opened.problems == []


COUNT_PIXELS = """
function countPixels(canvas) {
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, copy.width, copy.height);
  return data.reduce((n, value, i) => n + (i % 4 === 3 && value > 0), 0);
}
"""


@browser
def test_map_page__legend_hides_and_levels_recolour(opened):
    opened.value(COUNT_PIXELS)
    drawn = "countPixels(plots[0].points)"
    everybody = opened.value(drawn)
    opened.value("element('legend').querySelectorAll('button')[1].click()")  # south: 8 of 12 haplotypes
    north = opened.value(drawn)
    assert 0.25 * everybody < north < 0.42 * everybody
    opened.mouse("mouseMoved", *spot(opened, 0, 3, 0))
    opened.settle()
    assert opened.value("element('hover').hidden")  # those hidden are not named
    opened.value("setLevel(1)")
    names = opened.value("[...element('legend').querySelectorAll('span:not(.count)')].map(each => each.textContent)")
    assert names == [HOSTILE, "b", "a", "c"]  # those of the north first
    assert opened.value(drawn) > north
    opened.value("setLevel(0)")


@browser
def test_map_page__zoom_panels_show_one_label_each(opened):
    opened.value("(element('zoom').value = 0, element('zoom').dispatchEvent(new Event('change')))")
    opened.settle()
    titles = opened.value("plots.map(plot => plot.figure.querySelector('h2').textContent)")
    assert titles == ["VAE", "PCA", "north · VAE", "north · PCA", "south · VAE", "south · PCA"]
    assert opened.value("plots.map(plot => Array.from(map.order).filter(row => plot.shows(row)).length)") == [
        12,
        12,
        4,
        4,
        8,
        8,
    ]
    left, right = opened.value("[plots[4].view.left, plots[4].view.right]")
    assert 1 < left < 2
    assert 5 < right < 6  # people 2 to 5, and a margin
    assert opened.problems == []


@browser
def test_map_page__zooming_ends_before_the_view_is_nothing(opened):
    zoom = "for (let i = 0; i < 100; i++) plots[0].zoomAt(100, 100, Math.exp({}));"
    span = "Math.log10(plots[0].whole / (plots[0].view.right - plots[0].view.left))"
    try:
        assert 5 < opened.value(f"{{ {zoom.format(-1)} {span} }}") <= 6
        assert opened.value("plots[0].draw(), ticks(plots[0].view.left, plots[0].view.right, 5).length") < 20
        assert -2 <= opened.value(f"{{ {zoom.format(1)} {span} }}") < -1  # and back out again
    finally:
        opened.value("plots[0].fit(), plots[0].draw(), 1")
    assert opened.problems == []


@browser
def test_map_page__follows_the_theme_until_told(opened):
    background = "getComputedStyle(document.body).backgroundColor"
    opened.prefer("dark")
    opened.settle()
    assert opened.value(background) == "rgb(20, 23, 28)"
    opened.value("element('theme').click()")
    assert opened.value(background) == "rgb(255, 255, 255)"
    assert opened.problems == []
