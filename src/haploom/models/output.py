"""The widest layer of a network and its loss in one pass: a linear layer over all sites, batch normalisation,
Bernoulli nats.

Written with torch's own operations, every step would read and write a matrix of rows x sites; they then cost more than
the products. Here a block of sites that fits the processor's cache goes through all of them at once, forward and
backward, and only what backward needs is kept.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from haploom.models.losses import binomial_nats
from haploom.models.normalisation import BatchNorm
from haploom.models.processes import sharing

BLOCK_BYTES = 1 << 20  # of one matrix: some of them fit the second-level cache together


class SiteOutput(nn.Sequential):
    """A linear layer, then batch normalisation: (n, n_hidden) -> log-odds (n, n_sites)."""

    def __init__(self, n_hidden: int, n_sites: int) -> None:
        super().__init__(nn.Linear(n_hidden, n_sites), BatchNorm(n_sites))

    def nats(self, hidden: Tensor, counts: Tensor, ploidy: int = 1, called: Tensor | None = None) -> Tensor:
        """`binomial_nats` of the log-odds: (n,)."""
        linear, norm = self[0], self[1]
        assert isinstance(norm, BatchNorm)
        in_one_pass = (
            self.training and not sharing() and ploidy == 1 and called is None
            and hidden.dtype == torch.float32 and not torch.is_autocast_enabled(hidden.device.type)
        )  # fmt: skip
        if not in_one_pass:
            return binomial_nats(counts, self(hidden), ploidy, called)
        nats, mean, variance = _NormalisedNats.apply(
            hidden, linear.weight, linear.bias, norm.weight, norm.bias, counts, norm.eps
        )
        norm.learn(mean, variance * (len(hidden) / (len(hidden) - 1)))
        return nats


class _NormalisedNats(torch.autograd.Function):
    """Nats of each row, and mean and variance of each site's values before normalisation."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor, gain: Tensor, offset: Tensor, counts: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        n_rows, n_sites = counts.shape
        nats = hidden.new_zeros(n_rows)
        mean, variance = hidden.new_empty(n_sites), hidden.new_empty(n_sites)
        # Kept for backward, block after block of sites, so that a block lies in one piece of memory.
        normalised, residual = hidden.new_empty(n_rows * n_sites), hidden.new_empty(n_rows * n_sites)
        for sites in _blocks(n_rows, n_sites):
            z, r = _block(normalised, sites, n_rows), _block(residual, sites, n_rows)
            torch.mm(hidden, weight[sites].t(), out=z)
            torch.mean(z, dim=0, out=mean[sites])
            z -= mean[sites]  # the linear layer's bias drops out here
            torch.mul(z, z, out=r)
            torch.mean(r, dim=0, out=variance[sites])
            z *= torch.rsqrt(variance[sites] + eps)
            torch.addcmul(offset[sites], z, gain[sites], out=r)
            r.sigmoid_()
            r -= counts[:, sites]
            # |r| is the probability of the other allele; nearer to 1 float32 does not go.
            nats -= torch.log1p_(r.abs().neg_().clamp_(min=-1 + 6e-8)).sum(dim=1)
        ctx.save_for_backward(hidden, weight, gain, variance, normalised, residual)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance)
        return nats, mean + bias, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_nats: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, gain, variance, normalised, residual = ctx.saved_tensors
        n_rows, n_sites = len(hidden), len(weight)
        of_hidden = torch.zeros_like(hidden)
        of_weight, of_gain, of_offset = torch.empty_like(weight), torch.empty_like(gain), torch.empty_like(gain)
        row_weights = of_nats[:, None]
        for sites in _blocks(n_rows, n_sites):
            z, r = _block(normalised, sites, n_rows), _block(residual, sites, n_rows)
            r *= row_weights  # the gradient of the log-odds
            torch.sum(r, dim=0, out=of_offset[sites])
            of_gain[sites] = (r * z).sum(dim=0)
            z *= -of_gain[sites] / n_rows
            r += z
            r -= of_offset[sites] / n_rows
            r *= gain[sites] * torch.rsqrt(variance[sites] + ctx.eps)
            torch.mm(r.t(), hidden, out=of_weight[sites])
            of_hidden.addmm_(r, weight[sites])
        return of_hidden, of_weight, torch.zeros_like(gain), of_gain, of_offset, None, None


def _blocks(n_rows: int, n_sites: int) -> list[slice]:
    step = max(64, BLOCK_BYTES // (4 * n_rows))
    return [slice(start, min(start + step, n_sites)) for start in range(0, n_sites, step)]


def _block(matrix: Tensor, sites: slice, n_rows: int) -> Tensor:
    return matrix[sites.start * n_rows : sites.stop * n_rows].view(n_rows, sites.stop - sites.start)
