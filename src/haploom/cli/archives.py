"""`haploom compress`, `decompress`, `view`, `inspect` and `verify`: into an archive, out of it, and what is in it."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from haploom.cli.frame import (
    default_threads,
    force_option,
    genotypes,
    input_file,
    json_option,
    no_version_option,
    optional_model_option,
    output_option,
    output_type_option,
    print_result,
    quiet_option,
    selection_options,
    threads_option,
    workers_options,
)  # fmt: skip
from haploom.cli.plan import dry_run_option, print_plan

CODECS = (
    "auto", "statistical", "vae+rle", "cvae+rle", "pca+rle", "vqvae+zstd", "vqvae+blosc2", "vqvae+genozip", "vae",
    "vqvae",
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haploom.archive import Archive
    from haploom.io import Selection
    from haploom.parallel import Workers


@click.command()
@genotypes("sources", nargs=-1, required=True)
@output_option("The archive (.hlm); of several files, the folder of theirs.")
@click.option(
    "--level",
    type=click.Choice(["fast", "default", "max"]),
    default="default",
    show_default=True,
    help="How hard to try. Blocks of fast and default hold at most 8,192 records, those of max more.",
)
@click.option(
    "--codec",
    type=click.Choice(CODECS),
    default="auto",
    show_default=True,
    help="How genotypes are stored; auto takes the smallest, a model's own bytes counted.",
)
@optional_model_option
@click.option(
    "--embed-model/--refer-to-model",
    default=True,
    show_default=True,
    help="Put the model's decoder into the archive, or need the model file to read it.",
)
@click.option(
    "--reference",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Store beside the people of this archive: much smaller, and only read with it (--model).",
)
@click.option("--verify/--no-verify", default=True, show_default=True, help="Decode the archive and compare it first.")
@selection_options
@workers_options
@threads_option
@force_option
@dry_run_option
@json_option
@quiet_option
def compress(
    sources: tuple[Path, ...], output: Path, level: str, codec: str, model: Path | None, embed_model: bool,
    reference: Path | None, verify: bool, selection: "Selection", workers: "Workers", threads: int | None, force: bool,
    dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Store SOURCES without loss: of VCF and BCF every byte of the text. SOURCES are kept.

    Several, such as the chromosomes of a cohort, become archives in the folder OUTPUT with a table of them beside;
    a run that was stopped redoes only what is missing, and files named later are added. --workers are then files at a
    time, for one file its blocks.

    With --populations the labels are kept too, and INFO such as EUR_AF is predicted from them. A selection of
    regions, people or sites is stored as a panel: alleles, sites and names.
    """
    if codec not in CODECS[:2] and model is None:
        raise click.UsageError(f"--codec {codec} needs --model: train one with `haploom train`")

    from haploom.compression import compress as compress_file
    from haploom.compression import compress_files

    start = time.perf_counter()
    settings: dict[str, Any] = {
        "selection": selection, "level": level, "codec": codec, "model": model, "embed_model": embed_model,
        "reference": reference, "verify": verify, "force": force,
    }  # fmt: skip
    several = len(sources) > 1 or output.is_dir()
    if dry_run:
        about = {"level": level, "codec": codec, "verify": verify, "workers": workers, "threads": threads}
        _print_compression(sources, output, several, settings, about, as_json)
        return
    if several:
        rows = compress_files(sources, output, workers=workers, threads=threads or 1, **settings)
        totals = {name: sum(row[name] for row in rows) for name in ("sites", "total_bytes", "genotype_bytes")}
        seconds = round(time.perf_counter() - start, 2)
        print_result({"archives": len(rows), **totals, "seconds": seconds, "files": rows}, as_json)
        return
    result = compress_file(sources[0], output, workers=workers, threads=threads or default_threads(), **settings)
    result["seconds"] = round(time.perf_counter() - start, 2)
    if not as_json:
        result.pop("made_by")
    print_result(result, as_json)


def _print_compression(
    sources: tuple[Path, ...], output: Path, several: bool, settings: dict[str, Any], about: dict[str, Any],
    as_json: bool,
) -> None:  # fmt: skip
    """The plan: files, how many records a block holds, and how many blocks are in memory at once."""
    from haploom.archive.text.cutting import most_records
    from haploom.compression import LEVELS, plan_files
    from haploom.io import check_outputs, read_samples

    selection, workers = settings["selection"], about.pop("workers")
    inputs = [*sources, settings["model"], settings["reference"], selection.populations]
    if several:
        archives = plan_files(sources, output, **settings)
    else:
        check_outputs((output,), inputs, settings["force"])
        archives = {output: False}
    limits, files = LEVELS[settings["level"]], {}
    in_blocks = settings["model"] is None or settings["codec"] == "statistical"  # a model sees all records at once
    threads = about["threads"] or (1 if several else default_threads())
    for source, (archive, kept) in zip(sources, archives.items()):
        people = None if source == Path("-") else len(selection.people(read_samples(source)))
        files[str(archive)] = {
            "people": people,
            "records_per_block": most_records(people, limits.records, limits.alleles) if people and in_blocks else None,
            "state": "there, of a run that was stopped" if kept else "to do",
        }
    at_work = {"workers": workers.count, "threads": threads, "memory_per_worker": workers.memory_bytes}
    does = {**about, **at_work, "blocks_in_memory_per_worker": threads + 1, "archives": files}
    writes = [archive for archive, kept in archives.items() if not kept]
    print_plan(inputs, does, [*writes, output / "archives.tsv"] if several else writes, as_json)


