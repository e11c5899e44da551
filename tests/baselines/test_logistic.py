"""Logistic regression on SNPs against scikit-learn used directly, and against what the data were made of."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_limits

from haploom.baselines.logistic import SnpLogisticRegression
from haploom.errors import HaploomError, MissingExtraError, SiteMismatchError
from haploom.panel import Panel, Variants
from haploom.panel.variants import STRING

LABELS = np.array(["AFR", "EUR", "EAS"])


def cohort(n_people: int, seed: int, n_sites: int = 60) -> tuple[Panel, np.ndarray]:
    """People of three populations whose allele frequencies differ at every site; labels per haplotype."""
    frequency = np.random.default_rng(0).beta(1, 1, (3, n_sites))
    rng = np.random.default_rng(seed)
    population = np.repeat(rng.integers(3, size=n_people), 2)
    alleles = (rng.random((2 * n_people, n_sites)) < 0.5 + 0.3 * (frequency[population] - 0.5)).astype(np.uint8)
    column = lambda text: np.array([text] * n_sites, dtype=STRING)  # noqa: E731
    variants = Variants(column("22"), np.arange(n_sites) + 1, column("."), column("A"), column("C"))
    return Panel.from_alleles(alleles, variants, [f"s{i}" for i in range(n_people)]), LABELS[population].astype(STRING)


def test_logistic__is_scikit_learns_best_model_of_the_grid():
    (train, labels), (validation, validation_labels), (test, _) = cohort(80, 1), cohort(40, 2), cohort(30, 3)
    ours = SnpLogisticRegression(penalties=(0.001, 0.03, 30.0)).fit(train, labels, validation, validation_labels)
    theirs = {
        C: LogisticRegression(C=C, max_iter=2000).fit(train.alleles().astype(np.float64), labels.tolist())
        for C in ours.log_losses_
    }
    losses = {
        C: log_loss(validation_labels.tolist(), model.predict_proba(validation.alleles()))
        for C, model in theirs.items()
    }
    assert_allclose(list(ours.log_losses_.values()), list(losses.values()), rtol=0.01)
    assert ours.C_ == min(losses, key=losses.get) == 0.03, "the middle of the grid: too strong and too weak both lose"
    probabilities = ours.predict_proba(test)
    assert_allclose(probabilities, theirs[0.03].predict_proba(test.alleles()), atol=0.01)
    assert ours.classes_.tolist() == sorted(LABELS)
    assert_array_equal(ours.predict(test), ours.classes_[probabilities.argmax(axis=1)])


def test_logistic__labels_that_cannot_be_learned_are_refused():
    (train, labels), (validation, validation_labels) = cohort(20, 1), cohort(10, 2)
    with pytest.raises(HaploomError, match="two training labels or more and found 1"):
        SnpLogisticRegression().fit(train, np.full(40, "AFR"), validation, np.full(20, "AFR"))
    validation_labels[3] = "OCE"
    with pytest.raises(HaploomError, match="not trained on: OCE"):
        SnpLogisticRegression().fit(train, labels, validation, validation_labels)


def test_logistic__other_sites_are_refused():
    (train, labels), (validation, validation_labels) = cohort(20, 1), cohort(20, 2)
    model = SnpLogisticRegression(penalties=(0.1,)).fit(train, labels, validation, validation_labels)
    with pytest.raises(SiteMismatchError, match="59 sites, other than the 60"):
        model.predict(validation.select_sites(slice(1, None)))


def test_logistic__without_scikit_learn_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    train, labels = cohort(5, 1)
    with pytest.raises(MissingExtraError, match=r"pip install 'haploom\[models\]'"):
        SnpLogisticRegression().fit(train, labels, train, labels)


def test_logistic__threads_do_not_matter():
    (train, labels), (validation, validation_labels) = cohort(300, 1, n_sites=900), cohort(60, 2, n_sites=900)
    losses = set()
    for threads in (1, 2, 3):
        with threadpool_limits(threads):
            fitted = SnpLogisticRegression(penalties=(0.01, 0.1)).fit(train, labels, validation, validation_labels)
            losses.add(tuple(fitted.log_losses_.values()))
    assert len(losses) == 1
