"""Places on the globe, taken as a sphere: degrees to and from unit vectors, and distances along the surface."""

import numpy as np

EARTH_RADIUS_KM = 6371.0088  # the mean radius (IUGG)


def unit_vectors(degrees: np.ndarray) -> np.ndarray:
    """float64 (n, 3) from longitude and latitude in degrees (n, 2)."""
    longitude, latitude = np.radians(degrees).T
    return np.stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], 1)


def to_degrees(vectors: np.ndarray) -> np.ndarray:
    """Longitude (-180 to 180) and latitude of the directions of vectors (n, 3): float64 (n, 2).

    A vector of length 0, the mean of opposite places, is nowhere: it gives 0, 0.
    """
    x, y, z = vectors.T
    return np.degrees(np.stack([np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))], axis=1))


def pairwise_km(degrees: np.ndarray) -> np.ndarray:
    """Distances along the surface between places, float64 (n, n), km. degrees: longitude and latitude (n, 2)."""
    vectors = unit_vectors(degrees)
    half_chord = np.sqrt(sum(np.subtract.outer(axis, axis) ** 2 for axis in vectors.T)) / 2
    return _arc_km(half_chord)


def great_circle_km(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distance of each place of a to that of b, float64 (n,), km. a, b: longitude and latitude in degrees (n, 2)."""
    half_chord = np.linalg.norm(unit_vectors(a) - unit_vectors(b), axis=1) / 2
    return _arc_km(half_chord)


def _arc_km(half_chord: np.ndarray) -> np.ndarray:
    """Along the surface, km; half_chord: half of the straight way through a sphere of radius 1."""
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(half_chord, 1))
