"""Losses, every term named, in nats, one figure a row."""

import math

from torch import Tensor
from torch.nn import functional


def binomial_nats(counts: Tensor, logits: Tensor, ploidy: int = 1, called: Tensor | None = None) -> Tensor:
    """-log P(counts) under Binomial(ploidy, sigmoid(logits)), summed over the sites that are called: (n,).

    counts, logits: (n, n_sites); called: bool, (n, n_sites) or (n_sites,). At ploidy 1 this is the Bernoulli's
    cross-entropy. From log-odds, so nothing is clamped; sites that are not called get no gradient.
    """
    nats = functional.binary_cross_entropy_with_logits(
        logits, counts / ploidy if ploidy > 1 else counts, reduction="none"
    )
    if ploidy == 2:
        nats = 2 * nats - math.log(2) * (counts == 1)
    if called is not None:
        nats = nats.where(called, 0.0)
    return nats.sum(dim=1)


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL of N(mean, variance) from N(0, I), summed over all but the first dimension: (n,)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).flatten(1).sum(dim=1)
