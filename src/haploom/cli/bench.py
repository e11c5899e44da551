"""`haploom bench`: measurements side by side."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from haploom.cli.frame import (
    default_threads,
    force_option,
    genotypes,
    input_file,
    json_option,
    map_option,
    model_option,
    output_option,
    print_result,
    quiet_option,
    seed_option,
    selection_options,
    threads_option,
    training_selection_options,
    workers_options,
)
from haploom.cli.statistics import Widths
from haploom.io.model_kinds import CODES

if TYPE_CHECKING:
    from haploom.io import Selection
    from haploom.parallel import Workers


@click.group()
def bench() -> None:
    """Measure Haploom beside other tools and methods; each measurement is added to a file as a line of JSON."""


@bench.command()
@input_file()
@model_option
@output_option("Records, a JSON line each; new ones are added at the end.")
@click.option(
    "--part", type=click.Choice(["validation", "test"]), default="test", show_default=True,
    help="Part of the split to label; validation goes with --held-out alone, as the model's own chose its epoch.",
)  # fmt: skip
@click.option(
    "--held-out", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Label the people of this file instead; with --split, those of its --part. That none of them was trained on "
    "is checked by their names only.",
)  # fmt: skip
@click.option(
    "--held-out-populations", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Labels of the people of --held-out. [default: those in the file]",
)  # fmt: skip
@click.option(
    "--tuned/--no-tuned", default=True, show_default=True,
    help="Also support vectors, random forest, neighbours and boosting, tuned: most of the time.",
)  # fmt: skip
@training_selection_options
@threads_option
@json_option
@quiet_option
def classify(
    source: Path, model: Path, output: Path, part: str, held_out: Path | None, held_out_populations: Path | None,
    tuned: bool, selection: "Selection", split: Path | None, threads: int | None, as_json: bool,
) -> None:  # fmt: skip
    """How often the model and the baselines label held-out haplotypes right.

    SOURCE holds the people the model was trained on: the baselines learn from the same ones. Intervals are 95 %
    and over people, because a person's two haplotypes are not independent.
    """
    from haploom.ancestry import check_label_level
    from haploom.bench.classify import classify_records
    from haploom.bench.records import append_records
    from haploom.io import Selection, read_panel
    from haploom.io.model_file import read_model
    from haploom.training.threads import use_threads

    if held_out is None and (split or held_out_populations):
        raise click.UsageError("--split and --held-out-populations are for the people of --held-out")
    if held_out is None and part != "test":
        raise click.UsageError(
            "the model's epoch was chosen by its validation people: only its test people are held out"
        )
    use_threads(threads)
    check_label_level(read_model(model), selection.label)
    panel = read_panel(source, selection)
    others, name = None, f"{source.name}, {part}"
    if held_out is not None:
        chosen = Selection(
            populations=held_out_populations, label=selection.label, split=split, part=part if split else None
        )
        others = read_panel(held_out, chosen)
        name = f"{held_out.name}, {part if split else 'all'}"
    records = list(classify_records(f"classify/{name}", panel, model, others, tuned))
    append_records(output, records)
    if as_json:
        click.echo(json.dumps(records, ensure_ascii=False))
        return
    shown = {}
    for record in records:
        plain, balanced = (
            "{value:.3f} ({low:.3f}-{high:.3f})".format_map(record[key]) for key in ("accuracy", "balanced_accuracy")
        )
        shown[record["method"]] = f"plain {plain}  balanced {balanced}"
    print_result(shown, as_json=False)


@bench.command()
@input_file()
@model_option
@output_option("Records, a JSON line each; new ones are added at the end.")
@map_option
@click.option(
    "--part", type=click.Choice(["validation", "test"]), default="test", show_default=True,
    help="Whose sites are hidden.",
)  # fmt: skip
@click.option("--baselines/--no-baselines", default=True, show_default=True, help="Measure the baselines, too.")
@training_selection_options
@seed_option
@threads_option
@json_option
@quiet_option
def impute(
    source: Path, model: Path, output: Path, genetic_map: Path | None, part: str, baselines: bool,
    selection: "Selection", split: Path | None, seed: int, threads: int | None, as_json: bool,
) -> None:  # fmt: skip
    """How well the model and the baselines impute hidden sites, by allele frequency.

    SOURCE holds the people the model was trained on, with their labels. Hides every second site, then 90 % of them,
    from the model's people of --part; figures are squared correlations of dosages with the truth, a site at a time.
    """
    from haploom.bench.impute import impute_records
    from haploom.bench.records import append_records
    from haploom.io import read_genetic_map, read_panel
    from haploom.training.threads import use_threads

    if split is not None:
        raise click.UsageError("bench impute takes the split in the model: leave --split out")
    use_threads(threads)
    records = []
    for record in impute_records(
        f"impute/{source.name}, {part}", read_panel(source, selection), model, part=part, baselines=baselines,
        genetic_map=read_genetic_map(genetic_map) if genetic_map else None, seed=seed,
        threads=threads or default_threads(),
    ):  # fmt: skip
        append_records(output, [record])
        records.append(record)
    if as_json:
        click.echo(json.dumps(records, ensure_ascii=False))
        return
    head = [f"{100 * figures['maf'][0]:g}-{100 * figures['maf'][1]:g} %" for figures in records[0]["imputation"]]
    for hidden in dict.fromkeys(record["hidden"] for record in records):
        click.echo(f"hidden: {hidden}; mean r2 by minor-allele frequency")
        shown = [["", *head, "seconds"]]
        for record in records:
            if record["hidden"] == hidden:
                figures = [f"{each['mean_r2']:.3f}" for each in record["imputation"]]
                shown.append([record["method"], *figures, f"{record['seconds']:,}"])
        _print_table(shown)


@bench.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@output_option("Records, a JSON line each; new ones are added at the end.")
@click.option(
    "--tools", metavar="NAME[,...]", help="Tools to run, by their names in the table. [default: all that are installed]"
)
@click.option("--repeats", type=click.IntRange(1), default=3, show_default=True, help="Runs of each tool, in turn.")
@click.option(
    "--populations", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Labels of the people, for Haploom, which predicts frequencies of populations from them.",
)  # fmt: skip
@workers_options
@threads_option
@json_option
@quiet_option
def compress(
    sources: tuple[Path, ...], output: Path, tools: str | None, repeats: int, populations: Path | None,
    workers: "Workers", threads: int | None, as_json: bool,
) -> None:  # fmt: skip
    """How small and how fast Haploom and the other compressors on PATH store SOURCES (VCF or BCF).

    Knows gzip, xz, zstd, zpaq, bcftools, plink2 and bref3. What each tool gives back is compared with what it
    got, and `kept` says how much of it is the same. Needs room for the plain text in the temporary folder.

    --workers are files at a time: for sizes; seconds of files that share a machine are not those of each alone.
    """
    from haploom.bench.compress import choose_tools, compress_records_of_files, table
    from haploom.bench.records import append_records

    chosen = choose_tools(tools.split(",") if tools else ())
    records = []
    given = (repeats, threads or default_threads(), populations)
    for source, measured in zip(sources, compress_records_of_files(sources, chosen, workers, *given), strict=True):
        append_records(output, measured)
        records += measured
        if not as_json:
            click.echo(f"{source.name}")
            _print_table(table(measured))
    if as_json:
        click.echo(json.dumps(records, ensure_ascii=False))


@bench.command()
@genotypes()
@output_option("Records, a JSON line each; new ones are added at the end.")
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice(CODES), default=("vae", "autoregressive"),
    show_default=True, help="Which models; may be repeated.",
)  # fmt: skip
@click.option(
    "--profile", "profiles", multiple=True, type=click.Choice(["sound", "paper"]), default=("sound",),
    show_default=True, help="How to train them; may be repeated.",
)  # fmt: skip
@click.option("--models", type=click.Path(file_okay=False, path_type=Path), help="Keep the trained models here.")
@click.option("--epochs", type=click.IntRange(1), help="At most so many epochs. [default: the profile's]")
@click.option("--baselines/--no-baselines", default=True, show_default=True, help="Measure the baselines, too.")
@training_selection_options
@seed_option
@threads_option
@force_option
@json_option
@quiet_option
def train(
    source: Path, output: Path, kinds: tuple[str, ...], profiles: tuple[str, ...], models: Path | None,
    epochs: int | None, baselines: bool, selection: "Selection", split: Path | None, seed: int, threads: int | None,
    force: bool, as_json: bool,
) -> None:  # fmt: skip
    """How many bits a held-out haplotype costs under models trained on the others.

    Trains each model on the training people of SOURCE and chooses its epoch by the validation people; the test people
    are read once. Bits per site by the model's loss and, where there is a coder for the kind, as really stored and
    read back; beside them independent sites, and the copying model with the training people as its reference.
    """
    from haploom.bench.records import append_records
    from haploom.bench.train import train_records
    from haploom.errors import HaploomError
    from haploom.io import label_level, read_panel, read_split
    from haploom.panel import split_people
    from haploom.training.threads import use_threads

    if selection.populations is None:
        raise click.UsageError("bench train needs --populations: some models are conditioned on labels")
    if models is not None and not models.is_dir():
        raise HaploomError(f"there is no folder {models} to keep models in: make it first")
    use_threads(threads)
    panel = read_panel(source, replace(selection, maf=None))
    level = label_level(panel.populations, selection.label)
    parts = read_split(split) if split else split_people(panel.samples, panel.labels(level).tolist(), seed=seed)
    settings = {"seed": seed, **({} if epochs is None else {"epochs": epochs})}
    records = []
    for record in train_records(
        f"code-length/{source.name}", panel, parts, level, [(kind, profile) for kind in kinds for profile in profiles],
        maf=selection.maf or 0.0, settings=settings, folder=models, baselines=baselines, threads=threads or 1,
        force=force,
    ):  # fmt: skip
        append_records(output, [record])
        records.append(record)
    if as_json:
        click.echo(json.dumps(records, ensure_ascii=False))
        return
    shown = [["", "bits/site", "stored", "model bytes", "seconds"]]
    for record in records:
        cells = (record.get(key) for key in ("bits_per_site", "stored_bits_per_site", "model_bytes", "train_seconds"))
        shown.append([record["method"], *("" if cell is None else f"{cell:,}" for cell in cells)])
    _print_table(shown)


@bench.command()
@genotypes()
@output_option("Records, a JSON line each; new ones are added at the end.")
@click.option(
    "--windows", type=Widths(), default="50,100,500,1000,2500,5000,7500,10000", show_default=True,
    help="Widths of windows, in sites; those wider than the file are left out.",
)  # fmt: skip
@click.option(
    "--level", type=click.Choice(["fast", "default", "max"]), default="default", show_default=True,
    help="Of the genotype codec.",
)  # fmt: skip
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw them too (.png, .svg or .pdf).")
@selection_options
@force_option
@json_option
@quiet_option
def windows(
    source: Path, output: Path, windows: tuple[int, ...], level: str, plot: Path | None, selection: "Selection",
    force: bool, as_json: bool,
) -> None:  # fmt: skip
    """How small SOURCE gets in windows of each width, beside the entropy that the paper chooses a width by.

    Each window is stored as its distinct haplotypes and everybody's indices, and as a block of the archive's genotype
    codec; both are decoded and compared. Sizes are bytes of the whole file. --force replaces the plot, never records.
    """
    from haploom.bench.records import append_records
    from haploom.bench.windows import table, window_records
    from haploom.io import check_outputs, read_panel
    from haploom.report.figures import check_figure_name, save_figure
    from haploom.report.plots_statistics import window_sizes

    if plot is not None:
        check_outputs([plot], (source, output), force)
        check_figure_name(plot)
    records = []
    for record in window_records(f"windows/{source.name}", read_panel(source, selection), windows, level):
        append_records(output, [record])
        records.append(record)
    if plot is not None:
        sizes = {
            "distinct haplotypes": [record["pattern_bytes"] for record in records],
            "indices": [record["index_bytes"] for record in records],
            "both together": [record["pattern_bytes"] + record["index_bytes"] for record in records],
            f"genotype codec, {level}": [record["block_bytes"] for record in records],
        }
        widths, packed = [record["width"] for record in records], records[0]["input_bit_bytes"]
        save_figure(lambda ax: window_sizes(ax, widths, sizes, packed), plot, force)
    if as_json:
        click.echo(json.dumps(records, ensure_ascii=False))
    else:
        _print_table(table(records))


def _print_table(rows: list[list[str]]) -> None:
    """Rows in columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    for first, *others in rows:
        shown = (cell.rjust(width) for cell, width in zip(others, widths[1:]))
        click.echo("  ".join([first.ljust(widths[0]), *shown]))
