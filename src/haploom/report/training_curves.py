"""The loss over the epochs of a training, drawn from the history in the model file."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from haploom.io.model_file import ModelFile
from haploom.report import figures, plots

_SHOWN_AS = {"kl": "KL", "squared_error": "squared error"}
_NOT_IN_NATS = ("gmmn", "pca", "vqvae")
_NO_LOSS = ("perplexity",)  # figures of an epoch that are monitored only


def save_loss_plot(model: ModelFile, path: Path, force: bool = False) -> None:
    """Draw the terms of the loss; of a Y-VAE, the total of each label's network. path: .png, .svg or .pdf."""
    train, validation = (loss_terms(model.card.history, part) for part in ("train", "validation"))
    row = "haplotype" if model.card.config.get("ploidy", 1) == 1 else "person"
    unit = None if model.card.kind in _NOT_IN_NATS else "nats"
    figures.save_figure(lambda ax: plots.loss_curve(ax, train, validation, unit=unit, row=row), path, force)


def loss_terms(history: Sequence[Mapping[str, Any]], part: str) -> dict[str, np.ndarray]:
    """Terms of the loss by name, "total" first: float64 (n_epochs,) each; with labels, their totals by label.

    history: of a model's card; what was not finite, None there, is NaN. part: "train" or "validation". What is no
    loss, such as a perplexity, is left out.
    """
    history = [{name: math.nan if value is None else value for name, value in row.items()} for row in history]
    names = [key.removeprefix("train_") for key in history[0] if key.startswith("train_")]
    terms = [name for name in names if name not in _NO_LOSS]
    if "label" in history[0]:
        return {
            label: np.array([sum(row[f"{part}_{term}"] for term in terms) for row in history if row["label"] == label])
            for label in dict.fromkeys(row["label"] for row in history)
        }
    curves = {_SHOWN_AS.get(term, term): np.array([row[f"{part}_{term}"] for row in history]) for term in terms}
    return {"total": np.sum(list(curves.values()), axis=0), **curves} if len(curves) > 1 else curves
