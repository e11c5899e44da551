"""What `haploom audit` writes: a page for people, JSON for machines, a table."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from haploom import provenance
from haploom.audit import Audit
from haploom.audit.advice import ADVICE
from haploom.audit.catalogue import FIDELITY, MEASURES, PRIVACY, UTILITY, Gate
from haploom.audit.measures import Measure
from haploom.baselines.accuracy import Interval
from haploom.report import plots, plots_audit
from haploom.report.figures import svg
from haploom.report.html import render_html
from haploom.report.page import Column, Figure, Report, Section, Table
from haploom.report.result_folder import ResultFolder

FILES = ("audit.html", "audit.json", "measures.tsv")
SETS = ("synthetic", "training", "held-out")
_FIGURE_SIZE_IN = (4.8, 3.6)  # two stand side by side


def write_audit(found: Audit, folder: ResultFolder) -> None:
    """Write FILES."""
    folder.write_lines("audit.html", render_html(build_report(found)).splitlines())
    record = {**audit_record(found), "about": _about(found), "made_by": provenance.record(found.settings.seed)}
    folder.write_lines("audit.json", json.dumps(record, indent=1, ensure_ascii=False).splitlines())
    folder.write_table(
        "measures.tsv",
        ["measure", "part", "value", "low", "high", "real", "real_low", "real_high", "least", "most", "passed"],
        (
            [name, MEASURES[name].part, *each.value, *each.reference, *_nan_for_none(each.gate),
             "yes" if each.passed else "no"]
            for name, each in found.measures.items()
        ),
    )  # fmt: skip


def audit_record(found: Audit) -> dict[str, Any]:
    """`passed`, and an object for each measure; None for what is not a number."""
    return {"passed": found.passed, **{name: _record(each) for name, each in found.measures.items()}}


def _record(measure: Measure) -> dict[str, Any]:
    least, most = measure.gate
    threshold = [least, most] if least is not None and most is not None else most if least is None else least
    record = {
        "value": _known(measure.value.value), "reference": _known(measure.reference.value), "threshold": threshold,
        "passed": measure.passed, "part": MEASURES[measure.name].part,
        "interval": _ends(measure.value), "reference_interval": _ends(measure.reference),
    }  # fmt: skip
    advice = {} if measure.passed else {"advice": ADVICE[measure.name]}
    return {**record, **({"note": measure.note} if measure.note else {}), **advice}


def _ends(interval: Interval) -> list[float | None] | None:
    return None if np.isnan(interval.low) else [_known(interval.low), _known(interval.high)]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 6)


def _nan_for_none(gate: Gate) -> list[float]:
    return [float("nan") if end is None else end for end in gate]


def shown_measures(found: Audit) -> dict[str, str]:
    """A line for each measure, for a terminal."""
    return {
        name: f"{each.value.value:<8.4f} real {each.reference.value:<8.4f} {_gate(each.gate):<18} "
        f"{'passed' if each.passed else 'FAILED'}"
        for name, each in found.measures.items()
    }


def to_mend(found: Audit) -> dict[str, list[str]]:
    """What to do -> the measures outside their gates that it mends."""
    names_of: dict[str, list[str]] = {}
    for name in found.failed:
        names_of.setdefault(ADVICE[name], []).append(name)
    return names_of


def shown(interval: Interval) -> str:
    """With the interval where there is one."""
    value = f"{interval.value:.4f}"
    return value if np.isnan(interval.low) else f"{value} ({interval.low:.4f} to {interval.high:.4f})"


def _gate(gate: Gate) -> str:
    least, most = gate
    if least is None and most is None:
        return "any"
    if least is None or most is None:
        return f"at least {least:.4f}" if most is None else f"at most {most:.4f}"
    return f"{least:.4f} to {most:.4f}"


def build_report(found: Audit) -> Report:
    """The page. Names of populations stand in it: it is escaped when it is rendered."""
    parts = (
        (FIDELITY, "Fidelity", "How far synthetic people are from held-out people, beside how far training people are "
         "from them: as many haplotypes of each population from all three.", _fidelity_figures(found)),
        (UTILITY, "Utility", "", ()),
        (PRIVACY, "Privacy", "How near synthetic people are to the people they were learned from, beside how near "
         "held-out people are, who had no part in it.", _privacy_figures(found)),
    )  # fmt: skip
    sections = [
        Section(heading, text, figures, [_table(measures), *([_populations(found)] if part == FIDELITY else [])])
        for part, heading, text, figures in parts
        if (measures := [each for name, each in found.measures.items() if MEASURES[name].part == part])
    ]
    if found.failed:
        rows = [[", ".join(MEASURES[name].title for name in names), advice] for advice, names in to_mend(found).items()]
        mended = Table([Column("Outside their gates"), Column("What to do")], rows)
        sections.insert(0, Section("What to do", "", tables=[mended]))
    return Report(
        title=f"Audit of synthetic people: {'passed' if found.passed else 'failed'}",
        text=_summary(found),
        sections=[*sections, _method_section(found)],
        made_by=provenance.record(found.settings.seed),
    )


def _summary(found: Audit) -> str:
    synthetic, train, holdout = found.n_people
    names = ", ".join(each.label for each in found.populations)
    titles = [MEASURES[name].title for name in found.failed]
    verdict = (
        f"All {len(found.measures)} measures are within their gates."
        if found.passed
        else f"{len(titles)} of {len(found.measures)} measures are outside their gates: {'; '.join(titles)}."
    )
    return (
        f"{synthetic:,} synthetic people were compared with {holdout:,} held-out real people at {found.n_sites:,} "
        f"sites, and both with the {train:,} people that were learned from. Populations: {names}.\n\n"
        f"{verdict} An audit finds what it looks for: passing does not prove that nobody can be recognised, only that "
        "these attacks and counts tell no more than they do of people who had no part in it."
    )


def _table(measures: Sequence[Measure]) -> Table:
    columns = [Column(name) for name in ("Measure", "Synthetic", "Real people", "Gate", "Verdict", "What it is")]
    rows = [
        [about.title, shown(each.value), shown(each.reference), _gate(each.gate),
         "passed" if each.passed else "FAILED", f"{about.meaning}{f' ({each.note}.)' if each.note else ''}"]
        for each in measures
        for about in [MEASURES[each.name]]
    ]  # fmt: skip
    return Table(columns, rows)


def _populations(found: Audit) -> Table:
    columns = [
        Column("Population"), Column("Haplotypes of each", ","),
        *(Column(f"Entropy, {name}", ".4f") for name in SETS),
        Column("Fst, synthetic", ".4f"), Column("Fst, training", ".4f"),
    ]  # fmt: skip
    rows = [[each.label, each.n_haplotypes, *each.entropy_bits, *each.fst] for each in found.populations]
    caption = "Mean entropy of a site (bits), and Fst from held-out people"
    return Table(columns, rows, caption)


def _fidelity_figures(found: Audit) -> tuple[Figure, ...]:
    points = np.concatenate(found.components)
    names = np.repeat(SETS, [len(each) for each in found.components])
    axes = ("PC1 (standard deviations)", "PC2")
    return (
        Figure(
            svg(lambda ax: plots_audit.decays(ax, found.edges_bp, dict(zip(SETS, found.decays))), _FIGURE_SIZE_IN),
            "Linkage disequilibrium by distance, averaged over populations, of the same pairs of sites.",
            "Line plot of mean r squared by distance for synthetic, training and held-out people",
        ),
        Figure(
            svg(
                lambda ax: plots.latent_map(ax, points, names, order=SETS, axis_names=axes, legend_below=True),
                _FIGURE_SIZE_IN,
            ),
            "Principal components of the three together, a point a haplotype.",
            "Scatter plot of two principal components of synthetic, training and held-out haplotypes",
        ),
    )


def _privacy_figures(found: Audit) -> tuple[Figure, ...]:
    sets = (SETS[0], SETS[2])
    drawn = (
        (found.nearest, "Differences from it (share of the sites)", "nearest training haplotype"),
        (found.runs, "Length (cM)", "longest run shared with a training haplotype"),
    )
    return tuple(
        Figure(
            svg(
                lambda ax, values=values, xlabel=xlabel: plots_audit.distributions(  # type: ignore[misc]
                    ax, dict(zip(sets, values)), xlabel
                ),
                _FIGURE_SIZE_IN,
            ),
            f"The {what} of each haplotype.",
            f"Histogram of the {what} of synthetic and held-out haplotypes",
        )
        for values, xlabel, what in drawn
    )


def _method_section(found: Audit) -> Section:
    return Section(
        "How it was measured",
        f"Most figures depend on the number of people, so {found.n_matched:,} people were drawn of each of the three, "
        "as many of each population; utility was learned from as many as the synthetic and the training panel allow. "
        "Exact copies, shared runs and membership are of all haplotypes (of panels of more than 10,000 people, of "
        "10,000 at random). LD is of pairs, and three-point correlations of triples, drawn at random among sites "
        "with a minor-allele frequency above 5 % in a population. Code lengths are of at most 500 haplotypes.\n\n"
        "Intervals are 95 %: of frequencies, LD and distances by leaving out a tenth of the people in turn, of the "
        "others by drawing people again. They allow for the choice of people, not of sites. Gates that were not set "
        "follow the figure of real people, with room for chance.",
    )


def _about(found: Audit) -> dict[str, Any]:
    return {
        "sites": found.n_sites, "people": dict(zip(SETS, found.n_people)), "matched_people": found.n_matched,
        "populations": [asdict(each) for each in found.populations], "window": found.settings.window,
        "maf": found.settings.maf,
    }  # fmt: skip
