"""Layers that several networks are made of."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from haploom.models.normalisation import BatchNorm


def normalised_linear(n_in: int, n_out: int) -> nn.Sequential:
    """A linear layer, then batch normalisation."""
    return nn.Sequential(nn.Linear(n_in, n_out), BatchNorm(n_out))


class Dense(nn.ModuleList):
    """Normalised linear layers, a ReLU (and dropout) after each: (..., n, sizes[0]) -> (..., n, sizes[-1]).

    layer: makes one from its numbers of inputs and outputs.
    """

    def __init__(
        self, sizes: Sequence[int], dropout: float = 0.0, layer: Callable[[int, int], nn.Module] = normalised_linear
    ) -> None:
        super().__init__(layer(n_in, n_out) for n_in, n_out in pairwise(sizes))
        self.dropout = dropout

    def forward(self, values: Tensor) -> Tensor:
        for each in self:
            values = nn.functional.dropout(torch.relu(each(values)), self.dropout, self.training)
        return values
