"""Whether a person is like the reference people at all: where not, no label is given.

A person is a point, and odd in so far as the nearest reference people lie far from it. Haplotypes: the log-likelihood
and kernel score of every label, summed over the person's two, on axes along which people of a label vary alike; and
odder by how much less likely the two are than others of their label as mosaics of all reference people, since
strangers' haplotypes are in nobody. Unphased people: as many principal coordinates as tell the labels apart.
They are odder, too, by how far they lie from every mixture of the labels (`LabelMixtures`).
The distances and likelihoods of reference people are measured without the person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from haploom import progress
from haploom.ancestry.label_mixtures import LabelMixtures
from haploom.ancestry.principal_coordinates import PrincipalCoordinates

FALSE_REJECTION = 0.05  # share of people like the reference who get no label all the same
NEAREST = 5
_FOLDS = 10  # axes of nine tenths of the people are about those of all
_OF_MISFIT = 0.5  # how much it counts beside the distance: the best of 0.5, 0.7 and 1 for people left out
_LEAST_VARIANCE = 1e-3  # of an axis, in shares of its own: likelihoods of two labels may vary as one


@dataclass(frozen=True, eq=False)
class Typicality:
    """points: float64 (n_people, n_axes), the reference people's; axes: float64 (n_measured, n_axes), to those.

    spread: (2,), mean and deviation of the reference people's distances; mosaic: (n_labels, 2), the same of their
    likelihoods as mosaics of all, by the label of their largest likelihood; no rows for unphased people.
    misfit: (2,), the same of unphased people's misfit with mixtures of the labels; no numbers for haplotypes.
    threshold: the oddness above which a person is unknown. left_out: float64 (n_people,), that of the reference people.
    """

    points: np.ndarray
    axes: np.ndarray
    spread: np.ndarray
    mosaic: np.ndarray
    misfit: np.ndarray
    threshold: float
    left_out: np.ndarray

    @classmethod
    def of_haplotypes(cls, evidence: np.ndarray, labels: np.ndarray) -> "Typicality":
        """From `evidence_of_people` of the reference people, each left out; labels: int64 (n_people,), their own."""
        axes = _axes_within(evidence, labels)
        points = _on_axes(evidence, axes)
        distances = _distances(points, points, 1)
        top, mosaic = _top_and_mosaic(evidence, labels.max() + 1)
        of_label = [mosaic[top == label] for label in range(labels.max() + 1)]
        all_of = np.stack([_mean_and_deviation(each if len(each) > 1 else mosaic) for each in of_label])
        known = cls(points, axes, _mean_and_deviation(distances), all_of, np.empty(0), np.inf, np.empty(0))
        return known._with_left_out(known._oddness(distances, evidence, None))

    @classmethod
    def of_unphased(cls, coordinates: PrincipalCoordinates, distances: np.ndarray, labels: np.ndarray) -> "Typicality":
        """From the squared distances of reference people, (n, n), those of a label together: thresholds are of people
        whom others' axes place, beside others' mixtures."""
        n, n_axes = coordinates.weights.shape
        left_out, misfit = np.empty(n), np.empty(n)
        with progress.task("Placing reference people by others", total=_FOLDS) as advance:
            for fold in range(_FOLDS):
                out = np.arange(n) % _FOLDS == fold
                of_others, to_others = distances[np.ix_(~out, ~out)], distances[np.ix_(out, ~out)]
                others = PrincipalCoordinates.fit(of_others, n_axes)
                left_out[out] = _distances(others.place(of_others), others.place(to_others), 0)
                start = np.searchsorted(labels[~out], np.arange(labels.max() + 2))
                misfit[out] = LabelMixtures.fit(of_others, start).misfit(to_others)
                advance(1)
        points = coordinates.place(distances)
        spreads = _mean_and_deviation(left_out), np.empty((0, 2)), _mean_and_deviation(misfit)
        known = cls(points, np.eye(n_axes), *spreads, np.inf, np.empty(0))
        return known._with_left_out(known._oddness(left_out, points, misfit))

    def _with_left_out(self, oddness: np.ndarray) -> "Typicality":
        return replace(self, threshold=float(np.quantile(oddness, 1 - FALSE_REJECTION)), left_out=oddness)

    def oddness(self, evidence: np.ndarray, misfit: np.ndarray | None = None) -> np.ndarray:
        """float64 (n_people,), about 0 on the mean, in deviations. Person by person: the same bits.

        evidence: as of the reference people; misfit: float64 (n_people,), of unphased people.
        """
        return self._oddness(_distances(self.points, _on_axes(evidence, self.axes), 0), evidence, misfit)

    def _oddness(self, distances: np.ndarray, evidence: np.ndarray, misfit: np.ndarray | None) -> np.ndarray:
        odd = (distances - self.spread[0]) / self.spread[1]
        if len(self.mosaic):
            top, mosaic = _top_and_mosaic(evidence, len(self.mosaic))
            odd -= (mosaic - self.mosaic[top, 0]) / self.mosaic[top, 1]
        if misfit is not None:
            odd += _OF_MISFIT * (misfit - self.misfit[0]) / self.misfit[1]
        return odd

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {
            "points": self.points, "axes": self.axes, "spread": self.spread, "mosaic": self.mosaic,
            "misfit": self.misfit, "threshold": np.array([self.threshold]), "left_out": self.left_out,
        }  # fmt: skip

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Typicality":
        """The inverse of `to_arrays`. Raises KeyError where arrays are absent."""
        return cls(
            arrays["points"], arrays["axes"], arrays["spread"], arrays["mosaic"], arrays["misfit"],
            float(arrays["threshold"][0]), arrays["left_out"],
        )  # fmt: skip


def evidence_of_people(log_likelihoods: np.ndarray, scores: np.ndarray | None = None) -> np.ndarray:
    """Of both haplotypes of each person: nats under each label and as a mosaic of all, and kernel scores if given.

    log_likelihoods: float64 (2 n_people, n_labels + 1); scores: (2 n_people, n_labels).
    Returns float64 (n_people, n_labels + 1 or 2 n_labels + 1).
    """
    rows = log_likelihoods if scores is None else np.hstack([log_likelihoods, scores])
    return rows.reshape(-1, 2, rows.shape[1]).sum(axis=1)


def _top_and_mosaic(evidence: np.ndarray, n_labels: int) -> tuple[np.ndarray, np.ndarray]:
    return evidence[:, :n_labels].argmax(axis=1), evidence[:, n_labels]


def _mean_and_deviation(x: np.ndarray) -> np.ndarray:
    return np.array([x.mean(), max(x.std(), 1e-9)])


def _axes_within(evidence: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Axes on which people of one label vary by about 1, and each axis apart from the others."""
    means = np.stack([evidence[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
    spread = np.cov((evidence - means[labels]).T)
    diagonal = np.diag_indices_from(spread)
    spread[diagonal] = np.maximum(spread[diagonal] * (1 + _LEAST_VARIANCE), 1e-9)  # 0 where all are alike at few sites
    return np.linalg.cholesky(np.linalg.inv(spread))


def _squares(points: np.ndarray, point: np.ndarray) -> np.ndarray:
    return np.square(points - point).sum(axis=1)


def _distances(points: np.ndarray, of: np.ndarray, n_own: int) -> np.ndarray:
    """Root mean squared distance of the nearest points but `n_own`: float64 (n,)."""
    out = np.empty(len(of))
    for place, point in enumerate(of):
        squares = np.partition(_squares(points, point), range(n_own + NEAREST))
        out[place] = np.sqrt(squares[n_own : n_own + NEAREST].mean())
    return out


def _on_axes(evidence: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """evidence @ axes, each row by itself: a product of matrices may round otherwise beside other rows."""
    return np.stack([(row[:, None] * axes).sum(axis=0) for row in evidence]) if len(evidence) else evidence @ axes
