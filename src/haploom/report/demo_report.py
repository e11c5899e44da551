"""The demo's report: pictures, tables, and words that follow from the figures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from haploom import provenance
from haploom.baselines.accuracy import Interval
from haploom.embedding import embed_panel
from haploom.io.model_file import ModelFile, read_model
from haploom.io.output import atomic_output
from haploom.popgen.pca import PCA
from haploom.report import demo, plots
from haploom.report.demo import DemoSettings, Step, demo_steps
from haploom.report.demo_results import LEVEL, founders_of, measure_demo
from haploom.report.figures import svg
from haploom.report.html import render_html
from haploom.report.maps import plane
from haploom.report.page import Column, Figure, Report, Section, Table

MAP_SIZE_IN = (4.8, 5.2)  # two stand side by side


def write_report(folder: Path, settings: DemoSettings, accuracies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Measure the files in a demo's folder, write results.json and report.html there, and return the figures.

    accuracies: the records of `haploom bench classify`.
    """
    model = read_model(folder / demo.MODEL)
    results = measure_demo(folder, model, accuracies, settings.seed)
    with atomic_output(folder / demo.RESULTS) as partial:
        partial.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    page = render_html(build_report(folder, settings, model, results))
    with atomic_output(folder / demo.REPORT) as partial:
        partial.write_text(page, encoding="utf-8")
    return results


def build_report(folder: Path, settings: DemoSettings, model: ModelFile, results: Mapping[str, Any]) -> Report:
    """The report of a finished demo. results: from `measure_demo`."""
    steps = demo_steps(settings)
    people, training = results["people"], results["training"]
    n_founders, n_offspring = people["founders"], people["offspring"]
    return Report(
        title="Haploom on simulated people",
        text=(
            f"{sum(n_founders.values()):,} unrelated people of {len(people['entropy_bits'])} populations were "
            f"simulated at {people['sites']:,} SNPs ({people['span_bp'] / 1000:,.0f} kb). A variational autoencoder "
            f"(VAE) with {training['latents']} latents learned from {n_offspring['train']:,} descendants of "
            f"{n_founders['train']:,} of them. Then it placed everybody on a map, told their ancestry, stored their "
            "genotypes without loss and simulated new people, each time beside simpler methods. No real genome was "
            f"used.\n\nIn short: {_ancestry_verdict(results)}. {_storage_verdict(results)} "
            f"{_synthesis_verdict(results)}"
        ),
        sections=(
            _map_section(folder, model, steps["map"]),
            _ancestry_section(results, steps["classify"]),
            _storage_section(results, steps["store"]),
            _synthesis_section(results, steps["synthesize"]),
            _people_section(results, steps["people"], steps["breed"]),
            _training_section(model, results, steps["train"]),
        ),
        made_by=provenance.record(settings.seed),
    )


def _map_section(folder: Path, model: ModelFile, step: Step) -> Section:
    panel, train = founders_of(folder), founders_of(folder, "train")
    labels = panel.labels(LEVEL, "haplotype")
    order = sorted(set(labels.tolist()))
    held_out = np.repeat(~np.isin(np.array(panel.samples), np.array(train.samples)), 2)
    vae, vae_axes = plane(embed_panel(panel, model).z)
    pca = PCA(2).fit(train)
    shares = [f"PC{i + 1} ({share:.0%} of variance)" for i, share in enumerate(pca.explained_variance_ratio_)]

    def drawn(points: np.ndarray, axis_names: tuple[str, str]) -> bytes:
        return svg(
            lambda ax: plots.latent_map(
                ax, points, labels, order=order, held_out=held_out, axis_names=axis_names, legend_below=True
            ),
            MAP_SIZE_IN,
        )

    marked = "Outlined: validation and test people; neither they nor descendants of theirs were trained on."
    return Section(
        "A map of the people",
        f"Each point is a haplotype of a simulated founder at its place in a space that was learned without labels; "
        f"colours were added after. Both maps hold all {panel.n_haplotypes:,} haplotypes. The VAE has "
        f"{model.arrays['labels.mean'].shape[1]} latents, and a page shows two directions: the two along which the "
        "haplotypes vary most. Over so short a stretch of the genome populations overlap in any map, because most "
        "variation is within populations. The command below draws the first map, all people marked alike.",
        figures=(
            Figure(
                drawn(vae, vae_axes), f"The VAE's latent space. {marked}", "Scatter plot of VAE latents by population"
            ),
            Figure(
                drawn(pca.transform(panel), (shares[0], shares[1])),
                "Principal components of the training founders' SNPs, the others projected.",
                "Scatter plot of two principal components by population",
            ),
        ),
        command=step.shell_in_lines,
    )  # fmt: skip


