"""Grids of small symbols whose rows resemble each other: each symbol under the one above it and those to its left.

The stream, one of the range coder: for each row a bit, whether it is the row above again (zeros above the first);
if not, for each symbol a bit, whether it is the one above, and if not, its 8 bits from the highest.
"""

import numpy as np

from haploom.entropy_coding.contexts import Mixer, code_in_contexts, hashed, new_mixer
from haploom.entropy_coding.range_coder import finish, is_decoding, is_full, new_decoder, new_encoder
from haploom.kernels import int64, kernel

_N_INPUTS = 4
_N_SETS = 10  # one for each of the 8 bits of a symbol, and two more
_ROW_SET, _SAME_SET = 8, 9
_ROW_NODE, _SAME_NODE = 600, 601


@kernel
def _code_grid(coder: np.ndarray, data: np.ndarray, mixer: Mixer, grid: np.ndarray, sides: np.ndarray) -> None:
    """Code `grid`, uint8 (n_rows, n_columns), in place. sides: uint8 (n_rows, n_columns), known in both directions."""
    n_rows, n_columns = grid.shape
    hashes = mixer.hashes
    decoding = is_decoding(coder)
    changed = np.zeros(n_columns, dtype=np.int64)  # of each column, whether the last three symbols differed from above
    above = np.zeros(n_columns, dtype=np.uint8)
    row_before = int64(0)
    last_new = int64(0)
    for row in range(n_rows):
        same_row = int64(0)
        if not decoding:
            same_row = int64(1)
            for column in range(n_columns):  # rows compared or assigned whole take numba seconds to compile
                same_row &= int64(grid[row, column] == above[column])
        for i in range(_N_INPUTS):
            hashes[i] = hashed(row_before, i)
        same_row = code_in_contexts(coder, data, mixer, _ROW_SET, _ROW_NODE, same_row)
        row_before = (2 * row_before + same_row) & 7
        if same_row:
            for column in range(n_columns):
                grid[row, column] = above[column]
            continue
        left, left_two, left_same, n_changes = int64(0), int64(0), int64(1), int64(0)
        for column in range(n_columns):
            up = int64(above[column])
            here = (up << 16) + (int64(sides[row, column]) << 8)
            symbol = int64(grid[row, column])
            hashes[0] = hashed(hashed(here, left), left_same)
            hashes[1] = hashed(hashed(1, column), (up << 8) + changed[column])
            hashes[2] = hashed(hashed(2, here), min(n_changes, 15) + (changed[column] << 8))
            hashes[3] = hashed(hashed(3, here), (left << 8) + left_two)
            same = code_in_contexts(coder, data, mixer, _SAME_SET, _SAME_NODE, int64(symbol == up))
            if same:
                symbol = up
            else:
                hashes[1] = hashed(4, column)
                hashes[2] = hashed(hashed(5, last_new), here)
                node = int64(1)
                for depth in range(7, -1, -1):
                    bit = code_in_contexts(coder, data, mixer, 7 - depth, node, symbol >> depth & 1)
                    node = 2 * node + bit
                symbol = node - 256
                last_new = symbol
                n_changes += 1
            grid[row, column] = symbol
            above[column] = symbol
            changed[column] = (2 * changed[column] + (1 - same)) & 7
            left_two, left, left_same = left, symbol, same


def encode_grid(grid: np.ndarray, sides: np.ndarray) -> bytes:
    """grid: uint8 (n_rows, n_columns). sides: uint8 of that shape, what else is known of each place."""
    room = np.zeros(2 * grid.size + 64, dtype=np.uint8)
    while True:
        coder = new_encoder()
        _code_grid(coder, room, new_mixer(_N_INPUTS, _N_SETS, 4 * grid.size), grid.copy(), sides)
        if not is_full(coder):
            return finish(coder, room)
        room = np.zeros(4 * room.size, dtype=np.uint8)


def decode_grid(data: bytes, sides: np.ndarray) -> np.ndarray:
    """The inverse: uint8 of the shape of `sides`. Damaged data gives other symbols."""
    grid = np.zeros(sides.shape, dtype=np.uint8)
    stored = np.frombuffer(data, dtype=np.uint8)
    _code_grid(new_decoder(stored), stored.copy(), new_mixer(_N_INPUTS, _N_SETS, 4 * grid.size), grid, sides)
    return grid
