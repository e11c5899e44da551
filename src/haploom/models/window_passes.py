"""Layers of many windows in few passes over memory.

Written with torch's own operations, batch normalisation, ReLU and loss each read and write all windows' values several
times, and cost more than the batched products. Here a block of windows that fits the processor's cache goes through
all of them at once, forward and backward, and only what backward needs is kept.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from haploom.models.processes import sharing

BLOCK_BYTES = 1 << 19  # of one matrix: some of them fit the second-level cache together


def in_one_pass(values: Tensor) -> bool:
    """Whether these functions are for such values: float32 or float64 on a CPU, in a batch that is not shared."""
    return values.device.type == "cpu" and not sharing() and not torch.is_autocast_enabled("cpu")


class NormalisedProduct(torch.autograd.Function):
    """Batched products, each feature normalised over rows, scaled, moved, and with `relu` made 0 where negative.

    values: (n_windows, n, n_in); weight: (n_windows, n_in, n_out); gain, offset: (n_windows, 1, n_out). Gives
    (n_windows, n, n_out), and mean and variance of the products before they were normalised, as gain.
    """

    @staticmethod
    def forward(
        ctx: Any, values: Tensor, weight: Tensor, gain: Tensor, offset: Tensor, eps: float, relu: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        shape = (*values.shape[:2], weight.shape[2])
        centred, result = values.new_empty(shape), values.new_empty(shape)
        mean, variance = torch.empty_like(gain), torch.empty_like(gain)
        for block in _blocks(centred):
            z, y = centred[block], result[block]
            _centred_product(values[block], weight[block], z, mean[block])
            _normalise(z, gain[block], offset[block], variance[block], eps, y)
            if relu:
                y.relu_()
        ctx.save_for_backward(values, weight, gain, variance, centred, result if relu else None)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance)
        return result, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_result: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        *saved, result = ctx.saved_tensors
        gradients = _Gradients(saved, ctx.eps, ctx.needs_input_grad[0])
        for block in _blocks(of_result):
            residual = gradients.residual(block)
            if result is None:
                residual.copy_(of_result[block])
            else:
                torch.ops.aten.threshold_backward.grad_input(of_result[block], result[block], 0, grad_input=residual)
            gradients.add(block, residual)
        return gradients.of_values, gradients.of_weight, gradients.of_gain, gradients.of_offset, None, None


class NormalisedNats(torch.autograd.Function):
    """The same without ReLU, taken for log-odds of alleles: the nats of each row, (n,), and mean and variance.

    counts: (n_windows, n, n_out) of 0 and 1. The last `n_padded` sites of the last window count for nothing.
    """

    @staticmethod
    def forward(
        ctx: Any, values: Tensor, weight: Tensor, gain: Tensor, offset: Tensor, counts: Tensor, n_padded: int,
        eps: float,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        shape = (*values.shape[:2], weight.shape[2])
        centred, residual = values.new_empty(shape), values.new_empty(shape)
        mean, variance = torch.empty_like(gain), torch.empty_like(gain)
        nats = values.new_zeros(shape[1])
        scratch = torch.empty_like(centred[next(_blocks(centred))])
        for block in _blocks(centred):
            z, r = centred[block], residual[block]
            _centred_product(values[block], weight[block], z, mean[block])
            _normalise(z, gain[block], offset[block], variance[block], eps, r)
            r.sigmoid_()
            r -= counts[block]
            if n_padded and block.stop == len(values):
                r[-1, :, -n_padded:] = 0
            # |r| is the probability of the other allele; nearer to 1 float32 does not go.
            other = torch.abs(r, out=scratch[: len(r)]).neg_()
            nats -= other.clamp_(min=-1 + 6e-8).log1p_().sum(dim=(0, 2))
        ctx.save_for_backward(values, weight, gain, variance, centred, residual)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance)
        return nats, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_nats: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        *saved, residual = ctx.saved_tensors
        gradients = _Gradients(saved, ctx.eps, ctx.needs_input_grad[0])
        for block in _blocks(residual):
            gradients.add(block, torch.mul(residual[block], of_nats[:, None], out=gradients.residual(block)))
        return gradients.of_values, gradients.of_weight, gradients.of_gain, gradients.of_offset, None, None, None


class _Gradients:
    """Gradients of what goes into a normalised product, a block of windows at a time."""

    def __init__(self, saved: Sequence[Tensor], eps: float, values_too: bool) -> None:
        """saved: values, weight, gain, variance and centred products. values_too: or only the parameters'."""
        self._values, self._weight, gain, variance, self._centred = saved
        self._rescale = torch.rsqrt(variance + eps)
        self._scale = gain * self._rescale
        largest = self._centred[next(_blocks(self._centred))].shape
        self._residual, self._scratch = self._centred.new_empty(2, *largest)
        self.of_values = self._values.new_empty(self._values.shape) if values_too else None
        self.of_weight = self._weight.new_empty(self._weight.shape)
        self.of_gain, self.of_offset = torch.empty_like(gain), torch.empty_like(gain)

    def residual(self, block: slice) -> Tensor:
        """Where the gradient after normalisation is to be written: the same memory for each block."""
        return self._residual[: block.stop - block.start]

    def add(self, block: slice, residual: Tensor) -> None:
        """residual: the gradient after normalisation, of one block; overwritten."""
        z, scratch, n_rows = self._centred[block], self._scratch[: len(residual)], residual.shape[1]
        of_gain, of_offset, rescale = self.of_gain[block], self.of_offset[block], self._rescale[block]
        torch.sum(residual, dim=1, keepdim=True, out=of_offset)
        torch.sum(torch.mul(residual, z, out=scratch), dim=1, keepdim=True, out=of_gain)
        of_gain *= rescale
        residual.addcmul_(z, of_gain * rescale, value=-1 / n_rows)
        residual -= of_offset / n_rows
        residual *= self._scale[block]
        torch.bmm(self._values[block].mT, residual, out=self.of_weight[block])
        if self.of_values is not None:
            torch.bmm(residual, self._weight[block].mT, out=self.of_values[block])


def _centred_product(values: Tensor, weight: Tensor, product: Tensor, mean: Tensor) -> None:
    """values @ weight without its mean over rows; both are written. The mean of products is that of the values."""
    torch.bmm(values.mean(dim=1, keepdim=True), weight, out=mean)
    torch.baddbmm(mean, values, weight, beta=-1, out=product)


def _normalise(z: Tensor, gain: Tensor, offset: Tensor, variance: Tensor, eps: float, result: Tensor) -> None:
    """Scale centred values to standard deviation `gain` and move them by `offset`; variance and result are written."""
    torch.mul(z, z, out=result)
    torch.mean(result, dim=1, keepdim=True, out=variance)
    torch.addcmul(offset, z, gain * torch.rsqrt(variance + eps), out=result)


def _blocks(matrices: Tensor) -> Iterator[slice]:
    """Slices of windows, (n_windows, n, n_features)."""
    n_windows = len(matrices)
    step = max(1, BLOCK_BYTES // (matrices[0].numel() * matrices.element_size()))
    return (slice(start, min(start + step, n_windows)) for start in range(0, n_windows, step))
