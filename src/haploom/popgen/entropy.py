"""Entropy of binary SNPs, in bits; Tsallis' has no unit.

Takes panels, returns arrays. No files, no torch, no drawing. Equations: Geleta et al. 2026, 15.
"""

import numpy as np

from haploom import progress
from haploom.panel import Panel
from haploom.panel import bits as packing
from haploom.popgen.populations import population_rows

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


def tsallis_entropy(p: np.ndarray, order: float) -> np.ndarray:
    """(1 - p^q - (1 - p)^q) / (q - 1) of order q, elementwise: float64, no unit, 0 where p is 0 or 1.

    p: probabilities, any shape; NaN stays NaN. Order 2 is the chance that two draws differ; order 1 is the limit,
    Shannon's entropy in nats. Low orders weigh rare alleles more. Raises ValueError unless order > 0: at 0 and below
    it does not depend on p, or not finitely. Source: Tsallis 1988, J Stat Phys 52:479.
    """
    if not 0 < order < np.inf:
        raise ValueError(f"order {order} of a Tsallis entropy is out of range: wanted above 0")
    if order == 1:
        return binary_entropy(p) * np.log(2)
    p = np.asarray(p, dtype=np.float64)
    return (1 - p**order - (1 - p) ** order) / (order - 1) + 0.0


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
    *,
    order: float | None = None,
    bias_correction: bool = False,
) -> np.ndarray:
    """Mean plug-in entropy of each site over `n_draws` draws of `n_haplotypes` of the rows, with replacement.

    rows: integer indices of the haplotypes drawn from (one population). Populations drawn at the same
    `n_haplotypes` can be compared while each has many more: a draw is low by about 1 / (2 n_haplotypes ln 2) bits
    in all of them, and by another 1 / (2 len(rows) ln 2), because haplotypes are drawn with replacement.
    order: of `tsallis_entropy`, instead of Shannon's in bits. bias_correction: add 1 / (2 n_haplotypes ln 2) bits at
    each site that varies in a draw (Miller 1955), which takes away most of the first of these, not the second.

    Returns float64 (n_sites,), bits per allele, 0 to 1, corrected ones up to that much more. Raises ValueError
    without rows, haplotypes or draws, and for a correction of anything but Shannon's entropy.

    Source: Geleta et al. 2026 ("bootstrapping 32 samples from the founders' pool 50 times").
    """
    _require_haplotypes(len(rows))
    if min(n_haplotypes, n_draws) < 1:
        raise ValueError(f"a bootstrap needs 1 haplotype and 1 draw or more, got {n_haplotypes} and {n_draws}")
    rng = np.random.default_rng(seed)
    if bias_correction and order is not None:
        raise ValueError("the bias correction is for Shannon's entropy, not for Tsallis'")
    frequency = np.arange(n_haplotypes + 1) / n_haplotypes
    entropy_of_count = binary_entropy(frequency) if order is None else tsallis_entropy(frequency, order)
    if bias_correction:
        entropy_of_count[1:-1] += 1 / (2 * n_haplotypes * np.log(2))
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
    *,
    order: float | None = None,
    bias_correction: bool = False,
) -> dict[str, np.ndarray]:
    """`bootstrap_site_entropy` of each population of a label level, in order of first appearance.

    A population's result depends on the seed and its own haplotypes, not on the other populations.
    Raises HaploomError for an unknown level.
    """
    populations = population_rows(panel, level)
    with progress.task("Drawing haplotypes", len(populations)) as advance:
        entropies = {}
        for label, rows in populations.items():
            entropies[label] = bootstrap_site_entropy(
                panel, rows, n_haplotypes, n_draws, seed, order=order, bias_correction=bias_correction
            )
            advance(1)
    return entropies


def _require_haplotypes(n: int) -> None:
    if n == 0:
        raise ValueError("entropy needs at least one haplotype, got 0")
