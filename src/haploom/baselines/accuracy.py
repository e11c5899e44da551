"""How often labels are right, and how sure that figure is.

A person's two haplotypes are not independent, so resampling is by person, never by haplotype.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    """An estimate and the ends of its confidence interval, in the estimate's unit."""

    value: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        """`f"{interval:.2f}"` is `0.86 (0.84–0.88)`."""
        return f"{self.value:{spec}} ({self.low:{spec}}–{self.high:{spec}})"


@dataclass(frozen=True)
class Accuracy:
    """Accuracies are shares from 0 to 1.

    plain: of all rows. balanced: mean of the recalls, each label counting the same.
    recalls: label -> share of its rows labelled so, in the labels' sorted order.
    """

    plain: Interval
    balanced: Interval
    recalls: Mapping[str, Interval]
    n_rows: int
    n_people: int


def accuracy(
    truth: np.ndarray,
    predicted: np.ndarray,
    people: np.ndarray,
    *,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    seed: int = 1,
) -> Accuracy:
    """Accuracies with percentile bootstrap intervals over people (Efron 1979).

    truth, predicted: labels (n_rows,), a row a haplotype or a person. people: whose row it is (n_rows,),
    names or numbers. A label that is predicted but never true counts as wrong and has no recall.

    A resample may lack a rare label: its balanced accuracy is the mean over the labels it has. Where all or
    none are right the interval has no width, which says that the people are too few, not that it is certain.
    Raises ValueError with no rows or columns of different lengths.
    """
    truth, predicted, people = np.asarray(truth), np.asarray(predicted), np.asarray(people)
    if not len(truth) or not len(truth) == len(predicted) == len(people):
        raise ValueError(
            f"truth, predicted, people have {len(truth)}, {len(predicted)}, {len(people)} rows: "
            "wanted as many of each, and one or more"
        )
    labels, label_index = np.unique(truth, return_inverse=True)
    names, person_index = np.unique(people, return_inverse=True)
    rows = np.zeros((len(names), len(labels)))
    right = np.zeros((len(names), len(labels)))
    np.add.at(rows, (person_index, label_index), 1)
    np.add.at(right, (person_index, label_index), truth == predicted)

    rng = np.random.default_rng(seed)
    times_drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=n_resamples)
    # Row 0 is the people as they are, the others are resamples.
    times_drawn = np.vstack([np.ones(len(names)), times_drawn])
    rows, right = times_drawn @ rows, times_drawn @ right
    recalls = np.divide(right, rows, out=np.full(rows.shape, np.nan), where=rows > 0)

    def interval(draws: np.ndarray) -> Interval:
        tail = (1 - confidence) / 2
        low, high = np.nanquantile(draws[1:], [tail, 1 - tail])
        return Interval(float(draws[0]), float(low), float(high))

    return Accuracy(
        plain=interval(right.sum(axis=1) / rows.sum(axis=1)),
        balanced=interval(np.nanmean(recalls, axis=1)),
        recalls={str(label): interval(recalls[:, i]) for i, label in enumerate(labels)},
        n_rows=len(truth),
        n_people=len(names),
    )


def paired_gain(
    truth: np.ndarray, ours: np.ndarray, theirs: np.ndarray, people: np.ndarray, *, confidence: float = 0.95,
    n_resamples: int = 2000, seed: int = 1,
) -> Interval:  # fmt: skip
    """Our accuracy minus theirs on the same rows, with a percentile bootstrap interval over people.

    Arguments as in `accuracy`. Narrower than two intervals side by side, since both face the same hard rows.
    """
    truth, ours, theirs, people = (np.asarray(each) for each in (truth, ours, theirs, people))
    names, person_index = np.unique(people, return_inverse=True)
    rows = np.bincount(person_index, minlength=len(names))
    gained = np.bincount(person_index, (ours == truth).astype(float) - (theirs == truth), minlength=len(names))
    times_drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), n_resamples)
    tail = (1 - confidence) / 2
    low, high = np.quantile((times_drawn @ gained) / (times_drawn @ rows), [tail, 1 - tail])
    return Interval(float(gained.sum() / rows.sum()), float(low), float(high))
