"""What a trusted classifier measures of each haplotype or unphased person, beside its reference people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from haploom.baselines.kernel_ridge import squared_distances
from haploom.baselines.label_copying import LabelCopying
from haploom.baselines.label_frequencies import LabelFrequencies
from haploom.errors import CorruptModelError
from haploom.io.model_file import ModelFile
from haploom.panel import Variants
from haploom.panel.bits import pack_rows, unpack_rows
from haploom.popgen.differences import as_words, differences_of_all


@dataclass(frozen=True, eq=False)
class Reference:
    """Reference rows: haplotypes (ploidy 1) or people (ploidy 2), those of one label together.

    counts: uint8 (n_rows, n_sites), 0 to ploidy. start: int64 (n_labels + 1,), where each label's rows begin.
    rates: (switches_per_mb, mismatch_bits) of the copying model; None where rows are people, whose likelihood
    takes sites as independent.
    """

    counts: np.ndarray
    start: np.ndarray
    variants: Variants
    ploidy: int
    rates: tuple[float, int] | None = None
    threads: int = 1
    _copying: dict[bytes, LabelCopying] = field(default_factory=dict, repr=False)

    @property
    def rows_per_person(self) -> int:
        return 2 // self.ploidy

    @property
    def labels(self) -> np.ndarray:
        """int64 (n_rows,)."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    @cached_property
    def _words(self) -> np.ndarray:
        return as_words(pack_rows(self.counts))

    @cached_property
    def frequencies(self) -> LabelFrequencies:
        """Of each label's people."""
        alternate = np.add.reduceat(self.counts, self.start[:-1], axis=0, dtype=np.int64)
        return LabelFrequencies(alternate, np.repeat(2 * np.diff(self.start)[:, None], self.counts.shape[1], axis=1))

    def copying(self, called: np.ndarray | np.bool_ = np.True_) -> LabelCopying:
        """The copying model over the sites called, bool (n_sites,): switches are by the distances between those."""
        key = np.broadcast_to(called, self.counts.shape[1]).tobytes()
        if key not in self._copying:  # of one file's sites after another's
            sites = np.flatnonzero(np.broadcast_to(called, self.counts.shape[1]))
            variants = self.variants.select(sites)
            model = LabelCopying(
                self.counts[:, sites], self.start, variants.chrom, variants.position_bp, threads=self.threads
            )
            if self.rates is not None:
                model.switches_per_mb, model.mismatch_bits = self.rates
            self._copying.clear()
            self._copying[key] = model
        return self._copying[key]

    def log_likelihoods(self, counts: np.ndarray, called: np.ndarray | np.bool_) -> np.ndarray:
        """Of rows under each label, nats: float64 (n, n_labels), and a column more for haplotypes: as a mosaic of all.

        called: (n_sites,) for haplotypes, (n, n_sites) for people.
        """
        if self.ploidy == 2:
            return self.frequencies.log_likelihoods(counts, called)
        by_label = self.copying(called)
        alleles = counts if np.all(called) else np.ascontiguousarray(counts[:, called])
        return np.hstack([by_label.log_likelihoods(alleles), by_label.from_everybody().log_likelihoods(alleles)])

    def log_likelihoods_left_out(self, called: np.ndarray | np.bool_ = np.True_) -> np.ndarray:
        """The same of the reference rows themselves, each without its own person. called: of haplotypes alone."""
        if self.ploidy == 2:
            return self.frequencies.left_out(self.counts, np.True_, self.labels)
        by_label, rows = self.copying(called), np.arange(len(self.counts))
        alleles = np.ascontiguousarray(self.counts[:, np.broadcast_to(called, self.counts.shape[1])])
        return np.hstack([model.log_likelihoods(alleles, rows) for model in (by_label, by_label.from_everybody())])

    def distances(self, counts: np.ndarray, called: np.ndarray | np.bool_) -> np.ndarray:
        """Squared, of rows to the reference rows: float64 (n, n_rows)."""
        if self.ploidy == 2:
            return squared_distances(counts, called, self.counts)
        # The same integers, counted in words.
        there = np.broadcast_to(called, counts.shape[1])
        reference = self._words & as_words(pack_rows(there[None]))
        apart = differences_of_all(as_words(pack_rows(counts)), reference)
        return apart * (counts.shape[1] / max(int(there.sum()), 1))

    @classmethod
    def of_model(cls, model: ModelFile, threads: int = 1) -> "Reference":
        """Of a model of kind ancestry. Raises CorruptModelError when its arrays are absent or do not fit."""
        try:
            reference = cls.from_arrays(model.group("reference"), model.variants, model.ploidy, threads)
            n_people = len(model.card.training["reference_people"])
        except (KeyError, ValueError, IndexError) as error:
            raise CorruptModelError(f"the model's reference people cannot be read: {error}") from error
        if n_people * reference.rows_per_person != len(reference.counts):
            raise CorruptModelError(f"the model names {n_people} reference people for {len(reference.counts)} rows")
        return reference

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a model file, without the sites."""
        rows = {"bits": pack_rows(self.counts)} if self.ploidy == 1 else {"counts": self.counts}
        rates = {} if self.rates is None else {"rates": np.array(self.rates)}
        return {**rows, **rates, "start": self.start}

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, np.ndarray], variants: Variants, ploidy: int, threads: int = 1
    ) -> "Reference":
        """The inverse of `to_arrays`. Raises KeyError or ValueError where arrays are absent or do not fit."""
        counts = unpack_rows(arrays["bits"], len(variants)) if ploidy == 1 else arrays["counts"]
        start = arrays["start"]
        if counts.shape != (start[-1], len(variants)):
            raise ValueError(f"reference rows are {counts.shape}, wanted {(int(start[-1]), len(variants))}")
        rates = (float(arrays["rates"][0]), int(arrays["rates"][1])) if ploidy == 1 else None
        return cls(counts, start, variants, ploidy, rates, threads)


def places_of_names(samples: Sequence[str], model: ModelFile) -> np.ndarray:
    """The place of the reference person of each name: int64 (n_samples,), -1 where there is none."""
    place_of = {name: place for place, name in enumerate(model.card.training["reference_people"])}
    return np.array([place_of.get(name, -1) for name in samples], dtype=np.int64)
