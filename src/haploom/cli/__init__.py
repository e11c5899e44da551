"""The command line: parse, call one function of the public API, print."""

import sys

from haploom.cli.frame import run


def main() -> None:
    """Entry point of the `haploom` program."""
    from haploom.cli.main import haploom

    sys.exit(run(haploom))
