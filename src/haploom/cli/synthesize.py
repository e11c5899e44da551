"""`haploom synthesize`: people made up by a model, or from the haplotypes of real ones."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import rich_click as click

from haploom.cli.frame import (
    force_option,
    json_option,
    map_option,
    no_version_option,
    output_option,
    output_type_option,
    print_result,
    quiet_option,
    seed_option,
    selection_options,
    threads_option,
    workers_options,
)
from haploom.cli.plan import dry_run_option, print_plan

if TYPE_CHECKING:
    from haploom.io import Selection
    from haploom.parallel import Workers
    from haploom.synthesis import Source
    from haploom.synthesis.sources import DrawBlocks

_ARCHIVE = ".hlm"
_BY_PERSON = (".h5", ".hdf5")
# Spelt out, because the room behind them is not loaded to print --help; tests compare.
_METHODS = ("independent", "mosaic", "copying")
_LATENTS = ("prior", "training")
_SWITCHES_PER_CM, _MISMATCH = 8.0, 1e-3


@click.command()
@click.option("-m", "--model", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A trained model.")
@click.option(
    "--from", "panel", type=click.Path(exists=True, path_type=Path),
    help="Without a model: make people from those in this file, by --method.",
)  # fmt: skip
@click.option("--population", "named", multiple=True, help="Of which; may be repeated or hold commas. [default: all]")
@click.option("-n", "--people", type=click.IntRange(1), required=True, help="People of each, two haplotypes a person.")
@output_option("VCF (.vcf, .vcf.gz), BCF, HDF5 (.h5), PLINK (.pgen, .bed), an archive (.hlm), ...")
@output_type_option
@click.option(
    "--sampled", is_flag=True,
    help="Draw alleles by the decoder's probabilities (vae, cvae, yvae), not the likelier one as the paper does.",
)  # fmt: skip
@click.option(
    "--latents", type=click.Choice(_LATENTS),
    help="Of a cvae or yvae: around those of the label's training people, or from the prior as the paper does. "
    "[default: training]",
)  # fmt: skip
@click.option(
    "--method", type=click.Choice(_METHODS), default="mosaic", show_default=True,
    help="With --from: independent sites, mosaics of donors (Li & Stephens), or whole copies.",
)  # fmt: skip
@click.option(
    "--switches-per-cm", type=click.FloatRange(0), default=_SWITCHES_PER_CM, show_default=True,
    help="How often a mosaic goes on with another donor.",
)  # fmt: skip
@click.option(
    "--mismatch", type=click.FloatRange(0, 0.5, max_open=True), default=_MISMATCH, show_default=True,
    help="Probability that an allele of a mosaic is not its donor's.",
)  # fmt: skip
@map_option
@selection_options
@no_version_option
@seed_option
@workers_options
@threads_option
@force_option
@dry_run_option
@json_option
@quiet_option
def synthesize(
    model: Path | None, panel: Path | None, named: tuple[str, ...], people: int, output: Path,
    output_type: str | None, sampled: bool, latents: Literal["prior", "training"] | None,
    method: Literal["independent", "mosaic", "copying"], switches_per_cm: float, mismatch: float,
    genetic_map: Path | None, selection: "Selection", no_version: bool, seed: int, workers: "Workers",
    threads: int | None, force: bool, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make new haplotypes of a population, from a model or --from real people. They are marked synthetic, and named
    SYN_...

    A vae makes them from around the latents of its training people, a cvae or yvae so too or from noise, and a gmmn
    from noise, under the label; an autoregressive model allele after allele (of everybody where it was trained
    without labels).

    --workers and --dask draw from a --model: the same people for any number of them.

    The people that --from takes are chosen as in other commands; with --model those options do nothing.
    """
    if (model is None) == (panel is None):
        raise click.UsageError("give --model, or --from with --method: what to make people from")
    if model is None and not workers.here:
        raise click.UsageError("--workers and --dask are for --model: making people --from others takes seconds")

    from haploom.cli.arguments import populations_beside
    from haploom.io import check_outputs, write_populations
    from haploom.io.panels import check_output_name
    from haploom.synthesis import disk_bytes, drawn_in_parts, people_on_disk

    archive = output_type is None and output.name.endswith(_ARCHIVE)
    if not archive:
        check_output_name(output, output_type)
    labels_to = populations_beside(output.with_suffix("") if archive else output)
    check_outputs((output, labels_to), (model, panel, selection.populations, genetic_map), force)
    if model is not None:
        source = _of_model(model, sampled, latents)
    else:
        assert panel is not None
        source = _of_people(panel, selection, method, switches_per_cm, mismatch, genetic_map)
    # A name that itself holds a comma is taken whole.
    wanted = [name for given in named for name in ([given] if given in source.populations else given.split(","))]
    wanted = list(dict.fromkeys(wanted)) or list(source.populations)
    source.check_populations(wanted)
    if dry_run:
        by_site = output_type is not None or not output.name.endswith(_BY_PERSON)
        does = {
            **source.described, "populations": wanted, "people": people * len(wanted), "sites": len(source.variants),
            "temporary_bytes": disk_bytes(2 * people * len(wanted), len(source.variants)) if by_site else 0,
        }  # fmt: skip
        print_plan((model, panel, selection.populations, genetic_map), does, (output, labels_to), as_json)
        return
    header = source.header_line(seed)
    draw = None
    if model is not None and not workers.here:
        draw = partial(drawn_in_parts, model, sampled, latents, seed, workers)
    if output_type is None and output.name.endswith(_BY_PERSON):
        samples, labels = _write_by_person(source, wanted, people, output, header, seed, threads or 1, force, draw)
    else:
        with people_on_disk(source, wanted, people, seed, threads or 1, output.absolute().parent, draw) as made:
            if archive:
                from haploom.compression import compress_panel

                compress_panel(made, output, header_lines=[header], force=force)
            else:
                from haploom.io import write_panel

                write_panel(
                    made, output, output_type=output_type, force=force, header_lines=[header], no_version=no_version
                )
            samples, labels = list(made.samples), {source.level: made.labels(source.level).tolist()}
    write_populations(labels_to, samples, labels, force)
    print_result({"people": len(samples), "sites": len(source.variants), "labels": str(labels_to)}, as_json)


