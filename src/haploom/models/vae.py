"""The variational autoencoder of the paper, for haplotypes of 0 and 1.

d -> 512 -> (mean q, log-variance q), q -> 512 -> d, with batch normalisation after every linear layer, the
heads and the output included, and ReLU in between. At d = 10,000 and q = 64 it has 10,371,760 parameters.
Source: Geleta et al. 2026.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

from haploom.errors import HaploomError


@dataclass(frozen=True, kw_only=True)
class VAEConfig:
    """Shape of the VAE; saved beside the weights."""

    n_sites: int
    n_latent: int = 64  # (paper, Table 4)
    n_hidden: int = 512  # (implied by the paper's parameter counts)

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise HaploomError(f"{field.name}={getattr(self, field.name)} must be at least 1")

    def as_dict(self) -> dict[str, int]:
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> "VAEConfig":
        """Raises HaploomError for settings this release does not know."""
        if unknown := sorted(saved.keys() - {field.name for field in fields(cls)}):
            raise HaploomError(f"the model has unknown settings {unknown}: was it saved by a newer release?")
        return cls(**saved)


def _normalised_linear(n_in: int, n_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out))


class VAE(nn.Module):
    """Encoder to a Gaussian over the latent space, decoder to Bernoulli log-odds of each allele."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder_hidden = _normalised_linear(config.n_sites, config.n_hidden)
        self.mean = _normalised_linear(config.n_hidden, config.n_latent)
        self.log_variance = _normalised_linear(config.n_hidden, config.n_latent)
        self.decoder_hidden = _normalised_linear(config.n_latent, config.n_hidden)
        self.output = _normalised_linear(config.n_hidden, config.n_sites)

    def encode(self, alleles: Tensor) -> tuple[Tensor, Tensor]:
        """float (n, n_sites) of 0 and 1 -> mean and log-variance, each (n, n_latent)."""
        hidden = torch.relu(self.encoder_hidden(alleles))
        return self.mean(hidden), self.log_variance(hidden)

    def decode(self, z: Tensor) -> Tensor:
        """(n, n_latent) -> log-odds of the alternate allele (n, n_sites)."""
        return self.output(torch.relu(self.decoder_hidden(z)))

    def forward(self, alleles: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log-odds at a draw z = mean + sigma * eps, with the mean and log-variance it was drawn from."""
        mean, log_variance = self.encode(alleles)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.decode(z), mean, log_variance
