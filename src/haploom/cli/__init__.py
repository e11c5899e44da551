"""The command line: parse, call one function of the public API, print."""

import os
import sys


def main() -> None:
    """Entry point of the `haploom` program."""
    # A program started with its stdout or stderr closed still has somewhere to write.
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (for as long as the program runs)
    try:
        from haploom.cli.frame import run
        from haploom.cli.main import haploom

        code = run(haploom)
    except KeyboardInterrupt:  # before the first command, or after the last
        code = 130
    sys.exit(code)
