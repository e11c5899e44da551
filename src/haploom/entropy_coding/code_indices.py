"""Code indices of rows, stored the shorter of two ways.

Adaptively, window after window: each under the code in the window before and what stood beside it. Within a window
rows come in the order of their codes in the windows before, the nearest window first (the positional order of Durbin
2014, of codes instead of alleles), so that the row before is the one most alike so far. Or packed, row after row, which
is shorter for few rows that are copies of each other.
"""

import numpy as np

from haploom.entropy_coding.byte_packing import join_parts, pack_bytes, split_parts, unpack_bytes
from haploom.entropy_coding.symbols import decode_symbols, encode_symbols

_ADAPTIVE, _PACKED = range(2)


def encode_codes(codes: np.ndarray, n_codes: int) -> bytes:
    """Integers (n_rows, n_columns), each from 0 to n_codes - 1: a column for each head of each window, in order."""
    forms = {_ADAPTIVE: _adaptive(codes, n_codes), _PACKED: pack_bytes(codes.astype(index_type(n_codes)).tobytes())}
    how = min(forms, key=lambda form: len(forms[form]))
    return bytes([how]) + forms[how]


def decode_codes(data: bytes, n_rows: int, n_columns: int, n_codes: int) -> np.ndarray:
    """The inverse: int64 (n_rows, n_columns). Raises ValueError for damage that shows."""
    if data[:1] == bytes([_ADAPTIVE]):
        return _from_adaptive(data[1:], n_rows, n_columns, n_codes)
    if data[:1] != bytes([_PACKED]):
        raise ValueError("codes that are stored in an unknown way")
    dtype = index_type(n_codes)
    codes = np.frombuffer(unpack_bytes(data[1:], n_rows * n_columns * dtype.itemsize), dtype).astype(np.int64)
    if codes.size != n_rows * n_columns or codes.max(initial=0) >= n_codes:
        raise ValueError(f"{codes.size} codes, wanted {n_rows * n_columns} below {n_codes}")
    return codes.reshape(n_rows, n_columns)


def index_type(n_codes: int) -> np.dtype:
    """How codes are held in bytes: little-endian."""
    return np.dtype("u1" if n_codes <= 256 else "<u2")


def _adaptive(codes: np.ndarray, n_codes: int) -> bytes:
    order, before = np.arange(len(codes)), np.zeros((len(codes), 1), dtype=np.int64)
    parts = []
    for column in codes.astype(np.int64).T:
        parts.append(encode_symbols(column[order], n_codes, before[order]))
        before = column[:, None]
        order = order[np.argsort(column[order], kind="stable")]
    return join_parts(parts)


def _from_adaptive(data: bytes, n_rows: int, n_columns: int, n_codes: int) -> np.ndarray:
    order, before = np.arange(n_rows), np.zeros((n_rows, 1), dtype=np.int64)
    codes = np.empty((n_rows, n_columns), dtype=np.int64)
    for place, part in enumerate(split_parts(data, n_columns)):
        codes[order, place] = decode_symbols(part, n_rows, n_codes, before[order])
        before = codes[:, place : place + 1]
        order = order[np.argsort(codes[order, place], kind="stable")]
    return codes
