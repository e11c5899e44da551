"""Whom a haplotype copies from, site by site: the label of the reference haplotype that is nearest there.

Source: Li & Stephens 2003, Genetics 165:2213, with a reference of all labels' haplotypes together.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from haploom import progress
from haploom.baselines.calls import UNKNOWN
from haploom.baselines.copied_label_kernels import copied_label
from haploom.baselines.copying_kernels import LANES


class CopiedLabel:
    """Probability of each label at each site.

    alleles: uint8 (n_reference, n_sites) of 0 and 1, the haplotypes of one label together. start: int64
    (n_labels + 1,), where each label's begin. distance_cm: float64 (n_sites,), from the site before, infinite at the
    first site of a contig. switches_per_cm: the rate at which the copied haplotype is drawn anew. mismatch:
    probability that the new allele is not the copied one.
    Time is n_sites x n_reference for each haplotype, about 8e-9 s a product; memory of a thread, 64 sqrt(n_sites)
    n_reference bytes.
    """

    def __init__(
        self, alleles: np.ndarray, start: np.ndarray, distance_cm: np.ndarray, *, switches_per_cm: float,
        mismatch: float, threads: int = 1,
    ) -> None:  # fmt: skip
        self._columns = np.ascontiguousarray(alleles.T)
        self._start = start
        self._switch = -np.expm1(-switches_per_cm * distance_cm)
        self._emission = np.array([[1 - mismatch, mismatch], [mismatch, 1 - mismatch], [1.0, 1.0]])
        self.threads = threads

    def blocks(self, alleles: np.ndarray, own: np.ndarray | None = None) -> Iterator[tuple[slice, np.ndarray]]:
        """(rows, float32 (rows, n_sites, n_labels)) of haplotypes, at most LANES at a time, whole people, in order.

        alleles: uint8 (n, n_sites) of 0 and 1. own: int64 (n,), the first of the two reference haplotypes that are the
        person's own and are not copied, -1 for people who are not in the reference; None: nobody is. A haplotype's
        numbers do not depend on the others.
        """
        own = np.full(len(alleles), -1) if own is None else own
        starts = [slice(first, min(first + LANES, len(alleles))) for first in range(0, len(alleles), LANES)]

        def lanes(rows: slice) -> np.ndarray:
            codes = np.full((alleles.shape[1], LANES), UNKNOWN, dtype=np.uint8)
            codes[:, : rows.stop - rows.start] = alleles[rows].T
            not_copied = np.full(LANES, -1)
            not_copied[: rows.stop - rows.start] = own[rows]
            found = copied_label(self._columns, self._start, codes, not_copied, self._switch, self._emission)
            return found.transpose(2, 0, 1)[: rows.stop - rows.start]

        with ThreadPoolExecutor(self.threads) as pool, progress.task("Copying", total=len(alleles)) as advance:
            # A thread's worth at a time: results are large, and are used up in order.
            for first in range(0, len(starts), self.threads):
                some = starts[first : first + self.threads]
                for rows, found in zip(some, pool.map(lanes, some)):
                    yield rows, found
                    advance(rows.stop - rows.start)
