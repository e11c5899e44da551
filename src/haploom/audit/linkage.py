"""How alike two samples are in how sites go together: pairs and triples of sites.

A fixed set of pairs and triples is drawn at random; their alleles are counted by population and group of people, so
that a group can be left out without counting again. Figures are of populations apart, then averaged: pooled people
would show their differences in allele frequency as linkage.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from haploom.audit.frequencies import AlleleCounts
from haploom.audit.sampling import Sample
from haploom.kernels import int64, kernel
from haploom.panel import Variants
from haploom.popgen.information import mutual_information
from haploom.popgen.linkage import allele_correlation, contig_ends, distance_scales
from haploom.popgen.site_bits import SiteBits, popcount

MIN_MAF = 0.05  # in a population's training and held-out people
EDGES_BP = np.append(0, np.geomspace(500, 500_000, 19))
PAIRS_PER_BIN = 2000
LEAST_PAIRS = 20  # in a bin, or it says nothing
SEPARATIONS = (1, 4, 16, 64, 256, 512, 1024)  # of the sites of a triple, in common sites (Yelmen et al. 2021)
TRIPLES_PER_SEPARATION = 1000


@dataclass(frozen=True, eq=False)
class SiteSets:
    """Pairs or triples of sites.

    sites: int64 (n_sets, 2 or 3), rising in a row. bins: int64 (n_sets,), the distance bin of each.
    common: bool (n_sets, n_populations), whether all its sites are common in a population.
    """

    sites: np.ndarray
    bins: np.ndarray
    common: np.ndarray


def common_sites(one: AlleleCounts, other: AlleleCounts) -> np.ndarray:
    """Whether a site has a minor-allele frequency above MIN_MAF in a population: bool (n_sites, n_populations)."""
    (counts, n), (others, m) = one.without(None), other.without(None)
    share = (counts + others) / (n + m)[:, None]
    return (np.minimum(share, 1 - share) > MIN_MAF).T


def draw_pairs(
    variants: Variants, common: np.ndarray, rng: np.random.Generator, windows: np.ndarray | None = None
) -> SiteSets:  # fmt: skip
    """Pairs of sites by distance, up to PAIRS_PER_BIN in each bin of EDGES_BP.

    common: see `common_sites`; both sites are common in one population, the same one, or more.
    windows: only pairs with a border between them: the window of each site, int64 (n_sites,), never falling.
    """
    candidates = np.flatnonzero(common.any(axis=1))
    position = distance_scales(variants, max_bp=int(EDGES_BP[-1]))["bp"].position[candidates]
    pairs, bins = [np.zeros((0, 2), np.int64)], [np.zeros(0, np.int64)]
    for place in range(len(EDGES_BP) - 1):
        # More draws than wanted, because short distances and borders leave many sites without a partner.
        left = rng.integers(len(candidates), size=20 * PAIRS_PER_BIN if len(candidates) else 0)
        first = np.maximum(left + 1, np.searchsorted(position, position[left] + EDGES_BP[place]))
        last = np.searchsorted(position, position[left] + EDGES_BP[place + 1])
        if windows is not None:
            first = np.maximum(first, np.searchsorted(windows[candidates], windows[candidates[left]], side="right"))
        left, first, last = (each[first < last] for each in (left, first, last))
        right = first + (rng.random(len(first)) * (last - first)).astype(np.int64)
        drawn = np.unique(np.stack([candidates[left], candidates[right]], axis=1), axis=0)
        drawn = drawn[common[drawn].all(axis=1).any(axis=1)]
        drawn = drawn[rng.permutation(len(drawn))[:PAIRS_PER_BIN]]
        if len(drawn) >= LEAST_PAIRS:
            pairs.append(drawn)
            bins.append(np.full(len(drawn), place))
    sites = np.concatenate(pairs)
    return SiteSets(sites, np.concatenate(bins), np.all(common[sites], axis=1))


def draw_triples(variants: Variants, common: np.ndarray, rng: np.random.Generator) -> SiteSets:
    """Triples of sites that lie as far apart as each of SEPARATIONS, counted in common sites; none spans contigs."""
    candidates = np.flatnonzero(common.any(axis=1))
    ends = contig_ends(variants)
    triples, bins = [np.zeros((0, 3), np.int64)], [np.zeros(0, np.int64)]
    for place, apart in enumerate(SEPARATIONS):
        first = rng.permutation(max(len(candidates) - 2 * apart, 0))[:TRIPLES_PER_SEPARATION]
        drawn = candidates[first[:, None] + apart * np.arange(3)]
        drawn = drawn[(drawn[:, 2] < ends[drawn[:, 0]]) & common[drawn].all(axis=1).any(axis=1)]
        triples.append(drawn)
        bins.append(np.full(len(drawn), place))
    sites = np.concatenate(triples)
    return SiteSets(sites, np.concatenate(bins), np.all(common[sites], axis=1))


@dataclass(frozen=True, eq=False)
class SetCounts:
    """How many haplotypes of a sample have the alternate allele at the sites of a set, and at each of its subsets.

    shared: subset, as places in a row of `SiteSets.sites` -> int32 (n_sets, n_populations, n_groups).
    n_haplotypes: int64 (n_populations, n_groups).
    """

    shared: dict[tuple[int, ...], np.ndarray]
    n_haplotypes: np.ndarray

    @classmethod
    def of(cls, sample: Sample, sets: SiteSets) -> "SetCounts":
        cells = [rows for groups in sample.cells() for rows in groups]
        used, places = np.unique(sets.sites, return_inverse=True)
        places = places.reshape(sets.sites.shape)
        words = [
            SiteBits.of(sample.panel, rows, used).words if len(rows) else np.zeros((len(used), 0), np.uint64)
            for rows in cells
        ]
        first_word = np.cumsum([0, *(each.shape[1] for each in words)])
        by_site = np.concatenate(words, axis=1)
        n_haplotypes = np.array([len(rows) for rows in cells]).reshape(len(sample.people), -1)
        size = sets.sites.shape[1]
        subsets = [subset for k in range(1, size + 1) for subset in combinations(range(size), k)]
        shared = {}
        for subset in subsets:
            counts = np.zeros((len(places), len(cells)), dtype=np.int32)
            _count_shared(by_site, np.ascontiguousarray(places[:, subset]), first_word, counts)
            shared[subset] = counts.reshape(len(places), *n_haplotypes.shape)
        return cls(shared, n_haplotypes)

    def without(self, group: int | None) -> tuple[dict[tuple[int, ...], np.ndarray], np.ndarray]:
        """(subset -> int64 (n_sets, n_populations), haplotypes (n_populations,)) of everybody else."""
        kept = np.arange(self.n_haplotypes.shape[1]) != group
        return (
            {subset: counts[:, :, kept].sum(axis=2, dtype=np.int64) for subset, counts in self.shared.items()},
            self.n_haplotypes[:, kept].sum(axis=1),
        )


@kernel
def _count_shared(words: np.ndarray, members: np.ndarray, first_word: np.ndarray, counts: np.ndarray) -> None:
    for each in range(members.shape[0]):
        for cell in range(counts.shape[1]):
            total = int64(0)
            for k in range(first_word[cell], first_word[cell + 1]):
                word = words[members[each, 0], k]
                for place in range(1, members.shape[1]):
                    word &= words[members[each, place], k]
                total += int64(popcount(word))
            counts[each, cell] = total


def pair_figures(pairs: SiteSets, one: SetCounts, other: SetCounts, without: int | None = None) -> dict[str, float]:
    """Differences between two samples, averaged over bins of distance and populations where both sites are common.

    ld_decay_error: absolute difference of the mean r^2 of a bin. ld_matrix_error: root mean square difference of r,
    pair by pair. mutual_information_error: absolute difference of the mean mutual information of a bin, in bits.
    A site that does not vary in a sample goes with no other: r is 0 there.
    """
    (r, information), (s, others) = _pair_values(one, without), _pair_values(other, without)
    squared = [_bin_means(pairs, values**2) for values in (r, s)]
    informed = [_bin_means(pairs, values) for values in (information, others)]
    return {
        "ld_decay_error": _mean_known(np.abs(squared[0] - squared[1])),
        "ld_matrix_error": float(np.sqrt(_mean_known((r - s)[pairs.common] ** 2))),
        "mutual_information_error": _mean_known(np.abs(informed[0] - informed[1])),
    }


def decay(pairs: SiteSets, counts: SetCounts) -> np.ndarray:
    """Mean r^2 of each bin of distance, averaged over populations: float64 (n_bins,), NaN without pairs."""
    means = _bin_means(pairs, _pair_values(counts, None)[0] ** 2)
    known = np.isfinite(means)
    n = known.sum(axis=1)
    return np.divide(np.nansum(means, axis=1), n, out=np.full(len(n), np.nan), where=n > 0)


def _pair_values(counts: SetCounts, without: int | None) -> tuple[np.ndarray, np.ndarray]:
    """(r, mutual information in bits) of each pair in each population: float64 (n_pairs, n_populations)."""
    shared, n = counts.without(without)
    n = np.maximum(n, 1)  # a population of one group has nobody left: nothing is shared, and r is 0
    r = np.nan_to_num(allele_correlation(shared[0, 1], shared[0,], shared[1,], n))
    return r, mutual_information(shared[0, 1], shared[0,], shared[1,], n)


def _bin_means(pairs: SiteSets, values: np.ndarray) -> np.ndarray:
    """Mean of a value (n_pairs, n_populations) in each bin, where common: (n_bins, n_populations), NaN without."""
    n_bins = len(EDGES_BP) - 1
    sums, n = np.zeros((n_bins, values.shape[1])), np.zeros((n_bins, values.shape[1]))
    np.add.at(sums, pairs.bins, np.where(pairs.common, values, 0))
    np.add.at(n, pairs.bins, pairs.common)
    return np.divide(sums, n, out=np.full(sums.shape, np.nan), where=n >= LEAST_PAIRS)


def _mean_known(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def triple_figures(triples: SiteSets, one: SetCounts, other: SetCounts, without: int | None = None) -> dict[str, float]:
    """three_point_correlation: Pearson's r, over triples of sites, of the third central moments of two samples.

    A moment is the mean of (x - p)(y - q)(z - w), averaged over the populations where the sites are common.
    """
    ours, theirs = (_third_moments(triples, each, without) for each in (one, other))
    known = len(triples.sites) > 2 and min(ours.std(), theirs.std()) > 0
    return {"three_point_correlation": float(np.corrcoef(ours, theirs)[0, 1]) if known else float("nan")}


def _third_moments(triples: SiteSets, counts: SetCounts, without: int | None) -> np.ndarray:
    shared, n = counts.without(without)
    share = {subset: each / np.maximum(n, 1) for subset, each in shared.items()}
    p, q, w = share[0,], share[1,], share[2,]
    moment = share[0, 1, 2] - p * share[1, 2] - q * share[0, 2] - w * share[0, 1] + 2 * p * q * w
    return np.where(triples.common, moment, 0).sum(axis=1) / triples.common.sum(axis=1)
