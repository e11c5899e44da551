"""Labels of people or haplotypes, with scores and sets, and their table."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haploom.io.haplotype_tables import write_haplotype_table


@dataclass(frozen=True, eq=False)
class Classification:
    """Labels of haplotypes, or of unphased people.

    samples: names of the people; labels: (2 * n_samples,), the two haplotypes of a person together; with ploidy 2,
    (n_samples,). classes: the labels there are; scores: float64 (as many, n_classes), rows sum to 1: a softmax of
    negative distances, NOT calibrated probabilities.
    sets: bool (as many, n_classes), labels that hold the right one at a stated rate; None where the model has none.
    parts: for each person train, validation, test, or "new" where the model's split does not know them.
    """

    samples: tuple[str, ...]
    labels: np.ndarray
    classes: tuple[str, ...]
    scores: np.ndarray
    parts: tuple[str, ...]
    ploidy: int = 1
    sets: np.ndarray | None = None


def write_classification(classification: Classification, path: Path, force: bool = False) -> None:
    """A TSV: sample, haplotype (1, 2, or . for unphased people), label, set, p_<label>..., part.

    `set` is "." and p_* are uncalibrated scores where the labels are nearest centroids: they cannot say how sure they
    are. It is "." too for people outside the reference, whose label is `unknown`. path: `-` is stdout.
    """
    sets = classification.sets
    named = ["."] * len(classification.labels) if sets is None else [
        ",".join(label for label, held in zip(classification.classes, row) if held) or "." for row in sets
    ]  # fmt: skip
    rows = (
        [str(label), held, *(f"{score:.4f}" for score in scores)]
        for label, held, scores in zip(classification.labels, named, classification.scores)
    )
    columns = ["label", "set", *(f"p_{label}" for label in classification.classes)]
    write_haplotype_table(
        path, classification.samples, classification.parts, columns, rows, force, ploidy=classification.ploidy
    )
