"""The place of a person as the mean of those of the nearest people: what regression on places is compared with."""

import numpy as np

from haploom.popgen.geography import to_degrees, unit_vectors


def neighbour_places(latents: np.ndarray, places: np.ndarray, new: np.ndarray, n_neighbours: int) -> np.ndarray:
    """Mean place, on the sphere, of the nearest in latent space: longitude and latitude, float64 (n_new, 2).

    latents: (n, n_latents); places: (n, 2), degrees; new: (n_new, n_latents). n_neighbours: n or more is everybody.
    """
    squared = (new**2).sum(axis=1)[:, None] + (latents**2).sum(axis=1) - 2 * new @ latents.T
    nearest = np.argsort(squared, axis=1, kind="stable")[:, :n_neighbours]
    return to_degrees(unit_vectors(places)[nearest].mean(axis=1))
