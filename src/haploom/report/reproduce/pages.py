"""A result as a page: a text to print, HTML with figures inside, and the figures apart."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from haploom import provenance
from haploom.io.output import text_output
from haploom.report import figures
from haploom.report.html import render_html
from haploom.report.page import Figure, Report, Section, Table
from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.claims import Claim, claims_section
from haploom.report.reproduce.written import as_text


def write_page(
    request: Request, folder: Path, text: str, tables: Sequence[Table], drawings: Mapping[str, figures.Draw],
    claims: Sequence[Claim],
) -> list[Path]:  # fmt: skip
    """NAME.txt, NAME.html and NAME-1.svg, ... in the folder; returns their paths.

    drawings: what a figure shows, in words -> how it is drawn.
    """
    pictures = {caption: figures.svg(draw) for caption, draw in drawings.items()}
    svgs = [folder / f"{request.name}-{place}.svg" for place in range(1, len(pictures) + 1)]
    for path, picture in zip(svgs, pictures.values()):
        path.write_bytes(picture)
    shown = [Figure(picture, caption, caption) for caption, picture in pictures.items()]
    verdicts = claims_section(claims)
    txt, html = folder / f"{request.name}.txt", folder / f"{request.name}.html"
    with text_output(txt, True) as file:
        file.write(f"{request.title}\n\n{text}\n")
        for table in tables:
            file.write(f"\n{table.caption or 'Measured'}\n{as_text(table)}")
        file.writelines(f"\n{verdicts.heading}\n{as_text(table)}" for table in verdicts.tables)
    report = Report(
        request.title, [Section("Here", text, shown, tables), verdicts], made_by=provenance.record(request.seed)
    )
    with text_output(html, True) as file:
        file.write(render_html(report))
    return [txt, html, *svgs]
