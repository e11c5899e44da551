"""`haploom convert`: genotypes from one format to another."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from haploom.cli.frame import (
    force_option,
    genotypes,
    json_option,
    no_version_option,
    note,
    output_option,
    output_type_option,
    print_result,
    quiet_option,
    selection_options,
)

if TYPE_CHECKING:
    from haploom.io import Selection
    from haploom.panel import DosagePanel, Panel


@click.command()
@genotypes()
@output_option(
    "Where to write: .vcf, .vcf.gz, .bcf, .h5, .hdf5, .bed (PLINK 1), .pgen (PLINK 2), .vcz, .zarr (VCF Zarr; "
    "with .zip after it: one file), .trees, .tsz (tskit), or - for VCF to stdout.",
    stdout=True,
)
@output_type_option
@click.option(
    "--unphased", is_flag=True,
    help="Take genotypes without phase, missing calls too. PLINK 1, on either side, is always taken so.",
)  # fmt: skip
@click.option(
    "--layout", type=click.Choice(["haploom", "paper"]), default="haploom", show_default=True,
    help="Layout of an HDF5 output; paper: `snps` and `populations` alone.",
)  # fmt: skip
@selection_options
@force_option
@no_version_option
@json_option
@quiet_option
def convert(
    source: Path, output: Path, output_type: str | None, unphased: bool, layout: str, selection: "Selection",
    force: bool, no_version: bool, as_json: bool,
) -> None:  # fmt: skip
    """Convert the genotypes of SOURCE to another format, whole or in part; - is VCF from stdin.

    SOURCE: VCF, BCF, HDF5, PLINK 1 (its .bed), PLINK 2 (its .pgen), VCF Zarr or tskit, told by content. Says on
    stderr what the output cannot hold. SOURCE is kept.
    """
    from haploom.io import (
        NOT_KEPT,
        check_outputs,
        label_level,
        not_held,
        read_dosages,
        read_panel,
        source_format,
        write_dosages,
        write_panel,
        write_paper_hdf5,
    )
    from haploom.io.byte_stream import STANDARD
    from haploom.io.formats import HDF5, PLINK1, output_format

    target, origin = output_format(output, output_type), source_format(source)
    if layout == "paper" and target is not HDF5:
        raise click.UsageError("--layout paper needs an output named .h5 or .hdf5")
    if output != STANDARD:
        check_outputs((output,), (source, selection.populations), force)
    panel: Panel | DosagePanel
    if layout == "paper":
        panel = haplotypes = read_panel(source, selection)
        level = label_level(panel.populations, selection.label, str(source))
        write_paper_hdf5(haplotypes, output, level, force)
        lost: tuple[str, ...] = ("the sites", "the sample names", f"labels other than {level}")
    elif unphased or PLINK1.name in (target.name, origin):
        panel = dosages = read_dosages(source, selection)
        write_dosages(dosages, output, output_type=output_type, force=force, no_version=no_version)
        lost = not_held(dosages, output, output_type)
        if origin != PLINK1.name:
            lost = ("the phase", *lost)
    else:
        panel = haplotypes = read_panel(source, selection)
        write_panel(haplotypes, output, output_type=output_type, force=force, no_version=no_version)
        lost = not_held(panel, output, output_type)
    if lost:
        note(f"{output} does not hold {', '.join(lost)}")
    if NOT_KEPT[origin]:
        note(f"not kept of the {origin} read, where it has them: {', '.join(NOT_KEPT[origin])}")
    if as_json:
        about = {"people": panel.n_samples, "sites": panel.n_sites, "written": str(output), "not_held": list(lost)}
        print_result(about, as_json, output)
    else:
        note(f"{panel.n_sites:,} sites, {panel.n_samples:,} people written to {output}")
