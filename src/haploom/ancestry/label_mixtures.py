"""How far unphased people lie from every mixture of the labels, from distances to reference people alone.

Someone of the reference, mixed or not, has allele counts about those expected of some mixture of the labels; people of
another population have drifted away from all of them. Means of labels and how far people lie around them follow from
squared distances (Gower 1966), so missing calls need nothing more.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

_STEPS = 200


@dataclass(frozen=True, eq=False)
class LabelMixtures:
    """start: int64 (n_labels + 1,), where each label's reference people begin. within: float64 (n_labels,), squared
    distance of a person from the mean of the label; bias: the part of it that the mean of so few people hides.
    between: float64 (n_labels, n_labels), squared, of the labels' means.
    """

    start: np.ndarray
    within: np.ndarray
    bias: np.ndarray
    between: np.ndarray

    @classmethod
    def fit(cls, distances: np.ndarray, start: np.ndarray) -> "LabelMixtures":
        """distances: float64 (n, n), squared, between reference people, those of one label together, two or more."""
        sizes = np.diff(start)
        mean = np.add.reduceat(_label_means(distances, start), start[:-1], axis=0) / sizes[:, None]
        around = np.diag(mean) / 2  # of the mean of these very people
        return cls(start, around * sizes / (sizes - 1), around, mean - around[:, None] - around)

    def misfit(self, distances: np.ndarray) -> np.ndarray:
        """Squared distance from the nearest mixture, in that expected of people of the mixture: float64 (n,).

        About 1 for people of the reference. distances: float64 (n, n_reference). Row by row: the same bits alone.
        """
        to_means = _label_means(distances, self.start) - self.bias
        shares = np.full(to_means.shape, 1 / len(self.within))
        centred = self.between - self.between.mean(axis=0) - self.between.mean(axis=1)[:, None] + self.between.mean()
        step = 1 / max(float(np.abs(np.linalg.eigvalsh(centred)).max()), 1e-9)
        for _ in range(_STEPS):  # projected gradient; the squared distance is convex in the shares
            shares = _onto_simplex(shares - step * (to_means - _rows_times(shares, self.between)))
        apart = (shares * _rows_times(shares, self.between)).sum(axis=1)
        # Alleles of a person who is mixed vary by the mean frequency: half of what lies between the labels is added.
        expected = (shares * self.within).sum(axis=1) + apart / 4
        return ((shares * to_means).sum(axis=1) - apart / 2) / np.maximum(expected, 1e-9)

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {"start": self.start, "within": self.within, "bias": self.bias, "between": self.between}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "LabelMixtures":
        """The inverse of `to_arrays`. Raises KeyError where arrays are absent."""
        return cls(arrays["start"], arrays["within"], arrays["bias"], arrays["between"])


def _label_means(distances: np.ndarray, start: np.ndarray) -> np.ndarray:
    return np.add.reduceat(distances, start[:-1], axis=1) / np.diff(start)


def _rows_times(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """rows @ matrix, symmetric, each row by itself: a product of matrices may round otherwise beside other rows."""
    return (rows[:, None] * matrix).sum(axis=2)


def _onto_simplex(rows: np.ndarray) -> np.ndarray:
    """The nearest shares, at least 0 with sum 1, of each row (Duchi et al. 2008)."""
    ordered = -np.sort(-rows, axis=1)
    excess = (np.cumsum(ordered, axis=1) - 1) / np.arange(1, rows.shape[1] + 1)
    last = (ordered > excess).sum(axis=1) - 1
    return np.maximum(rows - excess[np.arange(len(rows)), last][:, None], 0)
