"""The windowed vector-quantised autoencoder of the paper.

Each window of w sites: w -> 1250 (ReLU) -> b (tanh), quantised to one of K vectors in each of H heads, b -> 1250
(ReLU) -> w log-odds, batch normalisation after every linear layer, Xavier's initial weights; dropout, where set, after
the ReLUs. A haplotype becomes n_windows * H whole numbers. Source: Geleta et al. 2026.

Loss: cross-entropy + |sg[z] - e|^2 + commitment * |z - sg[e]|^2, z the encoder's values and e the vectors nearest to
them (equation 9). The decoder gets e, but its gradient goes on to z as if they were one (straight through). The codes
cost log K nats each under a uniform prior; with `prior`, what a layer thinks of them that sees the vectors of the
window before. That is a code length, so reconstruction + codes is one of the whole haplotype.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from haploom.errors import HaploomError
from haploom.models.codebook import Codebook, perplexity
from haploom.models.model import Batch, Terms
from haploom.models.window_vae import WindowAE, WindowConfig
from haploom.models.windows import WindowLinear, apart, together


@dataclass(frozen=True, kw_only=True)
class VQVAEConfig(WindowConfig):
    """Shape of the VQ-VAE."""

    heads: int = 1  # codes a window; each has n_latent / heads features
    codes: int = 64  # vectors in a codebook
    commitment: float = 1.0  # weight of the commitment term (paper: 1)
    book_per_window: bool = True  # else all windows have the same codebooks (paper)
    moving_average: bool = False  # the codebook follows its values, instead of having a loss
    revive_below: float = 0.0  # codes used less than this share of an even use are put where values are; 0: none
    prior: bool = True  # whether codes are foretold from the window before, or are all alike

    _least: ClassVar[dict[str, float]] = {**WindowConfig._least, "commitment": 0, "revive_below": 0}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_latent % self.heads:
            raise HaploomError(f"n_latent={self.n_latent} must be a multiple of heads={self.heads}")


class VQVAE(WindowAE):
    """Latents are the encoder's values before they are quantised; `decode` quantises."""

    config: VQVAEConfig
    code_terms = ("reconstruction", "codes")

    def __init__(self, config: VQVAEConfig) -> None:
        super().__init__(config)
        n_windows = self.windows.n_windows
        self.codebook = Codebook(
            n_windows if config.book_per_window else 1, config.heads, config.codes, config.n_latent,
            by_gradient=not config.moving_average, revive_below=config.revive_below,
        )  # fmt: skip
        self.prior = WindowLinear(n_windows, config.n_latent, config.heads * config.codes) if config.prior else None
        for layer in self.modules():
            if isinstance(layer, WindowLinear):
                bound = math.sqrt(6 / sum(layer.weight.shape[1:]))
                nn.init.uniform_(layer.weight, -bound, bound)

    def encode(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The values that are quantised, (n, n_windows * n_latent), and their log-variance: minus infinity."""
        values = together(self._values(batch))
        return values, torch.full_like(values, -torch.inf)

    def decode(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """(n, n_windows * n_latent), quantised first -> log-odds of the alternate allele (n, n_sites)."""
        return super().decode(together(self.codebook(apart(z, self.windows.n_windows)).values))

    def codes(self, batch: Batch) -> Tensor:
        """int64 (n, n_windows, heads), each from 0 to codes - 1."""
        return self.codebook(self._values(batch)).codes.transpose(0, 1)

    def decode_codes(self, codes: Tensor) -> Tensor:
        """int64 (n, n_windows, heads) -> log-odds of the alternate allele (n, n_sites)."""
        return super().decode(together(self.codebook.look_up(codes.transpose(0, 1))))

    def draw_codes(self, n_rows: int, generator: torch.Generator) -> Tensor:
        """Codes of new rows, from the prior, window after window: int64 (n_rows, n_windows, heads)."""
        n_windows, heads, n_codes = self.windows.n_windows, self.config.heads, self.config.codes
        vectors = self.codebook.vectors
        codes = torch.empty((n_rows, n_windows, heads), dtype=torch.int64)
        before = vectors.new_zeros(n_rows, self.config.n_latent)
        for window in range(n_windows):
            logits = vectors.new_zeros(n_rows, heads * n_codes)
            if self.prior is not None:
                assert self.prior.bias is not None
                logits = before @ self.prior.weight[window] + self.prior.bias[window]
            shares = torch.softmax(logits.view(-1, n_codes), dim=1)
            codes[:, window] = torch.multinomial(shares, 1, generator=generator).view(n_rows, heads)
            book = vectors[window if len(vectors) > 1 else 0]
            before = book[torch.arange(heads), codes[:, window]].flatten(1)
        return codes

    def code_nats(self, quantised: Tensor, codes: Tensor) -> Tensor:
        """What the codes of a row cost: (n,). quantised: (n_windows, n, n_latent); codes: (n_windows, n, heads)."""
        n_windows, n_rows, heads = codes.shape
        if self.prior is None:
            return quantised.new_full((n_rows,), n_windows * heads * math.log(self.config.codes))
        before = functional.pad(quantised.detach(), (0, 0, 0, 0, 1, 0))[:-1]
        logits = self.prior(before).unflatten(2, (heads, self.config.codes))
        nats = functional.cross_entropy(logits.flatten(0, 2), codes.flatten(), reduction="none")
        return nats.view(codes.shape).sum(dim=(0, 2))

    def forward(self, batch: Batch, noise: Tensor | None = None) -> Terms:
        """Equation 9 and the codes' cost. In training, codebooks follow and dead codes are revived."""
        values = self._values(batch)
        quantised, codes = self.codebook(values)
        losses = {
            "reconstruction": self._reconstruction(batch, values + (quantised - values).detach()),
            "codes": self.code_nats(quantised, codes),
            "commitment": self.config.commitment * (values - quantised.detach()).square().sum(dim=(0, 2)),
        }
        if not self.config.moving_average:
            losses["codebook"] = (values.detach() - quantised).square().sum(dim=(0, 2))
        return Terms(losses, {"perplexity": perplexity(codes, self.config.codes)})

    def _values(self, batch: Batch) -> Tensor:
        return torch.tanh(self.mean(self._hidden(batch)))
