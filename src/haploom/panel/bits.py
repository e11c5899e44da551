"""Rows of alleles, one bit each.

A row of n sites takes ceil(n / 8) bytes; the first site is the highest bit of the first byte, and the
bits past the last site are zero (numpy.packbits' order).
"""

from collections.abc import Iterator

import numpy as np

# Unpacked bytes held at a time by anything that walks over all rows.
BLOCK_BYTES = 1 << 24


def row_bytes(n_sites: int) -> int:
    """Bytes of one packed row."""
    return -(-n_sites // 8)


def pack_rows(alleles: np.ndarray) -> np.ndarray:
    """uint8 or bool (n_rows, n_sites) of 0 and 1 -> uint8 (n_rows, row_bytes(n_sites))."""
    return np.packbits(alleles, axis=1)


def unpack_rows(bits: np.ndarray, n_sites: int) -> np.ndarray:
    """uint8 (n_rows, row_bytes(n_sites)) -> uint8 (n_rows, n_sites) of 0 and 1."""
    return np.unpackbits(bits, axis=1, count=n_sites)


def row_blocks(n_rows: int, n_sites: int) -> Iterator[slice]:
    """Slices of rows that take at most BLOCK_BYTES unpacked (but at least one row)."""
    step = max(1, BLOCK_BYTES // max(n_sites, 1))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def select_columns(bits: np.ndarray, n_sites: int, sites: np.ndarray | slice) -> np.ndarray:
    """Packed rows that hold only `sites` (an index, mask or slice), in its order.

    Of a slice of neighbours, only the bytes that hold them are unpacked: windows one after another cost one pass.
    """
    if isinstance(sites, slice):
        start, stop, step = sites.indices(n_sites)
        if step == 1 and start < stop:
            skipped = start // 8
            bits, n_sites = bits[:, skipped : row_bytes(stop)], stop - 8 * skipped
            sites = slice(start - 8 * skipped, n_sites)
    n_selected = len(np.arange(n_sites)[sites])
    out = np.empty((len(bits), row_bytes(n_selected)), dtype=np.uint8)
    for rows in row_blocks(len(bits), n_sites):
        out[rows] = pack_rows(unpack_rows(bits[rows], n_sites)[:, sites])
    return out


def column_sums(bits: np.ndarray, n_sites: int) -> np.ndarray:
    """Ones in each column: int64 (n_sites,)."""
    total = np.zeros(n_sites, dtype=np.int64)
    for rows in row_blocks(len(bits), n_sites):
        total += unpack_rows(bits[rows], n_sites).sum(axis=0, dtype=np.int64)
    return total
