"""Labels of people as a model knows them: what its own labels can be compared with."""

import numpy as np

from haploom.errors import HaploomError
from haploom.io.model_file import ModelFile
from haploom.panel.batches import AnyPanel


def check_label_level(model: ModelFile, label: str | None) -> None:
    """Raise HaploomError when `label` (None: the model's own) is another level than the model learned."""
    level = model.card.label_level
    if label is not None and label != level:
        raise HaploomError(
            f"the model's labels are of column {level!r} ({', '.join(model.labels)}), not of {label!r}: leave --label "
            f"out, or train a model with --label {label}"
        )


def known_labels(panel: AnyPanel, model: ModelFile) -> np.ndarray:
    """Labels of a panel's rows, haplotypes or people as the model's are, at its label level: strings (n_rows,).

    Raises HaploomError when the panel has no such level, or a label there is none of the model's.
    """
    level = model.card.label_level
    if level not in panel.populations:
        have = ", ".join(panel.populations) or "none"
        raise HaploomError(
            f"the model's labels are of column {level!r}, and the people here have no such labels (there is: {have}): "
            f"give a table with a column {level!r} with --populations"
        )
    labels = panel.labels(level)
    if unknown := sorted(set(labels.tolist()) - set(model.labels)):
        people = int(np.isin(labels, unknown).sum())
        raise HaploomError(
            f"{people} of {panel.n_samples} people have labels in column {level!r} that the model does not know "
            f"({', '.join(unknown[:5])}; it knows {', '.join(model.labels)}): spell the labels as the model does, or "
            "leave those people out with -s or -S"
        )
    return np.repeat(labels, 2 // model.ploidy)
