"""Accuracies against scikit-learn, intervals against theory."""

import numpy as np
import pytest
import sklearn.metrics
from numpy.testing import assert_allclose

from haploom.baselines.accuracy import Interval, accuracy


def test_accuracy__values_agree_with_scikit_learn():
    rng = np.random.default_rng(1)
    truth = rng.choice(["AFR", "AMR", "EUR"], p=[0.7, 0.1, 0.2], size=300)
    predicted = np.where(rng.random(300) < 0.6, truth, rng.choice(["AFR", "AMR", "EUR", "OCE"], size=300))
    got = accuracy(truth, predicted, np.arange(300) // 2)
    assert got.plain.value == pytest.approx(sklearn.metrics.accuracy_score(truth, predicted))
    recalls = sklearn.metrics.recall_score(truth, predicted, labels=["AFR", "AMR", "EUR"], average=None)
    assert_allclose([r.value for r in got.recalls.values()], recalls)
    assert got.balanced.value == pytest.approx(recalls.mean())
    assert list(got.recalls) == ["AFR", "AMR", "EUR"]
    assert (got.n_rows, got.n_people) == (300, 150)


def test_accuracy__interval_is_the_binomial_one_when_rows_are_independent():
    # Bootstrap of n Bernoulli draws: standard error sqrt(p (1 - p) / n), so the 95 % interval is +- 1.96 of it.
    n, n_right = 400, 300
    predicted = np.where(np.arange(n) < n_right, "a", "b")
    got = accuracy(np.full(n, "a"), predicted, np.arange(n)).plain
    half = 1.96 * np.sqrt(0.75 * 0.25 / n)
    assert_allclose([got.low, got.high], [0.75 - half, 0.75 + half], atol=0.006)


def test_accuracy__people_are_resampled_not_haplotypes():
    # Both haplotypes of a person are right or wrong together, so there are n people's worth of evidence, not 2 n.
    people = np.repeat(np.arange(200), 2)
    predicted = np.where(people < 150, "a", "b")
    by_person = accuracy(np.full(400, "a"), predicted, people).plain
    by_row = accuracy(np.full(400, "a"), predicted, np.arange(400)).plain
    ratio = (by_person.high - by_person.low) / (by_row.high - by_row.low)
    assert ratio == pytest.approx(np.sqrt(2), rel=0.1)


def test_accuracy__a_rare_label_widens_balanced_accuracy():
    truth = np.array(["common"] * 198 + ["rare"] * 2)
    predicted = np.array(["common"] * 199 + ["rare"])
    got = accuracy(truth, predicted, np.arange(200))
    assert got.balanced.value == 0.75
    assert got.balanced.high - got.balanced.low > 10 * (got.plain.high - got.plain.low)


def test_accuracy__same_seed_same_interval_and_row_order_does_not_matter():
    rng = np.random.default_rng(2)
    truth, predicted = rng.choice(["a", "b"], (2, 100))
    people = np.arange(100) // 2
    shuffled = rng.permutation(100)
    got = accuracy(truth, predicted, people, seed=3)
    assert got == accuracy(truth[shuffled], predicted[shuffled], people[shuffled], seed=3)
    assert got.balanced != accuracy(truth, predicted, people, seed=4).balanced


def test_accuracy__no_rows_or_uneven_columns_are_refused():
    with pytest.raises(ValueError, match="0, 0, 0 rows"):
        accuracy(np.array([]), np.array([]), np.array([]))
    with pytest.raises(ValueError, match="2, 1, 2 rows"):
        accuracy(np.array(["a", "b"]), np.array(["a"]), np.array([0, 1]))


def test_interval__one_format_for_numbers_and_intervals():
    assert f"{Interval(0.8612, 0.8449, 0.877):.2f}" == "0.86 (0.84–0.88)"
