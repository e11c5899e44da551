"""Losses, every term named, in nats."""

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional


class ElboTerms(NamedTuple):
    """Nats per haplotype, mean over the batch; scalar tensors. `kl` is before the weight beta."""

    reconstruction: Tensor
    kl: Tensor

    def loss(self, beta: float = 1.0) -> Tensor:
        """What training minimises: the negative evidence lower bound where beta is 1."""
        return self.reconstruction + beta * self.kl


def elbo_terms(alleles: Tensor, logits: Tensor, mean: Tensor, log_variance: Tensor) -> ElboTerms:
    """Bernoulli reconstruction summed over sites, and KL of N(mean, variance) from N(0, I).

    alleles, logits: (n, n_sites); mean, log_variance: (n, n_latent). From log-odds, so nothing is clamped.
    """
    reconstruction = functional.binary_cross_entropy_with_logits(logits, alleles, reduction="sum")
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()
    return ElboTerms(reconstruction / len(alleles), kl / len(alleles))
