"""A block stored beside a reference: which of its records are the reference's, and their alleles.

The reference's records between the first and the last that a block shares with it, in one or more spans, are the rows
of a grid. Presence says which rows are records of the block:

| presence | rows that are records | rows that are not |
|---|---|---|
| all | every one | |
| carried | those with an allele that is not REF in somebody | coded all the same, as REF in everybody |
| told | those a stored bit says | not coded |

"Carried" is for lists of what people carry: the list then follows from the genotypes, and costs nothing. Records that
are not the reference's are stored as without one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from haploom.archive.reference import Reference, Span, site_key
from haploom.archive.spans import record_spans
from haploom.archive.text.columns import no_sides
from haploom.archive.text.corrections import decode_corrections, encode_corrections
from haploom.archive.text.lines import LineTable
from haploom.archive.text.sites import decode_sites, encode_sites
from haploom.entropy_coding.byte_packing import join_parts, number_from_bytes, number_to_bytes, split_parts
from haploom.entropy_coding.genotype_block import decode_block, encode_block
from haploom.entropy_coding.reference_block import decode_beside, encode_beside
from haploom.entropy_coding.symbols import decode_integers, decode_symbols, encode_integers, encode_symbols

if TYPE_CHECKING:
    from haploom.archive.blocks import StoredBlock

ALL, CARRIED, TOLD = range(3)
_MOST_ALLELES = 1 << 29  # of a span, with those of the reference: bounds memory
_FEWEST_RECORDS = 16


@dataclass(frozen=True, eq=False)
class SharedRecords:
    """Which records of a block are in a reference. `rows` are of the grid.

    spans: rising, none overlapping. present: bool (n_rows,), the rows that are records of the block.
    other: bool (n_records,), the records that are not in the reference; the rest are the present rows, in order.
    """

    reference: Reference
    spans: Sequence[Span]
    present: np.ndarray
    other: np.ndarray

    @cached_property
    def site_lines(self) -> list[bytes]:
        """The reference's sites of the present rows."""
        return [block.sites.line(row) for block, row in self._rows]

    @cached_property
    def annotations(self) -> LineTable:
        """The reference's annotations of each record, an empty line where it has none."""
        told = iter([block.annotations.line(row) for block, row in self._rows])
        return LineTable.from_list(b"" if other else next(told) for other in self.other.tolist())

    @cached_property
    def _rows(self) -> "list[tuple[StoredBlock, int]]":
        """Where each present row is in the reference."""
        return [
            (self.reference.block(span.block), span.first + row)
            for span, here in zip(self.spans, split_rows(self.present, self.spans))
            for row in np.flatnonzero(here).tolist()
        ]


def split_rows(rows: np.ndarray, spans: Sequence[Span]) -> list[np.ndarray]:
    """The rows of each span."""
    return np.split(rows, np.cumsum([span.n_records for span in spans])[:-1])


def match_records(sites: LineTable, n_haplotypes: int, reference: Reference) -> SharedRecords | None:
    """The records of a block that a reference has too, in the same order; None where there is none.

    A span holds no more rows than memory should: `n_haplotypes` new ones count beside the reference's.
    """
    lines = sites.to_list()
    places: dict[bytes, tuple[int, int]] = {}
    for number in reference.overlapping(record_spans(sites, None).stretches()):
        for row, line in enumerate(reference.block(number).sites.to_list()):
            places.setdefault(site_key(line), (number, row))
    latest = (-1, -1)
    other = np.ones(len(lines), dtype=bool)
    rows_of: dict[int, list[int]] = {}
    for record, line in enumerate(lines):
        place = places.get(site_key(line))
        if place is not None and place > latest:
            latest = place
            other[record] = False
            rows_of.setdefault(place[0], []).append(place[1])
    if not rows_of:
        return None
    most = _most_rows(n_haplotypes, reference)
    spans, present = [], []
    for number, rows in rows_of.items():
        for first in range(rows[0], rows[-1] + 1, most):
            spans.append(Span(number, first, min(most, rows[-1] + 1 - first)))
        here = np.zeros(rows[-1] + 1 - rows[0], dtype=bool)
        here[np.array(rows) - rows[0]] = True
        present.append(here)
    return SharedRecords(reference, spans, np.concatenate(present), other)


