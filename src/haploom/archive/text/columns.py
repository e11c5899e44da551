"""A column of values, any bytes without a newline, as few bytes as we can: each way is tried, the smallest taken.

A column is a list of byte strings, one a record. What a way cannot hold exactly goes to text beside it, value by
value, so one odd value costs no more than itself. The layout of each way is in docs/spec/archive-1.md.

`sides`, int64 (n_values, n_sides), are numbers that are known when the column is decoded and may tell about it.
"""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from haploom.archive.text.numbers import MOST_DECIMALS, needed_decimals, parse_numbers, spell_numbers
from haploom.entropy_coding.byte_packing import (
    join_parts,
    number_from_bytes,
    number_to_bytes,
    pack_bytes,
    split_parts,
    unpack_bytes,
)
from haploom.entropy_coding.byte_text import decode_text, encode_text
from haploom.entropy_coding.identifiers import MOST_CLUSTERS, clusters_of, decode_steps, encode_steps
from haploom.entropy_coding.symbols import LARGEST, decode_integers, decode_symbols, encode_integers, encode_symbols

_CONSTANT, _DICTIONARY, _PLAIN_NUMBERS, _NUMBER_STEPS, _LISTS, _TEXT, _IDENTIFIERS = range(7)
_WITH_COLUMNS = (_LISTS, _IDENTIFIERS)  # ways that hold columns themselves
_PREFIXED = re.compile(rb"([^0-9]+)(0|[1-9][0-9]{0,17})")
_FEW = 64  # different values that are a dictionary without a trial
_TRIED = 512  # values on which the ways are compared, fewer where they pass so many bytes
_TRIED_LEAST, _TRIED_BYTES = 16, 1 << 14
_MOST_ENTRIES = 65535  # of a dictionary; one more symbol means "none of them"
_MOST_LIST_ITEMS = 1 << 22
_MODELLED_TEXT = 1 << 18  # bytes; longer text is packed by general means, which are quicker


def fingerprints(values: list[bytes]) -> np.ndarray:
    """A number for each value, for use as a side: CRC-32, int64 (n_values,)."""
    return np.fromiter(map(zlib.crc32, values), dtype=np.int64, count=len(values))


def no_sides(n_values: int) -> np.ndarray:
    return np.zeros((n_values, 0), dtype=np.int64)


def check_size(values: list[bytes], max_bytes: int) -> None:
    """Raises ValueError when the values together pass `max_bytes`: until joined, many may be one object."""
    n_bytes = sum(map(len, values))
    if n_bytes > max_bytes:
        raise ValueError(f"columns of {n_bytes} bytes where at most {max_bytes} can be")


def encode_column(values: list[bytes], sides: np.ndarray, without: Sequence[int] = ()) -> bytes:
    """One byte that says how, then the values; nothing at all for a column without values.

    without: ways that are not to be used, so that columns within columns end.
    """
    if not values:
        return b""
    if values.count(values[0]) == len(values):
        return bytes([_CONSTANT]) + values[0]
    ways = [way for way in _ways(values) if way not in without]
    tried = _n_tried(values)
    if len(ways) > 1 and tried < len(values):
        sizes = {way: len(_ENCODERS[way](values[:tried], sides[:tried])) for way in ways}
        ways = [min(ways, key=lambda way: sizes[way])]
    coded = [bytes([way]) + _ENCODERS[way](values, sides) for way in ways]
    return min(coded, key=len)


def _n_tried(values: list[bytes]) -> int:
    """Of how many values, from the first, the ways are compared: few where they are long."""
    long = np.flatnonzero(np.cumsum([len(value) for value in values[:_TRIED]]) > _TRIED_BYTES)
    return min(_TRIED, max(int(long[0]), _TRIED_LEAST)) if long.size else _TRIED


