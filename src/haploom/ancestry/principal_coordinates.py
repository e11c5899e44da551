"""The axes along which reference people differ most, from distances alone; new people are placed on them.

Source: Gower 1966, Biometrika 53:325; placing others, Gower 1968, Biometrika 55:582.
"""

from dataclasses import dataclass

import numpy as np

from haploom.exact.products import fixed_point_product

_DISTANCE_BITS = 4
_SUM_BITS = 52
_FARTHEST = 64.0


@dataclass(frozen=True, eq=False)
class PrincipalCoordinates:
    """mean: float64 (n_reference,), of each reference person's distances; weights: float64 (n_reference, n_axes)."""

    mean: np.ndarray
    weights: np.ndarray

    @classmethod
    def fit(cls, distances: np.ndarray, n_axes: int) -> "PrincipalCoordinates":
        """distances: float64 (n, n), squared, between reference people."""
        mean = distances.mean(axis=1)
        products = -0.5 * (distances - mean[:, None] - mean + mean.mean())
        variances, vectors = np.linalg.eigh(products)
        largest = slice(-1, -1 - n_axes, -1)
        return cls(mean, -0.5 * vectors[:, largest] / np.sqrt(np.maximum(variances[largest], 1e-9)))

    def place(self, distances: np.ndarray) -> np.ndarray:
        """float64 (n, n_axes), in fixed point: the same whoever shares the block. distances: (n, n_reference).

        Distances beyond _FARTHEST times the largest mean are taken as that: sums must stay within the fixed point.
        """
        farthest = _FARTHEST * self.mean.max()
        centred = np.minimum(distances, farthest) - self.mean
        # Weights sum to 0 along an axis, so what all distances of a person share falls out.
        limit = np.abs(self.weights).sum(axis=0).max() * 2.0**_DISTANCE_BITS * farthest
        limit = max(limit, 1.0)  # 0 where all reference people are alike
        return fixed_point_product(centred, self.weights, _DISTANCE_BITS, int(_SUM_BITS - np.ceil(np.log2(limit))))
