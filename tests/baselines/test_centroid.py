"""Nearest centroid against scikit-learn's, and by hand."""

import numpy as np
import pytest
import sklearn.neighbors
from numpy.testing import assert_allclose, assert_array_equal

from haploom.baselines.centroid import NearestCentroid
from haploom.errors import HaploomError


def test_nearest_centroid__agrees_with_scikit_learn():
    rng = np.random.default_rng(1)
    labels = rng.choice(["EUR", "AFR", "EAS"], size=200)
    Z = rng.standard_normal((200, 5)) + (labels == "AFR")[:, None]
    ours, theirs = NearestCentroid().fit(Z, labels), sklearn.neighbors.NearestCentroid().fit(Z, labels)
    assert_allclose(ours.centroids_, theirs.centroids_)
    assert_array_equal(ours.predict(Z), theirs.predict(Z))


def test_nearest_centroid__worked_out_by_hand():
    Z = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 4.0]])
    centroids = NearestCentroid().fit(Z, np.array(["b", "b", "a"]))
    assert centroids.classes_.tolist() == ["a", "b"]
    assert_array_equal(centroids.centroids_, [[1, 4], [1, 0]])
    new = np.array([[4.0, 4.0], [1.0, 2.0]])  # 3 and 5 away from a and b; as far from either
    assert_array_equal(centroids.distances(new), [[3, 5], [2, 2]])
    assert centroids.predict(new).tolist() == ["a", "a"]
    e2 = np.exp(2)
    assert_allclose(centroids.scores(new), [[e2 / (e2 + 1), 1 / (e2 + 1)], [0.5, 0.5]])


def test_nearest_centroid__far_points_keep_finite_scores():
    centroids = NearestCentroid().fit(np.array([[0.0], [1.0]]), np.array(["a", "b"]))
    assert_array_equal(centroids.scores(np.array([[-1e6], [1e6]])).argmax(axis=1), [0, 1])
    assert_allclose(centroids.scores(np.array([[1e12]])).sum(), 1)


def test_nearest_centroid__another_space_is_refused():
    centroids = NearestCentroid().fit(np.zeros((2, 3)), np.array(["a", "b"]))
    with pytest.raises(HaploomError, match="the centroids have 3 coordinates"):
        centroids.predict(np.zeros((1, 2)))
