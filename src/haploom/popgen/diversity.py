"""Heterozygosity: how often two alleles of a population, or of one person, differ."""

import numpy as np

from haploom.panel import Panel
from haploom.panel import bits as packing


def expected_heterozygosity(counts: np.ndarray, n_haplotypes: int) -> np.ndarray:
    """Chance that two different haplotypes of a population differ at each site: float64 (n_sites,), 0 to 1.

    counts: alternate alleles by site, of n_haplotypes. Unbiased; NaN with fewer than 2 haplotypes. The sum over sites
    is the mean number of pairwise differences (pi). Source: Nei 1978, Genetics 89:583.
    """
    if n_haplotypes < 2:
        return np.full(np.shape(counts), np.nan)
    return 2 * counts * (n_haplotypes - counts) / (n_haplotypes * (n_haplotypes - 1))


def observed_heterozygosity(panel: Panel, rows: np.ndarray) -> np.ndarray:
    """Share of people whose two haplotypes differ at each site: float64 (n_sites,), 0 to 1.

    rows: haplotypes, both of every person. Raises ValueError when one of a person is left out or there are none.
    """
    first, second = rows[::2], rows[1::2]
    if len(rows) == 0 or len(first) != len(second) or (first % 2).any() or (second != first + 1).any():
        raise ValueError("observed heterozygosity needs both haplotypes of every person, and one person or more")
    return packing.column_sums(panel.bits[first] ^ panel.bits[second], panel.n_sites) / len(first)
