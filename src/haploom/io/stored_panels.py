"""Genotypes between a file, which has them site after site, and work that takes people after people.

They lie in a temporary file meanwhile, so that memory grows neither with the people nor with the sites.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np

from haploom.errors import HaploomError
from haploom.io.panels import dosage_blocks, panel_blocks
from haploom.io.selection import Selection
from haploom.io.site_blocks import of_bounded_memory
from haploom.panel import DosagePanel, Panel, Variants
from haploom.panel.bits import pack_rows, unpack_rows
from haploom.panel.samples import label_of, sample_indices


@dataclass(frozen=True)
class _Block:
    """Neighbouring sites in the temporary file: bytes_per_person of each person, one after another."""

    n_sites: int
    start: int
    bytes_per_person: int


@dataclass(frozen=True, eq=False)
class StoredPanel:
    """Genotypes of which a caller takes as many people at a time as it wants to hold: see `stored_panel`.

    phased: whether those are a Panel. variants, samples, populations: as in `Panel`.
    """

    variants: Variants
    samples: tuple[str, ...]
    populations: Mapping[str, np.ndarray]
    phased: bool
    _file: BinaryIO
    _blocks: tuple[_Block, ...]

    @property
    def n_samples(self) -> int:
        return len(self.samples)

    def labels(self, level: str) -> np.ndarray:
        """Labels of one level, per person. Raises HaploomError for an unknown level."""
        return label_of(self.populations, level)

    def select_samples(self, samples: Sequence[str]) -> Panel | DosagePanel:
        """Only some people, in the order given, in memory. Raises HaploomError for a name that is not among them."""
        people = sample_indices(self.samples, samples)
        names = tuple(self.samples[place] for place in people)
        labels = {level: column[people] for level, column in self.populations.items()}
        parts = [self._read(block, people) for block in self._blocks]
        if not self.phased:
            return DosagePanel(np.hstack(parts).view(np.int8), self.variants, names, labels)
        rows = [part.reshape(2 * len(people), part.shape[1] // 2) for part in parts]
        if any(block.n_sites % 8 for block in self._blocks[:-1]):  # where a frequency cut took some of a block's sites
            alleles = [unpack_rows(part, block.n_sites) for part, block in zip(rows, self._blocks)]
            return Panel(pack_rows(np.hstack(alleles)), self.variants, names, labels)
        return Panel(np.hstack(rows), self.variants, names, labels)

    def _read(self, block: _Block, people: np.ndarray) -> np.ndarray:
        """uint8 (n_people, bytes_per_person); neighbours in the file are read together."""
        out = np.empty((len(people), block.bytes_per_person), dtype=np.uint8)
        bounds = [0, *(np.flatnonzero(np.diff(people) != 1) + 1).tolist(), len(people)]
        for first, stop in pairwise(bounds):
            if first < stop:
                self._file.seek(block.start + int(people[first]) * block.bytes_per_person)
                self._file.readinto(out[first:stop])  # type: ignore[attr-defined]
        return out


@contextmanager
def stored_panel(source: Path | str, selection: Selection, phased: bool) -> Iterator[StoredPanel]:
    """What `read_panel` (phased) or `read_dosages` reads, on disk for the length of the `with` block.

    The file is in the folder that Python takes for temporary files (TMPDIR says another): 2 bits a call where phased,
    else a byte. Of HDF5, which is bit-packed by person, all is in memory for a moment.

    Raises as those functions do, and HaploomError where the disk is full.
    """
    unlabelled = replace(selection, populations=None)  # they are the same for every block
    read, bits_per_call = (panel_blocks, 2) if phased else (dosage_blocks, 8)
    blocks: list[_Block] = []
    variants: list[Variants] = []
    populations: Mapping[str, np.ndarray] | None = None
    with tempfile.TemporaryFile() as file:
        panel: Panel | DosagePanel
        for panel in read(Path(source), unlabelled, of_bounded_memory(bits_per_call)):
            if populations is None:
                samples, populations = panel.samples, selection.labels(panel)
            rows = panel.bits if isinstance(panel, Panel) else panel.dosages
            start, bytes_per_person = file.tell(), rows.size // max(len(samples), 1)
            _write(file, rows)
            blocks.append(_Block(panel.n_sites, start, bytes_per_person))
            variants.append(panel.variants)
        assert populations is not None  # there is at least one block
        yield StoredPanel(Variants.joined(variants), samples, populations, phased, file, tuple(blocks))


def _write(file: BinaryIO, rows: np.ndarray) -> None:
    try:
        file.write(np.ascontiguousarray(rows).data)
        file.flush()
    except OSError as error:
        raise HaploomError(
            f"genotypes wait for their turn in a temporary file, and after {file.tell():,} bytes it cannot be written "
            f"to {tempfile.gettempdir()} ({error.strerror}): make room, or set TMPDIR to a folder that has"
        ) from error
