"""`haploom convert`: a panel from one format to another."""

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from haploom.cli.frame import (
    force_option,
    input_file,
    no_version_option,
    note,
    output_option,
    output_type_option,
    quiet_option,
    selection_options,
)

if TYPE_CHECKING:
    from haploom.io import Selection


@click.command()
@input_file()
@output_option("Where to write: .vcf, .vcf.gz, .h5, .hdf5, or - for VCF to stdout.", stdout=True)
@output_type_option
@click.option(
    "--layout", type=click.Choice(["haploom", "paper"]), default="haploom", show_default=True,
    help="Layout of an HDF5 output; paper: `snps` and `populations` alone.",
)  # fmt: skip
@selection_options
@force_option
@no_version_option
@quiet_option
def convert(
    source: Path,
    output: Path,
    output_type: str | None,
    layout: str,
    selection: "Selection",
    force: bool,
    no_version: bool,
) -> None:
    """Convert the phased haplotypes of SOURCE (VCF or HDF5; - is stdin) to another format, whole or in part.

    Says on stderr what the output cannot hold. SOURCE is kept.
    """
    from haploom.io import (
        NOT_KEPT,
        label_level,
        read_panel,
        refuse_to_replace,
        source_format,
        write_panel,
        write_paper_hdf5,
    )
    from haploom.io.byte_stream import STANDARD
    from haploom.io.panels import check_output_name, is_hdf5_name

    to_hdf5 = output_type is None and is_hdf5_name(output)
    if layout == "paper" and not to_hdf5:
        raise click.UsageError("--layout paper needs an output named .h5 or .hdf5")
    check_output_name(output, output_type)
    if output != STANDARD:
        refuse_to_replace(output, force)
    panel = read_panel(source, selection)
    if layout == "paper":
        level = label_level(panel.populations, selection.label, str(source))
        write_paper_hdf5(panel, output, level, force)
        note(f"{output} does not hold the sites, the sample names, or labels other than {level}")
    else:
        write_panel(panel, output, output_type=output_type, force=force, no_version=no_version)
        if panel.populations and not to_hdf5:
            note(f"{output} does not hold the labels ({', '.join(panel.populations)})")
    kind = source_format(source)
    if NOT_KEPT[kind]:
        note(f"not kept of the {kind} read: {', '.join(NOT_KEPT[kind])}")
    note(f"{panel.n_sites:,} sites, {panel.n_samples:,} people written to {output}")
