"""From what is measured of a row to a probability of each label: a stack of two kinds of evidence, then a temperature.

Evidence is the log probability of each label by likelihood alone, tempered and floored, and the scores of kernel
ridge regression. All in fixed point where sums are long: the same bits alone or in a cohort.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from haploom.errors import MissingExtraError
from haploom.exact.products import fixed_point_product, settled

LIKELIHOOD_TEMPERATURES = (0.01, 0.02, 0.05, 0.1, 0.2)  # copies are correlated along a haplotype
TEMPERATURES = np.geomspace(0.5, 4.0, 61)
PENALTIES = (0.01, 0.1, 1.0, 10.0)  # scikit-learn's C
FOLDS = 5
# How much of the difference between the labels' shares is taken out: how many of each label the reference has says
# little of the people asked about. 0 keeps all, 1 none; see benchmarks/records/ancestry-trials.jsonl.
EVENNESS = 2 / 3
_FLOOR = 1e-6
_BITS = 20
_SUM_BITS = 52
_MOST_EVIDENCE = 16.0  # log(_FLOOR) is -13.8, scores are about 0 to 1
_MAX_ITERATIONS = 2000


def evidence(log_likelihoods: np.ndarray, scores: np.ndarray, temperature: float) -> np.ndarray:
    """float64 (n, 2 n_labels). log_likelihoods, scores: float64 (n, n_labels)."""
    tempered = softmax(temperature * log_likelihoods)
    return np.hstack([settled(np.log(np.maximum(tempered, _FLOOR))), scores])


@dataclass(frozen=True, eq=False)
class Stack:
    """Multinomial logistic regression on evidence. weight: float64 (2 n_labels, n_labels); bias (n_labels,)."""

    weight: np.ndarray
    bias: np.ndarray
    likelihood_temperature: float
    temperature: float

    def probabilities(self, log_likelihoods: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Calibrated, float64 (n, n_labels), rows sum to 1."""
        rows = evidence(log_likelihoods, scores, self.likelihood_temperature).clip(-_MOST_EVIDENCE, _MOST_EVIDENCE)
        # Fewer bits only where weights are so large, with hardly any sites to learn from, that sums were not exact.
        limit = max(1.0, _MOST_EVIDENCE * np.abs(self.weight).sum(axis=0).max())
        bits = min(_BITS, int(_SUM_BITS - _BITS - np.ceil(np.log2(limit))))
        return softmax((fixed_point_product(rows, self.weight, _BITS, bits) + self.bias) / self.temperature)

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {
            "weight": self.weight, "bias": self.bias,
            "temperatures": np.array([self.likelihood_temperature, self.temperature]),
        }  # fmt: skip

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Stack":
        """The inverse of `to_arrays`. Raises KeyError where arrays are absent."""
        of_likelihood, temperature = arrays["temperatures"].tolist()
        return cls(arrays["weight"], arrays["bias"], of_likelihood, temperature)


def fit_stack(
    log_likelihoods: np.ndarray, scores: np.ndarray, labels: np.ndarray, people: np.ndarray, *,
    likelihood_temperatures: tuple[float, ...] = LIKELIHOOD_TEMPERATURES, penalties: tuple[float, ...] = PENALTIES,
) -> tuple[Stack, np.ndarray]:  # fmt: skip
    """The stack, and the probabilities of each row by a stack fitted to other people: float64 (n, n_labels).

    log_likelihoods, scores: (n, n_labels), each row measured without its own person. labels: int64 (n,), each label
    there; people: int64 (n,), whose row it is; people p with p % FOLDS alike share a fold. Both temperatures
    and the penalty are those under which the left-out rows are likeliest. Then the odds of two labels are taken as if
    they had been nearer to even beforehand, by EVENNESS. Raises MissingExtraError where there is no scikit-learn.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError as error:
        raise MissingExtraError("scikit-learn", "models", "the ancestry classifier") from error
    n_labels = log_likelihoods.shape[1]
    best: tuple[float, float, float, np.ndarray] | None = None
    with threadpool_limits(1):
        for likelihood_temperature in likelihood_temperatures:
            rows = evidence(log_likelihoods, scores, likelihood_temperature)
            # The penalty of one temperature does for all: they differ in scale, and scales are taken out.
            for penalty in penalties if best is None else (best[2],):
                logits = np.empty((len(rows), n_labels))
                for fold in range(FOLDS):
                    out = people % FOLDS == fold
                    weight, bias = _logistic(rows[~out], labels[~out], n_labels, penalty)
                    logits[out] = rows[out] @ weight + bias
                loss = _log_loss(softmax(logits), labels)
                if best is None or loss < best[0]:
                    best = (loss, likelihood_temperature, penalty, logits)
        assert best is not None
        _, likelihood_temperature, penalty, logits = best
        weight, bias = _logistic(evidence(log_likelihoods, scores, likelihood_temperature), labels, n_labels, penalty)
    temperature = float(min(TEMPERATURES, key=lambda t: _log_loss(softmax(logits / t), labels)))
    of_shares = EVENNESS * temperature * np.log(np.bincount(labels) / len(labels))
    stack = Stack(weight, bias - of_shares, likelihood_temperature, temperature)
    return stack, softmax((logits - of_shares) / temperature)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Rows of float64 (n, n_labels) to probabilities."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return settled(shifted / shifted.sum(axis=1, keepdims=True))


def _log_loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-30)).mean())


def _logistic(rows: np.ndarray, labels: np.ndarray, n_labels: int, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Weight (n_in, n_labels) and bias (n_labels,) on the rows as they are; labels not met have a very low bias."""
    from sklearn.linear_model import LogisticRegression

    mean, spread = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-9)
    model = LogisticRegression(C=penalty, max_iter=_MAX_ITERATIONS).fit((rows - mean) / spread, labels)
    coefficients, intercept = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn keeps one row of the two
        coefficients, intercept = np.vstack([-coefficients, coefficients]) / 2, np.append(-intercept, intercept) / 2
    weight, bias = np.zeros((rows.shape[1], n_labels)), np.full(n_labels, -50.0)
    weight[:, model.classes_] = (coefficients / spread).T
    bias[model.classes_] = intercept - (coefficients / spread) @ mean
    return weight, bias
