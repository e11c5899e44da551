"""Output files that are whole or not there."""

import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from haploom.errors import HaploomError
from haploom.io.byte_stream import STANDARD


def refuse_to_replace(path: Path, force: bool) -> None:
    """Raise HaploomError when `path` exists and may not be replaced, or its folder does not exist.

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
    if not path.absolute().parent.is_dir():
        raise HaploomError(f"cannot write {path}: there is no folder {path.absolute().parent}")


def is_zarr_folder(path: Path) -> bool:
    """Whether a folder is a Zarr group, of format 2 or 3."""
    return any((path / name).exists() for name in (".zgroup", "zarr.json"))


@contextmanager
def atomic_output(path: Path, force: bool = False) -> Iterator[Path]:
    """A temporary path beside `path` to write to; it gets its name only when the block ends without an error.

    A file or a folder, as the block makes it. On any error, Ctrl-C included, it is removed and an existing `path`
    is as it was. The temporary name keeps the suffixes, because some writers choose a format by them.
    """
    refuse_to_replace(path, force)
    token = secrets.token_hex(4)
    partial = path.with_name(f".{token}.partial.{path.name}")
    try:
        yield partial
        if path.is_dir():  # nothing is renamed onto a folder that is not empty
            replaced = path.with_name(f".{token}.replaced.{path.name}")
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
