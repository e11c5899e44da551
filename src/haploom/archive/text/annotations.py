"""The columns after ALT of a block: QUAL, FILTER, INFO and, where there is one, FORMAT.

Beside a reference (`annotations-beside/1`), each column and each key of INFO may be told by what the reference's record
of the same site says, and where it says otherwise.
"""

from functools import cached_property

import numpy as np

from haploom.archive.text.columns import check_size, decode_column, decode_texts, encode_column, encode_texts, no_sides
from haploom.archive.text.corrections import decode_corrections, encode_corrections
from haploom.archive.text.counts import GenotypeCounts
from haploom.archive.text.info_keys import as_objects, join_info, places_of_keys, split_info
from haploom.archive.text.lines import LineTable
from haploom.archive.text.predictions import Predictor, best_predictor, predicted_values
from haploom.archive.text.sites import join_columns, position_gaps, split_columns
from haploom.entropy_coding.byte_packing import join_parts, split_parts

_RARE = 16  # keys with fewer values share one column
_INFO = 2  # its column
_MOST_COLUMNS = 4
_MOST_FIELDS = (1 << 20, 64)  # INFO with more fields than this, and this for each record, is kept as text
_NOT_PREDICTED, _AS_REFERENCE = b"", b"\x01"
_BY_ITSELF = b"\x00"


def encode_annotations(
    lines: LineTable, sites: LineTable, counts: GenotypeCounts | None, reference: LineTable | None = None
) -> bytes:
    """lines: three or four tab-separated columns, the same number in each. sites: the five columns before them.

    counts: of the block's genotypes, where it has any. reference: the annotations of the same sites in a reference, an
    empty line where it has none. All three must be given again to decode.
    """
    n_columns = lines.line(0).count(b"\t") + 1 if len(lines) else 3
    if n_columns not in (3, 4):
        raise ValueError(f"{n_columns} columns after ALT; 3 or 4 were expected")
    columns = split_columns(lines, n_columns)
    known = _Known(sites, counts, reference)
    n_fields = sum(info.count(b";") for info in columns[_INFO])
    keyed = n_fields <= _MOST_FIELDS[0] + _MOST_FIELDS[1] * len(lines)
    parts = [bytes([n_columns, keyed])]
    for i, column in enumerate(columns):
        if i == _INFO:
            parts.append(_encode_info(column, known) if keyed else encode_texts(column))
        else:
            parts.append(_encode_column(column, known.sides, known.told_column(i)))
    return join_parts(parts)


def decode_annotations(
    data: bytes, sites: LineTable, counts: GenotypeCounts | None, max_bytes: int, reference: LineTable | None = None
) -> LineTable:
    """The lines again, one for each of `sites`. Raises ValueError for damage that shows, or more than `max_bytes`."""
    head, rest = split_parts(data, 2)
    if len(head) != 2 or head[0] not in (3, 4) or head[1] > 1:
        raise ValueError("annotations coded in an unknown way")
    known = _Known(sites, counts, reference)
    columns = []
    for i, part in enumerate(split_parts(rest, head[0])):
        if i != _INFO:
            told = known.told_column(i)
            columns.append(_decode_column(part, known.sides, told, max_bytes))
        elif head[1]:
            columns.append(_decode_info(part, known, max_bytes))
        else:
            columns.append(decode_texts(part, len(sites), max_bytes))
    return join_columns(columns, max_bytes)


class _Known:
    """What is known of a block's records before their annotations.

    sides: int64 (n_records, n_sides): the kind of alleles, the distance to the record before, the minor allele count.
    n_alternates: int64 (n_records,), ALT alleles.
    """

    def __init__(self, sites: LineTable, counts: GenotypeCounts | None, reference: LineTable | None) -> None:
        self.reference = None if reference is None else _Reference(reference)
        _, pos, _, ref, alt = split_columns(sites, 5)
        self.counts = counts
        self.n_alternates = np.array([0 if a == b"." else a.count(b",") + 1 for a in alt], dtype=np.int64)
        kinds = [
            ord(r[:1] or b"\0") << 10 | ord(a[:1] or b"\0") << 2 | (len(r) > 1) << 1 | (len(a) > 1)
            for r, a in zip(ref, alt)
        ]
        sides = [np.array(kinds, dtype=np.int64), _size_class(position_gaps(pos))]
        if counts is not None:
            alternate = counts.alternate.sum(axis=1)
            sides.append(_size_class(np.minimum(alternate, counts.called - alternate)))
        self.sides = np.column_stack(sides)

    def told_column(self, i: int) -> list[bytes] | None:
        """What the reference says of a column."""
        return None if self.reference is None else self.reference.column(i)

    def told_layouts(self) -> list[bytes] | None:
        return None if self.reference is None else self.reference.layouts


class _Reference:
    """What a reference says of a block's records: an empty value where it says nothing."""

    def __init__(self, lines: LineTable) -> None:
        rows = [line.split(b"\t") for line in lines.to_list()]
        self._columns = [[row[i] if i < len(row) else b"" for row in rows] for i in range(_MOST_COLUMNS)]

    def column(self, i: int) -> list[bytes]:
        return self._columns[i]

    @cached_property
    def layouts(self) -> list[bytes]:
        return self._split[0]

    def values(self, key: bytes) -> np.ndarray:
        """The value of an INFO key in each record: object (n_records,), bytes."""
        layouts, values = self._split
        told = as_objects([b""] * len(layouts))
        if key in self._keys:
            places, records = self._keys[key]
            told[records] = values[places]
        return told

    @cached_property
    def _split(self) -> tuple[list[bytes], np.ndarray]:
        return split_info(self._columns[_INFO])

    @cached_property
    def _keys(self) -> dict[bytes, tuple[np.ndarray, np.ndarray]]:
        return places_of_keys(self.layouts)


