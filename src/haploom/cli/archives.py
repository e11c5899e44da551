"""`haploom compress`, `decompress`, `view`, `inspect` and `verify`: into an archive, out of it, and what is in it."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from haploom.cli.frame import (
    force_option,
    input_file,
    json_option,
    no_version_option,
    optional_model_option,
    output_option,
    output_type_option,
    print_result,
    quiet_option,
    selection_options,
)  # fmt: skip

if TYPE_CHECKING:
    from haploom.io import Selection
    from haploom.panel import Panel


@click.command()
@input_file()
@output_option("The archive (.hlm).")
@click.option(
    "--codec",
    type=click.Choice(["auto", "vae+rle", "zstd"]),
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
@click.option("--verify/--no-verify", default=True, show_default=True, help="Decode the archive and compare it first.")
@selection_options
@force_option
@json_option
@quiet_option
def compress(
    source: Path, output: Path, codec: str, model: Path | None, embed_model: bool, verify: bool,
    selection: "Selection", force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Store the phased haplotypes in SOURCE without loss. SOURCE is kept."""
    from haploom.compression import compress_panel
    from haploom.io import NOT_KEPT, read_panel, refuse_to_replace, source_format

    start = time.perf_counter()
    refuse_to_replace(output, force)
    kind = source_format(source)
    panel = read_panel(source, selection)
    result = compress_panel(
        panel, output, codec=codec, model=model, embed_model=embed_model, verify=verify, force=force,
        source_format=kind, not_kept=NOT_KEPT[kind],
    )  # fmt: skip
    result["seconds"] = round(time.perf_counter() - start, 2)
    if not as_json:
        result.pop("made_by")
    print_result(result, as_json)


def _read_archive(archive: Path, model: Path | None, selection: "Selection") -> "Panel":
    from haploom.archive import open_archive

    opened = open_archive(archive, model)
    return selection.restrict(opened.read(selection.people(opened.samples)), archive)


@click.command()
@input_file("archive", stdin=False)
@output_option("VCF (.vcf, .vcf.gz), HDF5 (.h5), or - for stdout.", stdout=True)
@output_type_option
@optional_model_option
@selection_options
@no_version_option
@force_option
@json_option
@quiet_option
def decompress(
    archive: Path, output: Path, output_type: str | None, model: Path | None, selection: "Selection", no_version: bool,
    force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Give back the haplotypes in ARCHIVE, or some regions and people of it."""
    from haploom.io import refuse_to_replace, write_panel

    refuse_to_replace(output, force)
    panel = _read_archive(archive, model, selection)
    write_panel(panel, output, output_type=output_type, force=force, no_version=no_version)
    if output != Path("-"):
        print_result({"people": panel.n_samples, "sites": panel.n_sites}, as_json)


@click.command()
@input_file("archive", stdin=False)
@output_type_option
@optional_model_option
@selection_options
@no_version_option
def view(archive: Path, output_type: str | None, model: Path | None, selection: "Selection", no_version: bool) -> None:
    """Print the haplotypes in ARCHIVE as VCF."""
    from haploom.io import write_panel

    write_panel(_read_archive(archive, model, selection), Path("-"), output_type=output_type, no_version=no_version)


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
@json_option
@quiet_option
def verify(archive: Path, against: Path | None, model: Path | None, as_json: bool) -> None:
    """Decode all of ARCHIVE and check every checksum. Exit code 4 if it differs from --against."""
    from haploom.archive import open_archive
    from haploom.compression import verify_against
    from haploom.io import read_panel

    opened = open_archive(archive, model)
    if against is None:
        opened.verify()
    else:
        verify_against(opened, read_panel(against))
    about = opened.describe()
    result = {key: about[key] for key in ("sites", "haplotypes", "alleles_sha256", "site_fingerprint")}
    print_result({**result, "verified": True}, as_json)
