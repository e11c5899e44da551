"""A report as one HTML file that needs nothing else: no network, no scripts, pictures inside.

Every name, label and caption is escaped, and the page forbids itself to run or fetch anything.
"""

import base64

from haploom.errors import MissingExtraError
from haploom.report.page import Figure, Report


def render_html(report: Report) -> str:
    """The page as text, to be written in UTF-8. Raises MissingExtraError without jinja2."""
    try:
        import jinja2
    except ModuleNotFoundError as error:
        raise MissingExtraError("jinja2", "plots", "the HTML report") from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("haploom.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["data_uri"] = _data_uri
    environment.filters["paragraphs"] = _paragraphs
    return environment.get_template("report.html").render(report=report)


def _data_uri(figure: Figure) -> str:
    return f"data:{figure.media_type};base64,{base64.b64encode(figure.image).decode()}"


def _paragraphs(text: str) -> list[str]:
    return [paragraph for paragraph in text.split("\n\n") if paragraph.strip()]
