"""The Y-VAE: one VAE for each label, trained apart. Source: Geleta et al. 2026."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from haploom.models.model import Batch, HaplotypeModel, Terms
from haploom.models.vae import VAE, VAEConfig


@dataclass(frozen=True, kw_only=True)
class YVAEConfig(VAEConfig):
    """Shape of each member; `n_labels` is how many there are."""

    def member(self) -> VAEConfig:
        return VAEConfig(**{**self.as_dict(), "n_labels": 0})


class YVAE(HaplotypeModel):
    """A row goes through the member of its label. With 7 labels at d = 10,000: 72,602,320 parameters."""

    config: YVAEConfig

    def __init__(self, config: YVAEConfig) -> None:
        super().__init__(config)
        self.members = nn.ModuleList(VAE(config.member()) for _ in range(config.n_labels))
        self.noise_shape = (config.n_latent,)
        self.n_latents = config.n_latent

    @torch.no_grad()
    def start_at(self, frequency: Tensor) -> None:
        super().start_at(frequency)
        for member in self._members():
            member.start_at(frequency)

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the latents of each row in its own label's space, each (n, n_latent)."""
        mean = batch.counts.new_empty(len(batch.counts), self.config.n_latent)
        log_variance = torch.empty_like(mean)
        for member, rows, part in self._by_label(batch):
            mean[rows], log_variance[rows] = member.encode(part)
        return mean, log_variance

    def decode(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """(n, n_latent) -> log-odds of the alternate allele (n, n_sites)."""
        if labels is None:
            raise ValueError("this model has a decoder for each label, and no labels were given")
        logits = z.new_empty(len(z), self.config.n_sites)
        for label, member in enumerate(self._members()):
            if len(rows := torch.nonzero(labels == label)[:, 0]):
                logits[rows] = member.decode(z[rows])
        return logits

    def forward(self, batch: Batch, noise: Tensor | None = None) -> Terms:
        """Each row's negative evidence lower bound under its label's member."""
        losses = {name: batch.counts.new_empty(len(batch.counts)) for name in ("reconstruction", "kl")}
        for member, rows, part in self._by_label(batch):
            for name, nats in member(part, None if noise is None else noise[rows]).losses.items():
                losses[name][rows] = nats
        return Terms(losses)

    def _members(self) -> list[VAE]:
        return list(self.members)  # type: ignore[arg-type]

    def _by_label(self, batch: Batch) -> Iterator[tuple[VAE, Tensor, Batch]]:
        if batch.labels is None:
            raise ValueError("this model has an encoder for each label, and the batch has no labels")
        for label, member in enumerate(self._members()):
            if len(rows := torch.nonzero(batch.labels == label)[:, 0]):
                yield member, rows, rows_of(batch, rows)


def rows_of(batch: Batch, rows: Tensor) -> Batch:
    """Some rows of a batch, without their labels."""
    called, shown = (mask if mask is None or mask.ndim == 1 else mask[rows] for mask in (batch.called, batch.shown))
    return Batch(batch.counts[rows], called, None, shown)
