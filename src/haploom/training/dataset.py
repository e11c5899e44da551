"""Rows of a panel for networks: unpacked a batch at a time, never the whole panel as floats."""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from haploom.errors import HaploomError
from haploom.models.model import Batch
from haploom.panel import DosagePanel, Panel
from haploom.panel.bits import unpack_rows
from haploom.panel.dosages import MISSING
from haploom.training.mosaics import span_mb


class PanelDataset(Dataset):
    """The haplotypes of a Panel, or the people of a DosagePanel, as a torch Dataset.

    Item i is (counts, called, label): float32 (n_sites,) copies of the alternate allele (0 where missing), bool
    (n_sites,), and the place of the row's label in `label_names`, -1 without labels. It works with DataLoader and
    its default collation; the training loop asks for whole batches.

    ploidy: 1 where rows are haplotypes, 2 where they are people.
    """

    def __init__(
        self, panel: Panel | DosagePanel, level: str | None = None, label_names: Sequence[str] | None = None
    ) -> None:
        """level: the label level to give labels of. label_names: the labels and their order; by default sorted.

        Raises HaploomError for an unknown level, or a label that is not among `label_names`.
        """
        self.panel = panel
        self.ploidy = 1 if isinstance(panel, Panel) else 2
        self.label_names: tuple[str, ...] = tuple(label_names or ())
        self._labels: np.ndarray | None = None
        if level is not None:
            names = panel.labels(level, per="haplotype") if isinstance(panel, Panel) else panel.labels(level)
            self.label_names = self.label_names or tuple(sorted(set(names.tolist())))
            places = {name: place for place, name in enumerate(self.label_names)}
            if unknown := sorted(set(names.tolist()) - places.keys()):
                raise HaploomError(
                    f"no training people have the label {unknown[0]!r}, and others do: leave those people out "
                    f"(-S ^FILE), or split so that each label is in every part (trained: {', '.join(self.label_names)})"
                )
            self._labels = np.array([places[name] for name in names.tolist()], dtype=np.int64)

    @property
    def n_sites(self) -> int:
        return self.panel.n_sites

    @property
    def span_mb(self) -> float:
        """Megabases from the first site to the last: how often rows recombine."""
        return span_mb(self.panel.variants)

    @property
    def labels(self) -> np.ndarray | None:
        """int64 (n_rows,), or None."""
        return self._labels

    def __len__(self) -> int:
        return self.panel.n_haplotypes if isinstance(self.panel, Panel) else self.panel.n_samples

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor, int]:
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of {len(self)}")
        batch = self.batch(np.array([row]), torch.device("cpu"))
        called = torch.ones(self.n_sites, dtype=torch.bool) if batch.called is None else batch.called[0]
        return batch.counts[0], called, -1 if batch.labels is None else int(batch.labels[0])

    @property
    def columns(self) -> np.ndarray:
        """What the rows hold: packed alleles, uint8 (n_rows, ceil(n_sites / 8)), or dosages, int8 (n_rows, n_sites)."""
        return self.panel.bits if isinstance(self.panel, Panel) else self.panel.dosages

    def batch(self, rows: np.ndarray, device: torch.device, columns: np.ndarray | None = None) -> Batch:
        """Some rows, by index, on a device; with `columns`, rows of these labels that hold something else."""
        labels = None if self._labels is None else torch.from_numpy(self._labels[rows]).to(device)
        columns = self.columns[rows] if columns is None else columns
        if self.ploidy == 1:
            alleles = torch.from_numpy(unpack_rows(columns, self.n_sites))
            return Batch(alleles.to(device, torch.float32), None, labels)
        dosages = torch.from_numpy(columns).to(device)
        called = dosages >= 0
        return Batch(dosages.clamp(min=0).float(), None if bool(called.all()) else called, labels)

    def frequencies(self) -> Tensor:
        """The alternate allele's share of the calls that are there: float32 (n_sites,); 0.5 where none is."""
        if isinstance(self.panel, Panel):
            shares = self.panel.allele_counts() / max(1, self.panel.n_haplotypes)
        else:
            shares = np.nan_to_num(self.panel.alternate_frequencies(), nan=0.5)
        return torch.from_numpy(shares.astype(np.float32))

    def n_calls(self) -> int:
        """Calls that are there, over all rows and sites."""
        if isinstance(self.panel, Panel):
            return len(self) * self.n_sites
        return int((self.panel.dosages != MISSING).sum())

    def fingerprint(self) -> str:
        """SHA-256 (hex) of the sites, the people, their genotypes and their labels."""
        genotypes = self.panel.bits if isinstance(self.panel, Panel) else self.panel.dosages
        names = "\t".join([self.panel.variants.fingerprint(), *self.panel.samples, *self.label_names])
        digest = hashlib.sha256(names.encode())
        digest.update(np.ascontiguousarray(genotypes).data)
        digest.update(b"" if self._labels is None else self._labels.tobytes())
        return digest.hexdigest()


def dataset(panel: Panel | DosagePanel, level: str | None = None) -> PanelDataset:
    """A panel as a torch Dataset of (counts, called, label): see `PanelDataset`.

    level: the label level to give labels of; without it every label is -1. Raises HaploomError for an unknown one.
    """
    return PanelDataset(panel, level)


def batches(n_rows: int, batch_size: int, rng: np.random.Generator | None = None) -> Iterator[np.ndarray]:
    """Every row once, as indices, in random order with `rng`, else in order.

    Batches of nearly equal size, two rows or more each where there are two: one row has no variance to normalise by.
    """
    rows = np.arange(n_rows) if rng is None else rng.permutation(n_rows)
    yield from np.array_split(rows, n_batches(n_rows, batch_size))


def n_batches(n_rows: int, batch_size: int) -> int:
    return max(1, min(round(n_rows / batch_size), n_rows // 2))
