"""Labels, unknown people and painted chromosomes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haploom.baselines.accuracy import Interval
from haploom.io import read_panel
from haploom.report.demo import files, pictures, verdicts
from haploom.report.demo.measure import FOUNDERS_TASK
from haploom.report.demo.measure_ancestry import labels_at_sites
from haploom.report.demo.steps import GENERATIONS_SINCE_MIXING, Step
from haploom.report.figures import svg
from haploom.report.page import Column, Figure, Section, Table

_PAINTED = 8  # people in the picture
_SIDE_BY_SIDE_IN = (4.8, 3.4)


def ancestry_section(results: Mapping[str, Any], step: Step) -> Section:
    """The VAE's labels beside those of simpler methods."""
    tasks = results["classification"]
    methods = next(iter(tasks.values()))
    tables = [
        Table(
            [Column("Method"), Column("Plain accuracy", ".3f"), Column("Balanced accuracy", ".3f")],
            [[row["method"], Interval(**row["accuracy"]), Interval(**row["balanced_accuracy"])] for row in rows],
            f"Haplotypes labelled right: {task} ({rows[0]['people']:,} people; 95 % interval over people)",
        )
        for task, rows in tasks.items()
    ]
    recalls = Table(
        [Column("Population"), *(Column(row["method"].split(",")[0], ".2f") for row in methods)],
        [[name, *(row["recalls"][name]["value"] for row in methods)] for name in methods[0]["recalls"]],
        f"Share labelled right in each population: {FOUNDERS_TASK}",
    )
    return Section(
        "Telling ancestry",
        f"{verdicts.sentence(verdicts.ancestry_verdict(results))} {verdicts.ancestry_detail(methods)}\n\nEvery method "
        "learned from the same people, those the VAE was trained on. None had seen the people of the first table, nor "
        "any relative of theirs; those of the second are their descendants, who share few ancestors, so their "
        "intervals are narrower than they should be. Guessing is right "
        f"{1 / len(recalls.rows):.2f} of the time. A label says which population a haplotype is most similar to, and "
        "is given whatever the distance.",
        tables=(tables[0], recalls, *tables[1:]),
        command=step.shell_in_lines,
    )


def trust_section(results: Mapping[str, Any], step: Step) -> Section:
    """The classifier that may say unknown: strangers, and people with half of their sites missing."""
    found = results["visitors"]
    figures = [
        Figure(
            svg(
                lambda ax, each=each: pictures.labels_told(  # type: ignore[misc]
                    ax, each, found["labels"], found["stranger"]
                ),
                _SIDE_BY_SIDE_IN,
            ),
            f"What was said of haplotypes of each population, {name} ({found['sites'][name]:,}).",
            f"Stacked bars of the labels told of each population, {name}",
        )
        for name, each in found["said"].items()
    ]
    keys = ("sample", "from", "sites", "label", "set", "likeliest", "probability")
    columns = [
        Column("Person"), Column("From"), Column("Sites"), Column("Label"), Column("Set"), Column("Most similar"),
        Column("Probability", ".3f"),
    ]  # fmt: skip
    caption = "The first test person of the file, and the same with half of the sites"
    if found["stranger"]:
        caption += "; the first person of the population that was never seen"
    return Section(
        "When the answer is unknown",
        f"{verdicts.visitors_verdict(found)} {verdicts.half_verdict(found)}\n\nThis classifier "
        "gives calibrated probabilities and sets of labels that hold the right one for 90 % of people, and says "
        "unknown of people unlike everybody in its reference; of people who do belong there it is meant to say so of "
        f"5 %. It knows {verdicts.listed(found['labels'])}, at {found['model_sites']:,} sites. The page of reasons "
        "shows for each person the overlap, how odd they are, the most alike reference people, and which checks they "
        "fail.",
        figures=figures,
        tables=(Table(columns, [[each[key] for key in keys] for each in found["examples"]], caption),),
        links={"Open the page of reasons": files.WHY},
        command=step.shell_in_lines,
    )


def painting_section(folder: Path, results: Mapping[str, Any], step: Step) -> Section:
    """Admixed people's chromosomes as painted, beside the truth."""
    found = results["painting"]
    mixed = read_panel(folder / files.MIXED)
    variants, samples = mixed.variants, mixed.samples[:_PAINTED]
    true, told = (
        labels_at_sites(folder / name, variants, mixed.samples)[: 2 * len(samples)]
        for name in (files.TRACKS, files.STRETCHES)
    )
    contig = variants.contigs()[0]
    here = variants.chrom == contig
    picture = svg(
        lambda ax: pictures.painted_beside_truth(
            ax,
            [f"person {name.rpartition('_')[2].lstrip('0')}" for name in samples],
            found["labels"],
            variants.position_bp[here],
            true[:, here],
            told[:, here],
            contig,
        ),
        (7.2, 5.6),
    )
    rows = [[label, found["accuracy_by_label"][label]] for label in found["labels"]]
    return Section(
        "Painting mixed chromosomes",
        f"{verdicts.painting_verdict(found)} The share of each population in a person's genome was off by "
        f"{found['proportion_error']:.1%} of the genome on average.\n\nThese {found['people']} people were bred from "
        f"test people of {verdicts.listed(found['labels'])}, who met {GENERATIONS_SINCE_MIXING} generations ago, and "
        "their breeding was written down: so the truth is known. The classifier has never seen them nor the people "
        f"they descend from. A haplotype changes its ancestry {found['switches']:.1f} times in "
        f"{found['span_bp'] / 1e6:.0f} Mb; {found['switches_told']:.1f} changes were told.",
        figures=(
            Figure(
                picture,
                f"Both chromosome copies of the first {len(samples)} people: above, in full colour, where each stretch "
                "comes from; below, fainter, what was told.",
                "Painted chromosomes of admixed people, truth above what was told",
            ),
        ),
        tables=(Table([Column("From"), Column("Painted right", ".3f")], rows, "Share of the sites"),),
        command=step.shell_in_lines,
    )
