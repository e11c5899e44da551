"""Unphased genotypes, with missing calls: the sibling of `Panel` for exomes, arrays and wild animals.

Rows are people, columns are sites.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from haploom.errors import HaploomError
from haploom.panel.bits import row_blocks
from haploom.panel.haplotypes import Panel
from haploom.panel.samples import check_samples, label_columns, label_of, sample_indices
from haploom.panel.variants import Variants

MISSING = -1


@dataclass(frozen=True, eq=False, repr=False)
class DosagePanel:
    """Counts of the alternate allele in diploid people.

    dosages: int8 (n_samples, n_sites): 0, 1 or 2, or MISSING (-1).
    variants, samples, populations: as in `Panel`.

    Raises ValueError when shapes or values do not fit.
    """

    dosages: np.ndarray
    variants: Variants
    samples: tuple[str, ...]
    populations: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wanted = (len(self.samples), len(self.variants))
        if self.dosages.dtype != np.int8 or self.dosages.shape != wanted:
            raise ValueError(f"dosages are {self.dosages.dtype} {self.dosages.shape}, wanted int8 {wanted}")
        if self.dosages.size and (self.dosages.min() < MISSING or self.dosages.max() > 2):
            raise ValueError(f"dosages must be 0, 1, 2 or {MISSING}, got {self.dosages.min()} to {self.dosages.max()}")
        object.__setattr__(self, "samples", check_samples(self.samples))
        object.__setattr__(self, "populations", label_columns(self.populations, len(self.samples)))

    @classmethod
    def from_panel(cls, panel: Panel) -> "DosagePanel":
        """The dosages of phased haplotypes: the sum of each person's two."""
        dosages = np.empty((panel.n_samples, panel.n_sites), dtype=np.int8)
        for people in row_blocks(panel.n_samples, 2 * panel.n_sites):
            alleles = panel.alleles(slice(2 * people.start, 2 * people.stop)).view(np.int8)
            np.add(alleles[::2], alleles[1::2], out=dosages[people])
        return cls(dosages, panel.variants, panel.samples, panel.populations)

    def __repr__(self) -> str:
        labels = ", ".join(self.populations) or "none"
        return f"DosagePanel({self.n_samples:,} people, {self.variants.extent()}; labels: {labels})"

    @property
    def n_sites(self) -> int:
        return len(self.variants)

    @property
    def n_samples(self) -> int:
        return len(self.samples)

    def labels(self, level: str) -> np.ndarray:
        """Labels of one level, per person. Raises HaploomError for an unknown level."""
        return label_of(self.populations, level)

    def missing_rate(self) -> np.ndarray:
        """Share of people without a call at each site: float64 (n_sites,); NaN without people."""
        with np.errstate(invalid="ignore"):
            return (self.dosages == MISSING).sum(axis=0) / np.float64(self.n_samples)

    def alternate_frequencies(self) -> np.ndarray:
        """Alternate-allele frequency among the calls that are there: float64 (n_sites,); NaN where none is."""
        called = self.dosages != MISSING
        alternate = self.dosages.sum(axis=0, where=called, dtype=np.int64)
        with np.errstate(invalid="ignore"):
            return alternate / (2 * called.sum(axis=0))

    def select_sites(self, sites: np.ndarray | slice) -> "DosagePanel":
        """Only some sites: an index, mask or slice."""
        return replace(self, dosages=self.dosages[:, sites], variants=self.variants.select(sites))

    def select_samples(self, samples: Sequence[str]) -> "DosagePanel":
        """Only some people, in the order given. Raises HaploomError for a name that is not in the panel."""
        people = sample_indices(self.samples, samples)
        return replace(
            self,
            dosages=self.dosages[people],
            samples=tuple(self.samples[i] for i in people),
            populations={level: labels[people] for level, labels in self.populations.items()},
        )

    def common(self, maf: float) -> "DosagePanel":
        """Only sites whose minor-allele frequency, among the calls that are there, is above `maf`.

        Raises HaploomError unless 0 <= maf < 0.5.
        """
        if not 0 <= maf < 0.5:
            raise HaploomError(f"minor-allele frequency {maf} is out of range: wanted at least 0 and below 0.5")
        frequency = self.alternate_frequencies()
        return self.select_sites(np.minimum(frequency, 1 - frequency) > maf)

    def with_populations(self, populations: Mapping[str, np.ndarray]) -> "DosagePanel":
        """The same people with other label levels."""
        return replace(self, populations=populations)
