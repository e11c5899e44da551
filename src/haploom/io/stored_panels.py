"""Genotypes between a file, which has them site after site, and work that takes people after people.

More of them than a block of sites lie in a temporary file meanwhile, so that memory does not grow with the people.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, pairwise
from pathlib import Path

import numpy as np

from haploom.io.panels import dosage_blocks, panel_blocks
from haploom.io.scratch import ScratchFile
from haploom.io.selection import Selection
from haploom.io.site_blocks import of_bounded_memory
from haploom.panel import DosagePanel, Panel, Variants
from haploom.panel.batches import AnyPanel
from haploom.panel.bits import pack_rows, row_blocks, row_bytes, unpack_rows
from haploom.panel.samples import indices_of, label_columns, label_of


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
    _file: ScratchFile
    _blocks: tuple[_Block, ...]

    @cached_property
    def _place_of(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.samples)}

    @property
    def n_samples(self) -> int:
        return len(self.samples)

    def labels(self, level: str) -> np.ndarray:
        """Labels of one level, per person. Raises HaploomError for an unknown level."""
        return label_of(self.populations, level)

    def select_samples(self, samples: Sequence[str]) -> Panel | DosagePanel:
        """Only some people, in the order given, in memory. Raises HaploomError for a name that is not among them."""
        people = indices_of(self._place_of, samples)
        names = tuple(self.samples[place] for place in people)
        labels = {level: column[people] for level, column in self.populations.items()}
        parts = [self._read(block, people) for block in self._blocks]
        if not self.phased:
            return DosagePanel(np.hstack(parts).view(np.int8), self.variants, names, labels)
        parts = [part.reshape(2 * len(people), part.shape[1] // 2) for part in parts]
        return Panel(_joined(parts, [block.n_sites for block in self._blocks]), self.variants, names, labels)

    def _read(self, block: _Block, people: np.ndarray) -> np.ndarray:
        """uint8 (n_people, bytes_per_person); neighbours in the file are read together."""
        out = np.empty((len(people), block.bytes_per_person), dtype=np.uint8)
        bounds = [0, *(np.flatnonzero(np.diff(people) != 1) + 1).tolist(), len(people)]
        for first, stop in pairwise(bounds):
            if first < stop:
                self._file.read(out[first:stop], block.start + int(people[first]) * block.bytes_per_person)
        return out


def _joined(parts: list[np.ndarray], sizes: list[int]) -> np.ndarray:
    """Packed rows of neighbouring sites, so many in each part, as rows of all of them."""
    if not any(n_sites % 8 for n_sites in sizes[:-1]):
        return np.hstack(parts)
    # A frequency cut took some of a block's sites.
    bits = np.empty((len(parts[0]), row_bytes(sum(sizes))), dtype=np.uint8)
    for rows in row_blocks(len(bits), sum(sizes)):
        bits[rows] = pack_rows(np.hstack([unpack_rows(part[rows], n) for part, n in zip(parts, sizes)]))
    return bits


@contextmanager
def stored_panel(
    source: Path | str, selection: Selection, *, phased: bool, folder: Path | None = None
) -> Iterator[AnyPanel]:
    """What `read_panel` (phased) or `read_dosages` reads, to take people from for the length of the `with` block.

    What takes more than 16 MiB lies in a nameless file in `folder` (None: the one for temporary files): 2 bits a call
    where phased, else a byte. Of HDF5, which is bit-packed by person, all is in memory for a moment.

    Raises as those functions do, and HaploomError where the file cannot be written.
    """
    read, bits_per_call = (panel_blocks, 2) if phased else (dosage_blocks, 8)
    unlabelled = replace(selection, populations=None)  # labels are the same for every block
    blocks: Iterator[Panel | DosagePanel] = read(Path(source), unlabelled, of_bounded_memory(bits_per_call))
    first, second = next(blocks), next(blocks, None)
    labels = selection.labels(first)
    if second is None:
        yield first.with_populations(labels)
        return
    with ScratchFile(folder) as file:
        yield _store(chain([first, second], blocks), labels, file)


def _store(panels: Iterator[Panel | DosagePanel], labels: Mapping[str, np.ndarray], file: ScratchFile) -> StoredPanel:
    """Neighbouring sites of the same people, written to a file."""
    blocks: list[_Block] = []
    variants: list[Variants] = []
    start = 0
    for panel in panels:
        rows = panel.bits if isinstance(panel, Panel) else panel.dosages
        file.write(rows, start)
        blocks.append(_Block(panel.n_sites, start, rows.nbytes // panel.n_samples))
        variants.append(panel.variants)
        start += rows.nbytes
    populations = label_columns(labels, panel.n_samples)
    return StoredPanel(
        Variants.joined(variants), panel.samples, populations, isinstance(panel, Panel), file, tuple(blocks)
    )