def _encode_column(values: list[bytes], sides: np.ndarray, told: list[bytes] | None) -> bytes:
    """A column, or where the reference tells it: a byte that says which, and the smaller of both."""
    if told is None:
        return encode_column(values, sides)
    as_told = _AS_REFERENCE + encode_corrections(values, told, sides)
    return min(as_told, _BY_ITSELF + encode_column(values, sides), key=len)


def _decode_column(data: bytes, sides: np.ndarray, told: list[bytes] | None, max_bytes: int) -> list[bytes]:
    if told is None:
        return decode_column(data, sides, max_bytes)
    if data[:1] not in (_BY_ITSELF, _AS_REFERENCE):
        raise ValueError("a column told in an unknown way")
    if data[:1] == _BY_ITSELF:
        return decode_column(data[1:], sides, max_bytes)
    return decode_corrections(data[1:], told, sides, max_bytes)


def _size_class(numbers: np.ndarray) -> np.ndarray:
    """How many bits each number has, 0 and less as 0: int64 (n,)."""
    return np.frexp(np.maximum(numbers, 0).astype(np.float64))[1].astype(np.int64)


def _encode_info(column: list[bytes], known: _Known) -> bytes:
    """The layouts, the values of rare keys, and a part for each other key."""
    layouts, values = split_info(column)
    keys = places_of_keys(layouts)
    rare = values[_rare_places(keys)].tolist()
    told_layouts = known.told_layouts()
    parts = [
        _encode_column(layouts, known.sides, told_layouts),
        _encode_column(rare, no_sides(len(rare)), _told_rare(keys, known)),
    ]
    for key, (places, records) in keys.items():
        if len(places) >= _RARE:
            parts.append(_encode_values(key, values[places].tolist(), records, known))
    return join_parts(parts)


def _decode_info(data: bytes, known: _Known, max_bytes: int) -> list[bytes]:
    coded_layouts, rest = split_parts(data, 2)
    layouts = _decode_column(coded_layouts, known.sides, known.told_layouts(), max_bytes)
    check_size(layouts, max_bytes)
    keys = places_of_keys(layouts)
    rare = _rare_places(keys)
    frequent = [(key, *found) for key, found in keys.items() if len(found[0]) >= _RARE]
    coded_rare, *coded = split_parts(rest, 1 + len(frequent))
    values = np.empty(sum(len(places) for places, _ in keys.values()), dtype=object)
    values[rare] = as_objects(_decode_column(coded_rare, no_sides(len(rare)), _told_rare(keys, known), max_bytes))
    for part, (key, places, records) in zip(coded, frequent):
        values[places] = as_objects(_decode_values(part, key, records, known, max_bytes))
    check_size(values.tolist(), max_bytes)
    return join_info(layouts, values)


def _rare_places(keys: dict[bytes, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Where the values of all rare keys stand, key by key: int64 (n,)."""
    places = [places for places, _ in keys.values() if len(places) < _RARE]
    return np.concatenate([np.empty(0, dtype=np.int64), *places])


def _told_rare(keys: dict[bytes, tuple[np.ndarray, np.ndarray]], known: _Known) -> list[bytes] | None:
    """What the reference says of the values of all rare keys, in the same order."""
    if known.reference is None:
        return None
    rare = [(key, records) for key, (places, records) in keys.items() if len(places) < _RARE]
    return [value for key, records in rare for value in known.reference.values(key)[records].tolist()]


def _encode_values(key: bytes, values: list[bytes], records: np.ndarray, known: _Known) -> bytes:
    """A key's values: what tells them, if anything does, and where it is wrong; else the values as a column."""
    sides = known.sides[records]
    ways = []
    if known.reference is not None:
        told = known.reference.values(key)[records].tolist()
        ways.append(join_parts([_AS_REFERENCE, encode_corrections(values, told, sides)]))
    predictor = best_predictor(values, records, known.counts, known.n_alternates) if known.counts is not None else None
    if predictor is None or known.counts is None:
        ways.append(join_parts([_NOT_PREDICTED, encode_column(values, sides)]))
    else:
        predicted = predicted_values(predictor, known.counts, known.n_alternates, records)
        ways.append(join_parts([bytes(predictor), encode_corrections(values, predicted, sides)]))
    return min(ways, key=len)


def _decode_values(data: bytes, key: bytes, records: np.ndarray, known: _Known, max_bytes: int) -> list[bytes]:
    stored_predictor, coded = split_parts(data, 2)
    sides = known.sides[records]
    if stored_predictor == _NOT_PREDICTED:
        return decode_column(coded, sides, max_bytes)
    if stored_predictor == _AS_REFERENCE and known.reference is not None:
        return decode_corrections(coded, known.reference.values(key)[records].tolist(), sides, max_bytes)
    if len(stored_predictor) != len(Predictor._fields) or known.counts is None:
        raise ValueError("a predictor of INFO that cannot be used here")
    predicted = predicted_values(Predictor(*stored_predictor), known.counts, known.n_alternates, records)
    return decode_corrections(coded, predicted, sides, max_bytes)