def _most_rows(n_haplotypes: int, reference: Reference) -> int:
    return max(_MOST_ALLELES // (reference.n_haplotypes + n_haplotypes), _FEWEST_RECORDS)


def encode_shared(
    sites: LineTable, bits: np.ndarray, n_haplotypes: int, shared: SharedRecords, level: str
) -> tuple[bytes, bytes]:
    """The sections of sites and genotypes. bits: uint8 (n_records, bytes)."""
    if shared.present.all():
        return _encode(sites, bits, n_haplotypes, shared, level, ALL)
    told = _encode(sites, bits, n_haplotypes, shared, level, TOLD)
    if not bits[~shared.other].any(axis=1).all():
        return told
    carried = _encode(sites, bits, n_haplotypes, shared, level, CARRIED)
    return min(told, carried, key=lambda sections: sum(map(len, sections)))


def _encode(
    sites: LineTable, bits: np.ndarray, n_haplotypes: int, shared: SharedRecords, level: str, presence: int
) -> tuple[bytes, bytes]:
    lines = sites.to_list()
    own = LineTable.from_list(line for line, other in zip(lines, shared.other.tolist()) if other)
    names = [line.split(b"\t")[2] for line, other in zip(lines, shared.other.tolist()) if not other]
    told_names = [line.split(b"\t")[2] for line in shared.site_lines]
    numbers = [len(shared.spans), *(number for span in shared.spans for number in span), presence]
    gaps = np.diff(np.flatnonzero(shared.other), prepend=-1)
    coded_sites = join_parts(
        [
            b"".join(map(number_to_bytes, numbers)),
            encode_symbols(shared.present, 2, _carrier_classes(shared.reference, shared.spans))
            if presence == TOLD
            else b"",
            number_to_bytes(len(gaps)) + (encode_integers(gaps, False, no_sides(len(gaps))) if len(gaps) else b""),
            encode_corrections(names, told_names, no_sides(len(names))),
            encode_sites(own) if len(own) else b"",
        ]
    )
    streams = []
    grid = np.zeros((len(shared.present), bits.shape[1]), dtype=np.uint8)
    grid[shared.present] = bits[~shared.other]
    for span, here, rows in zip(shared.spans, split_rows(shared.present, shared.spans), split_rows(grid, shared.spans)):
        coded = here if presence == TOLD else np.ones_like(here)
        alleles = np.unpackbits(rows[coded], axis=1, count=n_haplotypes)
        streams.append(encode_beside(alleles, shared.reference.alleles(span)[coded], level))
    streams.append(encode_block(np.unpackbits(bits[shared.other], axis=1, count=n_haplotypes), level))
    return coded_sites, join_parts(streams)


def _carrier_classes(reference: Reference, spans: Sequence[Span]) -> np.ndarray:
    """How many of the reference carry an allele that is not REF, in powers of two: int64 (n_rows, 1)."""
    counts = [
        np.bitwise_count(reference.block(span.block).bits[span.records]).sum(axis=1, dtype=np.int64) for span in spans
    ]
    return np.frexp(np.concatenate(counts).astype(np.float64))[1].astype(np.int64)[:, None]


class BesideBlock:
    """The sections of sites and genotypes of a block, decoded as far as is asked.

    Raises ValueError, from any of its properties, where bytes cannot be those of such a block.
    """

    def __init__(
        self, reference: Reference, coded_sites: bytes, coded_genotypes: bytes, n_records: int, n_haplotypes: int,
        max_bytes: int,
    ) -> None:  # fmt: skip
        self._reference, self._n_records, self._n_haplotypes = reference, n_records, n_haplotypes
        self._max_bytes = max_bytes
        head, self._coded_present, others, self._coded_names, self._coded_own = split_parts(coded_sites, 5)
        self._coded_genotypes = coded_genotypes
        self._spans, self._presence = self._parse_head(head)
        n_others, place = number_from_bytes(others, 0)
        if n_others > n_records:
            raise ValueError(f"{n_others} of {n_records} records are not the reference's")
        gaps = decode_integers(others[place:], n_others, False, no_sides(n_others)) if n_others else np.empty(0, int)
        places = np.cumsum(gaps) - 1
        if n_others and (gaps.min() < 1 or gaps.max() > n_records or places[-1] >= n_records):
            raise ValueError("records that are not the reference's lie outside the block")
        self._other = np.zeros(n_records, dtype=bool)
        self._other[places] = True

    def _parse_head(self, head: bytes) -> tuple[list[Span], int]:
        n_spans, place = number_from_bytes(head, 0)
        spans = []
        most = _most_rows(self._n_haplotypes, self._reference)
        sizes = [block.n_records for block in self._reference.archive.manifest.blocks]
        for _ in range(n_spans):
            block, place = number_from_bytes(head, place)
            first, place = number_from_bytes(head, place)
            n_rows, place = number_from_bytes(head, place)
            if block >= len(sizes) or not 1 <= n_rows <= most or first + n_rows > sizes[block]:
                raise ValueError("a span lies outside the reference")
            spans.append(Span(block, first, n_rows))
        if any((b.block, b.first) < (a.block, a.first + a.n_records) for a, b in pairwise(spans)) or not spans:
            raise ValueError("spans of the reference overlap")
        presence, place = number_from_bytes(head, place)
        if presence not in (ALL, CARRIED, TOLD):
            raise ValueError("presence stored in an unknown way")
        return spans, presence

    @cached_property
    def shared(self) -> SharedRecords:
        """Which records are the reference's. Where presence is "carried" this decodes the genotypes."""
        n_rows = sum(span.n_records for span in self._spans)
        if self._presence == ALL:
            present = np.ones(n_rows, dtype=bool)
        elif self._presence == TOLD:
            sides = _carrier_classes(self._reference, self._spans)
            present = decode_symbols(self._coded_present, n_rows, 2, sides) == 1
        else:
            present = self._decoded[1]
        if np.count_nonzero(present) + np.count_nonzero(self._other) != self._n_records:
            raise ValueError("records of a block and of its reference do not add up")
        return SharedRecords(self._reference, self._spans, present, self._other)

    @cached_property
    def sites(self) -> LineTable:
        told = [line.split(b"\t") for line in self.shared.site_lines]
        names = decode_corrections(
            self._coded_names, [columns[2] for columns in told], no_sides(len(told)), self._max_bytes
        )
        n_own = int(np.count_nonzero(self._other))
        own = iter(decode_sites(self._coded_own, n_own, self._max_bytes).to_list() if n_own else [])
        ours = iter([b"\t".join((c[0], c[1], name, c[3], c[4])) for c, name in zip(told, names)])
        return LineTable.from_list(next(own) if other else next(ours) for other in self._other.tolist())

    @cached_property
    def bits(self) -> np.ndarray:
        """Alleles: uint8 (n_records, bytes)."""
        rows, _ = self._decoded
        if len(rows) != self._n_records - np.count_nonzero(self._other):
            raise ValueError("records of a block and of its reference do not add up")
        n_own = int(np.count_nonzero(self._other))
        bits = np.empty((self._n_records, -(-self._n_haplotypes // 8)), dtype=np.uint8)
        bits[~self._other] = rows
        bits[self._other] = np.packbits(decode_block(self._streams[-1], n_own, self._n_haplotypes), axis=1)
        return bits

    @cached_property
    def _streams(self) -> list[bytes]:
        return split_parts(self._coded_genotypes, len(self._spans) + 1)

    @cached_property
    def _decoded(self) -> tuple[np.ndarray, np.ndarray]:
        """Bits of the present rows, and which rows those are."""
        rows, present = [], []
        told = split_rows(self.shared.present, self._spans) if self._presence == TOLD else [None] * len(self._spans)
        for span, stream, here in zip(self._spans, self._streams, told):
            reference = self._reference.alleles(span)
            reference = reference if here is None else reference[here]
            bits = np.packbits(decode_beside(stream, reference, self._n_haplotypes), axis=1)
            is_record = bits.any(axis=1) if self._presence == CARRIED else np.ones(len(bits), dtype=bool)
            rows.append(bits[is_record])
            present.append(is_record)
        return np.concatenate(rows), np.concatenate(present)
