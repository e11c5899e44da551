"""A column that is mostly as predicted: which values are not, and those as a column of their own."""

import numpy as np

from haploom.archive.text.columns import decode_column, encode_column, no_sides
from haploom.entropy_coding.byte_packing import join_parts, split_parts
from haploom.entropy_coding.symbols import decode_symbols, encode_symbols


def encode_corrections(values: list[bytes], predicted: list[bytes], sides: np.ndarray) -> bytes:
    """sides: as for a column; both lists and it have a row per value. Nothing at all when every value is predicted."""
    is_wrong = np.array([value != other for value, other in zip(values, predicted)], dtype=bool)
    if not is_wrong.any():
        return b""
    others = [value for value, wrong in zip(values, is_wrong.tolist()) if wrong]
    return join_parts([encode_symbols(is_wrong, 2, no_sides(len(values))), encode_column(others, sides[is_wrong])])


def decode_corrections(data: bytes, predicted: list[bytes], sides: np.ndarray, max_bytes: int) -> list[bytes]:
    """The values again. Raises ValueError for damage that shows."""
    if not data:
        return predicted
    coded_places, coded = split_parts(data, 2)
    is_wrong = decode_symbols(coded_places, len(predicted), 2, no_sides(len(predicted))) == 1
    others = iter(decode_column(coded, sides[is_wrong], max_bytes))
    return [next(others) if wrong else value for value, wrong in zip(predicted, is_wrong.tolist())]
