"""Vector quantisation: values replaced by the nearest of a few learned vectors, in several heads.

A head takes its share of the features and has a codebook of its own, so that H heads of K codes reach K^H values of a
window. Source: van den Oord et al. 2017 (losses, moving averages); Geleta et al. 2026, equation 9.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from haploom.models.processes import place_of_rows, sum_over_processes

DECAY = 0.95  # of the moving averages of a codebook, a step


class Quantised(NamedTuple):
    """values: (n_windows, n, n_features), vectors of the codebook. codes: int64 (n_windows, n, heads)."""

    values: Tensor
    codes: Tensor


class Codebook(nn.Module):
    """Vectors of each head, for each window or (n_books = 1) for all of them.

    vectors: (n_books, heads, size, n_features / heads), drawn as Xavier and Glorot do.
    usage: (n_books, heads, size), moving average of each code's share of the rows, times size: 1 where all are used
    alike. 0 before the first step.
    """

    vectors: Tensor
    usage: Tensor
    n_steps: Tensor

    def __init__(
        self, n_books: int, heads: int, size: int, n_features: int, *, by_gradient: bool, revive_below: float
    ) -> None:
        """by_gradient: the codebook's loss moves the vectors; else they are moving averages of what they stand for.
        revive_below: codes used less (see usage) are put where values are.
        """
        super().__init__()
        width = n_features // heads
        bound = (6 / (size + width)) ** 0.5
        vectors = torch.empty(n_books, heads, size, width).uniform_(-bound, bound)
        if by_gradient:
            self.vectors = nn.Parameter(vectors)
        else:
            self.register_buffer("vectors", vectors)
        self.register_buffer("usage", torch.zeros(n_books, heads, size))
        self.register_buffer("n_steps", torch.zeros((), dtype=torch.int64))
        self.by_gradient, self.revive_below = by_gradient, revive_below

    def forward(self, values: Tensor) -> Quantised:
        """The nearest vector of each head, (n_windows, n, n_features). In training, the codebook follows."""
        by_head = values.detach().unflatten(2, (self.vectors.shape[1], -1)).transpose(1, 2)
        if self.training:
            self._revive(by_head)
        # |value - vector|^2 without |value|^2, which is the same for all vectors.
        distances = self.vectors.detach().square().sum(dim=-1)[:, :, None] - 2 * by_head @ self.vectors.detach().mT
        codes = distances.argmin(dim=-1).transpose(1, 2)
        if self.training:
            self._follow(by_head, codes)
        return Quantised(self.look_up(codes), codes)

    def look_up(self, codes: Tensor) -> Tensor:
        """int64 (n_windows, n, heads) -> (n_windows, n, n_features)."""
        n_books, heads, size, width = self.vectors.shape
        books = torch.arange(n_books * heads, device=codes.device).view(n_books, 1, heads)
        return functional.embedding(codes + size * books, self.vectors.view(-1, width)).flatten(2)

    @torch.no_grad()
    def _follow(self, by_head: Tensor, codes: Tensor) -> None:
        """Count the codes; without a gradient, move each vector towards the mean of what it stands for."""
        n_books, _, size, _ = self.vectors.shape
        one_hot = functional.one_hot(codes.transpose(1, 2), size).to(by_head.dtype)  # (n_windows, heads, n, size)
        counts = _by_book(one_hot.sum(dim=2), n_books)
        totals = _by_book(one_hot.mT @ by_head, n_books) if not self.by_gradient else counts.new_zeros(())
        sum_over_processes(counts, totals)
        to_usage = size / counts.sum(dim=-1, keepdim=True)
        self.n_steps += 1
        self.usage.lerp_(counts * to_usage, 1 - DECAY)
        if not self.by_gradient:
            pull = (totals - counts[..., None] * self.vectors) * to_usage[..., None]
            self.vectors += (1 - DECAY) * pull / self.usage.clamp(min=1e-6)[..., None]

    @torch.no_grad()
    def _revive(self, by_head: Tensor) -> None:
        """Put codes that are hardly used where a row's value is, drawn from the batch of all processes.

        Before the first step no code has been used: all of them start where values are.
        """
        dead = self.usage < self.revive_below
        if not dead.any():
            return
        n_books, heads, size, _ = self.vectors.shape
        first, n_rows = place_of_rows(by_head.shape[2], by_head.device)
        # The same draws in every process, for every code, dead or not.
        generator = torch.Generator().manual_seed(int(self.n_steps))
        rows = torch.randint(n_rows, (n_books, heads, size), generator=generator).to(by_head.device)
        windows = torch.randint(len(by_head), (n_books, heads, size), generator=generator).to(by_head.device)
        if n_books > 1:
            windows = torch.arange(n_books, device=by_head.device)[:, None, None].expand_as(windows)
        here = (rows >= first) & (rows < first + by_head.shape[2])
        of_head = torch.arange(heads, device=by_head.device)[:, None].expand_as(rows)
        drawn = by_head[windows, of_head, torch.where(here, rows - first, 0)] * here[..., None]
        sum_over_processes(drawn)
        self.vectors.data = torch.where(dead[..., None], drawn, self.vectors)
        self.usage.masked_fill_(dead, 1.0)


def _by_book(values: Tensor, n_books: int) -> Tensor:
    """(n_windows, ...) -> (n_books, ...): each window's own, or the sum over windows."""
    return values if n_books > 1 else values.sum(dim=0, keepdim=True)


def perplexity(codes: Tensor, size: int) -> Tensor:
    """How many codes are in use: exp of the entropy of the codes among rows, mean over windows and heads.

    codes: int64 (n_windows, n, heads), each below size.
    """
    shares = functional.one_hot(codes, size).double().mean(dim=1)
    return torch.special.entr(shares).sum(dim=-1).exp().mean()
