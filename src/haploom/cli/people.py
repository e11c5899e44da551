"""`haploom embed`, `classify` and `synthesize`: what a trained model says of people, and people it makes up."""

from collections import Counter
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
    no_version_option,
    note,
    output_option,
    output_type_option,
    print_result,
    quiet_option,
    seed_option,
    selection_options,
    threads_option,
)  # fmt: skip

if TYPE_CHECKING:
    from haploom.io import Selection
    from haploom.io.model_file import ModelFile


_ROWS = {1: "haplotypes", 2: "people"}  # of a model, by its ploidy


@click.command()
@genotypes()
@model_option
@output_option("Coordinates, a TSV: sample, haplotype, z1, z2, ..., part; - for stdout.", stdout=True)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw them too (.png, .svg or .pdf).")
@min_coverage_option
@selection_options
@threads_option
@force_option
@json_option
@quiet_option
def embed(
    source: Path, model: Path, output: Path, plot: Path | None, min_coverage: float, selection: "Selection",
    threads: int | None, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Place the haplotypes in SOURCE in a model's latent space; with a model of unphased people, the people.

    Sites of the model that are absent from SOURCE are taken as missing.
    """
    from haploom.embedding import embed_panel, write_embedding
    from haploom.io import check_outputs, label_level, read_dosages, read_panel
    from haploom.io.model_file import check_has_latents, read_model

    check_outputs([path for path in (output, plot) if path], (source, model, selection.populations), force)
    if plot is not None:
        from haploom.report.figures import check_figure_name

        check_figure_name(plot)
    trained = read_model(model)
    check_has_latents(trained)
    panel = (read_panel if trained.ploidy == 1 else read_dosages)(source, selection)
    _use_threads(trained, threads)
    with chosen_sites_explained(selection):
        embedding = embed_panel(panel, trained, min_coverage)
    if plot is not None:  # first, because a picture can be refused
        from haploom.report.maps import save_map

        labels = panel.labels(label_level(panel.populations, selection.label)) if panel.populations else None
        save_map(embedding, labels, plot, force)
    write_embedding(embedding, output, force)
    _note_training_people(embedding.parts)
    n_rows, n_latents = embedding.z.shape
    people = {f"people_{part}": count for part, count in sorted(Counter(embedding.parts).items())}
    print_result({_ROWS[trained.ploidy]: n_rows, "latents": n_latents, **people}, as_json, output)


@click.command()
@genotypes()
@model_option
@output_option("Labels, a TSV: sample, haplotype, label, set, p_<population>..., part; - for stdout.", stdout=True)
@click.option(
    "--why",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also a page (.html) that says of each person what was measured, and which checks it fails.",
)
@min_coverage_option
@selection_options
@threads_option
@force_option
@json_option
@quiet_option
def classify(
    source: Path, model: Path, output: Path, why: Path | None, min_coverage: float, selection: "Selection",
    threads: int | None, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Say which reference population each haplotype in SOURCE is most similar to, or each unphased person.

    Sites of the model that are absent from SOURCE are taken as missing. A model of kind ancestry gives calibrated
    probabilities and sets of labels, and says unknown of people unlike its reference.

    With --populations, says how often that agrees with the labels there: those of the column the model learned.
    """
    import numpy as np

    from haploom.ancestry import check_label_level, classify_panel, known_labels, write_classification
    from haploom.io import check_outputs, read_dosages, read_panel
    from haploom.io.model_file import check_has_latents, read_model

    check_outputs([path for path in (output, why) if path], (source, model, selection.populations), force)
    trained = read_model(model)
    check_has_latents(trained)
    if why is not None and trained.card.kind != "ancestry":
        raise click.UsageError(f"--why takes a model of kind ancestry; this is a {trained.card.kind}")
    check_label_level(trained, selection.label)
    panel = (read_panel if trained.ploidy == 1 else read_dosages)(source, selection)
    truth = known_labels(panel, trained) if selection.populations or selection.label else None
    _use_threads(trained, threads)
    with chosen_sites_explained(selection):
        if why is None:
            classification = classify_panel(panel, trained, min_coverage, threads or default_threads())
        else:
            from haploom.ancestry.checks import check_people
            from haploom.ancestry.trusted import TrustedClassifier
            from haploom.report.why import write_why

            classifier = TrustedClassifier.from_model(trained, threads or default_threads())
            measured = classifier.measure(panel, trained, min_coverage)
            classification = classifier.classification(measured, panel, trained)
            write_why(check_people(classification, measured, classifier, trained), why, force)
    write_classification(classification, output, force)
    _note_training_people(classification.parts)
    result: dict[str, object] = {_ROWS[trained.ploidy]: len(classification.labels)}
    named = sorted({*classification.classes, *classification.labels.tolist()})
    result |= {f"labelled_{label}": int((classification.labels == label).sum()) for label in named}
    if truth is not None:
        from haploom.baselines.accuracy import accuracy

        agreement = accuracy(truth, classification.labels, np.repeat(np.array(panel.samples), 2 // trained.ploidy))
        for name, share in (("accuracy", agreement.plain), ("balanced_accuracy", agreement.balanced)):
            result[name] = share._asdict() if as_json else f"{share:.4f}"
    print_result(result, as_json, output)


@click.command()
@model_option
@click.option(
    "--population", "populations", multiple=True, help="Of which; may be repeated or hold commas. [default: all]"
)
@click.option("-n", "--people", type=click.IntRange(1), required=True, help="People of each, two haplotypes a person.")
@output_option("VCF (.vcf, .vcf.gz) or HDF5 (.h5).")
@output_type_option
@no_version_option
@seed_option
@force_option
@json_option
@quiet_option
def synthesize(
    model: Path, populations: tuple[str, ...], people: int, output: Path, output_type: str | None, no_version: bool,
    seed: int, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make new haplotypes of a population. They are marked synthetic, and named SYN_...

    A vae makes them from around the latents of its training people, a cvae, yvae or gmmn from noise under the label,
    an autoregressive model allele after allele (of everybody: it knows no labels).
    """
    from haploom.cli.arguments import populations_beside
    from haploom.io import check_outputs, write_panel, write_populations
    from haploom.io.model_file import file_sha256, read_model
    from haploom.io.panels import check_output_name
    from haploom.synthesis import header_lines, populations_of, synthesize_panel

    check_output_name(output, output_type)
    labels_to = populations_beside(output)
    check_outputs((output, labels_to), (model,), force)
    trained = read_model(model)
    # A name that itself holds a comma is taken whole.
    wanted = [name for given in populations for name in ([given] if given in trained.labels else given.split(","))]
    panel = synthesize_panel(trained, tuple(dict.fromkeys(wanted)) or populations_of(trained), people, seed)
    header = header_lines(trained, file_sha256(model), seed)
    write_panel(panel, output, output_type=output_type, force=force, header_lines=header, no_version=no_version)
    write_populations(labels_to, panel.samples, panel.populations, force)
    print_result({"people": panel.n_samples, "sites": panel.n_sites, "labels": str(labels_to)}, as_json)


def _use_threads(model: "ModelFile", threads: int | None) -> None:
    """After the input is known to be good, as this loads torch; a PCA and an ancestry classifier need none."""
    if model.card.kind not in ("pca", "ancestry"):
        from haploom.training.threads import use_threads

        use_threads(threads)


def _note_training_people(parts: tuple[str, ...]) -> None:
    trained_on = sum(part == "train" for part in parts)
    if trained_on:
        note(
            f"warning: the model was trained on {trained_on:,} of these {len(parts):,} people (part = train in the "
            "output): their rows say nothing about how good it is"
        )
