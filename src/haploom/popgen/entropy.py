"""Entropy of binary SNPs, in bits.

Takes panels, returns arrays. No files, no torch, no drawing. Equations: Geleta et al. 2026, 15.
"""

import numpy as np

from haploom.panel import Panel
from haploom.panel import bits as packing

# The paper's bootstrap: haplotypes a draw (half of its smallest population), and draws.
BOOTSTRAP_HAPLOTYPES = 32
BOOTSTRAP_DRAWS = 50


def binary_entropy(p: np.ndarray) -> np.ndarray:
    """-p log2 p - (1 - p) log2(1 - p), elementwise: float64, bits, from 0 (p = 0 or 1) to 1 (p = 1/2).

    p: probabilities, any shape; NaN stays NaN. Source: Geleta et al. 2026, Eq. 15.
    """
    p = np.asarray(p, dtype=np.float64)
    q = np.stack([p, 1 - p])
    # + 0.0: a fixed site is 0, not -0.
    return -(q * np.log2(q, out=np.zeros_like(q), where=q != 0)).sum(axis=0) + 0.0


def site_entropy(panel: Panel) -> np.ndarray:
    """Plug-in entropy of each site, treating haplotypes as Bernoulli draws.

    Returns float64 (n_sites,), bits per allele, from 0 (fixed site) to 1.
    Raises ValueError with no haplotypes: a frequency of nothing is undefined.

    Low by about 1 / (2 n ln 2) bits for n haplotypes, so compare populations only at equal n: see
    `bootstrap_site_entropy`. Source: Geleta et al. 2026, Eq. 15.
    """
    _require_haplotypes(panel.n_haplotypes)
    return binary_entropy(panel.allele_counts() / panel.n_haplotypes)


def bootstrap_site_entropy(
    panel: Panel,
    rows: np.ndarray,
    n_haplotypes: int = BOOTSTRAP_HAPLOTYPES,
    n_draws: int = BOOTSTRAP_DRAWS,
    seed: int | np.random.SeedSequence = 1,
) -> np.ndarray:
    """Mean plug-in entropy of each site over `n_draws` draws of `n_haplotypes` of the rows, with replacement.

    rows: integer indices of the haplotypes drawn from (one population). Populations drawn at the same
    `n_haplotypes` can be compared while each has many more: a draw is low by about 1 / (2 n_haplotypes ln 2) bits
    in all of them, and by another 1 / (2 len(rows) ln 2), because haplotypes are drawn with replacement.
    Returns float64 (n_sites,), bits per allele, 0 to 1. Raises ValueError without rows, haplotypes or draws.

    Source: Geleta et al. 2026 ("bootstrapping 32 samples from the founders' pool 50 times").
    """
    _require_haplotypes(len(rows))
    if min(n_haplotypes, n_draws) < 1:
        raise ValueError(f"a bootstrap needs 1 haplotype and 1 draw or more, got {n_haplotypes} and {n_draws}")
    rng = np.random.default_rng(seed)
    entropy_of_count = binary_entropy(np.arange(n_haplotypes + 1) / n_haplotypes)
    total = np.zeros(panel.n_sites)
    for _ in range(n_draws):
        drawn = np.sort(rng.choice(rows, n_haplotypes))
        total += entropy_of_count[packing.column_sums(panel.bits[drawn], panel.n_sites)]
    return total / n_draws


def population_entropies(
    panel: Panel,
    level: str = "population",
    n_haplotypes: int = BOOTSTRAP_HAPLOTYPES,
    n_draws: int = BOOTSTRAP_DRAWS,
    seed: int = 1,
) -> dict[str, np.ndarray]:
    """`bootstrap_site_entropy` of each population of a label level, in order of first appearance.

    A population's result depends on the seed and its own haplotypes, not on the other populations.
    Raises HaploomError for an unknown level.
    """
    labels = panel.labels(level, per="haplotype").tolist()
    rows_of: dict[str, list[int]] = {}
    for row, label in enumerate(labels):
        rows_of.setdefault(label, []).append(row)
    return {
        label: bootstrap_site_entropy(panel, np.array(rows), n_haplotypes, n_draws, seed)
        for label, rows in rows_of.items()
    }


def _require_haplotypes(n: int) -> None:
    if n == 0:
        raise ValueError("entropy needs at least one haplotype, got 0")
