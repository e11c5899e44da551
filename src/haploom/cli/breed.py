"""`haploom breed`: Wright-Fisher offspring of the people in a file."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from gzip import GzipFile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from haploom.cli.arguments import PeoplePerPopulation, populations_beside, split_beside
from haploom.cli.frame import (
    force_option,
    genotypes,
    json_option,
    map_option,
    no_version_option,
    output_option,
    output_type_option,
    print_result,
    quiet_option,
    seed_option,
    training_selection_options,
)
from haploom.errors import HaploomError

if TYPE_CHECKING:
    from haploom.io import Selection
    from haploom.panel import Panel
    from haploom.popgen.admixture import Admixture
    from haploom.popgen.breeding import Generation

# A VCF is written site by site, so all its haplotypes are in memory, a bit an allele.
MAX_VCF_BYTES = 1 << 29


class _AdmixtureType(click.ParamType):
    name = "POP=SHARE,...@GENERATIONS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Admixture":
        from haploom.popgen.admixture import Admixture

        try:
            return Admixture.parse(value)
        except HaploomError as error:
            self.fail(str(error), param, ctx)


class _KeepType(click.ParamType):
    name = "keep"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | list[int]:
        if value in ("last", "all"):
            return value
        try:
            return [int(number) for number in value.split(",")]
        except ValueError:
            self.fail(f"{value!r}: wanted last, all, or generations such as 1,10,400", param, ctx)


@click.command()
@genotypes("founders")
@training_selection_options
@click.option("--part", type=click.Choice(["train", "validation", "test"]), help="Breed this part of the split only.")
@click.option("--generations", type=click.IntRange(1), help="Generations to breed; may be left out with --admix.")
@click.option(
    "--size",
    type=PeoplePerPopulation(),
    default="100",
    show_default=True,
    help="People a generation. Named populations, such as AFR=100,EUR=50: breed only these.",
)
@map_option
@click.option(
    "--keep",
    type=_KeepType(),
    metavar="last|all|LIST",
    default="last",
    show_default=True,
    help="Generations to write: the last of each population, all, or such as 1,10,400.",
)
@click.option(
    "--admix",
    type=_AdmixtureType(),
    multiple=True,
    help="An admixed population, such as AFR=0.8,EUR=0.2@8: one pulse in these shares, then 8 generations of random "
    "mating. May be given several times.",
)
@click.option(
    "--tracks",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the truth here, as a gzipped table: which founder haplotype each stretch comes from.",
)
@output_option("Where the offspring go: .h5, .vcf or .vcf.gz. Their labels go beside it, to OUT.populations.tsv.")
@output_type_option
@seed_option
@force_option
@no_version_option
@json_option
@quiet_option
def breed(
    founders: Path, selection: "Selection", split: Path | None, part: str | None, generations: int | None,
    size: int | Mapping[str, int], genetic_map: Path | None, keep: str | list[int],
    admix: "tuple[Admixture, ...]", tracks: Path | None, output: Path, output_type: str | None, seed: int, force: bool,
    no_version: bool, as_json: bool,
) -> None:  # fmt: skip
    """Breed Wright-Fisher offspring of the people in FOUNDERS, each population apart.

    Every child has two distinct parents; crossovers are Poisson and placed by the map. With --split and --part
    only founders of that part breed; with --split alone each part breeds apart, --size people in each, and which
    part the offspring are of goes to OUT.split.tsv. Offspring of different parts share no ancestor here.
    """
    if part is not None and split is None:
        raise click.UsageError("--part needs --split")
    if generations is None and not admix:
        raise click.UsageError("nothing to breed: give --generations, or --admix")

    from haploom import io
    from haploom.io.panels import check_output_name
    from haploom.panel import PARTS, Split
    from haploom.popgen.breeding import GENERATION_LEVEL
    from haploom.popgen.breeding import breed as breed_populations

    check_output_name(output, output_type)
    labels_to, split_to = populations_beside(output), split_beside(output)
    each_part = split is not None and part is None
    outputs = (output, labels_to, *([split_to] if each_part else []), *([tracks] if tracks else []))
    io.check_outputs(outputs, (founders, selection.populations, selection.sites, split, genetic_map), force)
    panel = io.read_panel(founders, selection if each_part else replace(selection, split=split, part=part))
    level = io.label_level(panel.populations, selection.label, str(founders))
    contigs = panel.variants.contigs()
    crossovers = {chrom: io.read_genetic_map(genetic_map, chrom) for chrom in contigs} if genetic_map else None
    founders_of: dict[str | None, Panel] = {part: panel}
    if each_part and split is not None:
        parts = io.read_split(split)
        founders_of = {name: panel.select_samples(parts.samples(name, panel.samples)) for name in PARTS}
    samples: list[str] = []
    labels: dict[str, list[str]] = {level: [], GENERATION_LEVEL: []}
    part_of: dict[str, str] = {}
    synthetic = f'##synthetic=<Source="Wright-Fisher offspring, mosaics of their founders\' haplotypes",Seed={seed}>'
    vcf = {"header_lines": (synthetic,), "no_version": no_version}
    with (
        _panel_file(output, output_type, panel, tuple(labels), force, **vcf) as write,
        _tracks_file(tracks, force) as write_tracks,
    ):
        for name, those in founders_of.items():
            # Offspring of another part are other people, and must not share names with these.
            bred = breed_populations(
                those, level=level, generations=generations, size=size, genetic_map=crossovers, keep=keep,
                admix=admix, seed=seed, name_prefix=f"{name}_" if name else "",
            )  # fmt: skip
            for generation in bred:
                write(generation)
                write_tracks(generation)
                samples.extend(generation.samples)
                labels[level].extend([generation.label] * len(generation.samples))
                labels[GENERATION_LEVEL].extend([str(generation.number)] * len(generation.samples))
                if name:
                    part_of |= dict.fromkeys(generation.samples, name)
    io.write_populations(labels_to, samples, labels, force)
    if each_part:
        io.write_split(split_to, Split(part_of), samples, force)
    figures = {
        "people": len(samples),
        "haplotypes": 2 * len(samples),
        "sites": panel.n_sites,
        "populations": ", ".join(dict.fromkeys(labels[level])),
    }
    print_result(figures, as_json)


@contextmanager
def _panel_file(
    output: Path, output_type: str | None, founders: "Panel", levels: tuple[str, ...], force: bool, **vcf: Any
) -> Iterator[Callable[["Generation"], None]]:
    """A function that adds a generation to the file: HDF5 at once, VCF when all have come."""
    from haploom import io
    from haploom.io.panels import is_hdf5_name
    from haploom.popgen.breeding import gather

    if output_type is None and is_hdf5_name(output):
        with io.Hdf5PanelWriter(output, founders.variants, levels, force) as writer:

            def append(generation: "Generation") -> None:
                for block in generation.blocks():
                    writer.append(block)

            yield append
        return

    kept: list[Generation] = []

    def collect(generation: "Generation") -> None:
        kept.append(generation)
        people = sum(len(each.samples) for each in kept)
        if people * founders.n_sites // 4 > MAX_VCF_BYTES:
            raise HaploomError(
                f"{output} would hold {people:,} people or more at {founders.n_sites:,} sites, too many to turn into a "
                "VCF in memory: write HDF5 (-o OUT.h5), which is streamed, or keep fewer generations"
            )

    yield collect
    io.write_panel(gather(kept), output, output_type=output_type, force=force, **vcf)


@contextmanager
def _tracks_file(path: Path | None, force: bool) -> Iterator[Callable[["Generation"], None]]:
    """A function that adds the tracks of a generation to the table, or does nothing where there is no path."""
    from haploom.io import atomic_output
    from haploom.popgen.tracks import COLUMNS, track_lines

    if path is None:
        yield lambda generation: None
        return
    with (
        atomic_output(path, force) as partial,
        open(partial, "wb") as raw,
        # No time and no name in the gzip header: the same tracks are the same bytes.
        GzipFile(filename="", mode="wb", compresslevel=5, fileobj=raw, mtime=0) as file,
    ):
        file.write(("\t".join(COLUMNS) + "\n").encode())
        yield lambda generation: file.writelines(line.encode() for line in track_lines(generation))
