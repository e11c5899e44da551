"""A panel cut into batches of people."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from haploom.panel.dosages import DosagePanel
from haploom.panel.haplotypes import Panel


class People(Protocol):
    """Genotypes of which some people can be had, in memory or not."""

    @property
    def samples(self) -> tuple[str, ...]: ...

    def select_samples(self, samples: Sequence[str]) -> Panel | DosagePanel: ...


def batches_of_people(people: People, size: int) -> Iterator[Panel | DosagePanel]:
    """So many people at a time, in order; the last batch may have fewer. Nobody is one batch."""
    for start in range(0, max(len(people.samples), 1), size):
        yield people.select_samples(people.samples[start : start + size])
