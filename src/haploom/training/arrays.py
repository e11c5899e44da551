"""Arrays of alleles as the rows that networks are trained on, without sites' names or positions."""

import numpy as np
import torch
from torch import Tensor

from haploom.models.model import Batch
from haploom.panel.dosages import MISSING
from haploom.training.dataset import PanelDataset


class ArrayDataset(PanelDataset):
    """Rows of an array (n_rows, n_sites) of alleles, 0 or 1, or probabilities between; NaN or -1 where one is missing.

    The array is kept as it is, and made float a batch at a time. Nothing is known of distances between sites, so rows
    do not recombine.
    """

    def __init__(self, alleles: np.ndarray) -> None:
        self.ploidy = 1
        self.label_names = ()
        self._labels = None
        self._alleles = alleles

    @property
    def n_sites(self) -> int:
        return self._alleles.shape[1]

    @property
    def span_mb(self) -> float:
        return 0.0

    def __len__(self) -> int:
        return len(self._alleles)

    @property
    def columns(self) -> np.ndarray:
        return self._alleles

    def batch(self, rows: np.ndarray, device: torch.device, columns: np.ndarray | None = None) -> Batch:
        alleles = (self.columns[rows] if columns is None else columns).astype(np.float32)
        called = alleles >= 0  # NaN is not
        alleles[~called] = 0
        mask = None if called.all() else torch.from_numpy(called).to(device)
        return Batch(torch.from_numpy(alleles).to(device), mask)

    def frequencies(self) -> Tensor:
        sums = calls = np.zeros(self.n_sites)
        for rows in np.array_split(np.arange(len(self)), 1 + self._alleles.size // (1 << 24)):
            alleles = self._alleles[rows].astype(np.float64)
            called = alleles >= 0
            sums, calls = sums + alleles.sum(axis=0, where=called), calls + called.sum(axis=0)
        return torch.from_numpy(np.divide(sums, calls, out=np.full(self.n_sites, 0.5), where=calls > 0)).float()

    def n_calls(self) -> int:
        return int(((self._alleles != MISSING) & ~np.isnan(self._alleles)).sum())
