"""The page that says of each person why it has its label: overlap, oddness, nearest reference people, failed checks."""

from collections.abc import Sequence
from pathlib import Path

from haploom.ancestry.checks import LEAST_OVERLAP, SURE, PersonChecks
from haploom.io.output import atomic_output
from haploom.provenance import record
from haploom.report.html import render_html
from haploom.report.page import Column, Report, Section, Table

_NEAREST_SHOWN = 3
_TEXT = (
    "Labels state which reference population a person's genotypes are most similar to, not who the person is.\n\n"
    "Oddness compares how far a person lies from the nearest reference people with how far those lie from one "
    "another: 0 is the mean, and above 1 the person is unknown. Differences are squared differences of alleles a site."
)


def write_why(people: Sequence[PersonChecks], path: Path, force: bool = False) -> None:
    """One HTML file that needs nothing else; names are escaped. Raises HaploomError when it exists and not `force`."""
    page = render_html(why_report(people))
    with atomic_output(path, force) as partial:
        partial.write_text(page, encoding="utf-8")


def why_report(people: Sequence[PersonChecks]) -> Report:
    failing = [person for person in people if person.failed]
    checks = Table(
        (Column("Person"), Column("Check")),
        [(person.sample, sentence) for person in failing for sentence in person.failed],
        f"{len(failing):,} of {len(people):,} people fail a check.",
    )
    columns = (
        Column("Person"), Column("Label"), Column("Probability"), Column("Sites called", ".1%"),
        Column("Oddness", ".2f"), Column("Most alike reference people (label, difference)"),
        Column("Failed checks", "d"),
    )  # fmt: skip
    rows = [
        (
            person.sample, ", ".join(dict.fromkeys(person.labels)),
            ", ".join(f"{probability:.2f}" for probability in person.probabilities), person.overlap, person.oddness,
            "; ".join(f"{name} ({label}, {apart:.4f})" for name, label, apart in person.nearest[:_NEAREST_SHOWN]),
            len(person.failed),
        )
        for person in people
    ]  # fmt: skip
    asked = (
        f"A person should have {100 * LEAST_OVERLAP:g} % of the model's sites called, an oddness of at most 1, a label "
        f"with a probability of {SURE:g} or more, haplotypes of one label, and a most alike reference person of it."
    )
    return Report(
        "Why these labels",
        [Section("Failed checks", asked, tables=[checks]), Section("Everybody", tables=[Table(columns, rows)])],
        _TEXT,
        record(),
    )
