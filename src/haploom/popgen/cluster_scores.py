"""How far apart labelled groups lie on a map: the three scores of the paper's Table 3.

They say how round and separate groups are, not whether a map is true: t-SNE and a classifier's own outputs do well
by them. `map_scores` has what they miss.
"""

from typing import NamedTuple

import numpy as np

from haploom.errors import MissingExtraError


class ClusterScores(NamedTuple):
    """pseudo_f: between over within variance, above 0, grows with the rows; silhouette: -1 to 1; both higher better.

    davies_bouldin: mean over groups of the worst ratio of spreads to distance, above 0, lower is better.
    NaN, all three, with fewer than two groups or no group of two rows.
    """

    pseudo_f: float
    silhouette: float
    davies_bouldin: float


def standardised(Z: np.ndarray) -> np.ndarray:
    """Each coordinate with mean 0 and variance 1: float64 (n, n_latent). One that does not vary becomes 0."""
    Z = np.asarray(Z, dtype=np.float64)
    spread = Z.std(axis=0)
    return (Z - Z.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def cluster_scores(Z: np.ndarray, labels: np.ndarray) -> ClusterScores:
    """Pseudo-F, silhouette and Davies-Bouldin index of standardised coordinates, by label.

    Z: (n, n_latent); labels: (n,). Time grows with n^2 (silhouette). Sources: Calinski & Harabasz 1974, Rousseeuw
    1987, Davies & Bouldin 1979. Raises MissingExtraError without scikit-learn.
    """
    try:
        from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score
    except ModuleNotFoundError as error:
        raise MissingExtraError("scikit-learn", "models", "scores of maps") from error
    groups, places = np.unique(labels, return_inverse=True)
    if not 2 <= len(groups) < len(places):
        return ClusterScores(np.nan, np.nan, np.nan)
    Z = standardised(Z)
    return ClusterScores(
        float(calinski_harabasz_score(Z, places)),
        float(silhouette_score(Z, places)),
        float(davies_bouldin_score(Z, places)),
    )
