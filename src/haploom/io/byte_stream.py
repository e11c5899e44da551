"""The bytes of a text file, gzipped (plain gzip or BGZF) or not, from a path or stdin.

What a file is, its first bytes say, never its name. Damage is a FormatError.
"""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from haploom.errors import FormatError, HaploomError
from haploom.io.bgzf import BGZF_END

STANDARD = Path("-")  # stdin or stdout
GZIP_MAGIC = b"\x1f\x8b"
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_BUFFER_BYTES = 1 << 20


@contextmanager
def open_bytes(source: Path) -> Iterator[BinaryIO]:
    """The text of `source` (`-` is stdin) as a stream of bytes, unzipped where it is gzipped.

    Inside the block, gzip data that is damaged or cut short raises FormatError. Raises HaploomError when
    the file cannot be opened.
    """
    with _open_raw(source) as raw:
        if raw.peek(2)[:2] != GZIP_MAGIC:
            yield raw
            return
        try:
            if _is_bgzf(raw.peek(16)):
                if source == STANDARD:
                    raw = _EndBlockChecked(raw)
                else:
                    _check_bgzf_end(source)
            with gzip.GzipFile(fileobj=raw) as text:
                yield cast(BinaryIO, text)
        except EOFError as error:
            raise _cut_short(source) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise FormatError(f"{source}: the gzip data is damaged ({error}): get the file again") from error


@contextmanager
def _open_raw(source: Path) -> Iterator[Any]:
    """A buffered reader of the bytes as they are."""
    if source == STANDARD:
        stream = io.BufferedReader(cast(io.RawIOBase, sys.stdin.buffer), _BUFFER_BYTES)
        try:
            yield stream
        finally:
            stream.detach()
        return
    try:
        file = open(source, "rb", buffering=_BUFFER_BYTES)  # noqa: SIM115
    except OSError as error:
        raise HaploomError(f"cannot read {source}: {error.strerror}") from error
    with file:
        yield file


def _is_bgzf(start: bytes) -> bool:
    return start[3:4] == b"\x04" and start[12:14] == b"BC"


def _check_bgzf_end(source: Path) -> None:
    """A BGZF file cut between two blocks is a valid gzip file: only the absent end block shows it."""
    with open(source, "rb") as file:
        file.seek(max(0, file.seek(0, io.SEEK_END) - len(BGZF_END)))
        if file.read() != BGZF_END:
            raise _cut_short(source)


class _EndBlockChecked:
    """BGZF from stdin, whose end block can be looked for only when everything else has been read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._last = b""

    def read(self, n: int = -1) -> bytes:
        data = self._stream.read(n)
        if not data and self._last != BGZF_END:
            raise _cut_short(STANDARD)
        self._last = (self._last + data[-len(BGZF_END) :])[-len(BGZF_END) :]
        return data


def _cut_short(source: Path) -> FormatError:
    return FormatError(f"{source}: the gzip data is cut short (its end marker is absent): get the whole file again")


def first_bytes(source: Path, n: int) -> bytes:
    """The first `n` bytes of the raw file; none of stdin, which can be read only once."""
    if source == STANDARD:
        return b""
    with _open_raw(source) as raw:
        return raw.read(n)
