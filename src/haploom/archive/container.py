"""The outer shell of an archive: named sections one after another, then a checked manifest, then an end mark.

| bytes   | what                                                                    |
|---------|-------------------------------------------------------------------------|
| 4       | magic `HLM1`                                                            |
| 2, 2    | major and minor version, unsigned little-endian                         |
| ...     | the sections                                                            |
| ...     | the manifest: JSON in UTF-8, packed (see `entropy_coding.byte_packing`) |
| 8, 4, 4, 4 | where the manifest begins, its stored and decoded length, CRC-32 of it decoded |
| 8       | end mark `HLM1 END`: a file without it is cut short                     |

The manifest comes last so that an archive is written in one pass, whatever its size.
"""

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from haploom.entropy_coding.byte_packing import pack_bytes, unpack_bytes
from haploom.errors import CorruptArchiveError, FormatError
from haploom.io.byte_stream import first_bytes
from haploom.io.formats import ARCHIVE_MAGIC, SAFETENSORS_BYTES, is_safetensors

MAGIC = ARCHIVE_MAGIC
MAJOR, MINOR = 1, 0
END_MARK = b"HLM1 END"
_HEADER = struct.Struct("<4sHH")
_FOOTER = struct.Struct("<QIII8s")
_LARGEST_MANIFEST = 1 << 26

Size = Annotated[int, Field(ge=0, lt=1 << 62)]
Position = Annotated[int, Field(gt=-(1 << 62), lt=1 << 62)]


class Section(BaseModel):
    """A run of bytes in the file. `crc32` is of the data it decodes to, whose length is `decoded_bytes`.

    `stored_crc32` is of the section's name in UTF-8 and, after it, the stored bytes: damage is told before anything is
    decoded, and where only a part is decoded; the name tells sections that changed places.
    """

    model_config = ConfigDict(frozen=True)

    codec: str
    offset: Size  # from the beginning of the file
    stored_bytes: Size
    decoded_bytes: Size
    crc32: Size
    stored_crc32: Size


class ModelReference(BaseModel):
    """The model a neural codec decodes with. `stored_bytes` is what its integer decoder takes, embedded or not."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    embedded: bool
    stored_bytes: Size


class ReferenceArchive(BaseModel):
    """The archive beside whose haplotypes an archive is stored: needed, this very file, to read it.

    site_fingerprint: of its sites, as `panel.Variants.fingerprint` makes it. n_bytes: of the file.
    """

    model_config = ConfigDict(frozen=True)

    sha256: str
    site_fingerprint: str
    n_samples: Size
    n_bytes: Size


class Stretch(BaseModel):
    """Records of one contig in a block, and what they overlap: 1-based, inclusive.

    contig: a character from U+0000 to U+00FF for each byte of its name, which may be any bytes.
    """

    model_config = ConfigDict(frozen=True)

    contig: str = Field(pattern="^[\\x00-\\xff]*$")
    start_bp: Position
    end_bp: Position


class Block(BaseModel):
    """A run of records, decoded alone. `stretches` says which regions it can touch.

    `ends_in_info`: where a record ends may be told by its INFO/END.
    """

    model_config = ConfigDict(frozen=True)

    n_records: Size
    text_bytes: Size
    ends_in_info: bool
    stretches: list[Stretch]


class Manifest(BaseModel):
    """What an archive holds. `requires` lists every codec id a reader needs; unknown other keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal["haploom-archive/1"] = "haploom-archive/1"
    requires: list[str]
    level: str
    n_samples: Size
    blocks: list[Block]
    text_sha256: str  # of the VCF text
    text_bytes: Size
    source_format: str
    not_kept: list[str]
    label_level: str | None  # of the populations whose frequencies predict INFO
    model: ModelReference | None
    reference: ReferenceArchive | None = None
    paper_size_bits: Size | None  # vae+rle: latents and residual as the paper counts them
    made_by: dict[str, Any]
    sections: dict[str, Section]

    @property
    def n_records(self) -> int:
        return sum(block.n_records for block in self.blocks)


