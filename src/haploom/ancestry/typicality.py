"""Whether a person is like the reference people at all: where not, no label is given.

A person is a point: the log-likelihood and the kernel score of every label, summed over the person's haplotypes, so
that someone may be odd by being unlikely under all labels or by an odd mixture of them. Points of the reference people
are each measured with the person left out; how far a person's nearest five of them lie is compared with the same of
theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

FALSE_REJECTION = 0.05  # share of people like the reference who get no label all the same
_NEAREST = 5
_LEAST_VARIANCE = 1e-3  # of an axis, in shares of its own: likelihoods of two labels may vary as one


@dataclass(frozen=True, eq=False)
class Typicality:
    """points: float64 (n_people, n_axes), on axes along which people of one label vary alike, each by about 1.

    axes: float64 (n_axes, n_axes), from evidence to those. threshold: the distance above which a person is unknown.
    """

    points: np.ndarray
    axes: np.ndarray
    threshold: float

    @classmethod
    def of_training(cls, evidence: np.ndarray, labels: np.ndarray) -> "Typicality":
        """Set the threshold so that FALSE_REJECTION of these very people, each left out, are beyond it.

        evidence: float64 (n_people, n_axes), from `evidence_of_people`; labels: int64 (n_people,), their own.
        """
        means = np.stack([evidence[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
        spread = np.cov((evidence - means[labels]).T)
        spread[np.diag_indices_from(spread)] *= 1 + _LEAST_VARIANCE
        axes = np.linalg.cholesky(np.linalg.inv(spread))
        apart = cls(_on_axes(evidence, axes), axes, np.inf)
        return cls(apart.points, axes, float(np.quantile(apart._distances(apart.points, 1), 1 - FALSE_REJECTION)))

    def unknown(self, evidence: np.ndarray) -> np.ndarray:
        """Who is odder than the threshold: bool (n_people,)."""
        return self._distances(_on_axes(evidence, self.axes), 0) > self.threshold

    def _distances(self, points: np.ndarray, n_own: int) -> np.ndarray:
        """Mean squared distance of the nearest points but `n_own`: float64 (n,). Person by person: the same bits."""
        out = np.empty(len(points))
        for place, point in enumerate(points):
            squares = np.sort(np.square(self.points - point).sum(axis=1))
            out[place] = squares[n_own : n_own + _NEAREST].mean()
        return out

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {"points": self.points, "axes": self.axes, "threshold": np.array([self.threshold])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Typicality":
        """The inverse of `to_arrays`. Raises KeyError where arrays are absent."""
        return cls(arrays["points"], arrays["axes"], float(arrays["threshold"][0]))


def evidence_of_people(
    log_likelihoods: np.ndarray, scores: np.ndarray, coverage: np.ndarray | float, rows_per_person: int
) -> np.ndarray:
    """float64 (n_people, 2 n_labels): nats under each label, as if all sites were there, and kernel scores.

    log_likelihoods, scores: (n_rows, n_labels), the rows of a person together. coverage: the share of the sites that
    the likelihoods are of, (n_rows, 1) or one for all.
    """
    rows = np.hstack([log_likelihoods / np.maximum(coverage, np.finfo(float).tiny), scores])
    return rows.reshape(-1, rows_per_person, rows.shape[1]).sum(axis=1)


def _on_axes(evidence: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """evidence @ axes, each row by itself: a product of matrices may round otherwise beside other rows."""
    return np.stack([(row[:, None] * axes).sum(axis=0) for row in evidence]) if len(evidence) else evidence @ axes
