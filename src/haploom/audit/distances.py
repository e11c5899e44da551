"""Differences between haplotypes, a word of 64 sites at a time: nearest ones, and how far apart pairs are."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from haploom.audit.sampling import Sample
from haploom.kernels import kernel
from haploom.popgen.differences import as_words, differences

_ROWS_PER_TASK = 64
_TILE = 16  # rows that stay in the processor's cache while others pass
PAIRS_PER_POPULATION = 2000


@dataclass(frozen=True, eq=False)
class Nearest:
    """Differences of each haplotype of one set from the nearest of another, and back: int64 (n_one,), (n_other,)."""

    of_one: np.ndarray
    of_other: np.ndarray


def nearest(one: np.ndarray, other: np.ndarray, threads: int = 1) -> Nearest:
    """All pairs of rows of words compared. Exact, and the same for any number of threads."""
    of_one = np.full(len(one), np.iinfo(np.int64).max)

    def compare(start: int) -> np.ndarray:
        rows = slice(start, start + _ROWS_PER_TASK)
        of_other = np.full(len(other), np.iinfo(np.int64).max)
        _nearest(one[rows], other, of_one[rows], of_other)
        return of_other

    of_other = np.full(len(other), np.iinfo(np.int64).max)
    with ThreadPoolExecutor(threads) as pool:
        for found in pool.map(compare, range(0, len(one), _ROWS_PER_TASK)):
            np.minimum(of_other, found, out=of_other)
    return Nearest(of_one, of_other)


def nearest_within(words: np.ndarray) -> np.ndarray:
    """Differences of each row from the nearest other row: int64 (n,)."""
    of_each = np.full(len(words), np.iinfo(np.int64).max)
    _nearest_within(words, of_each)
    return of_each


@kernel
def _nearest(one: np.ndarray, other: np.ndarray, of_one: np.ndarray, of_other: np.ndarray) -> None:
    for start in range(0, one.shape[0], _TILE):
        for j in range(other.shape[0]):
            for i in range(start, min(start + _TILE, one.shape[0])):
                distance = differences(one, i, other, j)
                of_one[i] = min(of_one[i], distance)
                of_other[j] = min(of_other[j], distance)


@kernel
def _nearest_within(words: np.ndarray, of_each: np.ndarray) -> None:
    for start in range(0, words.shape[0], _TILE):
        for j in range(start + 1, words.shape[0]):
            for i in range(start, min(start + _TILE, j)):
                distance = differences(words, i, words, j)
                of_each[i] = min(of_each[i], distance)
                of_each[j] = min(of_each[j], distance)


@dataclass(frozen=True, eq=False)
class PairDistances:
    """Differences of pairs of haplotypes of different people of a population.

    distances: int64 (n_pairs,). groups: int64 (n_pairs, 2), the groups of their people.
    """

    distances: np.ndarray
    groups: np.ndarray

    @classmethod
    def of(cls, sample: Sample, seed: int) -> "PairDistances":
        """PAIRS_PER_POPULATION pairs at random of each population of two people or more."""
        rng = np.random.default_rng(seed)
        distances, groups = [], []
        rows, all_groups, labels = sample.rows, sample.groups, sample.haplotype_labels
        for label in sample.labels:
            here = np.flatnonzero(labels == label)
            if len(here) < 4:
                continue
            pairs = here[rng.integers(len(here), size=(PAIRS_PER_POPULATION, 2))]
            pairs = pairs[pairs[:, 0] // 2 != pairs[:, 1] // 2]  # not of one person
            one, other = (as_words(sample.panel.bits[rows[pairs[:, side]]]) for side in (0, 1))
            distances.append(np.bitwise_count(one ^ other).sum(axis=1, dtype=np.int64))
            groups.append(all_groups[pairs])
        if not distances:
            return cls(np.zeros(0, np.int64), np.zeros((0, 2), np.int64))
        return cls(np.concatenate(distances), np.concatenate(groups))

    def without(self, group: int | None) -> np.ndarray:
        return self.distances[(self.groups != group).all(axis=1)] if group is not None else self.distances


def distance_figures(one: PairDistances, other: PairDistances, without: int | None = None) -> dict[str, float]:
    """pairwise_distance: Wasserstein's distance of the two distributions, as a share of the other's mean."""
    ours, theirs = one.without(without), other.without(without)
    if not (len(ours) and len(theirs) and theirs.any()):
        return {"pairwise_distance": float("nan")}
    return {"pairwise_distance": wasserstein(ours, theirs) / float(theirs.mean())}


def wasserstein(one: np.ndarray, other: np.ndarray) -> float:
    """How far a value must be moved, on average, to turn one distribution into the other; in the values' unit."""
    both = np.sort(np.concatenate([one, other]))
    at_most = [np.searchsorted(np.sort(each), both[:-1], side="right") / len(each) for each in (one, other)]
    return float((np.abs(at_most[0] - at_most[1]) * np.diff(both)).sum())


def closer_outside(outside: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """1 where the nearest of one's own set is nearer than the nearest of the other set, 1/2 where equal, by person.

    outside, inside: distances to the nearest of the other set and of one's own, (n_haplotypes,); people are pairs of
    rows. Returns float64 (n_people,), the mean of a person's two haplotypes.
    """
    nearer = (outside > inside) + (outside == inside) / 2
    return nearer.reshape(-1, 2).mean(axis=1)


def adversarial_accuracy(one: np.ndarray, other: np.ndarray) -> float:
    """How often somebody who asks whose nearest neighbour is nearer tells two sets apart: 1/2 where they are alike.

    one, other: `closer_outside` of each set. 0 where each has a copy in the other set, 1 where the sets lie apart.
    Source: Yelmen et al. 2021, PLoS Genet 17:e1009303 (after Yale et al. 2020).
    """
    return float((one.mean() + other.mean()) / 2)
