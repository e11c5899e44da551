"""A result as a page: a text to print, HTML with figures inside, and the figures apart."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from haploom import provenance
from haploom.io.output import text_output
from haploom.report import figures
from haploom.report.html import render_html
from haploom.report.page import Figure, Report, Section, Table
from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.claims import Claim, claims_section, claims_text, write_claims


def write_page(
    request: Request, folder: Path, text: str, tables: Sequence[Table], drawings: Mapping[str, figures.Draw],
    claims: Sequence[Claim],
) -> list[Path]:  # fmt: skip
    """A page of one section, and NAME-1.svg, ... for its figures; returns the paths.

    drawings: what a figure shows, in words -> how it is drawn.
    """
    pictures = {caption: figures.svg(draw) for caption, draw in drawings.items()}
    svgs = [folder / f"{request.name}-{place}.svg" for place in range(1, len(pictures) + 1)]
    for path, picture in zip(svgs, pictures.values()):
        path.write_bytes(picture)
    shown = [Figure(picture, caption, caption) for caption, picture in pictures.items()]
    return [*write_result(request, folder, [Section("Here", text, shown, tables)], claims), *svgs]


def write_result(
    request: Request, folder: Path, sections: Sequence[Section], claims: Sequence[Claim], text: str = ""
) -> list[Path]:
    """NAME.txt (words, tables and claims), NAME.html (everything) and NAME.claims.json; returns their paths."""
    txt, html = folder / f"{request.name}.txt", folder / f"{request.name}.html"
    with text_output(txt, True) as file:
        file.write(f"{request.title}\n{_wrapped(text)}")
        for section in sections:
            file.write(_wrapped(section.text))
            for table in section.tables:
                file.write(f"\n{table.caption or section.heading}\n{as_text(table)}")
        file.write(claims_text(claims))
    report = Report(request.title, [*sections, claims_section(claims)], text, made_by=provenance.record(request.seed))
    with text_output(html, True) as file:
        file.write(render_html(report))
    return [txt, html, write_claims(claims, folder, request.name)]


def _wrapped(text: str) -> str:
    """The paragraphs of a text in lines of a page, an empty line before each."""
    paragraphs = (textwrap.fill(each, 120, break_on_hyphens=False) for each in text.split("\n\n"))
    return "".join(f"\n{paragraph}\n" for paragraph in paragraphs if paragraph)


def as_text(table: Table) -> str:
    """Columns under each other."""
    lines = [[column.name for column in table.columns], *table.shown()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.columns))]
    return "".join(
        "  ".join(text.rjust(width) if i else text.ljust(width) for i, (text, width) in enumerate(zip(line, widths)))
        + "\n"
        for line in lines
    )
