"""What every network here has in common: what it takes, what it gives, and its settings.

A model's `forward` takes a Batch and the noise of one draw, and gives the terms of its loss, each row apart, in nats.
Nothing in a model draws: the noise comes from outside, so that the same seed gives the same bits in one process or
in many, and an evaluation can be repeated.
"""

from abc import abstractmethod
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, NamedTuple, Self

import torch
from torch import Tensor, nn

from haploom.errors import HaploomError


class Batch(NamedTuple):
    """Rows of a panel as networks take them: haplotypes (ploidy 1) or unphased people (ploidy 2).

    counts: float32 (n, n_sites), copies of the alternate allele, 0 to the ploidy; any finite number where not called.
    called: bool (n, n_sites) or (n_sites,), which counts are known; None where all are. Losses skip the others.
    labels: int64 (n,), places in the model's list of labels; None where the model needs none.
    shown: bool (n, n_sites), which of the known counts the encoder sees; None: all. Losses count the hidden too.
    """

    counts: Tensor
    called: Tensor | None = None
    labels: Tensor | None = None
    shown: Tensor | None = None

    def to(self, device: torch.device) -> "Batch":
        """The same rows on a device."""
        masks = (None if part is None else part.to(device) for part in (self.called, self.labels, self.shown))
        return Batch(self.counts.to(device), *masks)


class Terms(NamedTuple):
    """Terms of a loss.

    losses: name -> nats, (n,) a row or () for the batch as a whole; their weighted sum is what training minimises.
    monitors: name -> figures worth logging that are no loss, such as a codebook's perplexity.
    """

    losses: dict[str, Tensor]
    monitors: dict[str, Tensor] = {}  # noqa: RUF012 (nobody changes it)


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Settings all models have; saved beside the weights."""

    n_sites: int
    ploidy: int = 1  # 1: rows are haplotypes, 0 or 1. 2: rows are unphased people, 0, 1 or 2.
    n_labels: int = 0  # labels the model is conditioned on; 0: none

    _least: ClassVar[dict[str, float]] = {"n_labels": 0}  # others: 1
    _below: ClassVar[dict[str, float]] = {}

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            least = self._least.get(each.name, 1)
            if isinstance(value, (int, float)) and not isinstance(value, bool) and not value >= least:
                raise HaploomError(f"{each.name}={value} must be at least {least}")
            if each.name in self._below and not value < self._below[each.name]:
                raise HaploomError(f"{each.name}={value} must be below {self._below[each.name]}")
            if isinstance(value, tuple) and not (value and all(number > 0 for number in value)):
                raise HaploomError(f"{each.name}={value} must be one or more, each above 0")
        if self.ploidy > 2:
            raise HaploomError(f"ploidy={self.ploidy}: wanted 1 (haplotypes) or 2 (unphased people)")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Raises HaploomError for settings this release does not know."""
        if unknown := sorted(saved.keys() - {each.name for each in fields(cls)}):
            raise HaploomError(f"the model has unknown settings {unknown}: was it saved by a newer release?")
        settings: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in saved.items()
        }
        return cls(**settings)


class HaplotypeModel(nn.Module):
    """A network over the sites of a panel.

    frequency: float32 (n_sites,), the alternate allele's among training people; stands in for calls not shown.
    noise_shape: standard-normal numbers a row that `forward` needs; None where it needs none.
    n_latents: size of the latent space; 0 where there is none to place people in.
    code_terms: terms of the loss whose sum is the length of a code for a row; () where there is none.
    """

    code_terms: ClassVar[tuple[str, ...]] = ("reconstruction", "kl")

    noise_shape: tuple[int, ...] | None
    n_latents: int
    frequency: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.noise_shape = None
        self.n_latents = 0
        self.register_buffer("frequency", torch.full((config.n_sites,), 0.5))

    def inputs(self, batch: Batch) -> Tensor:
        """Allele shares in [0, 1], (n, n_sites), with the training frequency where a call is missing or hidden."""
        shares = batch.counts / self.config.ploidy if self.config.ploidy > 1 else batch.counts
        for known in (batch.called, batch.shown):
            if known is not None:
                shares = torch.where(known, shares, self.frequency)
        return shares

    def one_hot(self, labels: Tensor | None) -> Tensor:
        """float32 (n, n_labels). Raises ValueError when the model needs labels and there are none."""
        if labels is None:
            raise ValueError("this model is conditioned on labels, and the batch has none")
        return nn.functional.one_hot(labels, self.config.n_labels).to(self.frequency.dtype)

    @torch.no_grad()
    def start_at(self, frequency: Tensor) -> None:
        """Learn the training people's allele frequencies, (n_sites,), before training starts."""
        self.frequency.copy_(frequency)

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the latents. Raises NotImplementedError where there is no latent space."""
        raise NotImplementedError

    def decode(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Log-odds of the alternate allele, (n, n_sites). Raises NotImplementedError where nothing is decoded."""
        raise NotImplementedError

    def reconstruct(self, batch: Batch) -> Tensor:
        """Log-odds of the alternate allele at all sites given what is known of each row: (n, n_sites).

        Here: decoded at the mean of the latents. Raises NotImplementedError where the model has no such answer.
        """
        mean, _ = self.encode(batch)
        return self.decode(mean, batch.labels)

    @abstractmethod
    def forward(self, batch: Batch, noise: Tensor | None = None) -> Terms:
        """The terms of the loss at one draw."""


def log_odds(frequency: Tensor, least: float = 1e-3) -> Tensor:
    """Natural log-odds of frequencies, kept `least` away from 0 and 1."""
    return torch.logit(frequency.clamp(least, 1 - least))
