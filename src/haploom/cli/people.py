"""`haploom embed` and `classify`: what a trained model says of people."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from haploom.cli.frame import (
    chosen_sites_explained,
    default_threads,
    force_option,
    genotypes,
    json_option,
    min_coverage_option,
    model_option,
    note,
    output_option,
    print_result,
    quiet_option,
    selection_options,
    threads_option,
    workers_options,
)  # fmt: skip
from haploom.cli.mixture import MixtureOutputs, mixture_options

if TYPE_CHECKING:
    from haploom.io import Selection
    from haploom.io.model_file import ModelFile
    from haploom.panel.batches import AnyPanel
    from haploom.parallel import Workers


_MANY_UNKNOWN, _MANY_PEOPLE = 0.5, 10  # not one stranger: something is wrong with the file or the reference
_ROWS = {1: "haplotypes", 2: "people"}  # of a model, by its ploidy


@click.command()
@genotypes()
@model_option
@output_option("Coordinates, a TSV: sample, haplotype, z1, z2, ..., part; - for stdout.", stdout=True)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw them too: .html, a map to explore offline, or .png, .svg or .pdf.",
)
@click.option(
    "--beside",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another model, whose map stands beside in the .html; may be repeated.",
)
@click.option("--uncertainty", is_flag=True, help="Standard deviations too: s1, s2, ..., ellipses in the .html.")
@click.option(
    "--refine",
    is_flag=True,
    help="Of a vae: where its decoder finds each row likeliest, instead of the encoder's means.",
)
@min_coverage_option
@selection_options
@workers_options
@threads_option
@force_option
@json_option
@quiet_option
def embed(
    source: Path, model: Path, output: Path, plot: Path | None, beside: tuple[Path, ...], uncertainty: bool,
    refine: bool, min_coverage: float, selection: "Selection", workers: "Workers", threads: int | None, force: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Place the haplotypes in SOURCE in a model's latent space; with a model of unphased people, the people.

    Sites of the model that are absent from SOURCE are taken as missing. A cvae or yvae is told the labels of
    --populations; without, each row is placed under the label it is rebuilt best under.
    """
    from haploom.embedding import (
        REFINABLE,
        check_has_posterior,
        check_refinable,
        embed_in_parts,
        has_posterior,
        write_embedding,
    )
    from haploom.errors import HaploomError
    from haploom.io import check_outputs, label_level
    from haploom.io.model_file import check_has_latents, read_model
    from haploom.io.stored_panels import stored_panel

    as_page = plot is not None and plot.suffix == ".html"
    if beside and not as_page:
        raise click.UsageError("--beside needs --plot MAP.html: only that file holds maps beside each other")
    if len({path.resolve() for path in (model, *beside)}) <= len(beside):
        raise click.UsageError("--beside: a model is given twice, and its map would stand beside itself")
    if refine and uncertainty:
        raise click.UsageError("--uncertainty is the encoder's, about its own means: leave it or --refine out")
    check_outputs([path for path in (output, plot) if path], (source, model, *beside, selection.populations), force)
    if plot is not None and not as_page:
        from haploom.report.figures import check_figure_name

        check_figure_name(plot, (".html",))
    trained, *others = [read_model(path) for path in (model, *beside)]
    for each in (trained, *others):
        check_has_latents(each)
    if uncertainty:
        check_has_posterior(trained)
    if refine:
        check_refinable(trained)
    if unlike := [path for path, other in zip(beside, others) if other.ploidy != trained.ploidy]:
        raise HaploomError(
            f"{unlike[0]} is a model of other rows than {model}: one places haplotypes, the other unphased people; "
            "draw them apart"
        )
    stored = stored_panel(source, selection, phased=trained.ploidy == 1, folder=_folder_of(output))
    with chosen_sites_explained(selection), stored as panel:
        _use_threads((trained, *others), threads)
        embedding, *placed = [
            embed_in_parts(
                panel, path, workers, min_coverage,
                uncertainty=uncertainty and has_posterior(each), refine=refine and each.card.kind in REFINABLE,
            )
            for path, each in zip((model, *beside), (trained, *others))
        ]  # fmt: skip
    if plot is not None:  # first, because a picture can be refused
        level = label_level(panel.populations, selection.label) if panel.populations else None
        if as_page:
            from haploom.report.map_page import save_map_page

            maps = dict(zip(_titles((model, *beside), (trained, *others)), (embedding, *placed)))
            save_map_page(maps, panel.populations, level, plot, force, title=f"Map of {source.name}")
        else:
            from haploom.report.maps import save_map

            save_map(embedding, panel.labels(level) if level else None, plot, force)
    write_embedding(embedding, output, force)
    note_training_people(embedding.parts, trained.card.kind)
    n_rows, n_latents = embedding.z.shape
    people = {f"people_{part}": count for part, count in sorted(Counter(embedding.parts).items())}
    print_result({_ROWS[trained.ploidy]: n_rows, "latents": n_latents, **people}, as_json, output)


