"""Where a result came from: versions, seeds, the command line.

Written into models, archives and the headers of VCF files, so that a result can be made again.
"""

import os
import platform
import shlex
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata

__version__ = "0.1.0"

_RECORDED_PACKAGES = ("numpy", "torch", "scikit-learn", "msprime")

# Options that say how the work is done and not what is made (whether a value follows): archives are the same bytes
# whatever they are, and a model's card says its threads itself.
_OF_THE_WORK = {
    "--threads": True, "--workers": True, "--dask": True, "--memory": True, "--json": False, "--quiet": False,
    "-q": False,
}  # fmt: skip
_elsewhere: str | None = None  # the command that this process works for, where it is not its own


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages a result depends on; absent packages are left out."""
    versions = {"haploom": __version__, "python": platform.python_version()}
    for package in _RECORDED_PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def command_line() -> str:
    """The command as it was typed, quoted for a shell, with the program's name instead of its path.

    Options that only say how the work is done are left out.
    """
    if _elsewhere is not None:
        return _elsewhere
    folder, _, program = sys.argv[0].rpartition("/")
    as_module = program == "__main__.py" and folder.endswith("/haploom")  # python -m haploom
    if not (program.startswith("haploom") or as_module):
        return "(python)"
    typed = shlex.join(["haploom", *_what_is_made(sys.argv[1:])])
    return os.fsencode(typed).decode(errors="backslashreplace")  # names of files may be any bytes, JSON may not


def work_for(command: str) -> None:
    """From now on this process, a worker, works for a command that was typed elsewhere: its `command_line`."""
    global _elsewhere
    _elsewhere = command


def _what_is_made(arguments: Sequence[str]) -> Iterator[str]:
    rest = iter(arguments)
    for argument in rest:
        name, equals, _ = argument.partition("=")
        if name not in _OF_THE_WORK:
            yield argument
        elif _OF_THE_WORK[name] and not equals:
            next(rest, None)


def record(seed: int | None = None) -> dict[str, object]:
    """What made a result: `versions`, `command`, and `seed` where chance played a part."""
    made_by: dict[str, object] = {"versions": package_versions(), "command": command_line()}
    if seed is not None:
        made_by["seed"] = seed
    return made_by
