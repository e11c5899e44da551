"""The core type: phased haplotypes of people at biallelic sites.

Orientation, everywhere in Haploom: rows are haplotypes, columns are sites. The two haplotypes of person
i are rows 2i and 2i + 1. No files, no torch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from haploom.errors import HaploomError
from haploom.panel import bits as packing
from haploom.panel.samples import check_samples, label_columns, label_of, sample_indices
from haploom.panel.variants import Variants


@dataclass(frozen=True, eq=False, repr=False)
class Panel:
    """Phased alleles of diploid people, bit-packed. Missing calls cannot be held (see `DosagePanel`).

    bits: uint8 (n_haplotypes, ceil(n_sites / 8)), in `panel.bits`' order; 0 = reference, 1 = alternate.
    variants: the sites. samples: names of the people, each once.
    populations: label levels (e.g. "superpopulation") -> strings (n_samples,); may be empty.

    Frozen and checked once, here, so that inner code never checks again. Raises ValueError on a mismatch.
    """

    bits: np.ndarray
    variants: Variants
    samples: tuple[str, ...]
    populations: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wanted = (2 * len(self.samples), packing.row_bytes(self.n_sites))
        if self.bits.dtype != np.uint8 or self.bits.shape != wanted:
            raise ValueError(f"bits are {self.bits.dtype} {self.bits.shape}, wanted uint8 {wanted}")
        if self.n_sites % 8 and (self.bits[:, -1] & (0xFF >> self.n_sites % 8)).any():
            raise ValueError("bits past the last site must be zero")
        object.__setattr__(self, "samples", check_samples(self.samples))
        object.__setattr__(self, "populations", label_columns(self.populations, len(self.samples)))

    @classmethod
    def from_alleles(
        cls,
        alleles: np.ndarray,
        variants: Variants,
        samples: Sequence[str],
        populations: Mapping[str, np.ndarray] | None = None,
    ) -> "Panel":
        """A panel from uint8 or bool (n_haplotypes, n_sites) of 0 and 1. Raises ValueError otherwise."""
        if alleles.ndim != 2 or alleles.shape[1] != len(variants):
            raise ValueError(f"alleles {alleles.shape} must be (haplotypes, {len(variants)} sites)")
        if alleles.dtype not in (np.uint8, np.bool_) or (alleles.dtype == np.uint8 and alleles.max(initial=0) > 1):
            raise ValueError(
                f"alleles must be 0 and 1 as uint8 or bool, got {alleles.dtype} up to {alleles.max(initial=0)}"
            )
        return cls(packing.pack_rows(alleles), variants, tuple(samples), populations or {})

    def __repr__(self) -> str:
        people, labels = f"{self.n_haplotypes:,} haplotypes of {self.n_samples:,} people", ", ".join(self.populations)
        return f"Panel({people}, {self.variants.extent()}; labels: {labels or 'none'})"

    @property
    def n_sites(self) -> int:
        return len(self.variants)

    @property
    def n_haplotypes(self) -> int:
        return len(self.bits)

    @property
    def n_samples(self) -> int:
        return len(self.samples)

    def alleles(self, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
        """uint8 (rows, n_sites) of 0 and 1. One byte an allele: ask for a block of rows, not for all of a big panel."""
        return packing.unpack_rows(self.bits[rows], self.n_sites)

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """All haplotypes as (rows, alleles) in blocks of bounded memory."""
        for rows in packing.row_blocks(self.n_haplotypes, self.n_sites):
            yield rows, self.alleles(rows)

    def allele_counts(self) -> np.ndarray:
        """Alternate alleles at each site: int64 (n_sites,)."""
        return packing.column_sums(self.bits, self.n_sites)

    def minor_allele_frequencies(self) -> np.ndarray:
        """float64 (n_sites,) in [0, 0.5]; NaN in a panel without people."""
        with np.errstate(invalid="ignore"):
            frequency = self.allele_counts() / self.n_haplotypes
        return np.minimum(frequency, 1 - frequency)

    def labels(self, level: str, per: str = "sample") -> np.ndarray:
        """Labels of one level, per "sample" or per "haplotype". Raises HaploomError for an unknown level."""
        labels = label_of(self.populations, level)
        return labels if per == "sample" else np.repeat(labels, 2)

    def select_sites(self, sites: np.ndarray | slice) -> "Panel":
        """Only some sites: an index, mask or slice."""
        return replace(
            self, bits=packing.select_columns(self.bits, self.n_sites, sites), variants=self.variants.select(sites)
        )

    def select_samples(self, samples: Sequence[str]) -> "Panel":
        """Only some people, in the order given. Raises HaploomError for a name that is not in the panel."""
        people = sample_indices(self.samples, samples)
        rows = np.stack([2 * people, 2 * people + 1], axis=1).ravel()
        return replace(
            self,
            bits=self.bits[rows],
            samples=tuple(self.samples[i] for i in people),
            populations={level: labels[people] for level, labels in self.populations.items()},
        )

    def common(self, maf: float) -> "Panel":
        """Only sites whose minor-allele frequency is above `maf`. Raises HaploomError unless 0 <= maf < 0.5."""
        if not 0 <= maf < 0.5:
            raise HaploomError(f"minor-allele frequency {maf} is out of range: wanted at least 0 and below 0.5")
        return self.select_sites(self.minor_allele_frequencies() > maf)

    def with_populations(self, populations: Mapping[str, np.ndarray]) -> "Panel":
        """The same people with other label levels."""
        return replace(self, populations=populations)
