"""At how many sites haplotypes differ, a word of 64 sites at a time."""

import numpy as np

from haploom.kernels import int64, kernel
from haploom.popgen.site_bits import popcount


def as_words(bits: np.ndarray) -> np.ndarray:
    """Packed rows, uint8 (n, n_bytes), as uint64 (n, ceil(n_bytes / 8)): padded with zeros."""
    padded = np.zeros((len(bits), 8 * -(-bits.shape[1] // 8)), dtype=np.uint8)
    padded[:, : bits.shape[1]] = bits
    return padded.view(np.uint64)


def differences_of_all(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Of each row of words from each: int64 (n_one, n_other)."""
    out = np.empty((len(one), len(other)), dtype=np.int64)
    _differences_of_all(one, other, out)
    return out


@kernel
def differences(one: np.ndarray, i: int, other: np.ndarray, j: int) -> int:
    total = int64(0)
    for k in range(one.shape[1]):
        total += int64(popcount(one[i, k] ^ other[j, k]))
    return total


@kernel
def _differences_of_all(one: np.ndarray, other: np.ndarray, out: np.ndarray) -> None:
    for i in range(one.shape[0]):
        for j in range(other.shape[0]):
            out[i, j] = differences(one, i, other, j)
