"""Genotypes at all sites of a model: calls as they are, and what the model expects where there is none."""

from dataclasses import dataclass, replace

import numpy as np

from haploom import progress
from haploom.errors import HaploomError
from haploom.io.model_file import ModelFile, rows_at_sites
from haploom.panel import DosagePanel, Panel, Variants

UNIT = 1000  # dosages are kept in thousandths: as many digits as are written
MIN_COVERAGE = 0.02  # of the model's sites: an array has a few of each hundred


@dataclass(frozen=True, eq=False, repr=False)
class ImputedPanel:
    """Expected copies of the alternate allele.

    thousandths: uint16 (n_rows, n_sites), 0 to 1000 * ploidy; rows are haplotypes (ploidy 1, the two of a person
    together) or people (ploidy 2). What was called is a whole number of copies.
    called: bool (n_rows, n_sites), or (1, n_sites) of haplotypes, which are all typed at the same sites.
    variants: the model's sites, on contigs as the genotypes name them. samples: the people.
    """

    thousandths: np.ndarray
    called: np.ndarray
    variants: Variants
    samples: tuple[str, ...]
    ploidy: int

    def __repr__(self) -> str:
        return f"ImputedPanel({len(self.samples):,} people, {self.variants.extent()}; {self.n_untyped:,} untyped)"

    @property
    def n_sites(self) -> int:
        return len(self.variants)

    @property
    def untyped(self) -> np.ndarray:
        """Sites where nobody has a call: bool (n_sites,)."""
        return np.logical_not(self.called.any(axis=0))

    @property
    def n_untyped(self) -> int:
        return int(self.untyped.sum())

    def probabilities(self, sites: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Probability that an allele is the alternate one: float32 (n_rows, sites)."""
        return self.thousandths[:, sites] / np.float32(UNIT * self.ploidy)

    def dosages(self, sites: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Expected alternate alleles of each person, 0 to 2: float32 (n_samples, sites)."""
        copies = self.thousandths[:, sites]
        if self.ploidy == 1:
            copies = copies[0::2] + copies[1::2]
        return copies / np.float32(UNIT)


def impute_panel(panel: Panel | DosagePanel, model: ModelFile, min_coverage: float = MIN_COVERAGE) -> ImputedPanel:
    """Fill in the sites of a model that a panel has not, and the calls it misses.

    A model of haplotypes takes phased haplotypes; one of people takes either, as dosages. Each row is filled in by
    itself: the others do not matter. Sites of the panel that the model has not are left out. Rows pass through the
    network in blocks; the result takes two bytes an allele (of people, a genotype).

    Raises SiteMismatchError when the panel has a smaller share of the model's sites than `min_coverage`, HaploomError
    for a model that cannot impute, or unphased genotypes and a model of haplotypes.
    """
    from haploom.imputation.expectation import expected_copies  # loads torch
    from haploom.models.encoder import matched_batches
    from haploom.models.network import load_network

    if model.card.kind == "pca":  # no network at all
        raise _cannot_impute(model)
    network = load_network(model)
    rows = rows_at_sites(panel, model, min_coverage)
    thousandths = np.empty((rows.n_rows, rows.n_sites), dtype=np.uint16)
    called = np.ones((1 if rows.ploidy == 1 else rows.n_rows, rows.n_sites), dtype=bool)
    start = 0
    with progress.task("Imputing", total=rows.n_rows) as advance:
        for batch in matched_batches(rows):
            try:
                copies = expected_copies(network, batch).numpy()
            except NotImplementedError as error:
                raise _cannot_impute(model) from error
            stop = start + len(copies)
            thousandths[start:stop] = np.rint(UNIT * copies)
            if batch.called is not None:
                called[slice(None) if rows.ploidy == 1 else slice(start, stop)] = batch.called.numpy()
            advance(stop - start)
            start = stop
    variants = replace(rows.variants, contig_length_bp=panel.variants.contig_length_bp)
    return ImputedPanel(thousandths, called, variants, panel.samples, rows.ploidy)


def _cannot_impute(model: ModelFile) -> HaploomError:
    return HaploomError(f"a model of kind {model.card.kind} cannot impute: train one with --kind denoiser")
