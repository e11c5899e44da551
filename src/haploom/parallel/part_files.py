"""Finished parts on disk, so that a run that was stopped goes on where it was."""

import hashlib
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from haploom.errors import HaploomError

_SETTINGS = "settings.json"
_PARTIAL = "partial"
_DIGEST_BYTES = 32


class PartFiles:
    """A folder with a file for each finished part.

    settings: JSON values all results depend on; with others the parts would not belong together. The folder is made
    if it is not there. A file is the SHA-256 of a result, then the result: one that is damaged is passed over.

    Raises HaploomError where the folder holds parts of other settings, or cannot be made.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        goes_on = self.are_there(folder, settings)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HaploomError(f"cannot make the folder {folder}: {error.strerror or error}") from error
        if not goes_on:
            _write_whole(folder / _SETTINGS, _as_text(settings).encode())

    @staticmethod
    def are_there(folder: Path, settings: dict[str, Any]) -> bool:
        """Whether a run of these settings was begun in the folder. Raises HaploomError where it holds parts of others.

        Writes nothing.
        """
        path = folder / _SETTINGS
        before = path.read_text(encoding="utf-8", errors="replace") if path.exists() else None
        if before is not None and before != _as_text(settings) and any(folder.glob("part-*")):
            raise HaploomError(
                f"{folder} holds parts of another run: {_difference(before, settings)}. Give the same input and "
                "settings to go on with it, or delete the folder"
            )
        return before == _as_text(settings)

    def read(self, place: int) -> bytes | None:
        """The result of a part; None where it is not there whole."""
        try:
            stored = self._path(place).read_bytes()
        except FileNotFoundError:
            return None
        digest, result = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
        return result if hashlib.sha256(result).digest() == digest else None

    def write(self, place: int, result: bytes) -> None:
        """Keep the result of a part."""
        _write_whole(self._path(place), hashlib.sha256(result).digest() + result)

    def forget(self, place: int) -> None:
        """Have a part worked on again: what it made is gone."""
        self._path(place).unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the parts, what killed runs left unfinished of them, and the folder unless it holds other files."""
        for path in [*self.folder.glob("part-*"), self.folder / _SETTINGS, *self.folder.glob(f".*.{_PARTIAL}.*")]:
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()

    def _path(self, place: int) -> Path:
        return self.folder / f"part-{place:06d}"


def _as_text(settings: dict[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True)


def _difference(before: str, settings: dict[str, Any]) -> str:
    """Which settings differ from those of the file, and how."""
    try:
        old = json.loads(before)
    except json.JSONDecodeError:
        return f"its {_SETTINGS} is damaged"
    return ", ".join(
        f"{name} was {json.dumps(old.get(name))}, is now {json.dumps(settings.get(name))}"
        for name in sorted(old.keys() | settings.keys())
        if old.get(name) != settings.get(name)
    )


def _write_whole(path: Path, data: bytes) -> None:
    unfinished = path.with_name(f".{secrets.token_hex(4)}.{_PARTIAL}.{path.name}")
    try:
        unfinished.write_bytes(data)
        os.replace(unfinished, path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise HaploomError(f"cannot write {path}: {error.strerror or error}") from error
