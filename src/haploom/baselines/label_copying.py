"""How likely a haplotype is as a mosaic of each label's people: a copying model for each label.

Source: Li & Stephens 2003, Genetics 165:2213; the reference of each label is its own people.
"""

import copy
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np

from haploom import progress
from haploom.baselines.label_copying_kernels import LANES, mosaic_log_likelihoods
from haploom.baselines.stretches import Stretches

FITTING_PEOPLE = 40
SWITCHES_PER_MB = (1.0, 3.0, 10.0, 30.0, 100.0)
MISMATCH_BITS = (5, 7, 8, 10, 12)
_LEAST_BP = 1  # sites at one place are taken as 1 bp apart: a copy that stops to fit can always be left
_BETWEEN_CONTIGS = 10**12


class LabelCopying:
    """Log-likelihoods of haplotypes under the people of each label.

    alleles: uint8 (n_reference, n_sites) of 0 and 1, the haplotypes of one label together, the two of a person beside
    each other. start: int64 (n_labels + 1,), where each label's haplotypes begin. chrom, position_bp: (n_sites,).
    switches_per_mb: the rate at which the copied haplotype is drawn anew. mismatch_bits: another allele is
    2^mismatch_bits times less likely than the copied one.
    Time grows with n_sites x the patterns that the reference shows in stretches of a few sites (see `Stretches`).
    """

    def __init__(
        self, alleles: np.ndarray, start: np.ndarray, chrom: np.ndarray, position_bp: np.ndarray, *,
        switches_per_mb: float = SWITCHES_PER_MB[2], mismatch_bits: int = MISMATCH_BITS[2], threads: int = 1,
    ) -> None:  # fmt: skip
        self.switches_per_mb, self.mismatch_bits, self.threads = switches_per_mb, mismatch_bits, threads
        self._columns = np.ascontiguousarray(alleles.T)
        self._start = start
        self._stretches: dict[tuple[int, int], Stretches] = {}
        self._making = Lock()  # several threads measure with one model
        self._distance_bp = np.maximum(np.diff(position_bp, prepend=position_bp[:1]), _LEAST_BP)
        self._distance_bp[1:][chrom[1:] != chrom[:-1]] = _BETWEEN_CONTIGS

    def from_everybody(self) -> "LabelCopying":
        """The same model with one label: mosaics of all the people."""
        other = copy.copy(self)
        other._start = self._start[[0, -1]]
        return other

    def fit_rates(self) -> "LabelCopying":
        """Set both rates to those under which reference people, themselves left out, are likeliest as their label.

        A search from the middle of a grid to the best neighbour, on FITTING_PEOPLE evenly spaced people.
        """
        n_people = self._columns.shape[1] // 2
        people = np.unique(np.linspace(0, n_people - 1, FITTING_PEOPLE).round().astype(np.int64))
        rows = (2 * people[:, None] + [0, 1]).ravel()
        alleles = np.ascontiguousarray(self._columns[:, rows].T)
        own = np.searchsorted(self._start, rows, side="right") - 1
        known: dict[tuple[int, int], float] = {}

        def fits(place: tuple[int, int]) -> float:
            if place not in known:
                self.switches_per_mb, self.mismatch_bits = SWITCHES_PER_MB[place[0]], MISMATCH_BITS[place[1]]
                known[place] = float(self.log_likelihoods(alleles, rows)[np.arange(len(rows)), own].sum())
            return known[place]

        best = (len(SWITCHES_PER_MB) // 2, len(MISMATCH_BITS) // 2)
        while True:
            a, b = best
            near = [(i, j) for i, j in ((a + 1, b), (a - 1, b), (a, b + 1), (a, b - 1))
                    if 0 <= i < len(SWITCHES_PER_MB) and 0 <= j < len(MISMATCH_BITS)]  # fmt: skip
            better = max(near, key=fits)
            if fits(better) <= fits(best):
                break
            best = better
        self.switches_per_mb, self.mismatch_bits = SWITCHES_PER_MB[best[0]], MISMATCH_BITS[best[1]]
        return self

    def log_likelihoods(self, alleles: np.ndarray, reference_rows: np.ndarray | None = None) -> np.ndarray:
        """Nats, float64 (n, n_labels). alleles: uint8 (n, n_sites) of 0 and 1.

        reference_rows: int64 (n,): each row is this row of the reference, whose person is left out of it. A label of
        which nobody is left has -inf.
        """
        switch = -np.expm1(-self.switches_per_mb * self._distance_bp / 1e6)
        n_labels = len(self._start) - 1
        left_out = np.full(len(alleles), -1) if reference_rows is None else reference_rows // 2 * 2
        out = np.empty((len(alleles), n_labels))

        def block(first_row: int) -> None:
            rows = slice(first_row, first_row + LANES)
            n = len(alleles[rows])
            lanes = np.zeros((alleles.shape[1], LANES), dtype=np.uint8)  # lanes nobody fills are thrown away
            lanes[:, :n] = alleles[rows].T
            for label, of_label in enumerate(stretches):
                first, last = self._start[label : label + 2]
                own = np.full(LANES, -1)
                own[:n] = np.where((first <= left_out[rows]) & (left_out[rows] < last), left_out[rows] - first, -1)
                out[rows, label] = mosaic_log_likelihoods(
                    of_label.pattern_of, of_label.first, of_label.bits, of_label.width, lanes, own, switch,
                    self.mismatch_bits,
                )[:n]  # fmt: skip

        stretches = [self._stretches_of(label) for label in range(n_labels)]
        starts = range(0, len(alleles), LANES)
        with ThreadPoolExecutor(self.threads) as pool, progress.task("Copying by label", total=len(alleles)) as advance:
            for _ in pool.map(block, starts):
                advance(LANES)
        return out

    def _stretches_of(self, label: int) -> Stretches:
        first, last = self._start[label : label + 2].tolist()
        with self._making:
            if (first, last) not in self._stretches:
                self._stretches[first, last] = Stretches.of(self._columns[:, first:last])
            return self._stretches[first, last]
