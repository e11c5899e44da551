"""Where a result came from: versions, seeds, the command line.

Written into models, archives and the headers of VCF files, so that a result can be made again.
"""

import os
import platform
import shlex
import sys
from importlib import metadata

__version__ = "0.1.0"

_RECORDED_PACKAGES = ("numpy", "torch", "scikit-learn", "msprime")


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
    """The command as it was typed, quoted for a shell, with the program's name instead of its path."""
    folder, _, program = sys.argv[0].rpartition("/")
    as_module = program == "__main__.py" and folder.endswith("/haploom")  # python -m haploom
    if not (program.startswith("haploom") or as_module):
        return "(python)"
    typed = shlex.join(["haploom", *sys.argv[1:]])
    return os.fsencode(typed).decode(errors="backslashreplace")  # names of files may be any bytes, JSON may not


def record(seed: int | None = None) -> dict[str, object]:
    """What made a result: `versions`, `command`, and `seed` where chance played a part."""
    made_by: dict[str, object] = {"versions": package_versions(), "command": command_line()}
    if seed is not None:
        made_by["seed"] = seed
    return made_by
