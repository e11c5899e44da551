"""Every table and figure, in one folder, with a page that leads to all."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from haploom import progress, provenance
from haploom.errors import HaploomError
from haploom.io.output import text_output
from haploom.report.html import render_html
from haploom.report.page import Column, Report, Section, Table
from haploom.report.reproduce.catalogue import ALL, RESULTS, Request
from haploom.report.reproduce.catalogue import reproduce as reproduce_one
from haploom.report.reproduce.claims import JUDGEMENTS, Claim, claims_section, read_claims
from haploom.report.reproduce.pages import as_text

_WORDS = """\
Every table and figure of the paper that can be measured here, each on its own page beside the paper's figures. Whether
they agree is computed from what was measured; a claim that needs data or sizes this run had not is not measured.

People: {origin}. Size: {size}."""


def reproduce(request: Request, folder: Path) -> list[Path]:
    """Make every result in `folder`, then all.txt and all.html. A result that cannot be made of these people is named.

    A run that was stopped goes on where it was.
    """
    claims: dict[str, list[Claim]] = {}
    failures: dict[str, str] = {}
    with progress.task("Reproducing", len(RESULTS)) as advance:
        for name in RESULTS:
            try:
                reproduce_one(replace(request, name=name), folder)
                claims[name] = read_claims(folder, name)
            except HaploomError as error:
                failures[name] = str(error)
            advance()
    table = _overview(claims, failures)
    sections = [
        Section("Pages", tables=[table], links={RESULTS[name][0]: f"{name}.html" for name in claims}),
        *(replace(claims_section(of), heading=_short(name)) for name, of in claims.items() if of),
    ]
    txt, html = folder / f"{ALL}.txt", folder / f"{ALL}.html"
    with text_output(txt, True) as file:
        file.write(f"{request.title}\n\n{as_text(table)}")
    words = _WORDS.format(origin=request.origin, size=request.size)
    with text_output(html, True) as file:
        file.write(render_html(Report(request.title, sections, words, made_by=provenance.record(request.seed))))
    return [txt, html]


def _overview(claims: dict[str, list[Claim]], failures: dict[str, str]) -> Table:
    """A row a result: how many of the paper's claims agree, differ, were not measured."""
    rows: list[list[object]] = []
    for name in RESULTS:
        counts = Counter(claim.judgement for claim in claims.get(name, ()))
        state = f"not made: {failures[name]}" if name in failures else "made"
        rows.append([RESULTS[name][0], *(counts[judgement] for judgement in JUDGEMENTS), state])
    return Table([Column("result"), *(Column(judgement, "d") for judgement in JUDGEMENTS), Column("")], rows)


def _short(name: str) -> str:
    """The title of a result up to its colon: `Table 1`."""
    return RESULTS[name][0].partition(":")[0]
