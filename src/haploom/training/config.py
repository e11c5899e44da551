"""How to train: every setting that is not the model's shape."""

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, get_args

from haploom.errors import HaploomError

Schedule = Literal["constant", "cosine", "plateau"]
Optimizer = Literal["adam", "adamw"]


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How to train; the defaults are those of the VAE's `sound` profile."""

    epochs: int = 60  # at most; see patience
    least_steps: int = 0  # more epochs than that, where they would make fewer steps
    batch_size: int = 64
    learning_rate: float = 1e-2
    schedule: Schedule = "cosine"  # of the learning rate
    rate_warm_up: float = 0.0  # epochs in which the learning rate grows from 0
    plateau_patience: int = 5  # epochs without a better validation loss before "plateau" divides the rate by 10
    optimizer: Optimizer = "adam"
    weight_decay: float = 0.0  # L2 under adam, decoupled under adamw
    beta: float = 1.0  # weight of the KL term (paper: 1)
    warm_up: int = 0  # epochs in which beta grows from 0
    hidden_share: float = 0.0  # share of the calls hidden from the encoder in training, at most: drawn for each batch
    crossovers_per_mb: float = 2.0  # recombine each training row with others of its label, so often on average
    average: float = 0.0  # keep an exponential average of the weights: weight of the past at each step
    patience: int = 15  # epochs without a better validation loss before training stops
    seed: int = 1

    def __post_init__(self) -> None:
        least = {
            "epochs": 1, "least_steps": 0, "batch_size": 2, "patience": 1, "plateau_patience": 1, "learning_rate": 0,
            "weight_decay": 0, "beta": 0, "warm_up": 0, "rate_warm_up": 0, "hidden_share": 0, "crossovers_per_mb": 0,
            "average": 0, "seed": 0,
        }  # fmt: skip
        for name, smallest in least.items():
            if not getattr(self, name) >= smallest:  # "not" catches NaN too
                raise HaploomError(f"{name}={getattr(self, name)} is out of range: wanted {smallest} or more")
        for name in ("hidden_share", "average"):
            if not getattr(self, name) < 1:
                raise HaploomError(f"{name}={getattr(self, name)} is out of range: wanted 0 or more, below 1")
        for name, known in (("schedule", get_args(Schedule)), ("optimizer", get_args(Optimizer))):
            if getattr(self, name) not in known:
                raise HaploomError(f"{name}={getattr(self, name)!r} is none of {', '.join(known)}")

    def changed(self, **settings: Any) -> Self:
        """With other settings; epochs that are named are exactly those, however few steps they make.

        Raises HaploomError for a setting there is not.
        """
        if unknown := sorted(settings.keys() - {each.name for each in fields(self)}):
            raise HaploomError(f"there is no training setting {unknown[0]!r}")
        exactly = {"least_steps": 0} if "epochs" in settings else {}
        return replace(self, **{**exactly, **settings})

    def epochs_of(self, n_batches: int) -> int:
        """How many epochs of so many batches to train for, at most."""
        return max(self.epochs, math.ceil(self.least_steps / n_batches))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