def decode_column(data: bytes, sides: np.ndarray, max_bytes: int, without: Sequence[int] = ()) -> list[bytes]:
    """The values again, one a row of `sides`. Raises ValueError for damage that shows.

    max_bytes: what all values together can be at most; memory is not taken for more.
    """
    n = len(sides)
    if not n:
        return []
    if not data:
        raise ValueError("a column without data")
    if data[0] == _CONSTANT:
        return [data[1:]] * n
    if data[0] >= len(_DECODERS) or data[0] in without:
        raise ValueError(f"a column coded in a way it cannot be, {data[0]}")
    return _DECODERS[data[0]](data[1:], sides, max_bytes)


def _ways(values: list[bytes]) -> list[int]:
    """The ways worth trying."""
    ways = [_TEXT]
    counts = Counter(values)
    if len(counts) <= min(_FEW, len(values) // 16):
        return [_DICTIONARY]
    if 2 * sum(count for count in counts.values() if count > 1) >= len(values):
        ways.append(_DICTIONARY)
    if any(value[-1:].isdigit() for value in values[:: 1 + len(values) // _TRIED]):
        ways += [_PLAIN_NUMBERS, _NUMBER_STEPS]
    commas = sum(value.count(b",") for value in values)
    if 4 * commas >= len(values) and commas + len(values) <= _MOST_LIST_ITEMS:
        ways.append(_LISTS)
    if _PREFIXED.fullmatch(values[len(values) // 2]):
        ways.append(_IDENTIFIERS)
    return ways


# Text


def encode_texts(values: list[bytes]) -> bytes:
    """Values without a newline as lines: the smaller of a modelled and a generally packed text."""
    text = b"".join(value + b"\n" for value in values)
    if text.count(b"\n") != len(values):
        raise ValueError("a value of a column holds a newline")
    packed = b"\0" + pack_bytes(text)
    if not 0 < len(text) <= _MODELLED_TEXT:
        return packed
    return min(packed, b"\1" + number_to_bytes(len(text)) + encode_text(text), key=len)


def decode_texts(data: bytes, n_values: int, max_bytes: int) -> list[bytes]:
    """The inverse. Raises ValueError unless there are exactly `n_values`."""
    largest = max_bytes + n_values
    if data[:1] == b"\0":
        text = unpack_bytes(data[1:], largest)
    elif data[:1] == b"\1":
        n_bytes, place = number_from_bytes(data, 1)
        if n_bytes > min(largest, _MODELLED_TEXT):
            raise ValueError(f"a text of {n_bytes} bytes where at most {largest} can be")
        text = decode_text(data[place:], n_bytes)
    else:
        raise ValueError("a text coded in an unknown way")
    values = text.split(b"\n")
    if values.pop() or len(values) != n_values:
        raise ValueError(f"a text that does not hold {n_values} values")
    return values


def _encode_text_column(values: list[bytes], sides: np.ndarray) -> bytes:
    return encode_texts(values)


def _decode_text_column(data: bytes, sides: np.ndarray, max_bytes: int) -> list[bytes]:
    return decode_texts(data, len(sides), max_bytes)


# Dictionary


def _encode_dictionary(values: list[bytes], sides: np.ndarray) -> bytes:
    """How many entries, the entries, the entry of each value, and the values that are no entry."""
    counts = Counter(values)
    entries = [value for value, count in counts.most_common(_MOST_ENTRIES) if count > 1]
    place = {entry: i for i, entry in enumerate(entries)}
    symbols = np.array([place.get(value, len(entries)) for value in values], dtype=np.int64)
    others = [value for value in values if value not in place]
    coded = encode_symbols(symbols, len(entries) + bool(others), sides)
    head = number_to_bytes(len(entries)) + bytes([bool(others)])
    return join_parts([head, encode_texts(entries), encode_texts(others) if others else b"", coded])


def _decode_dictionary(data: bytes, sides: np.ndarray, max_bytes: int) -> list[bytes]:
    head, coded_entries, coded_others, coded = split_parts(data, 4)
    n_entries, end = number_from_bytes(head, 0)
    has_others = head[end:] == b"\1"
    if n_entries > min(len(sides), _MOST_ENTRIES):
        raise ValueError(f"a dictionary of {n_entries} entries for {len(sides)} values")
    entries = decode_texts(coded_entries, n_entries, max_bytes)
    symbols = decode_symbols(coded, len(sides), n_entries + has_others, sides)
    n_others = int(np.count_nonzero(symbols == n_entries))
    others = iter(decode_texts(coded_others, n_others, max_bytes) if n_others else [])
    return [entries[symbol] if symbol < n_entries else next(others) for symbol in symbols.tolist()]


# Numbers


def _encode_numbers(values: list[bytes], sides: np.ndarray, as_steps: bool) -> bytes:
    """Scale, which values are numbers, the numbers, their decimals, and the other values."""
    numbers = parse_numbers(values)
    others = [value for value, is_number in zip(values, numbers.is_number.tolist()) if not is_number]
    escapes = encode_symbols(numbers.is_number, 2, no_sides(len(values))) if others else b""
    decimals = b""
    if numbers.scale:
        needed = needed_decimals(numbers.scaled, numbers.scale)[:, None]
        decimals = encode_symbols(numbers.decimals, numbers.scale + 1, needed)
    return join_parts(
        [
            bytes([numbers.scale]),
            escapes,
            encode_texts(others) if others else b"",
            decimals,
            encode_integers(numbers.scaled, as_steps, sides[numbers.is_number]),
        ]
    )


def _decode_numbers(data: bytes, sides: np.ndarray, max_bytes: int, as_steps: bool) -> list[bytes]:
    head, escapes, coded_others, coded_decimals, coded = split_parts(data, 5)
    if len(head) != 1 or head[0] > MOST_DECIMALS:
        raise ValueError("numbers of an impossible scale")
    scale = head[0]
    is_number = np.ones(len(sides), dtype=bool)
    if escapes or coded_others:
        is_number = decode_symbols(escapes, len(sides), 2, no_sides(len(sides))) == 1
    n_numbers = int(is_number.sum())
    others = iter(decode_texts(coded_others, len(sides) - n_numbers, max_bytes) if n_numbers < len(sides) else [])
    scaled = decode_integers(coded, n_numbers, as_steps, sides[is_number])
    decimals = np.zeros(n_numbers, dtype=np.int64)
    if scale:
        needed = needed_decimals(scaled, scale)[:, None]
        decimals = decode_symbols(coded_decimals, n_numbers, scale + 1, needed)
    spelled = iter(spell_numbers(scaled, decimals, scale))
    return [next(spelled) if number else next(others) for number in is_number.tolist()]


# Lists


def _encode_lists(values: list[bytes], sides: np.ndarray) -> bytes:
    """How many items each value has, then all items as one column whose side is their place in the list."""
    items = [value.split(b",") for value in values]
    n_items = np.array([len(item) for item in items], dtype=np.int64)
    flat = [item for value in items for item in value]
    return join_parts(
        [encode_integers(n_items, False, sides), encode_column(flat, _list_sides(n_items, sides), (_LISTS,))]
    )


def _decode_lists(data: bytes, sides: np.ndarray, max_bytes: int) -> list[bytes]:
    coded_counts, coded = split_parts(data, 2)
    n_items = decode_integers(coded_counts, len(sides), False, sides)
    if n_items.min() < 1 or n_items.max() > _MOST_LIST_ITEMS or n_items.sum() > _MOST_LIST_ITEMS:
        raise ValueError("lists of an impossible length")
    items = decode_column(coded, _list_sides(n_items, sides), max_bytes, (_LISTS,))
    check_size(items, max_bytes)
    ends = np.cumsum(n_items)
    return [b",".join(items[end - n : end]) for end, n in zip(ends.tolist(), n_items.tolist())]


def _list_sides(n_items: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Sides of the items: their place, and the first side of their list."""
    starts = np.cumsum(n_items) - n_items
    place = np.arange(n_items.sum(), dtype=np.int64) - np.repeat(starts, n_items)
    return np.column_stack([np.minimum(place, 8), *(np.repeat(side, n_items) for side in sides.T[:1])])


# Identifiers


def _encode_identifiers(values: list[bytes], sides: np.ndarray) -> bytes:
    """The prefix of all, which values are numbers behind it, their clusters, the numbers, and the other values."""
    pairs = [match.groups() if (match := _PREFIXED.fullmatch(value)) else (b"", b"") for value in values]
    prefix = Counter(pair[0] for pair in pairs if pair[0]).most_common(1)[0][0]
    is_number = np.array([pair[0] == prefix for pair in pairs], dtype=bool)
    numbers = np.array([int(digits) for begin, digits in pairs if begin == prefix], dtype=np.int64)
    others = [value for value, number in zip(values, is_number.tolist()) if not number]
    first, size = clusters_of(numbers)
    cluster = np.searchsorted(first, numbers, side="right") - 1
    bounds = [number_to_bytes(n) for n in (len(first), *first.tolist(), *size.tolist())]
    return join_parts(
        [
            prefix,
            encode_symbols(is_number, 2, no_sides(len(values))) if others else b"",
            encode_column(others, no_sides(len(others)), _WITH_COLUMNS),
            b"".join(bounds),
            encode_symbols(cluster, len(first), no_sides(len(numbers))),
            encode_steps(numbers, cluster, first, size),
        ]
    )


def _decode_identifiers(data: bytes, sides: np.ndarray, max_bytes: int) -> list[bytes]:
    prefix, escapes, coded_others, bounds, coded_clusters, steps = split_parts(data, 6)
    is_number = np.ones(len(sides), dtype=bool)
    if coded_others:
        is_number = decode_symbols(escapes, len(sides), 2, no_sides(len(sides))) == 1
    n_numbers = int(is_number.sum())
    others = iter(decode_column(coded_others, no_sides(len(sides) - n_numbers), max_bytes, _WITH_COLUMNS))
    n_clusters, place = number_from_bytes(bounds, 0)
    if not 1 <= n_clusters <= MOST_CLUSTERS:
        raise ValueError(f"{n_clusters} clusters of identifiers")
    numbers = []
    for _ in range(2 * n_clusters):
        number, place = number_from_bytes(bounds, place)
        numbers.append(number)
    first, size = np.array(numbers, dtype=np.int64).reshape(2, n_clusters)
    if size.min() < 1 or size.max() > LARGEST or first.max() > LARGEST:
        raise ValueError("clusters of identifiers of an impossible size")
    cluster = decode_symbols(coded_clusters, n_numbers, n_clusters, no_sides(n_numbers))
    texts = iter([prefix + b"%d" % number for number in decode_steps(steps, cluster, first, size).tolist()])
    return [next(texts) if number else next(others) for number in is_number.tolist()]


_ENCODERS: dict[int, Callable[[list[bytes], np.ndarray], bytes]] = {
    _DICTIONARY: _encode_dictionary,
    _PLAIN_NUMBERS: lambda values, sides: _encode_numbers(values, sides, as_steps=False),
    _NUMBER_STEPS: lambda values, sides: _encode_numbers(values, sides, as_steps=True),
    _LISTS: _encode_lists,
    _TEXT: _encode_text_column,
    _IDENTIFIERS: _encode_identifiers,
}
_DECODERS: list[Callable[[bytes, np.ndarray, int], list[bytes]]] = [
    lambda data, sides, max_bytes: [data] * len(sides),
    _decode_dictionary,
    lambda data, sides, max_bytes: _decode_numbers(data, sides, max_bytes, as_steps=False),
    lambda data, sides, max_bytes: _decode_numbers(data, sides, max_bytes, as_steps=True),
    _decode_lists,
    _decode_text_column,
    _decode_identifiers,
]