def _ancestry_section(results: Mapping[str, Any], step: Step) -> Section:
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
        f"Share labelled right in each population: {demo.FOUNDERS_TASK}",
    )
    return Section(
        "Telling ancestry",
        f"{_sentence(_ancestry_verdict(results))} {_ancestry_detail(methods)}\n\nEvery method learned from the same "
        "people, those the VAE was trained on. None had seen the people of the first table, nor any relative of "
        "theirs; those of the second are their descendants, who share few founders, so their intervals are narrower "
        f"than they should be. Guessing is right {1 / len(recalls.rows):.2f} of the time. A label says which "
        "population a haplotype is most similar to, and is given whatever the distance.",
        tables=(tables[0], recalls, *tables[1:]),
        command=step.shell_in_lines,
    )


def _storage_section(results: Mapping[str, Any], step: Step) -> Section:
    rows = results["storage"]
    bare = _packed_bytes(results)
    keys = ("codec", "total_bytes", "genotype_bytes", "model_bytes", "bits_per_allele")
    columns = [
        Column("Codec"), Column("Whole file", ","), Column("Genotypes", ","), Column("Model", ","),
        Column("Bits per allele", ".3f"), Column("Decoded"),
    ]  # fmt: skip
    return Section(
        "Storing genotypes without loss",
        f"{_storage_verdict(results)} One bit an allele, nothing else, would be {bare:,} bytes.\n\n"
        "vae+rle keeps each haplotype's latents and the places where the decoder is wrong; a decoder of whole numbers "
        "makes the result the same on every machine. Reading such an archive needs the model, so its bytes count. "
        "The model's cost is paid once: it weighs less the more people are stored. Every archive was decoded and "
        "compared with what went in, allele by allele.",
        tables=(
            Table(
                columns,
                [
                    [*(row[key] for key in keys),
                     "identical" if row["identical"] else "different"]
                    for row in rows
                ],
                f"{sum(results['people']['founders'].values()):,} founders x {results['people']['sites']:,} sites, "
                "bytes",
            ),
        ),
        command=step.shell_in_lines,
    )  # fmt: skip


def _synthesis_section(results: Mapping[str, Any], step: Step) -> Section:
    rows = results["synthesis"]
    keys = (
        "frequency_correlation", "frequency_correlation_real", "entropy_bits", "entropy_bits_real", "labelled_right",
        "labelled_right_real",
    )  # fmt: skip
    columns = [
        Column("Population"), Column("Frequencies r", ".3f"), Column("(founders)", ".3f"),
        Column("Entropy, bits", ".3f"), Column("(founders)", ".3f"),
        Column("Labelled right", ".2f"), Column("(founders)", ".2f"),
    ]  # fmt: skip
    return Section(
        "Synthetic people",
        f"{_synthesis_verdict(results)} {_frequency_verdict(rows)}\n\nFrequencies r: correlation over sites of "
        "allele frequencies with those of held-out founders; (founders) is that of training founders with them, the "
        "most one can hope for. Entropy: mean over sites, 0 where all haplotypes are alike. Labelled right: by "
        "logistic regression that learned from the training founders; (founders) is how often it is right about "
        "held-out founders. More than the founders is not better: it means that the synthetic people are too "
        "typical. Whether "
        "they give away the people learned from is not measured here; do not share such data on the strength of "
        "this table.",
        tables=(Table(columns, [[row["population"], *(row[key] for key in keys)] for row in rows]),),
        command=step.shell_in_lines,
    )


def _people_section(results: Mapping[str, Any], people: Step, breed: Step) -> Section:
    figures = results["people"]
    names = list(figures["entropy_bits"])
    rows = [[part.capitalize(), figures["founders"][part], figures["offspring"][part]] for part in figures["founders"]]
    return Section(
        "Who they are",
        "The founders come from a coalescent simulation of an out-of-Africa history. They were split by person, and "
        "the founders of each part bred apart: descendants of different parts share no founder. A short stretch "
        "recombines rarely, so descendants are mostly copies of founder haplotypes in new company: more to train "
        "on, not more diversity.",
        figures=(_entropy_figure(results, names),),
        tables=(Table([Column("Part"), Column("Founders", ","), Column("Descendants", ",")], rows),),
        command=f"{people.shell_in_lines}\n{breed.shell_in_lines}",
    )


def _entropy_figure(results: Mapping[str, Any], names: Sequence[str]) -> Figure:
    real = results["people"]["entropy_bits"]
    made_up = {row["population"]: row["entropy_bits"] for row in results["synthesis"]}

    def draw(ax: Any) -> None:
        plots.entropy_pairs(
            ax, names, np.array([real[name] for name in names]), np.array([made_up[name] for name in names]),
            sources=("founders", "synthetic"),
        )  # fmt: skip

    ranked = sorted(real, key=real.__getitem__)
    return Figure(
        svg(draw),
        f"Mean entropy per site, by population, at 32 haplotypes a draw, founders and synthetic people: most in "
        f"{ranked[-1]}, least in {ranked[0]}.",
        "Bars of the entropy of each population, founders and synthetic people",
    )


