"""Run lengths of rows of bits, 16 bits each: how the paper stores residuals.

A row is its runs, one after another, beginning with a run of zeros (which may be empty). A run longer than
65,535 is written as 65,535, an empty run of the other value, and the rest.
"""

import numpy as np

from haploom.kernels import kernel

LONGEST = 65535


@kernel
def _encode(rows: np.ndarray, out: np.ndarray) -> int:
    n_rows, n_columns = rows.shape
    used = 0
    for row in range(n_rows):
        value = 0
        length = 0
        for column in range(n_columns):
            if rows[row, column] == value:
                length += 1
                if length > LONGEST:
                    out[used] = LONGEST
                    out[used + 1] = 0
                    used += 2
                    length = 1
            else:
                out[used] = length
                used += 1
                value = 1 - value
                length = 1
        if n_columns:
            out[used] = length
            used += 1
    return used


@kernel
def _decode(runs: np.ndarray, out: np.ndarray) -> bool:
    """Fill `out` row by row; False when the runs do not fill it exactly."""
    n_rows, n_columns = out.shape
    used = 0
    for row in range(n_rows):
        column = 0
        value = 0
        while column < n_columns:
            if used == len(runs):
                return False
            end = column + runs[used]
            if end > n_columns:
                return False
            out[row, column:end] = value
            column = end
            value = 1 - value
            used += 1
    return used == len(runs)


def encode_runs(rows: np.ndarray) -> np.ndarray:
    """uint8 (n_rows, n_columns) of 0 and 1 -> uint16 (n_runs,)."""
    # Every change of value ends a run; a row has one more run than changes, and one where it begins with 1.
    changes = np.count_nonzero(rows[:, 1:] != rows[:, :-1]) if rows.shape[1] else 0
    splits = rows.size // LONGEST
    out = np.empty(changes + 2 * len(rows) + 2 * splits + 2, dtype=np.uint16)
    return out[: _encode(rows, out)]


def decode_runs(runs: np.ndarray, n_rows: int, n_columns: int) -> np.ndarray:
    """The rows again: uint8 (n_rows, n_columns). Raises ValueError when the runs do not fill them exactly."""
    out = np.empty((n_rows, n_columns), dtype=np.uint8)
    if not _decode(runs.astype(np.int64), out):
        raise ValueError(f"the runs do not fill {n_rows} rows of {n_columns} bits")
    return out


def paper_size_bits(runs: np.ndarray, n_rows: int, n_latent: int) -> int:
    """Size as the paper counts it: 16 bits a run, 16 for each row's first value, 32 for each latent.

    Empty runs do not count: the paper writes the first value instead. Source: Geleta et al. 2026, Table 1.
    """
    return 16 * int(np.count_nonzero(runs)) + 16 * n_rows + 32 * n_rows * n_latent
