"""The `haploom` command: one module a subcommand, gathered here in the order a newcomer meets them."""

import rich_click as click

from haploom.cli.breed import breed
from haploom.cli.convert import convert
from haploom.cli.simulate import simulate
from haploom.cli.split import split
from haploom.provenance import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="haploom")
def haploom() -> None:
    """Store, map, classify and simulate genomes with what autoencoders learn from SNP haplotypes."""


SUBCOMMANDS: tuple[click.Command, ...] = (simulate, convert, split, breed)
for subcommand in SUBCOMMANDS:
    haploom.add_command(subcommand)
