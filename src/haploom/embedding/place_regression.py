"""From latents to a place on the globe: Gaussian-process regression of the place's unit vector.

One Gaussian kernel for the three coordinates of the vector; the mean of the process is the mean vector, so that people
unlike all others are placed in the middle. Source: Rasmussen & Williams 2006, section 2.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from haploom.popgen.geography import to_degrees, unit_vectors

_ROWS_AT_ONCE = 1024  # of people x fitted people in memory


@dataclass(frozen=True)
class RegressionSettings:
    """axes: leading latents looked at. width: of the kernel, by the median squared distance. ridge: added to its
    diagonal, the share of what a latent does not say of a place."""

    axes: int
    width: float
    ridge: float


class PlaceRegression:
    """Places of people by their latents.

    After `fit`: `latents_` float64 (n, axes); `weights_` float64 (n, 3); `middle_` (3,), the mean vector; `scale_`, by
    which squared distances are divided; `inverse_` float64 (n, n), of the kernel with the ridge.
    """

    def __init__(self, settings: RegressionSettings) -> None:
        self.settings = settings

    def fit(self, latents: np.ndarray, places: np.ndarray) -> "PlaceRegression":
        """latents: (n, n_latents), the leading axes first; places: longitude and latitude in degrees (n, 2)."""
        self.latents_ = np.asarray(latents[:, : self.settings.axes], dtype=np.float64)
        vectors = unit_vectors(places)
        squared = _squared_distances(self.latents_, self.latents_)
        apart = squared[np.triu_indices(len(squared), 1)]
        typical = float(np.median(apart)) if len(apart) else 1.0
        self.scale_ = self.settings.width * (typical or 1.0)  # 1: everyone at one place of the latent space
        kernel = np.exp(-squared / self.scale_)
        self.inverse_ = np.linalg.inv(kernel + self.settings.ridge * np.eye(len(kernel)))
        self.middle_ = vectors.mean(axis=0)
        self.weights_ = self.inverse_ @ (vectors - self.middle_)
        return self

    def predict(self, latents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(places, spread): longitude and latitude in degrees (n, 2), and how unsure each is, float64 (n,).

        spread: the standard deviation of the process, without a unit: about 1 far from everyone who was fitted.
        """
        degrees, spread = np.empty((len(latents), 2)), np.empty(len(latents))
        for start in range(0, len(latents), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            kernel = np.exp(-_squared_distances(latents[rows, : self.settings.axes], self.latents_) / self.scale_)
            variance = 1 + self.settings.ridge - ((kernel @ self.inverse_) * kernel).sum(axis=1)
            degrees[rows] = to_degrees(self.middle_ + kernel @ self.weights_)
            spread[rows] = np.sqrt(np.maximum(variance, 0))
        return degrees, spread

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a model file."""
        settings = np.array([self.settings.axes, self.settings.width, self.settings.ridge, self.scale_])
        return {
            "latents": self.latents_, "weights": self.weights_, "middle": self.middle_, "inverse": self.inverse_,
            "settings": settings,
        }  # fmt: skip

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "PlaceRegression":
        """The inverse of `to_arrays`. Raises KeyError or ValueError where arrays are absent or do not fit."""
        axes, width, ridge, scale = arrays["settings"].tolist()
        known = cls(RegressionSettings(int(axes), width, ridge))
        known.latents_, known.weights_, known.scale_ = arrays["latents"], arrays["weights"], scale
        known.middle_, known.inverse_ = arrays["middle"], arrays["inverse"]
        n = len(known.latents_)
        if known.latents_.shape != (n, axes) or known.weights_.shape != (n, 3) or known.inverse_.shape != (n, n):
            raise ValueError(f"{known.latents_.shape} latents, {known.weights_.shape} weights")
        return known


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """float64 (len(a), len(b)), at least 0."""
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.maximum(squared, 0)
