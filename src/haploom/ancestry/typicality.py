"""Whether a person is like the reference people at all: where not, no label is given.

Two signs, each compared with what the training people of the same label show when they are left out: how likely the
person's genotypes are under the label, and how far the nearest reference people are.
"""

from dataclasses import dataclass

import numpy as np

FALSE_REJECTION = 0.05  # share of people of the reference's labels who get no label all the same
_NEAREST = 5  # reference rows whose distances are averaged


@dataclass(frozen=True, eq=False)
class Typicality:
    """What training people show when they are left out.

    signs: float64 (n_people, n_signs), smaller for odder people; labels: int64 (n_people,), their top labels.
    threshold: of the oddness below which a person is unknown.
    """

    signs: np.ndarray
    labels: np.ndarray
    threshold: float

    @classmethod
    def of_training(cls, signs: np.ndarray, labels: np.ndarray) -> "Typicality":
        """Set the threshold so that FALSE_REJECTION of these very people are below it."""
        everyone = cls(signs, labels, 0.0)
        return cls(signs, labels, float(np.quantile(everyone.rank(signs, labels), FALSE_REJECTION)))

    def rank(self, signs: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The smallest, over the signs, share of training people of the label who are as odd or odder: (n,), 0 to 1."""
        out = np.ones(len(signs))
        for label in np.unique(labels):
            known = np.sort(self.signs[self.labels == label], axis=0)
            here = np.flatnonzero(labels == label)
            for sign in range(signs.shape[1]):
                below = np.searchsorted(known[:, sign], signs[here, sign], side="right")
                out[here] = np.minimum(out[here], (below + 1) / (len(known) + 1))
        return out

    def unknown(self, signs: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Who is odder than the threshold: bool (n,)."""
        return self.rank(signs, labels) < self.threshold


def nearest_distance(distances: np.ndarray) -> np.ndarray:
    """Mean distance of the nearest reference rows: float64 (n,). distances: (n, n_reference), inf for none."""
    nearest = np.partition(distances, min(_NEAREST, distances.shape[1]) - 1, axis=1)[:, :_NEAREST]
    return np.sort(nearest, axis=1).mean(axis=1)


def signs_of_people(
    log_likelihoods: np.ndarray, coverage: np.ndarray, nearest: np.ndarray, labels: np.ndarray, rows_per_person: int
) -> np.ndarray:
    """float64 (n_people, 2): nats under the label, as if all sites were there, and minus the distance of the nearest.

    log_likelihoods: (n_rows, n_labels), over the share `coverage` (n_rows,) of the sites; nearest: (n_rows,). labels:
    int64 (n_people,).
    """
    rows = np.repeat(labels, rows_per_person)
    likely = log_likelihoods[np.arange(len(rows)), rows] / np.maximum(coverage, np.finfo(float).tiny)
    return np.stack([each.reshape(-1, rows_per_person).sum(axis=1) for each in (likely, -nearest)], axis=1)


def top_labels(probabilities: np.ndarray, rows_per_person: int) -> np.ndarray:
    """The label that fits a person's rows best together: int64 (n_people,). probabilities: (n_rows, n_labels)."""
    log_p = np.log(np.maximum(probabilities, np.finfo(float).tiny))
    return log_p.reshape(-1, rows_per_person, probabilities.shape[1]).sum(axis=1).argmax(axis=1)
