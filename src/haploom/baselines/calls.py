"""Alleles of which some are known: what the baselines that impute take."""

import numpy as np

from haploom.errors import SiteMismatchError

UNKNOWN = 2


def check_calls(alleles: np.ndarray, known: np.ndarray | None, n_sites: int) -> np.ndarray:
    """The alleles with UNKNOWN where they are not known: uint8 (n, n_sites).

    alleles: uint8 (n, n_sites), 0 and 1 where known, anything elsewhere. known: bool (n, n_sites), or (n_sites,) for
    the same sites in all, or None for all. Raises SiteMismatchError for another number of sites, ValueError for
    other alleles, types or shapes.
    """
    if alleles.ndim != 2 or alleles.dtype != np.uint8:
        raise ValueError(f"alleles are {alleles.dtype} {alleles.shape}, wanted uint8 (haplotypes, {n_sites})")
    if alleles.shape[1] != n_sites:
        raise SiteMismatchError(
            f"the haplotypes have {alleles.shape[1]:,} sites, the reference {n_sites:,}: select the same sites first"
        )
    if known is None:
        known = np.ones(n_sites, dtype=bool)
    if known.dtype != np.bool_ or known.shape not in ((n_sites,), alleles.shape):
        raise ValueError(f"known is {known.dtype} {known.shape}, wanted bool ({n_sites},) or {alleles.shape}")
    codes = np.where(known, alleles, np.uint8(UNKNOWN))
    if ((codes > 1) & known).any():
        raise ValueError("known alleles must be 0 or 1")
    return codes