@click.command()
@genotypes()
@model_option
@output_option("Labels, a TSV: sample, haplotype, label, set, p_<population>..., part; - for stdout.", stdout=True)
@mixture_options
@click.option(
    "--why",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also a page (.html) that says of each person what was measured, and which checks it fails.",
)
@min_coverage_option
@selection_options
@workers_options
@threads_option
@force_option
@json_option
@quiet_option
def classify(
    source: Path, model: Path, output: Path, mixture: MixtureOutputs, why: Path | None, min_coverage: float,
    selection: "Selection", workers: "Workers", threads: int | None, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Say which reference population each haplotype in SOURCE is most similar to, or each unphased person.

    Sites of the model that are absent from SOURCE are taken as missing. A model of kind ancestry gives calibrated
    probabilities and sets of labels, and says unknown of people unlike its reference; of mixed people it says the
    ancestry of each stretch (--local-ancestry) and the share of each label (--proportions).

    With --populations, says how often that agrees with the labels there: those of the column the model learned.
    """
    import numpy as np

    from haploom.ancestry import check_label_level, classify_in_parts, known_labels, write_classification
    from haploom.ancestry.trusted import UNKNOWN, classifier_of
    from haploom.errors import HaploomError
    from haploom.io import check_outputs, read_dosages, read_panel
    from haploom.io.model_file import check_has_latents, read_model_once
    from haploom.io.stored_panels import stored_panel

    check_outputs(
        [output, *mixture.files, *([why] if why else [])],
        (source, model, selection.populations, mixture.genetic_map), force,
    )  # fmt: skip
    trained = read_model_once(model)
    check_has_latents(trained)
    mixture.check(trained)
    if why is not None and trained.card.kind != "ancestry":
        raise HaploomError(
            f"--why is of models of kind ancestry, and {model} is a {trained.card.kind}: train one with --kind ancestry"
        )
    check_label_level(trained, selection.label)
    if workers.here:
        workers = replace(workers, threads=threads or default_threads())
    if trained.card.kind == "ancestry":
        classifier_of(trained, threads or default_threads())  # a damaged one is refused before genotypes are read
    phased = trained.ploidy == 1
    everybody = None
    stored: AbstractContextManager[AnyPanel]
    if why or mixture.files:  # not by batches
        everybody = (read_panel if phased else read_dosages)(source, selection)
        stored = nullcontext(everybody)
    else:
        stored = stored_panel(source, selection, phased=phased, folder=_folder_of(output))
    with chosen_sites_explained(selection), stored as panel:
        truth = known_labels(panel, trained) if selection.populations or selection.label else None
        _use_threads((trained,), threads)
        if why is None or everybody is None:
            classification = classify_in_parts(panel, model, workers, min_coverage)
        else:
            from haploom.ancestry.checks import check_people
            from haploom.report.why import write_why

            classifier = classifier_of(trained, threads or default_threads())
            measured = classifier.measure(everybody, trained, min_coverage)
            classification = classifier.classification(measured, everybody, trained)
            write_why(check_people(classification, measured, classifier, trained), why, force)
        mixed = {}
        if mixture.files and everybody is not None:
            mixed = mixture.write(everybody, trained, min_coverage, threads or default_threads(), force)
    write_classification(classification, output, force)
    note_training_people(classification.parts, trained.card.kind)
    result: dict[str, object] = {_ROWS[trained.ploidy]: len(classification.labels)}
    says_unknown = [] if classification.sets is None else [UNKNOWN]
    named = sorted({*classification.classes, *says_unknown})
    result |= {f"labelled_{label}": int((classification.labels == label).sum()) for label in named}
    unknown = float((classification.labels == UNKNOWN).mean()) if says_unknown else 0.0
    if unknown > _MANY_UNKNOWN and len(classification.samples) >= _MANY_PEOPLE:
        note(
            f"{100 * unknown:.0f} % of the people are unknown: of populations that the reference lacks, or their "
            "genotypes have more errors than the reference's (0.5 % of wrong alleles can be enough where phased), or "
            "fewer of the model's sites than --min-coverage are called"
        )
    result |= mixed
    if truth is not None:
        from haploom.baselines.accuracy import accuracy

        people = np.repeat(np.array(panel.samples), 2 // trained.ploidy)
        agreement = accuracy(truth, classification.labels, people)
        shares = {"accuracy": agreement.plain, "balanced_accuracy": agreement.balanced}
        if says_unknown:  # which the accuracy counts as wrong
            top = np.array(classification.classes)[classification.scores.argmax(axis=1)]
            shares["accuracy_top_label"] = accuracy(truth, top, people).plain
        for name, share in shares.items():
            result[name] = share._asdict() if as_json else f"{share:.4f}"
    print_result(result, as_json, output)


def _folder_of(output: Path) -> Path | None:
    """Where genotypes may wait: beside the output."""
    return None if output == Path("-") else output.parent


def _titles(paths: Sequence[Path], models: "Sequence[ModelFile]") -> list[str]:
    """What to call models on a page: kind and file name, or the whole path where names are the same."""
    names = [path.name for path in paths]
    shown = names if len(set(names)) == len(names) else [str(path) for path in paths]
    return [f"{model.card.kind.upper()}, {name}" for model, name in zip(models, shown)]


def _use_threads(models: "Iterable[ModelFile]", threads: int | None) -> None:
    """After the input is known to be good, as this loads torch; a PCA and an ancestry classifier need none."""
    if any(model.card.kind not in ("pca", "ancestry") for model in models):
        from haploom.training.threads import use_threads

        use_threads(threads)


def note_training_people(parts: tuple[str, ...], kind: str) -> None:
    """Warn of people that a model of the kind has learned from."""
    from haploom.io.model_kinds import FITTED_TO_VALIDATION

    learned_from = ("train", "validation") if kind in FITTED_TO_VALIDATION else ("train",)
    trained_on = sum(part in learned_from for part in parts)
    if not trained_on:
        return
    about = (
        "those whose genotypes it holds are told what it said of them when they were left out"
        if kind == "ancestry"
        else "their rows say nothing about how good it is"
    )
    note(
        f"warning: the model was trained on {trained_on:,} of these {len(parts):,} people (part = "
        f"{' or '.join(learned_from)} in the output): {about}"
    )