@click.command()
@input_file("archive", stdin=False)
@output_option(
    "What was stored, as VCF (.vcf, .vcf.gz or - for stdout), or a panel in another format (.bcf, .h5, ...).",
    stdout=True,
)
@output_type_option
@optional_model_option
@selection_options
@no_version_option
@threads_option
@force_option
@json_option
@quiet_option
def decompress(
    archive: Path, output: Path, output_type: str | None, model: Path | None, selection: "Selection", no_version: bool,
    threads: int | None, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Give back what was stored in ARCHIVE, byte for byte, or some regions and people of it."""
    from haploom.archive import open_archive
    from haploom.io import check_outputs

    check_outputs((output,), (archive, model), force)
    n_people, n_sites = _write_stored(
        open_archive(archive, model), output, output_type, selection, no_version, threads or default_threads(), force
    )
    if output != Path("-"):
        print_result({"people": n_people, "sites": n_sites, "written": str(output)}, as_json)


@click.command()
@input_file("archive", stdin=False)
@output_type_option
@optional_model_option
@selection_options
@no_version_option
@threads_option
def view(
    archive: Path, output_type: str | None, model: Path | None, selection: "Selection", no_version: bool,
    threads: int | None,
) -> None:  # fmt: skip
    """Print what is stored in ARCHIVE as VCF."""
    from haploom.archive import open_archive

    opened = open_archive(archive, model)
    _write_stored(opened, Path("-"), output_type, selection, no_version, threads or default_threads(), force=False)


def _write_stored(
    archive: "Archive", output: Path, output_type: str | None, selection: "Selection", no_version: bool, threads: int,
    force: bool,
) -> tuple[int, int]:  # fmt: skip
    """As text where what is wanted is records and people of the text; by way of a panel for the rest.

    Returns how many people and sites were written.
    """
    from haploom.io import write_panel
    from haploom.io.formats import VCF, output_format
    from haploom.io.vcf_writer import write_text

    people = selection.people(archive.samples) if selection.chooses_people else None
    if selection.chooses_sites_by_content or output_format(output, output_type) is not VCF:
        panel = selection.restrict(archive.read(selection.regions, people), archive.path)
        write_panel(panel, output, output_type=output_type, force=force, no_version=no_version)
        return panel.n_samples, panel.n_sites
    if people is None and not selection.regions:
        write_text(archive.text(threads), output, output_type=output_type, force=force)
        return archive.manifest.n_samples, archive.manifest.n_records
    n_lines = 0

    def counted() -> "Iterator[bytes]":
        nonlocal n_lines
        for piece in archive.select_text(selection.regions, people):
            n_lines += sum(not line.startswith(b"#") for line in piece.splitlines())
            yield piece

    write_text(counted(), output, output_type=output_type, force=force)
    return archive.manifest.n_samples if people is None else len(people), n_lines


@click.command()
@input_file("file", stdin=False)
@json_option
def inspect(file: Path, as_json: bool) -> None:
    """Say what is in an archive or a model, without decoding it."""
    from haploom.archive import is_archive_file, open_archive
    from haploom.errors import FormatError
    from haploom.io.model_file import describe_model, is_model_file

    if is_archive_file(file):
        print_result(open_archive(file).describe(), as_json)
    elif is_model_file(file):
        print_result(describe_model(file), as_json)
    else:
        raise FormatError(f"{file} is neither a Haploom archive nor a Haploom model")


@click.command()
@input_file("archive", stdin=False)
@click.option(
    "--against", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Compare with this file as well."
)
@optional_model_option
@threads_option
@json_option
@quiet_option
def verify(archive: Path, against: Path | None, model: Path | None, threads: int | None, as_json: bool) -> None:
    """Decode all of ARCHIVE and check every checksum. Exit code 4 if it differs from --against."""
    from haploom.archive import open_archive
    from haploom.compression import verify_against

    opened = open_archive(archive, model)
    if against is None:
        opened.verify(threads or default_threads())
    else:
        verify_against(opened, against, threads or default_threads())
    about = opened.describe()
    print_result({**{key: about[key] for key in ("sites", "haplotypes", "text_sha256")}, "verified": True}, as_json)
