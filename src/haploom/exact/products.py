"""Products of real matrices in fixed point: the same bits whoever shares the block, on any BLAS and thread count.

Real numbers are rounded to integers; their products and sums stay below 2^53, where float64 is exact in any order.
"""

import numpy as np

from haploom.exact.network import EXACT_LIMIT

_SETTLED_BITS = 30


def fixed_point(x: np.ndarray, bits: int) -> np.ndarray:
    """The nearest multiples of 1 / 2^bits, as integers in float64: x * 2^bits, rounded."""
    return np.rint(x * 2.0**bits)


def settled(x: np.ndarray) -> np.ndarray:
    """x to the nearest 2^-30: exp and log of two machines may differ in the last bit of 53, and hardly ever here."""
    return np.asarray(fixed_point(x, _SETTLED_BITS) * 2.0**-_SETTLED_BITS)


def fixed_point_product(x: np.ndarray, w: np.ndarray, x_bits: int, w_bits: int) -> np.ndarray:
    """x @ w of both rounded to fixed point: float64 (n, n_out), exact sums of the rounded products.

    x: float64 (n, n_in); w: float64 (n_in, n_out). Raises ValueError when a sum could leave float64's exact range.
    """
    x, w = fixed_point(x, x_bits), fixed_point(w, w_bits)
    bound = np.abs(x).max(initial=0.0) * np.abs(w).sum(axis=0).max(initial=0.0)
    if not bound < EXACT_LIMIT:
        raise ValueError(f"sums up to {bound:.3g} are not exact in float64: use fewer bits")
    return (x @ w) * 2.0 ** -(x_bits + w_bits)
