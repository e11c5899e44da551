"""Hooks of `mkdocs build`: pages that lie beside docs/, and a site that fetches nothing.

README.md, CHANGELOG.md and CONTRIBUTING.md stay where people look for them and become pages of the site; links to
and from them are turned into links of the site.
"""

import re
from pathlib import Path

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
# mkdocs would take a page named README for the front page of its folder.
PAGES = {"README.md": "readme.md", "CHANGELOG.md": "changes.md", "CONTRIBUTING.md": "contributing.md"}
# The second word of a fence tells the tests what to do with its commands (`sh no-test`).
FENCE_MARK = re.compile(r"^```(\w+) [\w-]+$", re.MULTILINE)
# On GitHub a list may follow its paragraph at once; mkdocs wants an empty line between, or makes prose of it.
FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
LIST_AFTER_PROSE = re.compile(r"^((?![-*] |\d+\. |\s|\||#).+\n|\A\n)(?=- |1\. )", re.MULTILINE)
FETCHED = re.compile(r"<(?:script|img|iframe|source|link)\b[^>]*?\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>")


def on_files(files: Files, config) -> Files:
    for name, page in PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")
        for other, its_page in PAGES.items():
            text = text.replace(f"]({other}", f"]({its_page}")
        files.append(File.generated(config, page, content=text))
    files.append(File.generated(config, "LICENSE", abs_src_path=str(ROOT / "LICENSE")))
    return files


def on_page_markdown(markdown: str, **_) -> str:
    markdown = FENCE_MARK.sub(r"```\1", markdown)
    for name, page in PAGES.items():
        markdown = markdown.replace(f"](../{name}", f"]({page}")
    parts = FENCED.split(markdown)  # prose, fence, prose, ...
    parts[::2] = [LIST_AFTER_PROSE.sub(r"\1\n", prose) for prose in parts[::2]]
    return "".join(parts)


def on_post_page(output: str, page, **_) -> str:
    """Refuse a page that would fetch something: the site must open offline."""
    if found := FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri} would fetch from the network: {found[0]}")
    return output
