"""A report as one HTML file that needs nothing else: no network, no scripts, pictures inside.

Every name, label and caption is escaped, and the page forbids itself to run or fetch anything.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from haploom.errors import MissingExtraError
from haploom.report.page import Figure, Report

if TYPE_CHECKING:
    import jinja2


def render_html(report: Report) -> str:
    """The page as text, to be written in UTF-8. Raises MissingExtraError without jinja2."""
    return environment().get_template("report.html").render(report=report)


def environment() -> jinja2.Environment:
    """The templates of pages; every value in them is escaped. Raises MissingExtraError without jinja2."""
    try:
        import jinja2
    except ModuleNotFoundError as error:
        raise MissingExtraError("jinja2", "plots", "HTML pages") from error
    pages = jinja2.Environment(
        loader=jinja2.PackageLoader("haploom.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    pages.filters["data_uri"] = _data_uri
    pages.filters["paragraphs"] = _paragraphs
    return pages


def _data_uri(figure: Figure) -> str:
    return f"data:{figure.media_type};base64,{base64.b64encode(figure.image).decode()}"


def _paragraphs(text: str) -> list[str]:
    return [paragraph for paragraph in text.split("\n\n") if paragraph.strip()]
