"""Scores of maps against hand-worked values, slow oracles and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("sklearn")

from haploom.popgen.cluster_scores import cluster_scores, standardised
from haploom.popgen.map_scores import (
    continuity,
    distance_correlation,
    map_distances,
    neighbour_labels,
    trustworthiness,
)


def test_cluster_scores__by_hand():
    # Two pairs on a line, already standardised: -a, -b, b, a with a + b = 2 c. Labels: the left and the right pair.
    Z = standardised(np.array([[-3.0], [-1.0], [1.0], [3.0]]))[:, 0] * np.sqrt(5)
    scores = cluster_scores(Z[:, None], np.array(["l", "l", "r", "r"]))
    # Between: 4 * 2^2 = 16 with 1 degree; within: 4 * 1 = 4 with 2: F = 16 / 2.
    assert scores.pseudo_f == pytest.approx(8)
    # Spread 1 + 1 over distance 4.
    assert scores.davies_bouldin == pytest.approx(0.5)
    # Own pair 2 away; the others 4 and 6 from the outer point, 2 and 4 from the inner one.
    assert scores.silhouette == pytest.approx((3 / 5 + 1 / 3) / 2)


def test_cluster_scores__undefined_is_nan():
    Z = np.random.default_rng(1).normal(size=(4, 2))
    assert np.isnan(cluster_scores(Z, np.full(4, "one"))).all()
    assert np.isnan(cluster_scores(Z, np.array(["a", "b", "c", "d"]))).all()


def test_cluster_scores__units_of_an_axis_do_not_matter():
    rng = np.random.default_rng(2)
    Z, labels = rng.normal(size=(60, 2)), rng.integers(0, 3, 60)
    np.testing.assert_allclose(cluster_scores(Z, labels), cluster_scores(Z * [1, 1e4] + 7, labels))


@given(st.integers(0, 1000))
def test_trustworthiness__as_scikit_learn_says(seed):
    from sklearn.manifold import trustworthiness as theirs

    rng = np.random.default_rng(seed)
    X, Z = rng.normal(size=(25, 6)), rng.normal(size=(25, 2))
    original, on_map = map_distances(X), map_distances(Z)
    assert trustworthiness(original, on_map, 5) == pytest.approx(theirs(X, Z, n_neighbors=5))
    assert continuity(original, on_map, 5) == pytest.approx(theirs(Z, X, n_neighbors=5))
    assert trustworthiness(original, original, 5) == 1


def test_trustworthiness__refuses_too_many_neighbours():
    with pytest.raises(ValueError, match="below half of 6 rows"):
        trustworthiness(np.zeros((6, 6)), np.zeros((6, 6)), 3)


@given(st.integers(0, 1000), st.integers(1, 7))
def test_neighbour_labels__as_scikit_learn_says(seed, k):
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(seed)
    Z, new, labels = rng.normal(size=(40, 2)), rng.normal(size=(15, 2)), rng.integers(0, 2, 40)
    k = 2 * (k // 2) + 1  # odd, two labels: no ties
    theirs = KNeighborsClassifier(k).fit((Z - Z.mean(0)) / Z.std(0), labels).predict((new - Z.mean(0)) / Z.std(0))
    np.testing.assert_array_equal(neighbour_labels(Z, labels, new, k), theirs)


def test_neighbour_labels__a_tie_goes_to_the_nearest():
    Z, labels = np.array([[0.0], [1.0], [3.0], [4.0]]), np.array(["a", "b", "b", "a"])
    assert neighbour_labels(Z, labels, np.array([[0.4], [3.4]]), 2).tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="5 neighbours of 4"):
        neighbour_labels(Z, labels, Z, 5)


def _slow_distance_correlation(x, y):
    """By the definition, sum by sum."""
    n = len(x)

    def centred(d):
        every = sum(map(sum, d)) / n**2
        return [
            [d[i][j] - sum(d[i]) / n - sum(d[k][j] for k in range(n)) / n + every for j in range(n)] for i in range(n)
        ]

    a, b = centred(x), centred(y)

    def covariance(p, q):
        return sum(p[i][j] * q[i][j] for i in range(n) for j in range(n)) / n**2

    return (covariance(a, b) / (covariance(a, a) * covariance(b, b)) ** 0.5) ** 0.5


@given(st.integers(0, 1000))
def test_distance_correlation__by_the_definition(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(8, 3))
    y = x[:, :2] + rng.normal(size=(8, 2))
    a, b = map_distances(x), map_distances(y)
    assert distance_correlation(a, b) == pytest.approx(_slow_distance_correlation(a.tolist(), b.tolist()))


def test_distance_correlation__turned_and_enlarged_is_one_and_unrelated_is_low():
    rng = np.random.default_rng(3)
    Z = rng.normal(size=(300, 2))
    turned = 5 * Z @ np.array([[0.6, -0.8], [0.8, 0.6]])
    assert distance_correlation(map_distances(Z), map_distances(turned)) == pytest.approx(1)
    assert distance_correlation(map_distances(Z), map_distances(rng.normal(size=(300, 2)))) < 0.2
    assert np.isnan(distance_correlation(map_distances(Z), np.zeros((300, 300))))
