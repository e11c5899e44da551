"""Sites cut into windows, and layers that have weights of their own for each, all windows in one batched product.

Windows do not overlap. The last one is padded, never dropped: what is put in at padded sites is 0, and what comes out
there is thrown away before the loss, so that they get no gradient.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from haploom.models.normalisation import WindowNorm


@dataclass(frozen=True)
class Windows:
    """`n_sites` sites in windows of `width`."""

    n_sites: int
    width: int

    @property
    def n_windows(self) -> int:
        return -(-self.n_sites // self.width)

    @property
    def n_padded(self) -> int:
        """Sites that are missing in the last window."""
        return self.n_windows * self.width - self.n_sites

    def cut(self, values: Tensor) -> Tensor:
        """(n, n_sites) -> (n_windows, n, width), with 0 at padded sites; a view where there are none."""
        padded = functional.pad(values, (0, self.n_padded)) if self.n_padded else values
        return apart(padded, self.n_windows)

    def join(self, values: Tensor) -> Tensor:
        """(n_windows, n, width) -> (n, n_sites), without the padded sites."""
        return together(values)[:, : self.n_sites]


def apart(values: Tensor, n_windows: int) -> Tensor:
    """(n, n_windows * n_features) -> (n_windows, n, n_features), a view."""
    return values.unflatten(1, (n_windows, -1)).transpose(0, 1)


def together(values: Tensor) -> Tensor:
    """(n_windows, n, n_features) -> (n, n_windows * n_features)."""
    return values.transpose(0, 1).flatten(1)


class WindowLinear(nn.Module):
    """A linear layer a window: (n_windows, n, n_in) -> (n_windows, n, n_out).

    weight: (n_windows, n_in, n_out), or (1, n_in, n_out) where windows share it; drawn as nn.Linear draws its own.
    bias: (n_windows, 1, n_out), or none; never shared.
    """

    def __init__(self, n_windows: int, n_in: int, n_out: int, share: bool = False, bias: bool = True) -> None:
        super().__init__()
        bound = 1 / math.sqrt(n_in)
        self.weight = nn.Parameter(torch.empty(1 if share else n_windows, n_in, n_out).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(n_windows, 1, n_out).uniform_(-bound, bound)) if bias else None

    def forward(self, values: Tensor) -> Tensor:
        weight = self.weight.expand(len(values), -1, -1)
        return torch.bmm(values, weight) if self.bias is None else torch.baddbmm(self.bias, values, weight)


def normalised_window_linear(n_windows: int, n_in: int, n_out: int, share: bool = False) -> nn.Sequential:
    """A linear layer a window, then batch normalisation, whose shift is the layer's bias."""
    return nn.Sequential(WindowLinear(n_windows, n_in, n_out, share, bias=False), WindowNorm(n_windows, n_out))


def with_neighbours(values: Tensor) -> Tensor:
    """Each window's values with those of the window before and the one after, zeros beyond the ends.

    (n_windows, n, n_features) -> (n_windows, n, 3 * n_features): before, own, after.
    """
    padded = functional.pad(values, (0, 0, 0, 0, 1, 1))
    return torch.cat([padded[:-2], values, padded[2:]], dim=2)
