"""What of a block's text is neither column nor cell, as bytes: how records end, and the odd lines between them.

Three joined parts, each packed: the line ends as runs (pairs of numbers: kind, records); the odd lines as pairs of
numbers (records since the odd lines before, bytes); their text.
"""

from itertools import pairwise

import numpy as np

from haploom.archive.text.cutting import Layout
from haploom.archive.text.cutting_kernels import NO_END
from haploom.archive.text.lines import LineTable
from haploom.entropy_coding.byte_packing import (
    join_parts,
    number_from_bytes,
    number_to_bytes,
    pack_bytes,
    split_parts,
    unpack_bytes,
)

_MAX_PAIR_BYTES = 18


def encode_layout(layout: Layout) -> bytes:
    """The bytes of a block's layout."""
    ends = layout.line_ends
    bounds = [0, *(np.flatnonzero(np.diff(ends)) + 1).tolist(), len(ends)] if len(ends) else []
    runs = [(int(ends[first]), after - first) for first, after in pairwise(bounds)]
    steps = np.diff(layout.odd_places, prepend=0).tolist()
    odd = list(zip(steps, layout.odd.lengths.tolist()))
    return join_parts([pack_bytes(_pairs_to_bytes(runs)), pack_bytes(_pairs_to_bytes(odd)), _packed(layout.odd)])


def decode_layout(data: bytes, n_records: int, max_text_bytes: int) -> Layout:
    """The inverse. Raises ValueError unless the bytes hold a layout of `n_records` records.

    max_text_bytes: the length of the block's text, which bounds its odd lines.
    """
    packed_runs, packed_odd, packed_text = split_parts(data, 3)
    runs = _pairs_from_bytes(unpack_bytes(packed_runs, _MAX_PAIR_BYTES * n_records))
    kinds = np.array([kind for kind, _ in runs], dtype=np.int64)
    n_each = np.array([n for _, n in runs], dtype=np.int64)
    if sum(n for _, n in runs) != n_records or (kinds > NO_END).any():
        raise ValueError(f"the line ends are not those of {n_records} records")
    odd = _pairs_from_bytes(unpack_bytes(packed_odd, _MAX_PAIR_BYTES * (n_records + 1)))
    text = unpack_bytes(packed_text, max_text_bytes)
    if sum(step for step, _ in odd) > n_records or sum(length for _, length in odd) != len(text):
        raise ValueError("the odd lines do not fit the block")
    places = np.cumsum([step for step, _ in odd], dtype=np.int64)
    lengths = np.array([length for _, length in odd], dtype=np.int64)
    return Layout(np.repeat(kinds, n_each).astype(np.uint8), LineTable.from_lengths(text, lengths), places)


def _packed(lines: LineTable) -> bytes:
    return pack_bytes(lines.text.tobytes())


def _pairs_to_bytes(pairs: list[tuple[int, int]]) -> bytes:
    return b"".join(number_to_bytes(number) for pair in pairs for number in pair)


def _pairs_from_bytes(data: bytes) -> list[tuple[int, int]]:
    numbers = []
    place = 0
    while place < len(data):
        number, place = number_from_bytes(data, place)
        numbers.append(number)
    if len(numbers) % 2:
        raise ValueError("a pair of numbers lacks its second")
    return list(zip(numbers[::2], numbers[1::2]))
