"""Windowed autoencoders: a small autoencoder for each window of sites, all of them trained at once.

Each window: w -> hidden -> q, q -> hidden -> w, batch normalisation after every linear layer and ReLU in between.
The cost of a step grows with d * hidden instead of hidden layers as wide as the chromosome asks for. Windows know
nothing of each other unless `couple` is set: then the decoder of a window sees the latents of the window before it
and the one after it too, so that a haplotype may run on over a border.
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from haploom.models.layers import Dense
from haploom.models.losses import binomial_nats, gaussian_kl
from haploom.models.model import Batch, HaplotypeModel, ModelConfig, Terms, log_odds
from haploom.models.windows import Windows, apart, normalised_window_linear, together, with_neighbours


@dataclass(frozen=True, kw_only=True)
class WindowConfig(ModelConfig):
    """Shape of a windowed autoencoder."""

    window: int = 100  # sites a window; a window longer than the panel is the whole panel
    n_latent: int = 8  # of each window
    hidden: tuple[int, ...] = (128,)  # of each window's encoder; the decoder's are `decoder_hidden`
    decoder_hidden: tuple[int, ...] = (128,)
    share: bool = False  # whether all windows have the same weights (normalisation is always each window's own)
    couple: bool = False  # whether a window's decoder sees the latents of its two neighbours
    dropout: float = 0.0  # share of hidden activations

    _least: ClassVar[dict[str, float]] = {**ModelConfig._least, "dropout": 0}
    _below: ClassVar[dict[str, float]] = {"dropout": 1}

    @property
    def windows(self) -> Windows:
        return Windows(self.n_sites, min(self.window, self.n_sites))

    @property
    def n_latents(self) -> int:
        """Of all windows."""
        return self.windows.n_windows * self.n_latent


class WindowAE(HaplotypeModel):
    """Latents are points: no prior over them, so the loss is no code length."""

    config: WindowConfig
    code_terms: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: WindowConfig) -> None:
        super().__init__(config)
        self.windows = config.windows
        width = self.windows.width
        self._layer = partial(normalised_window_linear, self.windows.n_windows, share=config.share)
        self.encoder_hidden = Dense((width, *config.hidden), config.dropout, self._layer)
        self.mean = self._layer(config.hidden[-1], config.n_latent)
        n_seen = config.n_latent * (3 if config.couple else 1)
        self.decoder_hidden = Dense((n_seen, *config.decoder_hidden), config.dropout, self._layer)
        self.output = self._layer(config.decoder_hidden[-1], width)
        self.n_latents = config.n_latents

    @torch.no_grad()
    def start_at(self, frequency: Tensor) -> None:
        super().start_at(frequency)
        self.output[1].bias.copy_(self.windows.cut(log_odds(frequency)[None]))  # type: ignore[operator]

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The latents, (n, n_windows * n_latent), window after window, and their log-variance: minus infinity."""
        mean = together(self.mean(self._hidden(batch)))
        return mean, torch.full_like(mean, -torch.inf)

    def decode(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """(n, n_windows * n_latent) -> log-odds of the alternate allele (n, n_sites)."""
        return self._log_odds(apart(z, self.windows.n_windows))

    def forward(self, batch: Batch, noise: Tensor | None = None) -> Terms:
        """The cross-entropy of what the decoder makes of the latents."""
        return Terms({"reconstruction": self._reconstruction(batch, self.mean(self._hidden(batch)))})

    def _hidden(self, batch: Batch) -> Tensor:
        """The encoder's last hidden layer: (n_windows, n, hidden)."""
        return self.encoder_hidden(self.windows.cut(self.inputs(batch)))

    def _log_odds(self, latents: Tensor) -> Tensor:
        """(n_windows, n, n_latent) -> (n, n_sites)."""
        seen = with_neighbours(latents) if self.config.couple else latents
        return self.windows.join(self.output(self.decoder_hidden(seen)))

    def _reconstruction(self, batch: Batch, latents: Tensor) -> Tensor:
        """Nats of the genotypes under the log-odds decoded from (n_windows, n, n_latent): (n,)."""
        return binomial_nats(batch.counts, self._log_odds(latents), self.config.ploidy, batch.called)


class WindowVAE(WindowAE):
    """Latents are Gaussians, with a standard normal prior: the loss is the negative evidence lower bound."""

    code_terms = ("reconstruction", "kl")

    def __init__(self, config: WindowConfig) -> None:
        super().__init__(config)
        self.log_variance = self._layer(config.hidden[-1], config.n_latent)
        self.noise_shape = (config.n_latents,)

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the latents, each (n, n_windows * n_latent), window after window."""
        hidden = self._hidden(batch)
        return together(self.mean(hidden)), together(self.log_variance(hidden))

    def forward(self, batch: Batch, noise: Tensor | None = None) -> Terms:
        """The negative evidence lower bound at z = mean + sigma * noise; without noise, at the mean."""
        mean, log_variance = self.encode(batch)
        z = mean if noise is None else mean + torch.exp(0.5 * log_variance) * noise
        reconstruction = self._reconstruction(batch, apart(z, self.windows.n_windows))
        return Terms({"reconstruction": reconstruction, "kl": gaussian_kl(mean, log_variance)})
