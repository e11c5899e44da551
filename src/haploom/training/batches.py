"""Batches of haplotypes for a network: unpacked one at a time, never the whole panel as floats."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from haploom.panel import Panel
from haploom.panel.bits import unpack_rows


class PackedBatches:
    """Haplotypes of a panel as float32 tensors (n, n_sites) of 0 and 1 on a device."""

    def __init__(self, panel: Panel, batch_size: int, device: torch.device) -> None:
        self.panel = panel
        self.device = device
        # Batches of nearly equal size: a last batch of one haplotype has no variance to normalise by.
        self.n_batches = max(1, round(panel.n_haplotypes / batch_size))

    def shuffled(self, rng: np.random.Generator) -> Iterator[Tensor]:
        """Every haplotype once, in random order."""
        for rows in np.array_split(rng.permutation(self.panel.n_haplotypes), self.n_batches):
            yield self._unpack(self.panel.bits[rows])

    def in_order(self) -> Iterator[Tensor]:
        """Every haplotype once, in the panel's order."""
        for rows in np.array_split(np.arange(self.panel.n_haplotypes), self.n_batches):
            yield self._unpack(self.panel.bits[rows])

    def _unpack(self, bits: np.ndarray) -> Tensor:
        alleles = torch.from_numpy(unpack_rows(bits, self.panel.n_sites))
        return alleles.to(self.device, torch.float32)
