"""A panel cut into batches of people."""

from collections.abc import Iterator

from haploom.panel.dosages import DosagePanel
from haploom.panel.haplotypes import Panel


def batches_of_people(panel: Panel | DosagePanel, people: int) -> Iterator[Panel | DosagePanel]:
    """So many people at a time, in order; the last batch may have fewer. A panel of nobody is one batch."""
    for start in range(0, max(panel.n_samples, 1), people):
        yield panel.select_samples(panel.samples[start : start + people])
