"""`haploom train`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from haploom.cli.frame import (
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
from haploom.io.model_kinds import NETWORKS

if TYPE_CHECKING:
    from haploom.io import Selection


@click.command()
@genotypes()
@output_option("The model (a safetensors file).")
@click.option("--kind", type=click.Choice(NETWORKS), default="vae", show_default=True, help="Which model.")
@click.option(
    "--profile",
    type=click.Choice(["sound", "paper"]),
    default="sound",
    show_default=True,
    help="Settings that work best on validation people, or the published ones.",
)
@click.option("--latent", type=click.IntRange(1), help="Size of the latent space. [default: the profile's]")
@click.option("--epochs", type=click.IntRange(1), help="At most so many epochs. [default: the profile's]")
@click.option("--batch-size", type=click.IntRange(2), help="Haplotypes a step. [default: the profile's]")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), help="Of Adam. [default: the profile's]")
@click.option("--resume", is_flag=True, help="Go on with a training that was stopped (from OUTPUT.checkpoint).")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@training_selection_options
@seed_option
@threads_option
@force_option
@json_option
@quiet_option
def train(
    source: Path, output: Path, kind: str, profile: str, latent: int | None, epochs: int | None, batch_size: int | None,
    learning_rate: float | None, resume: bool, device: str, selection: "Selection", split: Path | None, seed: int,
    threads: int | None, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Train a model on the phased haplotypes in SOURCE.

    Needs --populations. With --split, trains on its train people and chooses the epoch by its validation
    people; without it, people are split 80/10/10 by --seed. The split is stored in the model. --maf counts
    the training people only.
    """
    from haploom.io import label_level, read_panel, read_split, refuse_to_replace
    from haploom.io.model_file import describe_model, write_model
    from haploom.panel import split_people

    if selection.populations is None:
        raise click.UsageError("train needs --populations: the model remembers where each label lies")
    refuse_to_replace(output, force)
    panel = read_panel(source, replace(selection, maf=None))
    level = label_level(panel.populations, selection.label)
    if split is not None:
        parts = read_split(split)
    else:
        parts = split_people(panel.samples, panel.labels(level).tolist(), seed=seed)
        note(f"no --split: {panel.n_samples:,} people are split 80/10/10 by seed {seed}, and the split is in the model")
    from haploom.training.fit import train_model  # loads torch: after the input is known to be good
    from haploom.training.profiles import PROFILES
    from haploom.training.threads import use_threads

    use_threads(threads)
    changes: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "seed": seed}
    given = {name: value for name, value in changes.items() if value is not None}
    config = replace(PROFILES[kind][profile].training, **given)
    shape = {} if latent is None else {"n_latent": latent}
    unfinished = output.with_name(f"{output.name}.checkpoint")
    trained = train_model(
        panel, parts, level, kind=kind, profile=profile, config=config, shape=shape, maf=selection.maf or 0.0,
        device=device, checkpoint=unfinished, resume=resume,
    )  # fmt: skip
    write_model(trained.model, output, force)
    unfinished.unlink(missing_ok=True)
    about = describe_model(output)
    kept = trained.kept
    result = {key: about[key] for key in ("kind", "profile", "sites", "labels", "parameters", "file_bytes", "sha256")}
    result |= {
        "epochs": len(trained.history),
        "kept_epoch": kept.epoch,
        "validation_nats_per_haplotype": round(kept.validation_loss, 3),
        "seconds": round(sum(figures.seconds for figures in trained.history), 1),
    }
    print_result(result, as_json)
