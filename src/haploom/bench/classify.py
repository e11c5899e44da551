"""Ancestry labels of a model and of its baselines, on the same held-out people, as records."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from haploom import provenance
from haploom.ancestry import compare_classifiers
from haploom.baselines.accuracy import Accuracy, Interval
from haploom.io.model_file import file_sha256, read_model
from haploom.panel import Panel


def classify_records(
    task: str, panel: Panel, model: Path, held_out: Panel | None = None, tuned: bool = True
) -> Iterator[dict[str, Any]]:
    """One record a method, as it is measured: see `ancestry.compare_classifiers` for who learns from whom.

    task: a name for the measurement. Figures are shares from 0 to 1 as {"value", "low", "high"}: 95 % intervals
    over people. `gain_of_model` is the model's accuracy minus the method's. `seconds` is learning and labelling
    together; of the model, labelling alone.
    """
    trained = read_model(model)
    about = {
        "model_sha256": file_sha256(model),
        "sites": len(trained.variants),
        "seed": trained.card.made_by.get("seed"),
        **{key: provenance.record()[key] for key in ("versions", "command")},
    }
    start = time.perf_counter()
    for measured in compare_classifiers(panel, trained, held_out, tuned):
        seconds = round(time.perf_counter() - start, 2)
        gain = {} if measured.gain is None else {"gain_of_model": _interval(measured.gain)}
        figures = {**_figures(measured.accuracy), **gain}
        yield {"task": task, "method": measured.method, **figures, "seconds": seconds, **about}
        start = time.perf_counter()


def _figures(accuracy: Accuracy) -> dict[str, Any]:
    return {
        "accuracy": _interval(accuracy.plain),
        "balanced_accuracy": _interval(accuracy.balanced),
        "recalls": {label: _interval(recall) for label, recall in accuracy.recalls.items()},
        "haplotypes": accuracy.n_rows,
        "people": accuracy.n_people,
    }


def _interval(interval: Interval) -> dict[str, float]:
    return {name: round(value, 6) for name, value in interval._asdict().items()}
