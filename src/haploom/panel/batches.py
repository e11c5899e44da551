"""A panel cut into batches of people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from haploom.panel.dosages import DosagePanel
from haploom.panel.haplotypes import Panel


class AnyPanel(Protocol):
    """A Panel, a DosagePanel, or genotypes elsewhere of which some people can be had in memory."""

    @property
    def samples(self) -> tuple[str, ...]: ...

    @property
    def populations(self) -> Mapping[str, np.ndarray]: ...

    @property
    def n_samples(self) -> int: ...

    def labels(self, level: str) -> np.ndarray: ...

    def select_samples(self, samples: Sequence[str]) -> Panel | DosagePanel: ...


def batches_of_people(panel: AnyPanel, batch: int) -> Iterator[Panel | DosagePanel]:
    """So many people at a time, in order; the last batch may have fewer. A panel of nobody is one batch."""
    for start in range(0, max(panel.n_samples, 1), batch):
        yield panel.select_samples(panel.samples[start : start + batch])
