"""Site-frequency spectra: how many sites have how many copies of an allele.

Takes allele counts of one population (`Panel.allele_counts`, `differentiation.population_counts`), returns arrays.
"""

import numpy as np


def allele_spectrum(counts: np.ndarray, n_haplotypes: int) -> np.ndarray:
    """Unfolded spectrum: int64 (n_haplotypes + 1,), sites with 0, 1, ..., n alternate alleles.

    counts: alternate alleles by site. It is the spectrum of derived alleles only where the alternate allele is the
    derived one, as in simulated panels. Raises ValueError for counts outside 0..n_haplotypes.
    """
    _check(counts, n_haplotypes)
    return np.bincount(counts, minlength=n_haplotypes + 1)


def folded_spectrum(counts: np.ndarray, n_haplotypes: int) -> np.ndarray:
    """Spectrum of minor alleles: int64 (n_haplotypes // 2 + 1,), sites with 0, 1, ... copies of the rarer allele.

    Raises ValueError for counts outside 0..n_haplotypes.
    """
    _check(counts, n_haplotypes)
    return np.bincount(np.minimum(counts, n_haplotypes - counts), minlength=n_haplotypes // 2 + 1)


def folded_by_percent(counts: np.ndarray, n_haplotypes: int) -> np.ndarray:
    """Sites by minor-allele frequency in percent: int64 (50,), above 0 up to 1 %, above 1 up to 2 %, ... up to 50 %.

    Fixed sites are in none of them. Comparable between populations of different size, but for the first bins of small
    ones. Raises ValueError for counts outside 0..n_haplotypes. Source: Geleta et al. 2026, Supplemental Fig. S9.
    """
    _check(counts, n_haplotypes)
    minor = np.minimum(counts, n_haplotypes - counts)
    percent = -(-100 * minor // n_haplotypes)  # rounded up, in integers: 3 of 300 is exactly 1 %
    return np.bincount(percent, minlength=51)[1:]


def _check(counts: np.ndarray, n_haplotypes: int) -> None:
    if n_haplotypes < 1 or np.min(counts, initial=0) < 0 or np.max(counts, initial=0) > n_haplotypes:
        raise ValueError(f"allele counts must be from 0 to {n_haplotypes} haplotypes, and there must be one")
