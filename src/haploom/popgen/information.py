"""Mutual information of two sites, in bits: how much the allele at one tells of the allele at the other.

Takes sites as rows of bits, returns arrays. Equation: Geleta et al. 2026, 16.
"""

import numpy as np

from haploom.popgen.site_bits import SiteBits

N_REFERENCES = 50  # as many as the paper's LD curves
STRIDES = tuple(range(1, 21))
N_STEPS = 50


def mutual_information(shared: np.ndarray, ones_a: np.ndarray, ones_b: np.ndarray, n: int) -> np.ndarray:
    """Plug-in mutual information of pairs of sites: float64, bits, from 0 to the smaller of their entropies.

    shared: haplotypes with both alternate alleles; ones_a, ones_b: with each; n: all haplotypes, 1 or more. Any
    shapes that broadcast. 0 where a site is fixed. In n haplotypes independent sites have about 1 / (2 n ln 2) bits,
    not 0. Source: Geleta et al. 2026, Eq. 16.
    """
    both, a, b = (np.asarray(counts, dtype=np.int64) for counts in (shared, ones_a, ones_b))
    information = np.zeros(np.broadcast_shapes(both.shape, a.shape, b.shape))
    for joint, own_a, own_b in (
        (both, a, b), (a - both, a, n - b), (b - both, n - a, b), (n - a - b + both, n - a, n - b),
    ):  # fmt: skip
        expected = np.multiply(own_a, own_b, dtype=np.float64)
        ratio = np.divide(n * joint, expected, out=np.ones_like(information), where=(joint > 0) & (expected > 0))
        information += joint / n * np.log2(ratio)
    return np.maximum(information, 0)  # rounding may leave -1e-17


def information_by_stride(
    sites: SiteBits,
    references: np.ndarray,
    ends: np.ndarray,
    strides: tuple[int, ...] = STRIDES,
    n_steps: int = N_STEPS,
) -> np.ndarray:
    """Mean mutual information of a reference site and the one `step` x `stride` places after it.

    sites: of the haplotypes of one population. references: int, which sites (see `reference_sites`). ends: int
    (n_sites,), one past the last site that each may be compared with (see `linkage.contig_ends`). Steps are 1 to
    `n_steps`. Returns float64 (len(strides), n_steps), bits; NaN where that is past the end for all references.
    Source: Geleta et al. 2026, Fig. 5C (there for one reference).
    """
    distance = np.multiply.outer(np.array(strides), np.arange(1, n_steps + 1))
    total, n_pairs = np.zeros(distance.shape), np.zeros(distance.shape, dtype=np.int64)
    for reference in references.tolist():
        there = reference + distance < ends[reference]
        others = reference + distance[there]
        shared = sites.shared_with(reference, others)
        total[there] += mutual_information(shared, sites.ones[reference], sites.ones[others], sites.n_haplotypes)
        n_pairs += there
    return np.divide(total, n_pairs, out=np.full(total.shape, np.nan), where=n_pairs > 0)


def reference_sites(sites: SiteBits, min_maf: float, n_references: int = N_REFERENCES) -> np.ndarray:
    """Evenly spaced sites with a minor-allele frequency above `min_maf`: int64, `n_references` or fewer."""
    common = np.flatnonzero(sites.minor_allele_frequencies() > min_maf)
    return common[np.unique(np.linspace(0, max(len(common) - 1, 0), n_references).astype(np.int64))[: len(common)]]
