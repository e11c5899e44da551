"""Linkage disequilibrium: the correlation of the alleles at two sites, and how it falls with distance.

Takes sites as rows of bits, returns arrays. Pairs are never held all at once: one site at a time is compared with those
that follow it. All figures are of phased haplotypes of one population; mix populations and their differences in allele
frequency look like linkage.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from haploom import progress
from haploom.panel import GeneticMap, Variants
from haploom.panel.genetic_map import BP_PER_CM
from haploom.panel.variants import matching_contig
from haploom.popgen.site_bits import SiteBits

MIN_MAF = 0.05  # of sites that take part, in the population itself: rarer ones cannot be in high LD with most others
MAX_PAIRS = 20_000_000  # of a population; of more, the reference sites are thinned evenly
MAX_SITES, MAX_BP, MAX_CM = 500, 500_000, 0.5
_N_BINS = 30


def allele_correlation(shared: np.ndarray, ones_a: np.ndarray, ones_b: np.ndarray, n: int) -> np.ndarray:
    """Pearson's r of the alleles of pairs of sites: float64, from -1 to 1; its square is r^2.

    shared: haplotypes with both alternate alleles; ones_a, ones_b: with each; n: all haplotypes. Any shapes that
    broadcast. NaN where a site is fixed: r is 0/0 there, and a 0 would drag down every curve. In n haplotypes r^2 of
    unlinked sites is about 1 / n, not 0. Source: Hill & Robertson 1968, Theor Appl Genet 38:226.
    """
    # Integers as far as they go: n x n is far below 2^63.
    covariance = n * np.asarray(shared, dtype=np.int64) - np.multiply(ones_a, ones_b, dtype=np.int64)
    variance_a = np.multiply(ones_a, n - np.asarray(ones_a), dtype=np.float64)
    variance_b = np.multiply(ones_b, n - np.asarray(ones_b), dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return covariance / np.sqrt(variance_a * variance_b)


@dataclass(frozen=True, eq=False)
class Scale:
    """A way to measure how far apart sites are.

    position: float64 (n_sites,), never decreasing. edges: float64 (n_bins + 1,), rising: bins of distance
    from one edge up to, but without, the next.
    """

    position: np.ndarray
    edges: np.ndarray


@dataclass(frozen=True, eq=False)
class Decay:
    """LD by distance on one scale; all arrays (n_bins,).

    from_, to: the bins, in the scale's unit. n_pairs: int64. mean_distance, mean_r2, mean_abs_r: float64, NaN in bins
    without pairs.
    """

    from_: np.ndarray
    to: np.ndarray
    n_pairs: np.ndarray
    mean_distance: np.ndarray
    mean_r2: np.ndarray
    mean_abs_r: np.ndarray


def distance_scales(
    variants: Variants,
    genetic_maps: Mapping[str, GeneticMap] | None = None,
    max_sites: int = MAX_SITES,
    max_bp: int = MAX_BP,
    max_cm: float = MAX_CM,
) -> dict[str, Scale]:
    """Distances in "sites" (places along the panel), "bp" and "cm", in bins that widen with distance.

    genetic_maps: contig -> map; without one, 1 cM per Mb. No pair of sites on different contigs is within reach.
    """
    chrom = np.array(variants.chrom.tolist())
    position_cm = variants.position_bp / BP_PER_CM
    for contig, crossovers in (genetic_maps or {}).items():
        here = chrom == matching_contig(contig, variants.contigs())
        position_cm[here] = crossovers.cm_at(variants.position_bp[here])
    starts_contig = np.append(False, chrom[1:] != chrom[:-1])[: len(chrom)]
    bins = {
        "sites": np.unique(np.geomspace(1, max_sites + 1, _N_BINS + 1).round()),
        "bp": np.append(0, np.geomspace(100, max_bp, _N_BINS)),
        "cm": np.append(0, np.geomspace(1e-4, max_cm, _N_BINS)),
    }
    places = {"sites": np.arange(len(variants)), "bp": variants.position_bp, "cm": position_cm}
    return {name: Scale(_apart(places[name], starts_contig, edges[-1]), edges) for name, edges in bins.items()}


def contig_ends(variants: Variants) -> np.ndarray:
    """For each site, one past the last site of its contig: int64 (n_sites,)."""
    chrom = variants.chrom
    last = np.append(np.flatnonzero(chrom[1:] != chrom[:-1]) + 1, len(chrom))
    return np.repeat(last, np.diff(last, prepend=0))


def _apart(position: np.ndarray, starts_contig: np.ndarray, reach: float) -> np.ndarray:
    """The same distances within contigs, and `reach` between the last site of one and the first of the next."""
    steps = np.diff(position.astype(np.float64), prepend=position[:1])
    shift = np.where(starts_contig, reach - steps, 0).cumsum()
    return position + shift


def ld_decay(
    sites: SiteBits,
    scales: Mapping[str, Scale],
    min_maf: float = MIN_MAF,
    max_pairs: int = MAX_PAIRS,
) -> dict[str, Decay]:
    """Mean r^2 and |r| of pairs of sites by their distance, on each of the scales (see `distance_scales`).

    sites: all sites of the panel, in the haplotypes of one population. min_maf: sites that take part have a
    minor-allele frequency above it among them. A reference site is compared with every later one within reach of any
    scale; of more than `max_pairs` pairs every second, third, ... site is a reference.
    """
    common = np.flatnonzero(sites.minor_allele_frequencies() > min_maf)
    sites = sites.select(common)
    position = {name: scale.position[common] for name, scale in scales.items()}
    within = [np.searchsorted(position[name], position[name] + scale.edges[-1]) for name, scale in scales.items()]
    last = np.max(within, axis=0)
    step = max(1, -(-int((last - np.arange(len(common)) - 1).sum()) // max_pairs))
    sums = {name: np.zeros((4, len(scale.edges) - 1)) for name, scale in scales.items()}

    references = range(step // 2, len(common), step)
    with progress.task("Comparing sites", len(references)) as advance:
        for site in references:
            others = np.arange(site + 1, last[site])
            shared = sites.shared_with(site, others)
            r = allele_correlation(shared, sites.ones[site], sites.ones[others], sites.n_haplotypes)
            for name, scale in scales.items():
                distance = position[name][others] - position[name][site]
                _add_to_bins(sums[name], scale.edges, distance, r)
            advance(1)
    return {name: _means(sums[name], scale.edges) for name, scale in scales.items()}


def _add_to_bins(sums: np.ndarray, edges: np.ndarray, distance: np.ndarray, r: np.ndarray) -> None:
    """Add pairs, distances, r^2 and |r| to the bins. Distances rise, so the bins are slices of the pairs."""
    cuts = np.searchsorted(distance, edges)
    inside = slice(cuts[0], cuts[-1])
    sums[0] += np.diff(cuts)
    for place, values in enumerate((distance, r * r, np.abs(r)), 1):
        running = np.append(0, values[inside].cumsum())
        sums[place] += np.diff(running[cuts - cuts[0]])


def _means(sums: np.ndarray, edges: np.ndarray) -> Decay:
    with np.errstate(invalid="ignore"):
        means = sums[1:] / sums[0]
    return Decay(edges[:-1], edges[1:], sums[0].astype(np.int64), *means)


def correlation_profile(sites: SiteBits, site: int, n_following: int = MAX_SITES) -> np.ndarray:
    """r of one site with each of the `n_following` sites after it: float64, fewer values at the end of the panel.

    sites: of the haplotypes of one population. NaN where either site is fixed in them. Raises ValueError for a site
    that is not among them. Source: Geleta et al. 2026, Fig. 5B.
    """
    if not 0 <= site < len(sites.ones):
        raise ValueError(f"site {site} is not among the {len(sites.ones)} there are")
    others = np.arange(site + 1, min(site + 1 + n_following, len(sites.ones)))
    shared = sites.shared_with(site, others)
    return allele_correlation(shared, sites.ones[site], sites.ones[others], sites.n_haplotypes)
