import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("sklearn")

from sklearn.svm import SVC

from haploom.baselines.accuracy import paired_gain
from haploom.baselines.tuned import METHODS, TunedClassifier


@pytest.fixture(scope="module")
def parts(two_populations, two_populations_split):
    return [
        two_populations.select_samples(two_populations_split.samples(part, two_populations.samples))
        for part in ("train", "validation", "test")
    ]


def labels_of(panel):
    return panel.labels("population", per="haplotype")


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_tuned__labels_held_out_people(method, parts):
    train, validation, test = parts
    fitted = TunedClassifier(method).fit(train, labels_of(train), validation, labels_of(validation))
    assert (fitted.predict(test) == labels_of(test)).mean() > 0.9
    assert fitted.validation_accuracy_ > 0.9


def test_tuned__support_vectors_as_scikit_learn_has_them(parts):
    train, validation, test = parts
    fitted = TunedClassifier(METHODS[0]).fit(train, labels_of(train), validation, labels_of(validation))
    both = np.concatenate([train.alleles(), validation.alleles()]).astype(float)
    gamma = fitted.settings_["width"] / fitted._typical
    theirs = SVC(C=fitted.settings_["C"], gamma=gamma)
    theirs.fit(both, np.concatenate([labels_of(train), labels_of(validation)]).astype("U5"))
    assert_array_equal(fitted.predict(test).astype("U5"), theirs.predict(test.alleles().astype(float)))


def test_paired_gain__by_hand_and_against_the_standard_error():
    truth = np.zeros(4000, dtype=int)
    rng = np.random.default_rng(1)
    ours, theirs = (rng.random((2, 4000)) < [[0.1], [0.2]]).astype(int)
    people = np.arange(4000) // 2
    got = paired_gain(truth, ours, theirs, people)
    gains = (theirs - ours).reshape(-1, 2).sum(axis=1)
    assert got.value == pytest.approx((theirs - ours).mean())
    error = gains.std() / np.sqrt(2000) / 2
    assert_allclose([got.low, got.high], [got.value - 1.96 * error, got.value + 1.96 * error], atol=0.15 * error)
