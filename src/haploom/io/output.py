"""Output files that are whole or not there."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from haploom.errors import HaploomError


def refuse_to_replace(path: Path, force: bool) -> None:
    """Raise HaploomError when `path` exists and may not be replaced, or its folder does not exist.

    Only a file may be: a device or a pipe would lose its place to a file, for everyone on the machine.
    Long work asks this first, so that nobody learns it after an hour.
    """
    try:
        exists = path.exists()
    except OSError as error:  # such as a name that is too long
        raise HaploomError(f"cannot write {path}: {error.strerror or error}") from error
    if exists and not path.is_file():
        raise HaploomError(f"cannot write {path}: it is no file and is not replaced; name a file, or - where allowed")
    if exists and not force:
        raise HaploomError(f"{path} exists: choose another name, or pass --force to replace it")
    if not path.absolute().parent.is_dir():
        raise HaploomError(f"cannot write {path}: there is no folder {path.absolute().parent}")


@contextmanager
def atomic_output(path: Path, force: bool = False) -> Iterator[Path]:
    """A temporary path beside `path` to write to; it gets its name only when the block ends without an error.

    On any error, Ctrl-C included, the temporary file is removed and an existing `path` is as it was. The
    temporary name keeps the suffixes, because some writers choose a format by them.
    """
    refuse_to_replace(path, force)
    partial = path.with_name(f".{secrets.token_hex(4)}.partial.{path.name}")
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise HaploomError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