class ContainerWriter:
    """Writes sections one after another to an open file, then the manifest."""

    def __init__(self, file: BinaryIO) -> None:
        self.sections: dict[str, Section] = {}
        self._file = file
        self._end = file.write(_HEADER.pack(MAGIC, MAJOR, MINOR))

    def add(self, name: str, codec: str, stored: bytes, decoded_bytes: int, crc32: int) -> None:
        """Append a section: its stored bytes, and length and CRC-32 of what they decode to."""
        self.sections[name] = Section(
            codec=codec, offset=self._end, stored_bytes=len(stored), decoded_bytes=decoded_bytes, crc32=crc32,
            stored_crc32=_stored_crc32(name, stored),
        )  # fmt: skip
        self._end += self._file.write(stored)

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest and the end mark."""
        text = manifest.model_dump_json(exclude=None if manifest.reference else {"reference"}).encode()
        stored = pack_bytes(text)
        self._file.write(stored)
        self._file.write(_FOOTER.pack(self._end, len(stored), len(text), zlib.crc32(text), END_MARK))


class Container:
    """An archive opened for reading: its manifest is checked, its sections are read when asked for."""

    def __init__(self, path: Path) -> None:
        """Raises HaploomError when it cannot be read, FormatError when it is not an archive this release reads,
        CorruptArchiveError when it is damaged."""
        self.path = path
        if is_safetensors(first_bytes(path, SAFETENSORS_BYTES)):
            raise FormatError(f"{path} is a model, not an archive: give a file that `haploom compress` wrote")
        self.total_bytes = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEADER.size)
            if len(head) < _HEADER.size or head[:3] != MAGIC[:3]:
                raise FormatError(f"{path} is not a Haploom archive: make one of a VCF with `haploom compress`")
            magic, major, _ = _HEADER.unpack(head)
            if magic != MAGIC or major != MAJOR:
                raise FormatError(
                    f"{path} is an archive of format {head[3:4].decode('latin-1')}.{major}, this release reads "
                    f"{MAGIC[3:].decode()}.{MAJOR}: use the release that wrote it"
                )
            if self.total_bytes < _HEADER.size + _FOOTER.size:
                raise CorruptArchiveError(f"{path} is cut short. Fetch it again.")
            file.seek(self.total_bytes - _FOOTER.size)
            self._end, n_stored, n_text, checksum, mark = _FOOTER.unpack(file.read(_FOOTER.size))
            if mark != END_MARK:
                raise CorruptArchiveError(f"{path} is cut short: it has no end mark. Fetch it again.")
            if self._end + n_stored + _FOOTER.size != self.total_bytes or n_text > _LARGEST_MANIFEST:
                raise CorruptArchiveError(f"{path} is damaged: its manifest is not where its end says")
            file.seek(self._end)
            stored = file.read(n_stored)
        try:
            text = unpack_bytes(stored, n_text)
        except ValueError as error:
            raise CorruptArchiveError(f"{path} is damaged: its manifest cannot be read ({error})") from error
        if zlib.crc32(text) != checksum:
            raise CorruptArchiveError(f"{path} is damaged: its manifest does not have the checksum written after it")
        try:
            self.manifest = Manifest.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise FormatError(f"{path}: not a manifest this release reads ({where}: {first['msg']})") from error

    def section(self, name: str) -> Section:
        """Raises CorruptArchiveError when there is none of that name, or it reaches out of the file."""
        section = self.manifest.sections.get(name)
        if section is None:
            raise CorruptArchiveError(f"{self.path} is damaged: it has no section {name}")
        if section.offset + section.stored_bytes > self._end:
            raise CorruptArchiveError(f"{self.path} is damaged: section {name} reaches past the sections")
        return section

    def stored(self, name: str) -> bytes:
        """The stored bytes of a section. Raises CorruptArchiveError when they are not those that were written."""
        section = self.section(name)
        with self.path.open("rb") as file:
            file.seek(section.offset)
            stored = file.read(section.stored_bytes)
        if _stored_crc32(name, stored) != section.stored_crc32:
            raise CorruptArchiveError(
                f"{self.path} is damaged: section {name} is not what was written. Fetch it again."
            )
        return stored

    def check(self, name: str, decoded: bytes) -> None:
        """Raises CorruptArchiveError unless `decoded` has the length and checksum the manifest states."""
        section = self.section(name)
        if len(decoded) != section.decoded_bytes or zlib.crc32(decoded) != section.crc32:
            raise CorruptArchiveError(f"{self.path} is damaged: section {name} does not decode to what was stored")


def _stored_crc32(name: str, stored: bytes) -> int:
    return zlib.crc32(stored, zlib.crc32(name.encode()))


def is_archive_file(path: Path) -> bool:
    """Whether a file begins as an archive does, of whatever version."""
    with path.open("rb") as file:
        return file.read(3) == MAGIC[:3]


def stored_bytes(sections: Mapping[str, Section], *suffixes: str) -> int:
    """Bytes in the file of all sections whose name ends in one of `suffixes`."""
    return sum(section.stored_bytes for name, section in sections.items() if name.endswith(suffixes))
