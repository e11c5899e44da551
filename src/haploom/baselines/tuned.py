"""The usual classifiers of scikit-learn on genotypes or principal components, each tuned on validation people.

Random forest on 20 components is how gnomAD labels people (Karczewski et al. 2020).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from haploom.baselines.kernel_ridge import squared_distances
from haploom.errors import HaploomError, MissingExtraError
from haploom.panel import DosagePanel, Panel
from haploom.panel.dosages import MISSING
from haploom.popgen.pca import PCA

_SEED = 1


@dataclass(frozen=True)
class Method:
    """A classifier of scikit-learn and what it is tuned over.

    n_components: principal components it sees; None: squared distances between haplotypes, and "width" is the Gaussian
    kernel's, by their mean.
    """

    name: str
    make: Callable[..., Any]
    grid: Mapping[str, tuple[Any, ...]]
    n_components: int | None


def _vectors(**settings: Any) -> Any:
    from sklearn.svm import SVC

    return SVC(kernel="precomputed", **settings)


def _forest(**settings: Any) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(random_state=_SEED, **settings)


def _neighbours(**settings: Any) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(**settings)


def _boosting(**settings: Any) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=_SEED, early_stopping=False, max_iter=100, **settings)


def _logistic(**settings: Any) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=3000, **settings)


METHODS = (
    Method("support vectors (RBF) on SNPs", _vectors, {"width": (0.25, 0.5, 1.0, 2.0), "C": (1.0, 3.0, 10.0)}, None),
    Method("random forest on 20 PCs", _forest, {"n_estimators": (300,), "min_samples_leaf": (1, 3)}, 20),
    Method("nearest neighbours on 20 PCs", _neighbours, {"n_neighbors": (5, 11, 21), "weights": ("distance",)}, 20),
    Method("gradient boosting on 20 PCs", _boosting, {"learning_rate": (0.03, 0.1)}, 20),
    Method("logistic regression on 100 PCs", _logistic, {"C": (0.01, 0.1, 1.0)}, 100),
)


class TunedClassifier:
    """One of METHODS: settings chosen by accuracy on validation people, then fitted to them and the training people.

    Memory: with distances, float32 and float64 matrices of haplotypes x haplotypes.
    After `fit`: `classes_` (n_classes,) sorted; `settings_`, those chosen; `validation_accuracy_`, 0 to 1, before the
    validation people were fitted.
    """

    def __init__(self, method: Method) -> None:
        self.method = method

    def fit(
        self, X: Panel | DosagePanel, labels: np.ndarray, validation: Panel | DosagePanel,
        validation_labels: np.ndarray,
    ) -> "TunedClassifier":  # fmt: skip
        """labels, validation_labels: one per row, a haplotype or an unphased person. The first of equals is kept.

        Raises HaploomError for missing calls, and with fewer than two labels, MissingExtraError without scikit-learn.
        """
        try:
            from threadpoolctl import threadpool_limits
        except ModuleNotFoundError as error:
            raise MissingExtraError("scikit-learn", "models", self.method.name) from error
        self.classes_ = np.unique(labels)
        if len(self.classes_) < 2:
            raise HaploomError(f"{self.method.name} needs two labels or more, found {len(self.classes_)}")
        truth, held_out = (np.searchsorted(self.classes_, each) for each in (labels, validation_labels))
        with threadpool_limits(1):
            known, new = _counts(X), _counts(validation)
            self._see(known)
            train, test = self._features(known), self._features(new)
            best = -1.0
            for values in product(*self.method.grid.values()):
                settings = dict(zip(self.method.grid, values))
                share = float((self._fitted(settings, train, truth)(test) == held_out).mean())
                if share > best:
                    best, self.settings_ = share, settings
            self.validation_accuracy_ = best
            both = np.concatenate([known, new])
            self._see(both)
            self._predict = self._fitted(self.settings_, self._features(both), np.concatenate([truth, held_out]))
        return self

    def predict(self, X: Panel | DosagePanel) -> np.ndarray:
        """The label of each row: (n_rows,)."""
        return self.classes_[self._predict(self._features(_counts(X)))]

    def _see(self, alleles: np.ndarray) -> None:
        """Take these haplotypes as those that distances are to, or find their components."""
        if self.method.n_components is None:
            self._reference = alleles
            self._typical = float(squared_distances(alleles[:: max(1, len(alleles) // 500)], np.True_, alleles).mean())
        else:
            n_components = min(self.method.n_components, len(alleles) - 1, alleles.shape[1])
            self._pca = PCA(n_components, random_state=_SEED).fit(_shares(alleles))

    def _features(self, alleles: np.ndarray) -> np.ndarray:
        if self.method.n_components is None:
            return squared_distances(alleles, np.True_, self._reference) / self._typical
        return self._pca.transform(_shares(alleles)).astype(np.float64)

    def _fitted(
        self, settings: Mapping[str, Any], features: np.ndarray, truth: np.ndarray
    ) -> Callable[[np.ndarray], np.ndarray]:
        """A classifier with these settings, as a function from features to places in `classes_`."""
        settings = dict(settings)
        width = settings.pop("width", None)
        model = self.method.make(**settings)
        if width is None:
            model.fit(features, truth)
            return model.predict
        model.fit(np.exp(-width * features), truth)
        return lambda distances: model.predict(np.exp(-width * distances))


def _counts(X: Panel | DosagePanel) -> np.ndarray:
    """Alternate alleles: uint8 (n_rows, n_sites)."""
    if isinstance(X, Panel):
        return X.alleles()
    if (X.dosages == MISSING).any():
        raise HaploomError("the baselines take no missing calls: leave those sites or people out")
    return X.dosages.view(np.uint8)


def _shares(counts: np.ndarray) -> np.ndarray:
    """As principal components take them, 0 to 1. Components of haplotypes and of half the counts differ in scale."""
    return (counts / np.float32(2)).astype(np.float32)
