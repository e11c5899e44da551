"""Which haplotypes are of which population."""

import numpy as np

from haploom.panel import Panel


def population_rows(panel: Panel, level: str = "population") -> dict[str, np.ndarray]:
    """Label -> int64 rows of its haplotypes, rising; labels in order of first appearance.

    Raises HaploomError for an unknown level.
    """
    labels = np.array(panel.labels(level, per="haplotype").tolist())
    return {label: np.flatnonzero(labels == label) for label in dict.fromkeys(labels.tolist())}
