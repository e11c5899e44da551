"""What classifiers can tell: one sample from another, and populations by what was learned from synthetic people."""

from typing import Any

import numpy as np

from haploom.audit.distances import wasserstein
from haploom.audit.sampling import Sample
from haploom.baselines.accuracy import Interval, accuracy
from haploom.panel import Panel
from haploom.popgen.pca import PCA

N_COMPONENTS = 50  # the two-sample tests see
N_COMPARED = 10  # whose distributions are compared
UTILITY_COMPONENTS = 100
_N_FOLDS = 5
_N_TREES = 100


def joint_components(samples: list[Sample], seed: int) -> list[np.ndarray]:
    """Principal components of all samples together, each with a standard deviation of 1: (n_haplotypes, <= 50) each."""
    panels = [sample.panel for sample in samples]
    bits = np.concatenate([panel.bits[sample.rows] for panel, sample in zip(panels, samples)])
    n_people = len(bits) // 2
    together = Panel(bits, panels[0].variants, tuple(map(str, range(n_people))))
    n_components = min(N_COMPONENTS, len(bits) - 1, together.n_sites)
    scores = PCA(n_components, random_state=seed).fit_transform(together)
    scores /= np.maximum(scores.std(axis=0), 1e-12)
    return np.split(scores, np.cumsum([len(sample.rows) for sample in samples])[:-1])


def component_figures(
    one: tuple[np.ndarray, Sample], other: tuple[np.ndarray, Sample], without: int | None = None
) -> dict[str, float]:
    """pca_distance: mean over the first 10 components of Wasserstein's distance, in standard deviations."""
    scores = [each[sample.groups != without] for each, sample in (one, other)]
    axes = range(min(N_COMPARED, scores[0].shape[1]))
    return {"pca_distance": float(np.mean([wasserstein(scores[0][:, k], scores[1][:, k]) for k in axes]))}


def two_sample_accuracy(
    kind: str, one: np.ndarray, other: np.ndarray, seed: int, threads: int
) -> tuple[Interval, float]:  # fmt: skip
    """(accuracy with its interval over people, area under the ROC curve) of telling two samples apart: 0.5 is chance.

    kind: "logistic" or "forest". one, other: components (n_haplotypes, n_components), as many of both; a person's two
    haplotypes side by side. Cross-validated in 5 folds: nobody is judged by what was learned from themselves.
    Source: Lopez-Paz & Oquab 2017, Int Conf Learn Represent.
    """
    from sklearn.metrics import roc_auc_score
    from threadpoolctl import threadpool_limits

    features = np.concatenate([one, other])
    truth = np.repeat([0, 1], [len(one), len(other)])
    people = np.arange(len(features)) // 2
    fold_of_person = np.concatenate([
        np.random.default_rng(seed).permutation(len(each) // 2) % _N_FOLDS for each in (one, other)
    ])  # fmt: skip
    fold = fold_of_person[people]
    chance = np.zeros(len(features))
    with threadpool_limits(1):
        for held in range(_N_FOLDS):
            model = _classifier(kind, seed, threads).fit(features[fold != held], truth[fold != held])
            chance[fold == held] = model.predict_proba(features[fold == held])[:, 1]
    measured = accuracy(truth, (chance > 0.5).astype(int), people, seed=seed)
    return measured.plain, float(roc_auc_score(truth, chance))


def _classifier(kind: str, seed: int, threads: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    if kind == "logistic":
        return LogisticRegression(C=0.1, max_iter=3000)
    return RandomForestClassifier(_N_TREES, min_samples_leaf=3, random_state=seed, n_jobs=threads)


def ancestry_accuracy(learned_from: Sample, told: Panel, level: str, seed: int) -> Interval:
    """Balanced accuracy of ancestry, learned from a sample and tested on a panel, with its interval over people.

    Logistic regression on the sample's own 100 principal components. told: people of the sample's populations; others
    in it are left aside. From haplotypes that are all the same nothing is learned: everybody gets one label.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    rows, n_sites = learned_from.rows, learned_from.panel.n_sites
    sample = Panel(
        learned_from.panel.bits[rows], learned_from.panel.variants, tuple(map(str, range(len(rows) // 2)))
    )  # fmt: skip
    truth = np.array(told.labels(level, per="haplotype").tolist())
    known = np.isin(truth, learned_from.labels)
    if (sample.bits == sample.bits[0]).all():  # a generator that has collapsed
        predicted = np.full(len(truth), learned_from.labels[0])
    else:
        pca = PCA(min(UTILITY_COMPONENTS, len(rows) - 1, n_sites), random_state=seed).fit(sample)
        with threadpool_limits(1):
            model = LogisticRegression(C=0.1, max_iter=3000).fit(pca.transform(sample), learned_from.haplotype_labels)
        predicted = model.predict(pca.transform(told))
    people = np.arange(len(truth)) // 2
    return accuracy(truth[known], predicted[known], people[known], seed=seed).balanced
