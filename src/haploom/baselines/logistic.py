"""Multinomial logistic regression on the raw SNPs: the classifier that is hard to beat.

The paper compares its networks with centroids on principal components; on real haplotypes plain logistic
regression is far better than those, so it stands beside every ancestry figure.
"""

import copy
from typing import Any

import numpy as np

from haploom import progress
from haploom.errors import HaploomError, MissingExtraError, SiteMismatchError
from haploom.panel import Panel

PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)  # scikit-learn's C, strongest penalty first
_MAX_ITERATIONS = 2000
_LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)  # keeps the loss of a sure mistake finite


class SnpLogisticRegression:
    """scikit-learn's LogisticRegression (L2, lbfgs) on alleles as they are, its C chosen on validation people.

    Memory: the algorithm needs one float32 matrix of the training haplotypes x sites, 32 times the packed
    panel (4,000 haplotypes x 10,000 sites take 160 MB). Select sites first where that is too much.

    After `fit`: `classes_`, the labels in sorted order (n_classes,); `C_`, the penalty chosen; `log_losses_`,
    C -> nats per validation haplotype, for those tried: the search ends
    when a weaker penalty predicts worse.
    """

    def __init__(self, *, penalties: tuple[float, ...] = PENALTIES) -> None:
        self.penalties = penalties

    def fit(
        self, X: Panel, labels: np.ndarray, validation: Panel, validation_labels: np.ndarray
    ) -> "SnpLogisticRegression":
        """Fit to training people with each C, keep the one that predicts the validation people best.

        labels, validation_labels: one per haplotype. "Best" is the least log loss, which, unlike accuracy,
        hardly ties. There is no chance in the fit, and it uses one thread: more would add in another order, and
        lbfgs would stop elsewhere.

        Raises HaploomError when training has fewer than two labels or validation has one that training has
        not, SiteMismatchError when the two have other sites, MissingExtraError without scikit-learn.
        """
        try:
            from sklearn.linear_model import LogisticRegression
            from threadpoolctl import threadpool_limits
        except ModuleNotFoundError as error:
            raise MissingExtraError("scikit-learn", "models", "logistic regression") from error

        self.classes_, label_index = np.unique(labels, return_inverse=True)
        unseen = np.setdiff1d(validation_labels, self.classes_)
        if len(self.classes_) < 2 or len(unseen):
            raise HaploomError(
                f"logistic regression needs two training labels or more and found {len(self.classes_)}; validation "
                f"labels it was not trained on: {', '.join(unseen) or 'none'}. Split stratified by label"
            )
        validation_index = np.searchsorted(self.classes_, validation_labels)
        self._sites = X.variants.fingerprint()
        self.n_features_in_ = X.n_sites
        alleles = X.alleles().astype(np.float32)
        self.log_losses_: dict[float, float] = {}
        # From strong to weak penalty, each fit starting where the last one ended.
        model = LogisticRegression(max_iter=_MAX_ITERATIONS, warm_start=True)
        with (
            threadpool_limits(1),
            progress.task("Logistic regression", total=len(self.penalties)) as advance,
        ):
            for C in self.penalties:
                model.set_params(C=C).fit(alleles, label_index)
                probabilities = self._probabilities(model, validation)
                of_truth = np.take_along_axis(probabilities, validation_index[:, None], axis=1)
                loss = float(-np.log(np.maximum(of_truth, _LEAST_PROBABILITY)).mean())
                advance(1, validation_loss=loss)
                self.log_losses_[C] = loss
                if loss > min(self.log_losses_.values()):
                    break
                self.C_, self._model = C, copy.deepcopy(model)
        return self

    def predict_proba(self, X: Panel) -> np.ndarray:
        """Probability of each label for each haplotype: float64 (n_haplotypes, n_classes), rows sum to 1.

        Over-confident for haplotypes unlike any in training. Raises SiteMismatchError for other sites.
        """
        return self._probabilities(self._model, X)

    def predict(self, X: Panel) -> np.ndarray:
        """The most probable label of each haplotype: (n_haplotypes,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _probabilities(self, model: Any, X: Panel) -> np.ndarray:
        if X.variants.fingerprint() != self._sites:
            raise SiteMismatchError(
                f"the haplotypes have {X.n_sites:,} sites, other than the {self.n_features_in_:,} that logistic "
                "regression was fitted on: select those sites first, or fit again"
            )
        blocks = [model.predict_proba(block.astype(np.float32)) for _, block in X.blocks()]
        probabilities = np.concatenate(blocks).astype(np.float64)
        return probabilities / probabilities.sum(axis=1, keepdims=True)
