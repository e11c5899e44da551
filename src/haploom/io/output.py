"""Output files that are whole or not there."""

import glob
import os
import secrets
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from haploom.errors import HaploomError
from haploom.io.byte_stream import STANDARD


def refuse_to_replace(path: Path, force: bool) -> None:
    """Raise HaploomError when `path` exists and may not be replaced, its folder does not exist, or its
    name is too long.

    Only a file may be, or a Zarr group of folders: a device or a pipe would lose its place to a file, for everyone
    on the machine. `-`, stdout, is neither. Long work asks this first, so that nobody learns it after an hour.
    """
    if path == STANDARD:
        return
    try:
        exists = path.exists()
    except OSError as error:  # such as a name that is too long
        raise HaploomError(f"cannot write {path}: {error.strerror or error}") from error
    if exists and not path.is_file() and not path.is_dir():
        raise HaploomError(f"cannot write {path}: it is no file and is not replaced; name a file, or - where allowed")
    if exists and not force:
        raise HaploomError(f"{path} exists: choose another name, or pass --force to replace it")
    if path.is_dir() and not is_zarr_folder(path):
        raise HaploomError(f"cannot write {path}: it is a folder, which is not replaced; choose another name")
    parent = path.absolute().parent
    if not parent.is_dir():
        raise HaploomError(f"cannot write {path}: there is no folder {parent}")
    most = os.pathconf(parent, "PC_NAME_MAX") - len(_beside(path, "replaced").name) + len(path.name)
    if (n_bytes := len(os.fsencode(path.name))) > most:
        raise HaploomError(
            f"cannot write {path}: the name is {n_bytes} bytes long, and at most {most} leave room for the names of "
            "temporary files beside it: choose a shorter one"
        )


def check_outputs(outputs: Sequence[Path], inputs: Iterable[Path | None], force: bool) -> None:
    """`refuse_to_replace` of each; and whatever `force`, no output may be an input or another output.

    inputs: files a command reads; None, for those not given, and stdin are passed over.
    """
    read = [path for path in inputs if path is not None and path != STANDARD]
    for place, path in enumerate(outputs):
        refuse_to_replace(path, force)
        if any(_same_file(path, other) for other in read):
            raise HaploomError(f"{path} is read by this command, and would be replaced: choose another -o")
        if any(_same_file(path, other) for other in outputs[:place]):
            raise HaploomError(f"{path} would be written twice by this command: choose another name")


def make_folder(path: Path) -> None:
    """Make a folder for results, with those above it, unless it is there. Raises HaploomError where that cannot be."""
    check_folder(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HaploomError(f"cannot make the folder {path}: {error.strerror or error}") from error


def check_folder(path: Path) -> None:
    """Raise HaploomError where `make_folder` could not, because there is a file in its place or above it."""
    if path.exists() and not path.is_dir():
        raise HaploomError(f"{path} is a file: name a folder for the results with -o")
    above = next(each for each in path.absolute().parents if each.exists())
    if not above.is_dir():
        raise HaploomError(f"cannot make the folder {path}: {above} is a file")


def _same_file(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))


def _beside(path: Path, state: str) -> Path:
    """The name of a temporary file. It keeps the suffixes, because some writers choose a format by them."""
    return path.with_name(f".{secrets.token_hex(4)}.{state}.{path.name}")


def remove_partials(path: Path) -> None:
    """Delete what killed processes left of `path`. Only where nobody else can be writing it now."""
    for left in path.parent.glob(f".{'[0-9a-f]' * 8}.partial.{glob.escape(path.name)}"):
        left.unlink(missing_ok=True)


def is_zarr_folder(path: Path) -> bool:
    """Whether a folder is a Zarr group, of format 2 or 3."""
    return any((path / name).exists() for name in (".zgroup", "zarr.json"))


@contextmanager
def atomic_output(path: Path, force: bool = False) -> Iterator[Path]:
    """A temporary path beside `path` to write to; it gets its name only when the block ends without an error.

    A file or a folder, as the block makes it. On any error, Ctrl-C included, it is removed and an existing `path`
    is as it was.
    """
    refuse_to_replace(path, force)
    partial = _beside(path, "partial")
    try:
        yield partial
        if path.is_dir():  # nothing is renamed onto a folder that is not empty
            replaced = _beside(path, "replaced")
            os.replace(path, replaced)
            os.replace(partial, path)
            shutil.rmtree(replaced)
        else:
            os.replace(partial, path)
    except OSError as error:
        raise HaploomError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink(missing_ok=True)


@contextmanager
def text_output(path: Path, force: bool = False) -> Iterator[TextIO]:
    """A text file (UTF-8) to write to, which is whole or not there; stdout where `path` is `-`."""
    if path == STANDARD:
        yield sys.stdout
        return
    with atomic_output(path, force) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        yield file
