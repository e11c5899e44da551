"""The variational autoencoder of the paper, and its ancestry-conditional sibling.

d -> 512 -> (mean q, log-variance q), q -> 512 -> d, with batch normalisation after every linear layer, the heads and
the output included, and ReLU in between. At d = 10,000 and q = 64 it has 10,371,760 parameters. With labels it is
the C-VAE: the one-hot label is appended to the encoder's input and to the latents at the decoder's (10,378,928
parameters with 7 labels). Source: Geleta et al. 2026.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from haploom.models.layers import Dense, normalised_linear
from haploom.models.losses import binomial_nats, gaussian_kl
from haploom.models.model import Batch, HaplotypeModel, ModelConfig, Terms, log_odds

_LEAST_KNOWN = 0.25  # of a row: with less known than that, noise would place it


@dataclass(frozen=True, kw_only=True)
class VAEConfig(ModelConfig):
    """Shape of the VAE; with `n_labels` above 0, of the C-VAE."""

    n_latent: int = 64  # (paper, Table 4)
    hidden: tuple[int, ...] = (512,)  # of the encoder; the decoder's are `decoder_hidden`
    decoder_hidden: tuple[int, ...] = (512,)
    dropout: float = 0.0  # share of hidden activations

    _least: ClassVar[dict[str, float]] = {**ModelConfig._least, "dropout": 0}
    _below: ClassVar[dict[str, float]] = {"dropout": 1}


class VAE(HaplotypeModel):
    """Encoder to a Gaussian over the latent space, decoder to Bernoulli log-odds of each allele."""

    config: VAEConfig

    def __init__(self, config: VAEConfig) -> None:
        super().__init__(config)
        widest_in, widest_out = config.hidden[-1], config.decoder_hidden[-1]
        self.encoder_hidden = Dense((config.n_sites + config.n_labels, *config.hidden), config.dropout)
        self.mean = normalised_linear(widest_in, config.n_latent)
        self.log_variance = normalised_linear(widest_in, config.n_latent)
        self.decoder_hidden = Dense((config.n_latent + config.n_labels, *config.decoder_hidden), config.dropout)
        self.output = normalised_linear(widest_out, config.n_sites)
        self.noise_shape = (config.n_latent,)
        self.n_latents = config.n_latent

    @torch.no_grad()
    def start_at(self, frequency: Tensor) -> None:
        super().start_at(frequency)
        self.output[1].bias.copy_(log_odds(frequency))  # type: ignore[operator]

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the latents, each (n, n_latent)."""
        hidden = self.encoder_hidden(self._with_labels(self._undiluted(batch), batch.labels))
        return self.mean(hidden), self.log_variance(hidden)

    def decode(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """(n, n_latent) -> log-odds of the alternate allele (n, n_sites)."""
        return self.output(self.decoder_hidden(self._with_labels(z, labels)))

    def forward(self, batch: Batch, noise: Tensor | None = None) -> Terms:
        """The negative evidence lower bound at z = mean + sigma * noise; without noise, at the mean."""
        mean, log_variance = self.encode(batch)
        z = mean if noise is None else mean + torch.exp(0.5 * log_variance) * noise
        logits = self.decode(z, batch.labels)
        reconstruction = binomial_nats(batch.counts, logits, self.config.ploidy, batch.called)
        return Terms({"reconstruction": reconstruction, "kl": gaussian_kl(mean, log_variance)})

    def _undiluted(self, batch: Batch) -> Tensor:
        """The inputs, what is known of a row counting for what is not: (n, n_sites), beyond [0, 1] where calls lack.

        Frequencies in its place say nothing, and would draw a row to the centre, the more the more it lacks.
        """
        inputs = self.inputs(batch)
        known = batch.shown if batch.called is None else batch.called
        if known is None:
            return inputs
        if batch.called is not None and batch.shown is not None:
            known = batch.called & batch.shown
        share = known.to(inputs.dtype).mean(dim=-1, keepdim=True)  # one of all rows where all lack the same sites
        return self.frequency + (inputs - self.frequency) / share.clamp(min=_LEAST_KNOWN)

    def _with_labels(self, values: Tensor, labels: Tensor | None) -> Tensor:
        return torch.cat([values, self.one_hot(labels)], dim=1) if self.config.n_labels else values
