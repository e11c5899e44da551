"""Made-up people and their audits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from haploom.audit.catalogue import MEASURES
from haploom.popgen.pca import PCA
from haploom.report import plots
from haploom.report.demo import files, verdicts
from haploom.report.demo.cast import LEVEL
from haploom.report.demo.measure_made import SHOWN, made_people
from haploom.report.demo.steps import Step
from haploom.report.figures import svg
from haploom.report.page import Column, Figure, Section, Table

_SIDE_BY_SIDE_IN = (4.8, 4.6)


def synthesis_section(folder: Path, results: Mapping[str, Any], step: Step) -> Section:
    """New people of the autoregressive model beside real ones."""
    rows = results["synthesis"]
    keys = (
        "frequency_correlation", "frequency_correlation_real", "entropy_bits", "entropy_bits_real", "labelled_right",
        "labelled_right_real",
    )  # fmt: skip
    columns = [
        Column("Population"), Column("Frequencies r", ".3f"), Column("(real)", ".3f"),
        Column("Entropy, bits", ".3f"), Column("(real)", ".3f"),
        Column("Labelled right", ".2f"), Column("(real)", ".2f"),
    ]  # fmt: skip
    return Section(
        "People who do not exist",
        f"{verdicts.synthesis_verdict(results)} {verdicts.frequency_verdict(rows)}\n\nThe model draws one allele after "
        "another, each by its probability given those before it. Frequencies r: correlation over sites of allele "
        "frequencies with those of test people; (real) is that of training people with them, the most one can hope "
        "for. Entropy: mean over sites, 0 where all haplotypes are alike. Labelled right: by logistic regression that "
        "learned from the training people; (real) is how often it is right about test people. More than of the real is "
        "not better: it means that the made-up people are too typical.",
        figures=_made_figures(folder),
        tables=(Table(columns, [[row["population"], *(row[key] for key in keys)] for row in rows]),),
        command=step.shell_in_lines,
    )


def _made_figures(folder: Path) -> list[Figure]:
    """Real test people and made-up ones on the same principal components."""
    test, made = files.founders_of(folder, "test"), made_people(folder, files.GENERATED)
    order = sorted(set(test.labels(LEVEL).tolist()))
    pca = PCA(2).fit(files.founders_of(folder, "train"))
    placed = [pca.transform(people) for people in (test, made)]
    both = np.concatenate(placed)
    room = 0.05 * np.ptp(both, axis=0)
    low, high = both.min(axis=0) - room, both.max(axis=0) + room

    def drawn(points: np.ndarray, labels: np.ndarray) -> bytes:
        def draw(ax: Any) -> None:
            plots.latent_map(ax, points, labels, order=order, axis_names=("PC1", "PC2"), legend_below=True)
            ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))

        return svg(draw, _SIDE_BY_SIDE_IN)

    captions = ("Test people.", "People the autoregressive model made up, on the same components.")
    return [
        Figure(drawn(points, people.labels(LEVEL, "haplotype")), caption, f"Scatter plot: {caption.lower()}")
        for points, people, caption in zip(placed, (test, made), captions)
    ]


def audit_section(results: Mapping[str, Any], step: Step) -> Section:
    """The verdict on three ways to make people, and their main measures."""
    audits = {source: found for source, found in results["audits"].items() if found}
    sources = list(audits)
    titles = [verdicts.sentence(source)[:-1] for source in sources]
    first = next(iter(audits.values()))["measures"] if audits else {}
    names = [name for name in SHOWN if name in first]
    rows = [
        [MEASURES[name].title, *(_marked(audits[source]["measures"].get(name)) for source in sources),
         first[name]["reference"]]
        for name in names
    ]  # fmt: skip
    verdict_rows = [
        [title, "passed" if found["passed"] else "FAILED", f"{len(found['failed'])} of {found['of']}",
         "; ".join(MEASURES[name].title for name in found["failed"]) or None]
        for title, found in zip(titles, audits.values())
    ]  # fmt: skip
    measured = [Column("Measure"), *(Column(title, "") for title in titles), Column("Real people", ".3f")]
    return Section(
        "Are they like people, and do they give anyone away?",
        f"{verdicts.audit_verdict(results['audits'])}\n\nThe audit compares made-up people with test people, both "
        "against the training people: whether they are alike, whether one can learn from them, and whether they tell "
        "who was in the training. An audit that fails leaves with exit code 4, so that no pipeline goes on by mistake; "
        "this demo goes on to show it. Mosaics are cut from training people and stand here to be caught. Passing does "
        "not prove that nobody can be recognised, only that these attacks found no more than of people who had no part "
        "in it.",
        tables=(
            Table([Column("Made by"), Column("Audit"), Column("Failed"), Column("Which")], verdict_rows),
            Table(measured, rows, "Main measures; an asterisk marks those outside their gate"),
        ),
        links={f"Audit: {title}": f"{files.MADE[source]}.audit/audit.html" for title, source in zip(titles, sources)},
        command=step.shell_in_lines,
    )


def _marked(measure: Mapping[str, Any] | None) -> str | None:
    """The value, with an asterisk where it is outside its gate."""
    if measure is None or measure["value"] is None:
        return None
    return f"{measure['value']:.3f}{'' if measure['passed'] else ' *'}"
