"""The `haploom` command: one module a subcommand, gathered here in the order a newcomer meets them."""

import rich_click as click

from haploom.cli.archives import compress, decompress, inspect, verify, view
from haploom.cli.audit import audit
from haploom.cli.bench import bench
from haploom.cli.breed import breed
from haploom.cli.convert import convert
from haploom.cli.demo import demo
from haploom.cli.doctor import doctor
from haploom.cli.impute import impute
from haploom.cli.locate import locate
from haploom.cli.people import classify, embed
from haploom.cli.reproduce import reproduce
from haploom.cli.simulate import simulate
from haploom.cli.split import split
from haploom.cli.statistics import entropy, ld
from haploom.cli.synthesize import synthesize
from haploom.cli.train import train
from haploom.provenance import __version__


class InOrder(click.RichGroup):
    """A group that lists its commands in the order they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="haploom")
def haploom() -> None:
    """Store, map, classify and simulate genomes with what autoencoders learn from SNP haplotypes."""


SUBCOMMANDS: tuple[click.Command, ...] = (
    demo, simulate, convert, split, breed, train, compress, decompress, view, inspect, verify, embed, classify, locate,
    impute, synthesize, audit, entropy, ld, bench, reproduce, doctor,
)  # fmt: skip
for subcommand in SUBCOMMANDS:
    haploom.add_command(subcommand)
