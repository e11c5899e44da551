"""Batch normalisation whose statistics are those of the whole batch, however many processes share it.

torch's own SyncBatchNorm refuses to run on CPU. In one process `BatchNorm` is torch's BatchNorm1d, bit for bit.
"""

from typing import Any

import torch
from torch import Tensor, nn

from haploom.models.processes import sharing, sum_over_processes


class _Normalise(torch.autograd.Function):
    """Each feature over the rows of all processes: (..., n, n_features), the rows last but one.

    Gives the normalised values, scaled by weight and moved by bias, and mean, variance and number of rows.
    """

    @staticmethod
    def forward(
        ctx: Any, values: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        rows = torch.full((1,), float(values.shape[-2]), device=values.device)
        mean = values.sum(dim=-2, keepdim=True)
        sum_over_processes(rows, mean)
        mean /= rows
        centred = values - mean
        # Two rounds, not sums of squares: those lose every digit where the mean is far from 0.
        variance = centred.square().sum(dim=-2, keepdim=True)
        sum_over_processes(variance)
        variance /= rows
        scale = torch.rsqrt(variance + eps)
        normalised = centred.mul_(scale)
        ctx.save_for_backward(normalised, weight, scale, rows)
        ctx.mark_non_differentiable(mean, variance, rows)
        return torch.addcmul(bias, normalised, weight), mean, variance, rows

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Any) -> tuple[Tensor, Tensor, Tensor, None]:
        normalised, weight, scale, rows = ctx.saved_tensors
        of_bias = gradient.sum(dim=-2, keepdim=True)
        of_weight = (gradient * normalised).sum(dim=-2, keepdim=True)
        all_bias, all_weight = of_bias.clone(), of_weight.clone()
        sum_over_processes(all_bias, all_weight)
        of_values = torch.addcmul(gradient, normalised, all_weight / rows, value=-1)
        of_values -= all_bias / rows
        of_values *= weight * scale
        return of_values, of_weight.reshape(weight.shape), of_bias.reshape(weight.shape), None


class BatchNorm(nn.BatchNorm1d):
    """BatchNorm1d over (n, n_features); in several processes mean and variance are all-reduced, gradients too."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def forward(self, values: Tensor) -> Tensor:
        if not (self.training and sharing()):
            return super().forward(values)
        return self.over_rows(values)

    def over_rows(self, values: Tensor) -> Tensor:
        """Normalise (..., n, n_features) by its batch's statistics, and remember them."""
        values = values.to(torch.promote_types(values.dtype, torch.float32))  # sums in half precision lose digits
        result, mean, variance, rows = _Normalise.apply(values, self.weight, self.bias, self.eps)
        self.learn(mean, variance * rows / (rows - 1))
        return result

    @torch.no_grad()
    def learn(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics towards a batch's mean and unbiased variance, one figure a feature."""
        momentum = self.momentum or 0.0
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean.reshape(self.running_mean.shape), momentum)
        self.running_var.lerp_(variance.reshape(self.running_var.shape), momentum)


class WindowNorm(BatchNorm):
    """The same for every window and feature: (n_windows, n, n_features)."""

    def __init__(self, n_windows: int, n_features: int) -> None:
        super().__init__(n_windows * n_features)
        for _, tensor in [*self.named_parameters(), *self.named_buffers()]:
            if tensor.ndim:
                tensor.data = tensor.data.reshape(n_windows, 1, n_features)

    def forward(self, values: Tensor) -> Tensor:
        if self.training:
            return self.over_rows(values)
        gain = self.weight * torch.rsqrt(self.running_var + self.eps)
        return torch.addcmul(self.bias - self.running_mean * gain, values, gain)
