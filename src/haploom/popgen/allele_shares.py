"""Rows of genotypes as shares of the alternate allele, in [0, 1], a block of rows at a time.

A haplotype's share is its allele, a person's is half the dosage; missing ones are NaN.
"""

from collections.abc import Iterator

import numpy as np

from haploom.panel import DosagePanel, Panel
from haploom.panel.dosages import MISSING

BLOCK_BYTES = 1 << 26  # float64 shares held at a time
_LEAST_ROWS = 64  # but never fewer rows than this: a matrix product of a few rows is slow

Genotypes = Panel | DosagePanel | np.ndarray


def rows_and_sites(X: Genotypes) -> tuple[int, int]:
    """How many of each. Raises ValueError for an array that has not two dimensions."""
    if isinstance(X, Panel):
        return X.n_haplotypes, X.n_sites
    if isinstance(X, DosagePanel):
        return X.n_samples, X.n_sites
    if np.ndim(X) != 2:
        raise ValueError(f"alleles must be (haplotypes, sites), got shape {np.shape(X)}")
    return X.shape


def share_blocks(X: Genotypes) -> Iterator[tuple[slice, np.ndarray]]:
    """All rows as (rows, shares): float64 (len(rows), n_sites), the caller's to change.

    Raises ValueError when an array holds anything but numbers from 0 to 1 and missing calls, NaN or -1.
    """
    n_rows, n_sites = rows_and_sites(X)
    step = max(_LEAST_ROWS, BLOCK_BYTES // (8 * max(n_sites, 1)))
    for start in range(0, n_rows, step):
        rows = slice(start, min(start + step, n_rows))
        yield rows, _shares(X, rows)


def check_alleles(X: np.ndarray) -> None:
    """Raise ValueError where `share_blocks` would."""
    for _ in share_blocks(X):
        pass


def _shares(X: Genotypes, rows: slice) -> np.ndarray:
    if isinstance(X, Panel):
        return X.alleles(rows).astype(np.float64)
    if isinstance(X, DosagePanel):
        dosages = X.dosages[rows]
        return np.where(dosages == MISSING, np.nan, dosages / 2)
    shares = X[rows].astype(np.float64)
    shares[shares == MISSING] = np.nan
    outside = (shares < 0) | (shares > 1)
    if outside.any():
        raise ValueError(
            "wanted alleles, each 0 or 1 or a probability between, and NaN or -1 where a call is missing; got "
            f"{shares[outside][0]:g} (give dosages as a DosagePanel)"
        )
    return shares
