"""Common sites, the fast way: run lengths in PBWT order.

Each common site, read in the PBWT order of the common sites before it, is a few long runs of equal alleles. A run
length L is coded as the bit length of L in unary and the bits below its top one, the upper two of them with
adaptive cells, the others at even odds. Runs alternate; the first allele is a bit; a run that reaches the last
haplotype ends the site. Cells are chosen by the class of the site and the allele of the run.
"""

import numpy as np

from haploom.entropy_coding.mixing import cell_probability, updated_cell
from haploom.entropy_coding.pbwt import advance
from haploom.entropy_coding.range_coder import code_bit, is_decoding
from haploom.kernels import int64, kernel

_LIMIT = 400
_BINS = 32  # bit lengths a run can have


@kernel
def code_with_cell(coder: np.ndarray, data: np.ndarray, cells: np.ndarray, index: int, bit: int) -> int:
    """Code a bit under one cell and let it learn; returns the bit."""
    bit = code_bit(coder, data, cell_probability(cells[index]), bit)
    cells[index] = updated_cell(cells[index], bit, _LIMIT)
    return bit


@kernel
def code_length(coder: np.ndarray, data: np.ndarray, cells: np.ndarray, length: int, most: int) -> int:
    """Code a run length from 1 to `most`; returns it. cells: int64 (_BINS * 5,)."""
    n_bits = int64(1)
    while n_bits < _BINS and most >> n_bits:
        longer = code_with_cell(coder, data, cells, n_bits, length >> n_bits != 0)
        if not longer:
            break
        n_bits += 1
    decoded = int64(1)
    for place in range(n_bits - 2, -1, -1):
        bit = length >> place & 1
        depth = n_bits - 2 - place
        if depth == 0:
            bit = code_with_cell(coder, data, cells, _BINS + n_bits, bit)
        elif depth == 1:
            bit = code_with_cell(coder, data, cells, (2 + (decoded & 1)) * _BINS + n_bits, bit)
        else:
            bit = code_bit(coder, data, 32768, bit)
        decoded = decoded << 1 | bit
    return min(decoded, most)


@kernel
def code_common_sites(
    coder: np.ndarray, data: np.ndarray, columns: np.ndarray, sites: np.ndarray, classes: np.ndarray
) -> None:
    """Code the columns of the common sites, uint8 (n_common, n_haplotypes) of 0 and 1 (1 = minor), in and out.

    sites: int64 (n_common,), their places among all sites. classes: uint8 (n_common,).
    """
    n_common, n = columns.shape
    decoding = is_decoding(coder)
    order = np.arange(n).astype(np.int32)
    start = np.zeros(n, dtype=np.int32)
    scratch = np.empty((2, n), dtype=np.int32)
    cells = np.full((64, 2, 2, 5 * _BINS), int64(32768) << 32, dtype=np.int64)
    for k in range(n_common):
        column = columns[k]
        of_site = cells[classes[k]]
        allele = int64(column[order[0]])
        allele = code_with_cell(coder, data, of_site[0, 0], 0, allele)
        i = 0
        previous_short = 0
        while i < n:
            length = 1
            while not decoding and i + length < n and column[order[i + length]] == allele:
                length += 1
            length = code_length(coder, data, of_site[allele, previous_short], length, n - i)
            for j in range(i, i + length):
                column[order[j]] = allele
            i += length
            previous_short = 1 if length < 8 else 0
            allele = 1 - allele
        advance(order, start, column, sites[k], scratch)
