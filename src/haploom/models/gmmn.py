"""A generative moment matching network: noise through a network, made alike to the training haplotypes as a whole.

noise -> hidden layers (batch normalisation, ReLU) -> log-odds of each allele; the allele is the likelier one. There is
no encoder and no likelihood. The loss is the squared maximum mean discrepancy between a batch of haplotypes and as many
made up ones, under a sum of Gaussian kernels of several widths: 0 where the two distributions are one. The alleles that
are compared are decided, 0 or 1, as those of a sample are; the gradient goes through each decision as if it were its
probability (straight through), so what is trained is what is sampled.

Kernels are approximated by random Fourier features, so a batch costs a product of rows x sites x features and not of
all pairs of rows. With labels, the noise comes with the label, and haplotypes are compared within each label.

Source: Li, Swersky & Zemel 2015; Rahimi & Recht 2007 (features); Gretton et al. 2012, Lemma 6 (the unbiased estimate).
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from haploom.errors import HaploomError
from haploom.models.layers import Dense
from haploom.models.model import Batch, HaplotypeModel, ModelConfig, Terms, log_odds
from haploom.models.processes import sum_over_processes


@dataclass(frozen=True, kw_only=True)
class GMMNConfig(ModelConfig):
    """Shape of the generator, and what its moments are compared by."""

    n_noise: int = 64  # standard normal numbers a haplotype is made of
    hidden: tuple[int, ...] = (256, 512)
    n_features: int = 1024  # random Fourier features of each kernel
    bandwidths: tuple[float, ...] = (0.5, 1.0, 2.0)  # of the kernels: shares of the haplotypes' typical distance

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ploidy != 1:
            raise HaploomError("a gmmn makes haplotypes: train it on phased genotypes without missing calls")


class GMMN(HaplotypeModel):
    """The generator and its moments.

    typical_distance: float32 (), root mean squared distance of two training haplotypes.
    feature_seed: int64 (), which random features; saved instead of them, as they are as wide as the panel.
    """

    config: GMMNConfig
    code_terms: ClassVar[tuple[str, ...]] = ()
    typical_distance: Tensor
    feature_seed: Tensor

    def __init__(self, config: GMMNConfig) -> None:
        super().__init__(config)
        self.generator = Dense((config.n_noise + config.n_labels, *config.hidden))
        self.output = nn.Linear(config.hidden[-1], config.n_sites)
        self.noise_shape = (config.n_noise,)
        self.register_buffer("typical_distance", torch.tensor((config.n_sites / 2) ** 0.5))
        self.register_buffer("feature_seed", torch.randint(2**62, ()))
        self._drawn: tuple[int, Tensor] | None = None

    @torch.no_grad()
    def start_at(self, frequency: Tensor) -> None:
        super().start_at(frequency)
        self.output.bias.copy_(log_odds(frequency))
        # Two haplotypes differ at a site with probability 2 p (1 - p), whatever the sites have to do with each other.
        self.typical_distance.copy_((2 * frequency * (1 - frequency)).sum().clamp(min=1e-6).sqrt())

    def decode(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Noise (n, n_noise) -> log-odds of the alternate allele (n, n_sites)."""
        inputs = torch.cat([z, self.one_hot(labels)], dim=1) if self.config.n_labels else z
        return self.output(self.generator(inputs))

    def sample(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Noise (n, n_noise) -> alleles, uint8 (n, n_sites)."""
        return (self.decode(z, labels) > 0).to(torch.uint8)

    def forward(self, batch: Batch, noise: Tensor | None = None) -> Terms:
        """The discrepancy, one figure for the whole batch: no unit, and below 0 by chance where nothing is left."""
        if noise is None:
            raise ValueError("a gmmn makes its haplotypes from noise, and none was given")
        logits = self.decode(noise, batch.labels)
        shares = torch.sigmoid(logits)
        alleles = shares + ((logits > 0).to(shares.dtype) - shares).detach()
        groups = self._groups(batch)
        made, n_rows = _means(self._features(alleles), groups)
        real, _ = _means(self._features(batch.counts), groups)
        # Unbiased: the products of a row with itself, each 1, are taken out of the squares of the means.
        others = (n_rows - 1).clamp(min=1)
        within = [(n_rows * means.square().sum(dim=1) - self._n_kernels) / others for means in (made, real)]
        discrepancy = within[0] + within[1] - 2 * (made * real).sum(dim=1)
        weights = n_rows * (n_rows > 1)  # one row of a label says nothing
        return Terms({"discrepancy": discrepancy @ weights / weights.sum().clamp(min=1)})

    @property
    def _n_kernels(self) -> int:
        return len(self.config.bandwidths)

    def _groups(self, batch: Batch) -> Tensor:
        """What is compared with what: (n, n_groups), 1 for the group of a row."""
        return self.one_hot(batch.labels) if self.config.n_labels else torch.ones_like(batch.counts[:, :1])

    def _features(self, alleles: Tensor) -> Tensor:
        """(n, n_sites) -> (n, n_kernels * 2 n_features); the product of two rows is the sum of their kernels."""
        seed = int(self.feature_seed)
        if self._drawn is None or self._drawn[0] != seed:
            generator = torch.Generator().manual_seed(seed)
            drawn = torch.randn((self.config.n_sites, self.config.n_features), generator=generator)
            self._drawn = seed, drawn.to(self.frequency.device)
        # The same directions for all kernels: each kernel's own mean is right, and there is one wide product.
        angles = (alleles - self.frequency) @ self._drawn[1] / self.typical_distance
        of_kernels = torch.cat([angles / bandwidth for bandwidth in self.config.bandwidths], dim=1)
        return torch.cat([of_kernels.cos(), of_kernels.sin()], dim=1) / self.config.n_features**0.5


def _means(features: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """Mean features of each group over the rows of all processes, (n_groups, n_features), and its rows (n_groups,).

    The loop weighs each process's loss by its share of the rows, as if it were a mean over them. So the values are
    those of the whole batch, and the gradient is that of the mean over the own rows.
    """
    sums, n_rows = groups.T @ features, groups.sum(dim=0)
    totals = sums.detach().clone()
    sum_over_processes(totals, n_rows)
    at_least_one = n_rows.clamp(min=1)[:, None]
    own = sums * (n_rows.sum() / len(groups)) / at_least_one
    return own + (totals / at_least_one - own).detach(), n_rows
