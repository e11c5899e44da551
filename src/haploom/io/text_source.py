"""Any file of genotypes as VCF text: what an archive keeps every byte of."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from haploom.io.bcf_reader import bcf_text
from haploom.io.byte_stream import open_bytes
from haploom.io.formats import BCF, PLINK1, VCF
from haploom.io.panels import read_dosages
from haploom.io.vcf_writer import vcf_text
from haploom.panel import DosagePanel, Panel


class HashedStream(io.RawIOBase):
    """A stream that hands bytes on and keeps their SHA-256 and number."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.n_bytes = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        n_read = self._stream.readinto(buffer)  # type: ignore[attr-defined]
        self._digest.update(memoryview(buffer)[:n_read])
        self.n_bytes += n_read
        return int(n_read)


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        n = min(len(buffer), len(self._rest))
        memoryview(buffer)[:n] = self._rest[:n]
        self._rest = self._rest[n:]
        return n


@contextmanager
def open_text(source: Path, source_format: str) -> Iterator[HashedStream]:
    """A VCF's own text, of a BCF what `bcftools view --no-version` prints, of PLINK 1 what our writer makes of it.

    Raises FormatError for damage.
    """
    if source_format == BCF.name:
        yield HashedStream(cast(BinaryIO, _Pieces(bcf_text(source))))
        return
    if source_format == PLINK1.name:
        yield panel_text(read_dosages(source))
        return
    assert source_format == VCF.name
    with open_bytes(source) as stream:
        yield HashedStream(stream)


def panel_text(panel: Panel | DosagePanel, header_lines: Sequence[str] = ()) -> HashedStream:
    """The text our writer makes of a panel, without version lines: the same panel gives the same bytes."""
    return HashedStream(cast(BinaryIO, _Pieces(vcf_text(panel, header_lines, no_version=True))))
