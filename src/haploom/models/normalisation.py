"""Batch normalisation whose statistics are those of the whole batch, however many processes share it.

torch's own SyncBatchNorm refuses to run on CPU. In one process this is torch's BatchNorm1d, bit for bit.
"""

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce


class BatchNorm(nn.BatchNorm1d):
    """BatchNorm1d over (n, n_features); in several processes mean and variance are all-reduced, gradients too."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def forward(self, values: Tensor) -> Tensor:
        if not (self.training and dist.is_initialized() and dist.get_world_size() > 1):
            return super().forward(values)
        rows = torch.full((1,), float(len(values)), device=values.device)
        dist.all_reduce(rows)
        mean = all_reduce(values.sum(dim=0)) / rows
        centred = values - mean
        # Two rounds, not sums of squares: those lose every digit where the mean is far from 0.
        variance = all_reduce(centred.square().sum(dim=0)) / rows
        with torch.no_grad():
            momentum = self.momentum or 0.0
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(variance * rows / (rows - 1), momentum)
        return centred * torch.rsqrt(variance + self.eps) * self.weight + self.bias
