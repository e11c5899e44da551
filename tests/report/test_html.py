"""The HTML page, read with an HTML parser and not by its author's templates."""

import base64
import re
import sys
from html.parser import HTMLParser

import pytest

from haploom.baselines.accuracy import Interval
from haploom.errors import MissingExtraError
from haploom.report.html import render_html
from haploom.report.page import Column, Figure, Report, Section, Table

HOSTILE = '<script>alert(1)</script>"\' onload="alert(2)'
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(3)</script></svg>'
PNG = b"\x89PNG\r\n\x1a\n rest"


class Page(HTMLParser):
    """Tags with their attributes, in order, and what text they hold; complains of tags left open."""

    VOID = ("meta", "img", "br")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, text):
        if text.strip():
            self.texts.append((self._open[-1], text.strip()))

    def text_of(self, tag: str) -> list[str]:
        return [text for where, text in self.texts if where == tag]

    def attributes_of(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


def hostile_report() -> Report:
    table = Table([Column(HOSTILE), Column("n", ",")], [[HOSTILE, 1234567], ["b", None]], caption=HOSTILE)
    figures = [Figure(SVG, HOSTILE, HOSTILE), Figure(PNG, "second", "other")]
    section = Section(HOSTILE, f"{HOSTILE}\n\nsecond paragraph", figures, [table], command=HOSTILE)
    return Report(HOSTILE, [section] * 3, HOSTILE, {"command": HOSTILE, "versions": {HOSTILE: HOSTILE}, "seed": 1})


def test_html__names_stay_text_wherever_they_stand():
    page = Page(render_html(hostile_report()))
    assert not page.attributes_of("script")
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page.text_of("title") == page.text_of("h1") == [HOSTILE]
    for tag, times in {"h2": 3, "a": 3, "caption": 3, "code": 3, "figcaption": 6}.items():
        assert page.text_of(tag).count(HOSTILE) == (3 if tag == "figcaption" else times), tag
    assert [image["alt"] for image in page.attributes_of("img")] == [HOSTILE, "other"] * 3


def test_html__needs_no_network_and_runs_no_scripts():
    page = Page(render_html(hostile_report()))
    policy = next(m["content"] for m in page.attributes_of("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    for _, attributes in page.tags:
        for name in ("src", "href"):
            assert re.match(r"data:image/(svg\+xml|png);base64,|#section-\d+$", attributes.get(name, "#section-1"))
    assert "url(" not in "".join(page.text_of("style"))
    assert "@import" not in "".join(page.text_of("style"))


def test_html__pictures_are_inside_byte_for_byte():
    sources = [image["src"] for image in Page(render_html(hostile_report())).attributes_of("img")]
    kinds, data = zip(*(source.split(";base64,") for source in sources[:2]))
    assert kinds == ("data:image/svg+xml", "data:image/png")
    assert [base64.b64decode(part) for part in data] == [SVG, PNG]


def test_html__numbers_are_formatted_and_set_to_the_right():
    table = Table(
        [Column("Method"), Column("Accuracy", ".2f"), Column("Parameters", ",")],
        [["PCA", Interval(0.6441, 0.598, 0.69), None], ["VAE", 0.7, 10371760]],
    )
    page = Page(render_html(Report("r", [Section("s", tables=[table])])))
    assert page.text_of("td") == ["0.64 (0.60–0.69)", "–", "0.70", "10,371,760"]
    assert [cell.get("class") for cell in page.attributes_of("td")] == ["number"] * 4
    assert [cell.get("class") for cell in page.attributes_of("th")] == [None, "number", "number", None, None]
    assert re.search(r"\.number \{ text-align: right", "".join(page.text_of("style")))


def test_html__light_and_dark():
    assert "prefers-color-scheme: dark" in render_html(Report("r", []))


def test_html__links_lead_to_sections():
    page = Page(render_html(Report("r", [Section(name) for name in "abc"])))
    targets = [link["href"] for link in page.attributes_of("a")]
    assert targets == [f"#{section['id']}" for section in page.attributes_of("section")]


def test_html__same_report_same_page():
    assert render_html(hostile_report()) == render_html(hostile_report())


def test_html__without_jinja2_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r"jinja2, .* 'haploom\[plots\]'"):
        render_html(Report("r", []))


def test_page__what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="a row has 1 cells, wanted 2"):
        Table([Column("a"), Column("b")], [["only"]])
    with pytest.raises(ValueError, match="must be an SVG or PNG file"):
        Figure(b"GIF89a", "caption", "alt")
