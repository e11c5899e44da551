"""What is written down of each epoch, and which epoch is the best."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class EpochFigures:
    """One epoch: the terms of the loss, means over rows in nats, and whatever the model monitors.

    validation_loss: what the epoch is chosen by, the weighted sum of the terms, with the final weights.
    label: of whom, where each label has a network of its own (Y-VAE).
    """

    epoch: int
    train: Mapping[str, float]
    validation: Mapping[str, float]
    validation_loss: float
    learning_rate: float
    seconds: float
    label: str | None = None

    def record(self) -> dict[str, float | str | None]:
        """One flat JSON object; None for a figure that is not finite, which JSON has no number for."""
        figures = {
            **({} if self.label is None else {"label": self.label}),
            "epoch": self.epoch,
            **{f"train_{name}": value for name, value in self.train.items()},
            **{f"validation_{name}": value for name, value in self.validation.items()},
            "validation_loss": self.validation_loss,
            "learning_rate": self.learning_rate,
            "seconds": self.seconds,
        }
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in figures.items()
        }


def best_epoch(history: Sequence[EpochFigures]) -> EpochFigures:
    """The epoch whose weights are kept: the first of the best on validation people."""
    return min(history, key=lambda figures: (not math.isfinite(figures.validation_loss), figures.validation_loss))


def stopped(history: Sequence[EpochFigures], patience: int) -> bool:
    """Whether so many epochs have passed without a better one."""
    return bool(history) and history[-1].epoch - best_epoch(history).epoch >= patience
