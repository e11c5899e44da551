"""The documentation as a site: what holds before `make docs` builds it, and the hooks it is built with."""

import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import haploom

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"^ {6}- (?:[^:\n]+: )?(\S+\.md)$", re.MULTILINE)
ROOT_PAGES = {"readme.md", "changes.md", "contributing.md"}


def test_api__has_every_public_name_where_it_lives():
    page = re.findall(r"^::: haploom\.(\S+)$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
    names = [name for name in haploom.__all__ if name != "__version__"]
    assert sorted(page) == sorted(f"{haploom._HOME[name]}.{name}" for name in names)


def test_navigation__has_every_page_once():
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    named = NAMED.findall((ROOT / "mkdocs.yml").read_text())
    assert sorted(named) == sorted(pages | ROOT_PAGES)


@pytest.fixture(scope="module")
def hooks():
    pytest.importorskip("mkdocs")
    spec = importlib.util.spec_from_file_location("site_pages", ROOT / "tools" / "site_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "fetched",
    [
        '<script src="https://cdn.example/a.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/css">',
        '<img alt="a" src="http://example/a.png">',
    ],
)
def test_pages__that_would_fetch_are_refused(hooks, fetched):
    page = SimpleNamespace(file=SimpleNamespace(src_uri="a.md"))
    with pytest.raises(hooks.PluginError, match=r"a\.md would fetch"):
        hooks.on_post_page(f"<p>{fetched}</p>", page=page)


def test_pages__may_link_and_show_what_is_theirs(hooks):
    page = '<a href="https://dask.org">Dask</a><script src="assets/a.js"></script><img src="images/a.png">'
    assert hooks.on_post_page(page, page=None) == page


def test_pages__links_and_fences_are_those_of_the_site(hooks):
    markdown = "[log](../CHANGELOG.md)\n```sh no-test\nls\n```\n"
    assert hooks.on_page_markdown(markdown) == "[log](changes.md)\n```sh\nls\n```\n"


def test_pages__lists_are_lists_where_they_follow_prose_or_a_fence(hooks):
    markdown = pytest.importorskip("markdown")
    page = (
        "Which:\n- one\n  of two\n- two\n\n```\n- not a list\nthis: no\n- nor that\n```\n- three\n\nIn 2026\n- four\n"
    )
    html = markdown.markdown(hooks.on_page_markdown(page), extensions=["pymdownx.superfences"])
    assert html.count("<ul>") == 3
    assert html.count("<li>") == 4
    assert "- not a list\nthis: no\n- nor that\n" in html


def test_pages__lists_with_empty_lines_around_them_stay_as_they_are(hooks):
    page = "# Title\n\n- one\n- two\n  more\n\n1. first\n2. second\n\n| a |\n|---|\n| - b |\n"
    assert hooks.on_page_markdown(page) == page
