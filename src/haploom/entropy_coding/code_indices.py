"""Code indices of rows, window after window, each under the row's code in the window before and what stood beside it.

Within a window rows come in the order of their codes in the windows before, the nearest window first (the positional
order of Durbin 2014, of codes instead of alleles), so that the row before is the one most alike so far.
"""

import numpy as np

from haploom.entropy_coding.byte_packing import join_parts, split_parts
from haploom.entropy_coding.symbols import decode_symbols, encode_symbols


def encode_codes(codes: np.ndarray, n_codes: int) -> bytes:
    """Integers (n_rows, n_columns), each from 0 to n_codes - 1: a column for each head of each window, in order."""
    order, before = np.arange(len(codes)), np.zeros((len(codes), 1), dtype=np.int64)
    parts = []
    for column in codes.astype(np.int64).T:
        parts.append(encode_symbols(column[order], n_codes, before[order]))
        before = column[:, None]
        order = order[np.argsort(column[order], kind="stable")]
    return join_parts(parts)


def decode_codes(data: bytes, n_rows: int, n_columns: int, n_codes: int) -> np.ndarray:
    """The inverse: int64 (n_rows, n_columns). Raises ValueError for damage that shows."""
    order, before = np.arange(n_rows), np.zeros((n_rows, 1), dtype=np.int64)
    codes = np.empty((n_rows, n_columns), dtype=np.int64)
    for place, part in enumerate(split_parts(data, n_columns)):
        codes[order, place] = decode_symbols(part, n_rows, n_codes, before[order])
        before = codes[:, place : place + 1]
        order = order[np.argsort(codes[order, place], kind="stable")]
    return codes
