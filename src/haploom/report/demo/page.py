"""The demo's report: pictures, tables, words that follow from the figures, and the commands."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from haploom import provenance
from haploom.io.output import atomic_output
from haploom.report.demo import files, verdicts
from haploom.report.demo.cast import Cast
from haploom.report.demo.measure import measure_demo
from haploom.report.demo.sections_ancestry import ancestry_section, painting_section, trust_section
from haploom.report.demo.sections_made import audit_section, synthesis_section
from haploom.report.demo.sections_models import map_section, storage_section, training_section
from haploom.report.demo.sections_people import people_section
from haploom.report.demo.steps import DemoSettings, demo_steps
from haploom.report.html import render_html
from haploom.report.page import Column, Report, Section, Table


def write_report(
    folder: Path, settings: DemoSettings, cast: Cast, accuracies: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Measure the files in a demo's folder, write results.json and report.html there, and return the figures.

    accuracies: the records of `haploom bench classify`.
    """
    results = measure_demo(folder, cast, accuracies, settings.seed)
    with atomic_output(folder / files.RESULTS) as partial:
        partial.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    page = render_html(build_report(folder, settings, cast, results))
    with atomic_output(folder / files.REPORT) as partial:
        partial.write_text(page, encoding="utf-8")
    return results


def build_report(folder: Path, settings: DemoSettings, cast: Cast, results: Mapping[str, Any]) -> Report:
    """The report of a finished demo. results: from `measure_demo`."""
    steps = demo_steps(settings, cast)
    sections = [
        _in_short(results),
        map_section(folder, steps["map"]),
        ancestry_section(results, steps["classify"]),
        trust_section(results, steps["trust"]),
        painting_section(folder, results, steps["paint"]) if "paint" in steps else None,
        storage_section(results, steps["store"]),
        synthesis_section(folder, results, steps["synthesize"]),
        audit_section(results, steps["audit"]),
        people_section(results, cast, steps["people"], steps["breed"]),
        training_section(folder, results, steps["train"]),
    ]
    return Report(
        title="Haploom on your people" if cast.source else "Haploom on simulated people",
        text=_introduction(results, cast),
        sections=[section for section in sections if section is not None],
        made_by=provenance.record(settings.seed),
    )


def _introduction(results: Mapping[str, Any], cast: Cast) -> str:
    people = results["people"]
    n_founders, n_offspring = people["founders"], people["offspring"]
    n, populations = sum(n_founders.values()), len(people["entropy_bits"])
    where = f"at {people['sites']:,} SNPs ({people['span_bp'] / 1000:,.0f} kb)"
    who = (
        f"{n:,} people of {populations} populations were taken from {Path(cast.source).name} {where}, with the labels "
        f"of the column {cast.label}."
        if cast.source
        else f"{n:,} unrelated people of {populations} populations were simulated {where}. No real genome was used."
    )
    return (
        f"{who} Models learned from {n_founders['train']:,} of them and {n_offspring['train']:,} descendants of these. "
        "Then they placed everybody on a map, told ancestry, stored genotypes without loss and "
        "made up new people, each time beside simpler methods. Everything below was made by the commands on this "
        f"page.{_left_out(cast)}"
    )


def _in_short(results: Mapping[str, Any]) -> Section:
    """A line a task, each computed."""
    visitors = results["visitors"]
    said = {
        "Labels": verdicts.sentence(verdicts.ancestry_verdict(results)),
        "Strangers": f"{verdicts.visitors_verdict(visitors)} {verdicts.half_verdict(visitors)}",
        "Mixed people": verdicts.painting_verdict(results["painting"]),
        "Storing": verdicts.storage_verdict(results),
        "New people": verdicts.synthesis_verdict(results),
        "Their audits": verdicts.audit_verdict(results["audits"]),
    }
    rows = [[name, words] for name, words in said.items() if words]
    return Section("In short", tables=(Table([Column("Task"), Column("What was found")], rows),))


def _left_out(cast: Cast) -> str:
    """What could not be shown of the user's people, or was assumed of them."""
    if not cast.source:
        return ""
    said = [] if cast.stranger else ["Left out: telling strangers, which takes a third population."]
    said.append(
        "No genetic map was known: admixed people were bred, and painted, at 1 cM per Mb."
        if cast.mixed
        else "Left out: painting chromosomes, which takes a contig with sites over "
        f"{files.LEAST_PAINTED_BP / 1e6:g} Mb or more."
    )
    return f"\n\n{' '.join(said)}"
