"""How true a map is: are neighbours in the genotypes neighbours on it, and does it say where newcomers belong?

Arrays in, numbers out. Distances between rows are square matrices, n x n: give at most some thousand rows.
"""

import numpy as np

_ROWS_AT_ONCE = 1024


def map_distances(Z: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
    """Euclidean distances between points, float64 (n, n_others); of points to themselves without others."""
    others = Z if others is None else others
    return np.sqrt(sum(np.subtract.outer(Z[:, axis], others[:, axis]) ** 2 for axis in range(Z.shape[1])))


def trustworthiness(original: np.ndarray, on_map: np.ndarray, n_neighbors: int = 15) -> float:
    """Whether neighbours on the map are neighbours in truth: 0 to 1, about 0.5 for a random map.

    original, on_map: distances (n, n) between the same rows. Each row's nearest on the map is charged by how far down
    it stands in the true order beyond `n_neighbors`. With the arguments exchanged it is the continuity: whether true
    neighbours stayed together. Source: Venna & Kaski 2001, 2006. Raises ValueError unless 2 n_neighbors < n.
    """
    n = len(original)
    if not 0 < n_neighbors < n / 2:
        raise ValueError(f"n_neighbors={n_neighbors} must be from 1 to below half of {n} rows")
    charged = 0
    for row in range(n):
        order = np.argsort(np.where(np.arange(n) == row, -np.inf, original[row]), kind="stable")
        rank = np.empty(n, dtype=np.int64)
        rank[order] = np.arange(n)  # the row itself has 0
        nearest = np.argsort(np.where(np.arange(n) == row, -np.inf, on_map[row]), kind="stable")[1 : n_neighbors + 1]
        charged += int(np.maximum(rank[nearest] - n_neighbors, 0).sum())
    return 1 - 2 * charged / (n * n_neighbors * (2 * n - 3 * n_neighbors - 1))


def continuity(original: np.ndarray, on_map: np.ndarray, n_neighbors: int = 15) -> float:
    """Whether true neighbours are neighbours on the map: `trustworthiness` with the two exchanged."""
    return trustworthiness(on_map, original, n_neighbors)


def neighbour_labels(Z: np.ndarray, labels: np.ndarray, newcomers: np.ndarray, n_neighbors: int = 20) -> np.ndarray:
    """The label that most of each newcomer's nearest reference points have: (n_newcomers,), the nearest one's in a tie.

    Z: (n, n_latent) of the reference, labels (n,); newcomers: (n_newcomers, n_latent), other people than the
    reference's, on the same axes. Coordinates are standardised by the reference first. Raises ValueError for fewer
    reference points than neighbours.
    """
    if len(Z) < n_neighbors:
        raise ValueError(f"{n_neighbors} neighbours of {len(Z)} reference points")
    mean, spread = Z.mean(axis=0, dtype=np.float64), Z.std(axis=0, dtype=np.float64)
    scale = np.where(spread > 0, spread, 1.0)
    Z, newcomers = (Z - mean) / scale, (newcomers - mean) / scale
    names, places = np.unique(labels, return_inverse=True)
    out = np.empty(len(newcomers), dtype=np.int64)
    for start in range(0, len(newcomers), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        near = np.argsort(map_distances(newcomers[rows], Z), axis=1, kind="stable")[:, :n_neighbors]
        votes = (places[near][:, :, None] == np.arange(len(names))).sum(axis=1)
        tied = votes == votes.max(axis=1, keepdims=True)
        first = np.take_along_axis(tied, places[near], axis=1).argmax(axis=1)
        out[rows] = places[near[np.arange(len(near)), first]]
    return names[out]


def distance_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """How far one set of distances goes with another: 0 to 1, 0 for independence in large samples, 1 for similarity.

    first, second: distances (n, n) between the same rows, such as on a map and over the ground. NaN where either has
    all rows in one place. Source: Szekely, Rizzo & Bakirov 2007.
    """
    a, b = _centred(first), _centred(second)
    spread = np.sqrt((a * a).mean() * (b * b).mean())
    return float(np.sqrt(max(0.0, (a * b).mean() / spread))) if spread > 0 else float("nan")


def _centred(distances: np.ndarray) -> np.ndarray:
    """Every row and column with mean 0."""
    rows = distances.mean(axis=0, keepdims=True)
    return distances - rows - distances.mean(axis=1, keepdims=True) + rows.mean()
