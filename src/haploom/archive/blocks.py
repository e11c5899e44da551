"""A block of records as four sections, each with the checksum of what it decodes to, and back.

| section     | decodes to                                                                      |
|-------------|---------------------------------------------------------------------------------|
| sites       | CHROM POS ID REF ALT of each record                                             |
| genotypes   | a bit for each allele                                                           |
| cells       | what of the sample columns the bits do not tell, line ends, lines between records |
| annotations | QUAL FILTER INFO FORMAT; decoded after the genotypes, which predict some INFO   |
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from haploom.archive.beside import BesideBlock, encode_shared, match_records
from haploom.archive.container import Block, Container
from haploom.archive.genotypes import GenotypeCodec
from haploom.archive.reference import Reference
from haploom.archive.text.allele_counts import count_genotypes
from haploom.archive.text.annotations import decode_annotations, encode_annotations
from haploom.archive.text.assembling import assemble_text
from haploom.archive.text.calls import Calls, decode_calls, encode_calls, parse_calls
from haploom.archive.text.counts import GenotypeCounts
from haploom.archive.text.cutting import Layout, TextBlock
from haploom.archive.text.fields import decode_cells, encode_fields
from haploom.archive.text.layout import decode_layout, encode_layout
from haploom.archive.text.lines import LineTable
from haploom.archive.text.sites import decode_sites, encode_sites
from haploom.entropy_coding.byte_packing import join_parts, split_parts
from haploom.errors import CorruptArchiveError
from haploom.panel.bits import row_bytes

SITES, GENOTYPES, CELLS, ANNOTATIONS = "sites", "genotypes", "cells", "annotations"
TEXT_CODECS = {SITES: "sites/1", CELLS: "cells/1", ANNOTATIONS: "annotations/1"}
# Those of a block that shares sites with a reference.
BESIDE_CODECS = {SITES: "sites-beside/1", GENOTYPES: "genotypes-beside/1", ANNOTATIONS: "annotations-beside/1"}
PLAIN_CELLS = "cells-plain/1"  # no bytes: every record is plain and ends in LF, and there is nothing between them

Groups = Mapping[str, np.ndarray]  # label -> bool (n_samples,)


class EncodedSection(NamedTuple):
    """Stored bytes, and length and CRC-32 of what they decode to."""

    codec: str
    stored: bytes
    decoded_bytes: int
    crc32: int


def encode_block(block: TextBlock, codec: GenotypeCodec, groups: Groups) -> dict[str, EncodedSection]:
    """The four sections of a block, by name. groups: whose allele frequencies may predict INFO."""
    calls = parse_calls(block)
    counts = count_genotypes(calls, groups) if block.n_samples else None
    cells = join_parts([encode_layout(block.layout), encode_calls(calls), encode_fields(block, calls)])
    return {
        SITES: _encoded(TEXT_CODECS[SITES], encode_sites(block.sites), _line_bytes(block.sites)),
        GENOTYPES: _encoded(codec.codec_id, codec.encode(calls.bits, 2 * block.n_samples), calls.bits.tobytes()),
        CELLS: _encoded(TEXT_CODECS[CELLS], cells, _cell_bytes(block.cells, block.layout)),
        ANNOTATIONS: _encoded(
            TEXT_CODECS[ANNOTATIONS],
            encode_annotations(block.annotations, block.sites, counts),
            _line_bytes(block.annotations),
        ),
    }


def encode_block_beside(
    block: TextBlock, reference: Reference, codec: GenotypeCodec, level: str, groups: Groups
) -> dict[str, EncodedSection]:
    """As `encode_block`, where the reference has some of the sites; `codec` is for blocks of which it has none."""
    shared = match_records(block.sites, 2 * block.n_samples, reference) if block.n_samples else None
    if shared is None:
        return encode_block(block, codec, groups)
    calls = parse_calls(block)
    counts = count_genotypes(calls, groups)
    sites, genotypes = encode_shared(block.sites, calls.bits, 2 * block.n_samples, shared, level)
    annotations = encode_annotations(block.annotations, block.sites, counts, shared.annotations)
    if calls.plain.all() and not block.layout.line_ends.any() and not len(block.layout.odd):
        cells_codec, cells = PLAIN_CELLS, b""
    else:
        cells_codec = TEXT_CODECS[CELLS]
        cells = join_parts([encode_layout(block.layout), encode_calls(calls), encode_fields(block, calls)])
    return {
        SITES: _encoded(BESIDE_CODECS[SITES], sites, _line_bytes(block.sites)),
        GENOTYPES: _encoded(BESIDE_CODECS[GENOTYPES], genotypes, calls.bits.tobytes()),
        CELLS: _encoded(cells_codec, cells, _cell_bytes(block.cells, block.layout)),
        ANNOTATIONS: _encoded(BESIDE_CODECS[ANNOTATIONS], annotations, _line_bytes(block.annotations)),
    }


def _encoded(codec: str, stored: bytes, decoded: bytes) -> EncodedSection:
    return EncodedSection(codec, stored, len(decoded), zlib.crc32(decoded))


def _line_bytes(lines: LineTable) -> bytes:
    """Lines as checksums see them: a newline after each."""
    return b"".join(line + b"\n" for line in lines.to_list())


def _cell_bytes(cells: LineTable, layout: Layout) -> bytes:
    odd_places = layout.odd_places.astype("<i8").tobytes()
    return _line_bytes(cells) + layout.line_ends.tobytes() + odd_places + _line_bytes(layout.odd)


@dataclass(frozen=True, eq=False)
class StoredBlock:
    """A block in an archive; each part is decoded when it is first asked for, and checked.

    Raises CorruptArchiveError, from any of its properties, where the bytes are not what was stored.
    """

    container: Container
    number: int
    n_samples: int
    codecs: Mapping[str, GenotypeCodec]
    groups: Groups
    reference: Reference | None = None

    @property
    def about(self) -> Block:
        return self.container.manifest.blocks[self.number]

    @property
    def n_records(self) -> int:
        return self.about.n_records

    @cached_property
    def sites(self) -> LineTable:
        with self._damage_named(SITES):
            if self._beside is not None:
                sites = self._beside.sites
            else:
                sites = decode_sites(self._stored(SITES), self.n_records, self._most_bytes(SITES))
        self._check(SITES, _line_bytes(sites))
        return sites

    @cached_property
    def bits(self) -> np.ndarray:
        """Alleles: uint8 (n_records, ceil(2 * n_samples / 8))."""
        n_haplotypes = 2 * self.n_samples
        section = self.container.section(self._name(GENOTYPES))
        with self._damage_named(GENOTYPES):
            if section.decoded_bytes != self.n_records * row_bytes(n_haplotypes):
                raise ValueError(f"alleles of {section.decoded_bytes} bytes")
            if self._beside is not None:
                bits = self._beside.bits
            else:
                bits = self.codecs[section.codec].decode(self._stored(GENOTYPES), self.n_records, n_haplotypes)
        self._check(GENOTYPES, bits.tobytes())
        return bits

    @cached_property
    def calls(self) -> Calls:
        if self._cells_are_plain:
            nothing, plain = LineTable.from_list([]), np.ones(self.n_records, dtype=bool)
            return parse_calls(TextBlock(self.n_samples, nothing, nothing, plain, self.bits, nothing, self.layout, 0))
        with self._damage_named(CELLS):
            return decode_calls(self._cell_parts[1], self.bits, self.n_samples, self._most_bytes(CELLS))

    @cached_property
    def annotations(self) -> LineTable:
        with self._damage_named(ANNOTATIONS):
            stored = self._stored(ANNOTATIONS)
            told = self._beside.shared.annotations if self._beside is not None else None
            annotations = decode_annotations(stored, self.sites, self._counts, self._most_bytes(ANNOTATIONS), told)
        self._check(ANNOTATIONS, _line_bytes(annotations))
        return annotations

    @cached_property
    def cells(self) -> LineTable:
        """Sample columns of the records that are not plain."""
        with self._damage_named(CELLS):
            cells = decode_cells(self._cell_parts[2], self.calls, self._formats, self._most_bytes(CELLS))
        self._check(CELLS, _cell_bytes(cells, self.layout))
        return cells

    @cached_property
    def layout(self) -> Layout:
        if self._cells_are_plain:
            return _no_layout(self.n_records)
        with self._damage_named(CELLS):
            return decode_layout(self._cell_parts[0], self.n_records, self._most_bytes(CELLS))

    def text(self) -> Iterator[np.ndarray]:
        """The block's text, uint8, in pieces."""
        cells = self.cells
        return assemble_text(
            self.n_samples, self.sites, self.annotations, self.calls.plain, self.bits, cells, self.layout
        )

    def records(self, chosen: np.ndarray, samples: np.ndarray) -> bytes:
        """Some records, a line each, with some samples in the order given.

        chosen: bool (n_records,). samples: int64 places of people.
        """
        plain = self.calls.plain[chosen]
        bits = _haplotypes(self.bits[chosen], samples)
        wanted = np.zeros(self.n_samples, dtype=bool)
        wanted[samples] = True
        with self._damage_named(CELLS):
            cells = decode_cells(
                self._cell_parts[2], self.calls, self._formats, self._most_bytes(CELLS), chosen, wanted
            )
        if (np.diff(samples) < 0).any():
            cells = _reordered(cells, np.argsort(np.argsort(samples)))
        n_chosen = len(plain)
        layout = _no_layout(n_chosen)
        sites, annotations = (_rows(lines, chosen) for lines in (self.sites, self.annotations))
        return b"".join(
            piece.tobytes() for piece in assemble_text(len(samples), sites, annotations, plain, bits, cells, layout)
        )

    @cached_property
    def _beside(self) -> BesideBlock | None:
        """The sites and genotypes, where they are stored beside a reference."""
        codecs = {part: self.container.section(self._name(part)).codec for part in BESIDE_CODECS}
        if not set(codecs.values()) & set(BESIDE_CODECS.values()):
            return None
        if codecs != BESIDE_CODECS or self.reference is None:
            raise ValueError("some of it is stored beside a reference, some not")
        return BesideBlock(
            self.reference, self._stored(SITES), self._stored(GENOTYPES), self.n_records, 2 * self.n_samples,
            self._most_bytes(SITES),
        )  # fmt: skip

    @cached_property
    def _counts(self) -> GenotypeCounts | None:
        return count_genotypes(self.calls, self.groups) if self.n_samples else None

    @cached_property
    def _cell_parts(self) -> list[bytes]:
        return [b""] * 3 if self._cells_are_plain else split_parts(self._stored(CELLS), 3)

    @property
    def _cells_are_plain(self) -> bool:
        return self.container.section(self._name(CELLS)).codec == PLAIN_CELLS

    @property
    def _formats(self) -> list[bytes]:
        """FORMAT of the records that are not plain."""
        others = np.flatnonzero(~self.calls.plain).tolist() if self.n_samples else []
        return [self.annotations.line(record).rsplit(b"\t", 1)[-1] for record in others]

    def _name(self, part: str) -> str:
        return f"{self.number}/{part}"

    def _stored(self, part: str) -> bytes:
        return self.container.stored(self._name(part))

    def _most_bytes(self, part: str) -> int:
        """How much text a section can decode to, which bounds the memory taken for it."""
        return min(self.container.section(self._name(part)).decoded_bytes, self.about.text_bytes)

    def _check(self, part: str, decoded: bytes) -> None:
        self.container.check(self._name(part), decoded)

    def _damage_named(self, part: str) -> "_NamedDamage":
        return _NamedDamage(f"{self.container.path} is damaged: section {self._name(part)}")


class _NamedDamage:
    """Turns what a decoder raises for bytes that are not its own into a CorruptArchiveError that says where."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, ValueError | KeyError | IndexError | OverflowError | MemoryError):
            raise CorruptArchiveError(f"{self._where}: {error}") from error


def _no_layout(n_records: int) -> Layout:
    """Records that end in LF with nothing between them."""
    return Layout(np.zeros(n_records, np.uint8), LineTable.from_list([]), np.empty(0, np.int64))


def _haplotypes(bits: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """The two columns of each sample, packed again."""
    columns = np.stack([2 * samples, 2 * samples + 1], axis=1).ravel()
    picked = bits[:, columns // 8] >> (7 - columns % 8).astype(np.uint8) & 1
    return np.packbits(picked, axis=1)


def _rows(lines: LineTable, chosen: np.ndarray) -> LineTable:
    return LineTable.from_list(lines.line(row) for row in np.flatnonzero(chosen).tolist())


def _reordered(cells: LineTable, order: np.ndarray) -> LineTable:
    """The cells of each line in another order."""
    lines = (line.split(b"\t") for line in cells.to_list())
    return LineTable.from_list(b"\t".join(line[place] for place in order) for line in lines)
