"""The outer shell of an archive: a checked manifest, then named sections, then an end mark.

| bytes           | what                                                     |
|-----------------|----------------------------------------------------------|
| 4               | magic `HLM0`                                             |
| 4               | length of the manifest, unsigned little-endian           |
| 4               | CRC-32 of the manifest                                   |
| as many         | the manifest, JSON in UTF-8                              |
| as the manifest says | the sections, one after another                     |
| 8               | end mark `HLM0 END`: a file without it is cut short      |
"""

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from haploom.errors import CorruptArchiveError, FormatError

MAGIC = b"HLM0"
END_MARK = b"HLM0 END"
_HEADER = struct.Struct("<4sII")
_LARGEST_MANIFEST = 1 << 26


class Section(BaseModel):
    """A run of bytes in the file. `crc32` is of the data it decodes to, whose length is `decoded_bytes`."""

    model_config = ConfigDict(frozen=True)

    codec: str
    offset: NonNegativeInt  # from the end of the manifest
    stored_bytes: NonNegativeInt
    decoded_bytes: NonNegativeInt
    crc32: NonNegativeInt


class ModelReference(BaseModel):
    """The model a neural codec decodes with. `stored_bytes` is what its integer decoder takes, embedded or not."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    embedded: bool
    stored_bytes: NonNegativeInt


class Manifest(BaseModel):
    """What an archive holds. `requires` lists every codec id a reader needs; unknown other keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal["haploom-archive/0"] = "haploom-archive/0"
    requires: list[str]
    n_sites: NonNegativeInt
    n_samples: NonNegativeInt
    contig_length_bp: dict[str, int]
    rows_per_block: NonNegativeInt
    alleles_sha256: str  # of the bit-packed rows, in order
    site_fingerprint: str
    source_format: str
    not_kept: list[str]
    model: ModelReference | None
    paper_size_bits: NonNegativeInt | None  # vae+rle: latents and residual as the paper counts them
    made_by: dict[str, Any]
    sections: dict[str, Section]

    @property
    def n_haplotypes(self) -> int:
        return 2 * self.n_samples


class SectionsWriter:
    """Gathers encoded sections and knows where each will lie."""

    def __init__(self) -> None:
        self.sections: dict[str, Section] = {}
        self._data: list[bytes] = []

    def add(self, name: str, codec: str, stored: bytes, decoded: bytes) -> None:
        """Append a section: its stored bytes, and the bytes they decode to."""
        offset = sum(map(len, self._data))
        self.sections[name] = Section(
            codec=codec, offset=offset, stored_bytes=len(stored), decoded_bytes=len(decoded), crc32=zlib.crc32(decoded)
        )
        self._data.append(stored)

    def write(self, path: Path, manifest: Manifest) -> None:
        """Write the whole archive to `path` (a temporary one; the caller renames it)."""
        text = manifest.model_dump_json().encode()
        with path.open("wb") as file:
            file.write(_HEADER.pack(MAGIC, len(text), zlib.crc32(text)))
            file.write(text)
            for stored in self._data:
                file.write(stored)
            file.write(END_MARK)


class Container:
    """An archive opened for reading: its manifest is checked, its sections are read when asked for."""

    def __init__(self, path: Path) -> None:
        """Raises FormatError when it is not an archive this release reads, CorruptArchiveError when it is damaged."""
        self.path = path
        self.total_bytes = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEADER.size)
            if len(head) < _HEADER.size or head[:3] != MAGIC[:3]:
                raise FormatError(f"{path} is not a Haploom archive: make one of a VCF with `haploom compress`")
            magic, length, checksum = _HEADER.unpack(head)
            if magic != MAGIC:
                raise FormatError(f"{path} is an archive of version {magic[3:]!r}, this release reads {MAGIC[3:]!r}")
            if length > _LARGEST_MANIFEST or length > self.total_bytes:
                raise CorruptArchiveError(f"{path} is damaged: its manifest cannot be {length} bytes")
            text = file.read(length)
            if len(text) != length or zlib.crc32(text) != checksum:
                raise CorruptArchiveError(
                    f"{path} is damaged: its manifest does not have the checksum written before it"
                )
            file.seek(max(0, self.total_bytes - len(END_MARK)))
            if file.read() != END_MARK:
                raise CorruptArchiveError(f"{path} is cut short: it has no end mark. Fetch it again.")
        try:
            self.manifest = Manifest.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise FormatError(f"{path}: not a manifest this release reads ({where}: {first['msg']})") from error
        self._start = _HEADER.size + length

    def stored(self, name: str) -> bytes:
        """The stored bytes of a section. Raises CorruptArchiveError when it is absent or reaches out of the file."""
        section = self.section(name)
        begin = self._start + section.offset
        if begin + section.stored_bytes > self.total_bytes - len(END_MARK):
            raise CorruptArchiveError(f"{self.path} is damaged: section {name} reaches past the end of the file")
        with self.path.open("rb") as file:
            file.seek(begin)
            return file.read(section.stored_bytes)

    def section(self, name: str) -> Section:
        if name not in self.manifest.sections:
            raise CorruptArchiveError(f"{self.path} is damaged: it has no section {name}")
        return self.manifest.sections[name]

    def check(self, name: str, decoded: bytes) -> None:
        """Raises CorruptArchiveError unless `decoded` has the length and checksum the manifest states."""
        section = self.section(name)
        if len(decoded) != section.decoded_bytes or zlib.crc32(decoded) != section.crc32:
            raise CorruptArchiveError(f"{self.path} is damaged: section {name} does not decode to what was stored")


def is_archive_file(path: Path) -> bool:
    """Whether a file begins as an archive does, of whatever version."""
    with path.open("rb") as file:
        return file.read(3) == MAGIC[:3]


def stored_bytes(sections: Mapping[str, Section], prefix: str) -> int:
    """Bytes in the file of all sections whose name begins with `prefix`."""
    return sum(section.stored_bytes for name, section in sections.items() if name.startswith(prefix))