def _of_model(path: Path, sampled: bool, latents: Literal["prior", "training"] | None) -> "Source":
    from haploom.io.model_file import file_sha256, read_model
    from haploom.synthesis import model_source

    return model_source(read_model(path), file_sha256(path), sampled, latents)


def _of_people(
    path: Path, selection: "Selection", method: Literal["independent", "mosaic", "copying"], switches_per_cm: float,
    mismatch: float, map_file: Path | None,
) -> "Source":  # fmt: skip
    from haploom.io import label_level, read_genetic_map, read_panel
    from haploom.synthesis import MosaicSettings, people_source

    panel = read_panel(path, selection)
    level = label_level(panel.populations, selection.label, str(path))
    maps = {chrom: read_genetic_map(map_file, chrom) for chrom in panel.variants.contigs()} if map_file else None
    settings = MosaicSettings(switches_per_cm=switches_per_cm, mismatch=mismatch, genetic_map=maps)
    return people_source(panel, level, method, settings)


def _write_by_person(
    source: "Source", populations: list[str], people: int, output: Path, made_by: str, seed: int, threads: int,
    force: bool, draw: "DrawBlocks | None",
) -> tuple[list[str], dict[str, list[str]]]:  # fmt: skip
    """Straight to HDF5, whose rows are people: nothing but names is kept. Returns samples and labels."""
    from haploom.io import Hdf5PanelWriter
    from haploom.synthesis import people_blocks

    samples: list[str] = []
    labels: list[str] = []
    with Hdf5PanelWriter(output, source.variants, (source.level,), force, made_by) as writer:
        for block in people_blocks(source, populations, people, seed, threads, draw):
            writer.append(block)
            samples += block.samples
            labels += block.labels(source.level).tolist()
    return samples, {source.level: labels}
