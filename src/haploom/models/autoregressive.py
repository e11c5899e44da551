"""An autoregressive model: the probability of each allele given the alleles before it, exactly normalised.

Sites are cut into windows. A window's network sees the `context` sites before the window and, of its own sites, only
those before the one it predicts: each hidden unit may look up to a site of its own, and feeds only later ones. So all
windows are trained at once in batched products, and the likelihood of a haplotype is the product over its sites: what
an arithmetic coder spends, with no bound in between. Beside the hidden layer a linear path leads from the inputs to
the log-odds, which alone is a logistic regression on the sites before.

Source of the masks: Germain et al. 2015 (MADE). With labels, every label shifts the hidden units and log-odds.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from haploom.models.losses import binomial_nats
from haploom.models.model import Batch, HaplotypeModel, ModelConfig, Terms, log_odds
from haploom.models.windows import Windows

LEAST_FREQUENCY = 1e-3  # in the scale of the inputs: rarer alleles are not made larger still


@dataclass(frozen=True, kw_only=True)
class AutoregressiveConfig(ModelConfig):
    """Shape of the model."""

    window: int = 32  # sites that share a hidden layer
    context: int = 256  # sites before the window that it sees
    hidden: int = 128  # units of each window

    @property
    def windows(self) -> Windows:
        return Windows(self.n_sites, min(self.window, self.n_sites))


class Autoregressive(HaplotypeModel):
    """Log-odds of each allele given those before it: no latent space."""

    config: AutoregressiveConfig
    code_terms = ("likelihood",)
    _degree: Tensor
    _sees: Tensor
    _feeds: Tensor
    _earlier: Tensor

    def __init__(self, config: AutoregressiveConfig) -> None:
        super().__init__(config)
        self.windows = windows = config.windows
        n_windows, width, hidden = windows.n_windows, windows.width, config.hidden

        def drawn(n_in: int, n_out: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(n_windows, n_in, n_out) / math.sqrt(n_in))

        def zeros(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(n_windows, *shape))

        self.context_to_hidden, self.own_to_hidden = drawn(config.context, hidden), drawn(width, hidden)
        self.context_to_output, self.own_to_output = zeros(config.context, width), zeros(width, width)
        self.hidden_to_output = zeros(hidden, width)
        self.hidden_bias, self.output_bias = zeros(1, hidden), zeros(1, width)
        if config.n_labels:
            self.label_to_hidden, self.label_to_output = zeros(config.n_labels, hidden), zeros(config.n_labels, width)
        # A unit of degree k sees the window's sites before site k and feeds sites from k on. Half of the units have
        # degree 0: they see the context alone and feed all sites.
        degree = torch.zeros(hidden, dtype=torch.int64)
        degree[hidden // 2 :] = torch.linspace(min(1, width - 1), width - 1, hidden - hidden // 2).round().long()
        sites = torch.arange(width)
        self.register_buffer("_degree", degree, persistent=False)
        self.register_buffer("_sees", (sites[:, None] < degree).float(), persistent=False)
        self.register_buffer("_feeds", (degree[:, None] <= sites).float(), persistent=False)
        self.register_buffer("_earlier", (sites[:, None] < sites).float(), persistent=False)

    @torch.no_grad()
    def start_at(self, frequency: Tensor) -> None:
        super().start_at(frequency)
        self.output_bias.copy_(self.windows.cut(log_odds(frequency)[None]))

    def forward(self, batch: Batch, noise: Tensor | None = None) -> Terms:
        """The negative log-likelihood of each row."""
        logits = self.log_odds(batch)
        return Terms({"likelihood": binomial_nats(batch.counts, logits, self.config.ploidy, batch.called)})

    def log_odds(self, batch: Batch) -> Tensor:
        """Of the alternate allele at each site given the sites before it: (n, n_sites)."""
        context, own = self._seen(self.inputs(batch))
        hidden = torch.baddbmm(self.hidden_bias, context, self.context_to_hidden)
        hidden = hidden.baddbmm(own, self.own_to_hidden * self._sees)
        output = torch.baddbmm(self.output_bias, context, self.context_to_output)
        output = output.baddbmm(own, self.own_to_output * self._earlier)
        if self.config.n_labels:
            of_label = self.one_hot(batch.labels).expand(self.windows.n_windows, -1, -1)
            hidden = hidden.baddbmm(of_label, self.label_to_hidden)
            output = output.baddbmm(of_label, self.label_to_output)
        output = output.baddbmm(functional.gelu(hidden), self.hidden_to_output * self._feeds)
        return self.windows.join(output)

    @torch.no_grad()
    def sample(self, n_rows: int, labels: Tensor | None, generator: torch.Generator) -> Tensor:
        """Draw rows site after site: counts, uint8 (n_rows, n_sites).

        What does not change within a window is worked out once for it: the products with the context, and each hidden
        unit once the last site that it sees is drawn.
        """
        config, width = self.config, self.windows.width
        device = self.frequency.device
        counts = torch.empty(config.n_sites, n_rows, dtype=torch.uint8, device=device)
        # Rows are columns here, so that what is known of a site stands together. `context` sites of nothing come first.
        drawn = torch.zeros(config.context + width, n_rows, device=device)
        centre, scale = self.frequency * config.ploidy, self._scale() / config.ploidy
        of_label = self.one_hot(labels).T if config.n_labels else None
        units = torch.searchsorted(self._degree, torch.arange(width + 1, device=device)).tolist()
        for window in range(self.windows.n_windows):
            start = window * width
            context, own = drawn[: config.context], drawn[config.context :]
            hidden = torch.addmm(self.hidden_bias[window].T, self.context_to_hidden[window].T, context)
            output = torch.addmm(self.output_bias[window].T, self.context_to_output[window].T, context)
            if of_label is not None:
                hidden += self.label_to_hidden[window].T @ of_label
                output += self.label_to_output[window].T @ of_label
            seen, fed = self.own_to_hidden[window].T.contiguous(), self.hidden_to_output[window].T.contiguous()
            earlier = self.own_to_output[window].T.contiguous()
            uniform = torch.rand(width, config.ploidy, n_rows, generator=generator).to(device)
            for site in range(min(width, config.n_sites - start)):
                ready = slice(units[site], units[site + 1])  # see the sites before this one, and feed it and later ones
                if ready.stop > ready.start:
                    unit = functional.gelu(hidden[ready].addmm_(seen[ready, :site], own[:site]))
                    output[site:].addmm_(fed[site:, ready], unit)
                log_odds = output[site].addmv_(own[:site].T, earlier[site, :site])
                count = (uniform[site] < torch.sigmoid(log_odds)).sum(dim=0)
                counts[start + site] = count
                torch.mul(count - centre[start + site], scale[start + site], out=own[site])
            drawn[: config.context] = drawn[width:].clone()
        return counts.T.contiguous()

    def _scale(self) -> Tensor:
        """What makes alleles of all frequencies vary alike: (n_sites,)."""
        p = self.frequency.clamp(LEAST_FREQUENCY, 1 - LEAST_FREQUENCY)
        return torch.rsqrt(p * (1 - p))

    def _seen(self, shares: Tensor) -> tuple[Tensor, Tensor]:
        """What each window sees of itself and before it, centred and scaled: (n_windows, n, context), (…, width)."""
        values = (shares - self.frequency) * self._scale()
        padded = functional.pad(values, (self.config.context, self.windows.n_padded))
        width = self.windows.width
        seen = padded.unfold(1, self.config.context + width, width).transpose(0, 1)
        return seen[..., : self.config.context], seen[..., self.config.context :]
