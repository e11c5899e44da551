"""A windowed denoiser: what is not known of a haplotype, from what is known around it. The network to impute with.

Sites are cut into windows, and each window has a small network of its own, all of them in batched products. It sees
the window's own sites and `context` more on both sides: at each the allele, centred and scaled by its frequency, and
whether it is known (both 0 where it is not). A hidden layer (GELU) and a linear skip from the alleles give the log-odds
of the alternate allele at the window's sites.

Loss: cross-entropy of the hidden sites alone; what is shown could simply be copied. So it is no code length. Where a
batch hides nothing (on validation people), every second site is hidden, and then the others.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from haploom.models.losses import binomial_nats
from haploom.models.model import Batch, HaplotypeModel, ModelConfig, Terms, log_odds
from haploom.models.windows import WindowLinear, Windows

_LEAST_FREQUENCY = 1e-3  # rarer alleles are scaled as if they were as frequent as this


@dataclass(frozen=True, kw_only=True)
class DenoiserConfig(ModelConfig):
    """Shape of the denoiser."""

    window: int = 64  # sites a window; a window longer than the panel is the whole panel
    context: int = 256  # sites seen on each side of a window
    hidden: int = 128  # hidden units of each window

    _least: ClassVar[dict[str, float]] = {**ModelConfig._least, "context": 0}

    @property
    def windows(self) -> Windows:
        return Windows(self.n_sites, min(self.window, self.n_sites))


class Denoiser(HaplotypeModel):
    """Log-odds of each allele given all that is shown within a window and its context."""

    code_terms: ClassVar[tuple[str, ...]] = ()
    config: DenoiserConfig

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__(config)
        self.windows = config.windows
        n_windows, width = self.windows.n_windows, self.windows.width
        n_seen = width + 2 * config.context
        self.of_alleles = WindowLinear(n_windows, n_seen, config.hidden)
        self.of_knowing = WindowLinear(n_windows, n_seen, config.hidden, bias=False)
        self.output = WindowLinear(n_windows, config.hidden, width)
        self.skip = WindowLinear(n_windows, n_seen, width, bias=False)

    @torch.no_grad()
    def start_at(self, frequency: Tensor) -> None:
        super().start_at(frequency)
        assert self.output.bias is not None
        self.output.bias.copy_(self.windows.cut(log_odds(frequency)[None]))
        self.skip.weight.zero_()

    def reconstruct(self, batch: Batch) -> Tensor:
        """Log-odds of the alternate allele given what is called and shown, (n, n_sites)."""
        known = torch.ones_like(batch.counts, dtype=torch.bool)
        for mask in (batch.called, batch.shown):
            if mask is not None:
                known = known & mask
        variance = self.frequency * (1 - self.frequency)
        scale = variance.clamp(min=_LEAST_FREQUENCY).rsqrt()
        alleles = self._seen((self.inputs(batch) - self.frequency) * scale)
        hidden = self.of_alleles(alleles) + self.of_knowing(self._seen(known.to(alleles.dtype)))
        return self.windows.join(self.output(functional.gelu(hidden)) + self.skip(alleles))

    def forward(self, batch: Batch, noise: Tensor | None = None) -> Terms:
        """-log P of the calls that are hidden, given those that are shown."""
        if batch.shown is not None:
            return Terms({"reconstruction": self._nats(batch)})
        even = torch.arange(self.config.n_sites, device=batch.counts.device) % 2 == 0
        halves = (self._nats(batch._replace(shown=shown.expand_as(batch.counts))) for shown in (even, ~even))
        return Terms({"reconstruction": sum(halves, start=batch.counts.new_zeros(len(batch.counts)))})

    def _nats(self, batch: Batch) -> Tensor:
        assert batch.shown is not None
        asked = ~batch.shown if batch.called is None else ~batch.shown & batch.called
        return binomial_nats(batch.counts, self.reconstruct(batch), self.config.ploidy, asked)

    def _seen(self, values: Tensor) -> Tensor:
        """(n, n_sites) -> (n_windows, n, width + 2 * context): each window and its context, 0 beyond the ends."""
        width, context = self.windows.width, self.config.context
        padded = functional.pad(values, (context, context + self.windows.n_padded))
        return padded.unfold(1, width + 2 * context, width).transpose(0, 1)
