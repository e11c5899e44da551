"""`haploom train`."""

import glob
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from haploom.cli.frame import (
    default_threads,
    force_option,
    genotypes,
    json_option,
    note,
    output_option,
    print_result,
    quiet_option,
    seed_option,
    threads_option,
    training_selection_options,
)  # fmt: skip
from haploom.cli.plan import dry_run_option, print_plan
from haploom.errors import FormatError, HaploomError
from haploom.io.model_kinds import FITTED

if TYPE_CHECKING:
    from haploom.io import Selection

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@genotypes()
@output_option("The model (a safetensors file).")
@click.option("--kind", type=click.Choice(FITTED), default="vae", show_default=True, help="Which model.")
@click.option(
    "--profile",
    type=click.Choice(["sound", "paper"]),
    default="sound",
    show_default=True,
    help="Settings that work best on validation people, or the published ones.",
)
@click.option("--latent", type=click.IntRange(1), help="Size of the latent space. [default: the profile's]")
@click.option("--epochs", type=click.IntRange(1), help="At most so many epochs. [default: the profile's]")
@click.option("--batch-size", type=click.IntRange(2), help="Rows a step, of all processes. [default: the profile's]")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), help="Of Adam. [default: the profile's]")
@click.option("--by-label", is_flag=True, help="Tell an autoregressive model each row's label, to make people of it.")
@click.option("--unphased", is_flag=True, help="Train on people's allele counts, unphased or with missing calls.")
@click.option("--resume", is_flag=True, help="Go on with a training that was stopped (from OUTPUT.checkpoint).")
@click.option(
    "--processes",
    type=click.IntRange(1),
    help="Processes that share each batch; of a yvae, networks trained at a time. [default: 1; of a yvae, --threads]",
)
@click.option("--dask", metavar="ADDRESS", help="Train a yvae's networks on this Dask scheduler's workers, or local.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--coordinates",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Of --kind coordinates: where people were sampled (sample, longitude, latitude).",
)
@click.option("--history", type=_FILE, help="Write the figures of each epoch, a JSON object a line.")
@click.option("--plot", type=_FILE, help="Draw the loss over epochs (.png, .svg or .pdf).")
@training_selection_options
@seed_option
@threads_option
@force_option
@dry_run_option
@json_option
@quiet_option
def train(
    source: Path, output: Path, kind: str, profile: str, latent: int | None, epochs: int | None, batch_size: int | None,
    learning_rate: float | None, by_label: bool, unphased: bool, resume: bool, processes: int | None, dask: str | None,
    device: str, coordinates: Path | None, history: Path | None, plot: Path | None, selection: "Selection",
    split: Path | None, seed: int, threads: int | None, force: bool, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Train a model on the phased haplotypes in SOURCE, or with --unphased on genotypes.

    Needs --populations. With --split, trains on its train people and chooses the epoch by its validation
    people; without it, people are split 80/10/10 by --seed. The split is stored in the model. --maf counts
    the training people only.

    --kind ancestry fits the classifier with calibrated labels to train and validation people together, in one pass
    that needs no torch; its file holds their genotypes.

    --kind coordinates learns from --coordinates where people are from, for `haploom locate`: phase and --populations
    are not needed, and without --split all people are fitted.

    Now and then the training is saved to OUTPUT.checkpoint, which is deleted at the end: after Ctrl-C or a crash
    the same command with --resume goes on from there. Under torchrun, all its processes share each batch.
    """
    from haploom.io import label_level, read_dosages, read_panel, read_split
    from haploom.io.model_file import write_model
    from haploom.io.output import check_outputs, text_output
    from haploom.panel import split_people

    if (kind == "coordinates") != (coordinates is not None):
        raise click.UsageError("--kind coordinates and --coordinates TABLE go together")
    if selection.populations is None and kind != "coordinates":
        raise click.UsageError("train needs --populations: the model remembers where each label lies")
    if by_label and kind != "autoregressive":
        raise click.UsageError(
            f"--by-label is for --kind autoregressive: a {kind} is told labels, or is not, by its kind"
        )
    if plot is not None:
        from haploom.report.figures import check_figure_name

        check_figure_name(plot)
    inputs = (source, selection.populations, split, coordinates)
    check_outputs([path for path in (output, history, plot) if path], inputs, force)
    networks_alone = (latent, epochs, batch_size, learning_rate, history, plot, profile, resume)
    if kind in ("ancestry", "coordinates"):
        _refuse_options_of_networks(kind, *networks_alone)
    if dry_run:
        about = {"kind": kind, "profile": profile, "maf": selection.maf, "processes": processes, "dask": dask}
        people = _people_of_parts(source, selection, split, seed, places_alone=coordinates is not None)
        about |= people | _network_settings(
            kind, profile, {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}
        )
        print_plan(inputs, about, (output, history, plot), as_json)
        return
    if coordinates is not None:
        _train_coordinates(source, coordinates, selection, split, seed, output, force, as_json)
        return
    unfinished = output.with_name(f"{output.name}.checkpoint")
    if _saved(unfinished) and not (resume or force):
        raise HaploomError(
            f"{_saved(unfinished)[0]} is of a training that was stopped: pass --resume to go on with it, or --force "
            "to start anew"
        )
    try:
        panel = (read_dosages if unphased else read_panel)(source, replace(selection, maf=None))
    except FormatError as error:
        if "--unphased" not in str(error):  # not for want of phase
            raise
        raise type(error)(f"{error}; or train on allele counts as they are with `haploom train --unphased`") from error
    level = label_level(panel.populations, selection.label)
    parts = read_split(split) if split else split_people(panel.samples, panel.labels(level).tolist(), seed=seed)
    if kind == "ancestry":
        from haploom.ancestry.trusted_training import train_ancestry

        started = time.monotonic()
        model = train_ancestry(
            panel, parts, level, maf=selection.maf or 0.0, seed=seed, threads=threads or default_threads()
        )
        write_model(model, output, force)
        print_result(_about(output) | {"seconds": round(time.monotonic() - started, 1)}, as_json)
        return
    from haploom.training.fit import train_model  # loads torch: after the input is known to be good
    from haploom.training.processes import is_first_process
    from haploom.training.threads import use_threads

    use_threads(threads)
    if split is None and is_first_process():
        note(f"no --split: {panel.n_samples:,} people are split 80/10/10 by seed {seed}, and the split is in the model")
    changes: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "seed": seed}
    given = {name: value for name, value in changes.items() if value is not None}
    if is_first_process():
        if kind == "pca":
            idle = {**changes, "seed": None, "resume": resume or None, "processes": processes}
            if told := [f"--{name.replace('_', '-')}" for name, value in idle.items() if value is not None]:
                note(f"a pca is fitted at once, not in steps: {', '.join(told)} does nothing here")
        elif resume and not _saved(unfinished):
            note(f"no checkpoint at {unfinished}: starts from the beginning")
    shape = {} if latent is None else {"n_latent": latent}
    try:
        trained = train_model(
            panel, parts, level, kind=kind, profile=profile, settings=given, shape=shape, maf=selection.maf or 0.0,
            by_label=by_label, device=device, processes=processes, dask=dask, checkpoint=unfinished, resume=resume,
        )  # fmt: skip
    except KeyboardInterrupt:
        if saved := _saved(unfinished):
            note(f"the training is kept in {saved[0]}: the same command with --resume goes on from there")
        else:
            note("no checkpoint yet: nothing to resume")
        raise
    if not is_first_process():
        return
    write_model(trained.model, output, force)
    if history is not None:
        with text_output(history, force) as file:
            file.writelines(json.dumps(figures.record()) + "\n" for figures in trained.history)
    if plot is not None:
        from haploom.report.training_curves import save_loss_plot

        save_loss_plot(trained.model, plot, force)
    for path in trained.checkpoints:
        path.unlink(missing_ok=True)
    seconds = round(sum(figures.seconds for figures in trained.history), 1)
    print_result(_about(output) | {"seconds": seconds}, as_json)


def _about(model: Path) -> dict[str, Any]:
    """What is printed of a finished training."""
    from haploom.io.model_file import describe_model

    about = describe_model(model)
    result = {key: about[key] for key in ("kind", "profile", "sites", "labels", "parameters", "file_bytes", "sha256")}
    figures = about["training"]
    result |= {name: figures[name] for name in ("epochs_run", "kept_epoch") if name in figures}
    measured = ("validation_", "left_out_")
    return result | {name: round(value, 5) for name, value in figures.items() if name.startswith(measured)}


def _people_of_parts(
    source: Path, selection: "Selection", split: Path | None, seed: int, places_alone: bool
) -> dict[str, Any]:
    """How many people are in each part, and of each label; from the names in the file, not its genotypes."""
    from collections import Counter

    from haploom.io import read_populations, read_samples, read_split
    from haploom.panel import split_people

    samples = selection.people(read_samples(source))
    about: dict[str, Any] = {}
    part_of = dict.fromkeys(samples, "train")
    if selection.populations is not None and not places_alone:
        table = read_populations(selection.populations)
        level = table.label_level(selection.label)
        labels = table.columns_for(samples)[level].tolist()
        about = {"label": level, "people_by_label": dict(sorted(Counter(labels).items()))}
        part_of = dict(split_people(samples, labels, seed=seed).part_of)
    if split is not None:
        part_of = dict(read_split(split).part_of)
    return {**about, "people_by_part": dict(Counter(part_of.get(name, "none") for name in samples))}


def _network_settings(kind: str, profile: str, changes: dict[str, Any]) -> dict[str, Any]:
    """How a network of this kind would be trained; nothing of what is fitted at once."""
    from haploom.training.profiles import PROFILES

    if kind not in PROFILES or kind == "pca":
        return {}
    given = {name: value for name, value in changes.items() if value is not None}
    training = PROFILES[kind][profile].training.changed(**given)
    return {
        "epochs_at_most": training.epochs,
        "least_steps": training.least_steps,
        "batch_size": training.batch_size,
        "learning_rate": training.learning_rate,
    }


def _train_coordinates(
    source: Path, coordinates: Path, selection: "Selection", split: Path | None, seed: int, output: Path, force: bool,
    as_json: bool,
) -> None:  # fmt: skip
    import numpy as np

    from haploom.embedding.place_training import train_coordinates
    from haploom.io import read_dosages, read_split
    from haploom.io.model_file import write_model
    from haploom.io.place_tables import read_places
    from haploom.panel import Split

    panel = read_dosages(source, replace(selection, maf=None))
    places = read_places(coordinates, panel.samples, source)
    known = ~np.isnan(places).any(axis=1)
    if not known.all():
        note(f"{(~known).sum():,} of {len(known):,} people have no place in {coordinates} and are left out")
        panel = panel.select_samples([name for name, there in zip(panel.samples, known) if there])
    parts = read_split(split) if split else Split(dict.fromkeys(panel.samples, "train"))
    started = time.monotonic()
    model = train_coordinates(panel, places[known], parts, maf=selection.maf or 0.0, seed=seed)
    write_model(model, output, force)
    print_result(_about(output) | {"seconds": round(time.monotonic() - started, 1)}, as_json)


def _refuse_options_of_networks(
    kind: str, latent: int | None, epochs: int | None, batch_size: int | None, learning_rate: float | None,
    history: Path | None, plot: Path | None, profile: str, resume: bool,
) -> None:  # fmt: skip
    given = {
        "--latent": latent, "--epochs": epochs, "--batch-size": batch_size, "--learning-rate": learning_rate,
        "--history": history, "--plot": plot, "--resume": resume or None,
        "--profile paper": True if profile == "paper" else None,
    }  # fmt: skip
    if wrong := [name for name, value in given.items() if value is not None]:
        raise click.UsageError(f"--kind {kind} is no network trained in epochs: leave {', '.join(wrong)} out")


def _saved(checkpoint: Path) -> list[Path]:
    """The checkpoints that are there: a network's, or those of the members of a Y-VAE."""
    of_members = sorted(checkpoint.parent.glob(f"{glob.escape(checkpoint.name)}.*"))
    return [path for path in (checkpoint, *of_members) if path.exists()]
