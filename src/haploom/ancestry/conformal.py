"""Sets of labels that hold the right one as often as promised.

A set holds the top label, and each other label whose probability reaches the label's own threshold. Thresholds are
found on people the probabilities were not fitted to, label by label (Mondrian), so that no label pays for another.
Source: Vovk et al. 2005, section 4.5; the top label is in every set, so sets are never empty.
"""

import numpy as np

COVERAGE = 0.9
LEAST_COVERAGE = 0.86  # of any one label: where easy labels reach more by their top label, hard ones may have less
_ABOVE_ALL = 2.0  # a threshold no probability reaches


def set_thresholds(probabilities: np.ndarray, labels: np.ndarray, coverage: float = COVERAGE) -> np.ndarray:
    """The threshold of each label: float64 (n_labels,).

    probabilities: float64 (n, n_labels), held out; labels: int64 (n,). Every label is covered at least
    min(coverage, LEAST_COVERAGE) of the time, and all rows together `coverage`, with the smallest common level that
    does both; each label's quantile is the conformal one, rounded up by a row.
    """
    n_labels = probabilities.shape[1]
    own = probabilities[np.arange(len(labels)), labels]
    own = np.where(probabilities.argmax(axis=1) == labels, _ABOVE_ALL, own)
    thresholds = np.full(n_labels, _ABOVE_ALL)
    least = min(coverage, LEAST_COVERAGE)
    for level in np.linspace(least, coverage, 13):
        for label in range(n_labels):
            scores = np.sort(own[labels == label])[::-1]
            if len(scores):
                rank = int(np.ceil(level * (len(scores) + 1)))
                thresholds[label] = scores[rank - 1] if rank <= len(scores) else 0.0
        if (own >= thresholds[labels]).mean() >= coverage:
            break
    return thresholds


def label_sets(probabilities: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Which labels each row's set holds: bool (n, n_labels)."""
    held = probabilities >= thresholds
    held[np.arange(len(held)), probabilities.argmax(axis=1)] = True
    return held
