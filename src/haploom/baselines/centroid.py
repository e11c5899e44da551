"""Nearest class centroid, in any latent space: principal components, a VAE's means.

NumPy only, so that classifying needs no scikit-learn. Equations: Geleta et al. 2026, 11 and 12.
"""

from collections.abc import Sequence

import numpy as np

from haploom.errors import HaploomError


class NearestCentroid:
    """Give each point the label whose mean is nearest, by Euclidean distance.

    After `fit`: `classes_`, the labels in sorted order (n_classes,); `centroids_` float64 (n_classes, n_latent).
    """

    @classmethod
    def from_centroids(cls, classes: Sequence[str], centroids: np.ndarray) -> "NearestCentroid":
        """A fitted classifier from what another fit learned: its labels, in order, and their means."""
        known = cls()
        known.classes_, known.centroids_ = np.array(classes), np.asarray(centroids, dtype=np.float64)
        return known

    def fit(self, Z: np.ndarray, labels: np.ndarray) -> "NearestCentroid":
        """Learn the mean of each label (Eq. 11). Z: (n, n_latent), n >= 1; labels: strings (n,)."""
        self.classes_, label_index = np.unique(labels, return_inverse=True)
        n_points = np.bincount(label_index)
        sums = np.zeros((len(self.classes_), Z.shape[1]))
        np.add.at(sums, label_index, Z)
        self.centroids_ = sums / n_points[:, None]
        return self

    def distances(self, Z: np.ndarray) -> np.ndarray:
        """Euclidean distance of each point to each centroid: float64 (n, n_classes).

        Raises HaploomError when Z has not the width that was fitted.
        """
        if Z.ndim != 2 or Z.shape[1] != self.centroids_.shape[1]:
            raise HaploomError(
                f"the points have shape {Z.shape} but the centroids have {self.centroids_.shape[1]} coordinates: "
                "use the model that the centroids were fitted with"
            )
        return np.stack([np.linalg.norm(Z - centroid, axis=1) for centroid in self.centroids_], axis=1)

    def predict(self, Z: np.ndarray) -> np.ndarray:
        """The nearest centroid's label (Eq. 12): (n,); the first in order where two are equally near."""
        return self.classes_[self.distances(Z).argmin(axis=1)]

    def scores(self, Z: np.ndarray) -> np.ndarray:
        """Softmax of the negative distances: float64 (n, n_classes), rows sum to 1, largest for `predict`'s label.

        A ranking on a scale of 0 to 1, NOT calibrated probabilities: they depend on the unit of the latent
        space, and a point far from every centroid still gets a label.
        """
        closeness = -self.distances(Z)
        weights = np.exp(closeness - closeness.max(axis=1, keepdims=True))
        return weights / weights.sum(axis=1, keepdims=True)