def _training_section(model: ModelFile, results: Mapping[str, Any], step: Step) -> Section:
    figures = results["training"]
    history = model.card.history
    curves = {}
    for part in ("train", "validation"):
        reconstruction, kl = (np.array([row[f"{part}_{term}"] for row in history]) for term in ("reconstruction", "kl"))
        curves[part] = {"total": reconstruction + kl, "reconstruction": reconstruction, "KL": kl}
    return Section(
        "Training",
        f"{figures['parameters']:,} parameters, {figures['epochs']} epochs on descendants of the training founders; "
        f"the weights of epoch {figures['kept_epoch']} were kept, the best on descendants of the validation founders "
        f"({figures['validation_loss']:.1f} nats per haplotype). Test people were never looked at.",
        figures=(
            Figure(
                svg(lambda ax: plots.loss_curve(ax, curves["train"], curves["validation"])),
                "Loss while training. A gap between line and dashes is what the model knows by heart.",
                "Curves of the training and validation loss over epochs",
            ),
        ),
        command=step.shell_in_lines,
    )


# The verdicts: every word that says who wins is chosen by the figures.


def _ancestry_verdict(results: Mapping[str, Any]) -> str:
    rows = next(iter(results["classification"].values()))
    ranked = sorted(rows, key=lambda row: -row["balanced_accuracy"]["value"])
    best, vae = ranked[0], rows[0]
    if best is vae:
        return f"on test people the VAE's labels are right most often ({vae['balanced_accuracy']['value']:.2f})"
    return (
        f"on test people {_plainly(best['method'])} labels best ({best['balanced_accuracy']['value']:.2f} balanced "
        f"accuracy), the VAE comes {_ordinal(ranked.index(vae) + 1)} of {len(ranked)} "
        f"({vae['balanced_accuracy']['value']:.2f})"
    )


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _plainly(method: str) -> str:
    """A method's name where it stands among words: without the comma."""
    return method.replace(", ", " with ")


def _ancestry_detail(rows: Sequence[Mapping[str, Any]]) -> str:
    vae = rows[0]["balanced_accuracy"]
    said = []
    for word, holds in (
        ("above", lambda other: vae["low"] > other["high"]),
        ("below", lambda other: vae["high"] < other["low"]),
        ("not clearly apart from", lambda other: vae["low"] <= other["high"] and vae["high"] >= other["low"]),
    ):
        names = [_plainly(row["method"]) for row in rows[1:] if holds(row["balanced_accuracy"])]
        if names:
            said.append(f"{word} {_listed(names)}")
    return f"By its interval the VAE is {'; '.join(said)}."


def _storage_verdict(results: Mapping[str, Any]) -> str:
    rows = {row["codec"]: row for row in results["storage"]}
    alone = rows["vae+rle"]["genotype_bytes"]
    vae, statistical, auto = (_bytes_needed(rows[codec]) for codec in ("vae+rle", "statistical", "auto"))
    choice = (
        f"auto used the VAE ({auto:,} bytes of genotypes and model)."
        if rows["auto"]["model_bytes"]
        else f"auto left the VAE out ({auto:,} bytes of genotypes)."
    )
    if vae < statistical:
        return (
            f"The VAE stored the genotypes in {vae / statistical:.0%} of the bytes of the statistical codec, its model "
            f"included; {choice}"
        )
    return (
        f"For storing, the VAE loses: {_times(vae / statistical)} the bytes of the statistical codec with its model, "
        f"{_times(alone / statistical)} without; {choice}"
    )


def _bytes_needed(row: Mapping[str, Any]) -> int:
    """All that reading the genotypes takes: their own bytes and the model's."""
    return row["genotype_bytes"] + row["model_bytes"]


def _synthesis_verdict(results: Mapping[str, Any]) -> str:
    rows = results["synthesis"]
    ratio = np.mean([row["entropy_bits"] for row in rows]) / np.mean([row["entropy_bits_real"] for row in rows])
    how = "as diverse as" if abs(ratio - 1) < 0.05 else ("less diverse than" if ratio < 1 else "more diverse than")
    return f"Synthetic people are {how} the founders ({ratio:.0%} of the entropy)."


def _frequency_verdict(rows: Sequence[Mapping[str, Any]]) -> str:
    pairs = [(row["frequency_correlation"], row["frequency_correlation_real"]) for row in rows]
    known = [(made_up, real) for made_up, real in pairs if made_up is not None and real is not None]
    if not known:
        return ""
    behind = sum(made_up < real for made_up, real in known)
    return (
        "Their allele frequencies are further from those of test people than the training founders' are in "
        f"{behind} of {len(known)} populations."
    )


def _packed_bytes(results: Mapping[str, Any]) -> int:
    people = results["people"]
    return 2 * sum(people["founders"].values()) * -(-people["sites"] // 8)


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio < 9.95 else f"{ratio:,.0f} times"


def _ordinal(place: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(place, f"{place}th")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
