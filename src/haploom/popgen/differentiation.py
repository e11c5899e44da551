"""How far populations have drifted apart: Hudson's Fst.

Takes bit-packed panels, returns arrays; genotypes are unpacked a block of haplotypes at a time.
"""

from dataclasses import dataclass

import numpy as np

from haploom.panel import Panel
from haploom.panel import bits as packing
from haploom.popgen.populations import population_rows


@dataclass(frozen=True, eq=False)
class PopulationCounts:
    """Alternate alleles by population.

    labels: the populations, in order of first appearance in the panel. n_haplotypes: int64 (n_populations,).
    alternate: int64 (n_populations, n_sites).
    """

    labels: tuple[str, ...]
    n_haplotypes: np.ndarray
    alternate: np.ndarray


def population_counts(panel: Panel, level: str = "population") -> PopulationCounts:
    """Count the alternate alleles of each population of a label level. Raises HaploomError for an unknown level."""
    rows = population_rows(panel, level)
    alternate = np.zeros((len(rows), panel.n_sites), dtype=np.int64)
    for place, members in enumerate(rows.values()):
        alternate[place] = packing.column_sums(panel.bits[members], panel.n_sites)
    n_haplotypes = np.array([len(members) for members in rows.values()], dtype=np.int64)
    return PopulationCounts(tuple(rows), n_haplotypes, alternate)


def hudson_fst(counts_a: np.ndarray, n_a: int, counts_b: np.ndarray, n_b: int) -> float:
    """Hudson's Fst of two populations over all sites: a ratio of averages, not an average of ratios.

    counts_a, counts_b: alternate alleles at each site, (n_sites,); n_a, n_b: haplotypes counted.
    Returns a number up to 1 (no variation within); slightly below 0 where the populations are alike, because
    the estimator is unbiased. NaN when no site varies or a population has fewer than 2 haplotypes.

    Source: Bhatia et al. 2013, Genome Research 23:1514, Eq. 10.
    """
    if min(n_a, n_b) < 2:
        return float("nan")
    p_a, p_b = counts_a / n_a, counts_b / n_b
    sampling = p_a * (1 - p_a) / (n_a - 1) + p_b * (1 - p_b) / (n_b - 1)
    between = (p_a * (1 - p_b) + p_b * (1 - p_a)).sum()
    return float((((p_a - p_b) ** 2 - sampling).sum()) / between) if between > 0 else float("nan")


def fst_matrix(counts: PopulationCounts) -> np.ndarray:
    """Hudson's Fst of every pair: float64 (n_populations, n_populations), symmetric, 0 on the diagonal."""
    n_populations = len(counts.labels)
    fst = np.zeros((n_populations, n_populations))
    for a in range(n_populations):
        for b in range(a):
            fst[a, b] = fst[b, a] = hudson_fst(
                counts.alternate[a], int(counts.n_haplotypes[a]), counts.alternate[b], int(counts.n_haplotypes[b])
            )
    return fst
