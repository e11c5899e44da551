"""The copying model of Li & Stephens: a new haplotype is a mosaic of the reference haplotypes, with errors.

Along the chromosome a new haplotype copies one of K reference haplotypes; before each site it changes to one drawn
from all K with probability 1 - exp(-c d), d the distance in cM, and it shows the other allele with the mismatch
probability. c = 4 N_e / (100 K) for an effective size N_e. The reference is the model: what it predicts from keeps
every training haplotype, which a neural model must not. Source: Li & Stephens 2003, Genetics 165:2213.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np

from haploom import progress
from haploom.baselines.calls import UNKNOWN, check_calls
from haploom.baselines.copying_kernels import LANES, copied_allele, log_likelihoods
from haploom.errors import HaploomError, SiteMismatchError
from haploom.panel import GeneticMap, Panel, Variants
from haploom.panel.bits import pack_rows, row_bytes, unpack_rows
from haploom.popgen.genome import genome_of

FITTING_HAPLOTYPES = 128  # two numbers need no more, and each step of the search passes over all of them

_FIRST = (8.0, 1e-3)  # where the search starts: about what thousands of human haplotypes end at
_SWITCH_LIMITS, _MISMATCH_LIMITS = (1e-6, 1e6), (1e-9, 0.5)
_STEPS = (8, 4, 2, 1)  # of the search, in quarter octaves
# Sites at one place, or in a stretch without recombination on the map, are taken as 1 bp apart: a copy that stops to
# fit can always be left.
_LEAST_CM = 1e-6


class LiStephens:
    """Probabilities of new haplotypes, and of their missing alleles, as mosaics of reference haplotypes.

    switches_per_cm: the rate c at which the copied haplotype is drawn anew. mismatch: probability that the new allele
    is not the copied one, in (0, 0.5]. Those not given are fitted on validation people.
    genetic_map: of the one contig there is, or contig -> map; contigs without one have 1 cM per Mb.
    threads: haplotypes are passed over in blocks of 8, by this many threads; the results do not depend on it.

    After `fit`: `switches_per_cm_` and `mismatch_`; the reference alleles, one bit each.
    Time is n_sites x n_reference for each new haplotype, four times that to impute (1,000 haplotypes at 5,000 sites
    with 3,500 references: about 12 and 45 seconds on one free core). `impute` holds 128 n_reference sqrt(n_sites)
    bytes for each thread.
    """

    def __init__(
        self,
        *,
        switches_per_cm: float | None = None,
        mismatch: float | None = None,
        genetic_map: GeneticMap | Mapping[str, GeneticMap] | None = None,
        threads: int = 1,
    ) -> None:
        self.switches_per_cm = switches_per_cm
        self.mismatch = mismatch
        self.genetic_map = genetic_map
        self.threads = threads

    def fit(self, X: Panel, validation: Panel | None = None) -> "LiStephens":
        """Keep the haplotypes of X as the reference; find what was not given on other people.

        The search is a compass search over the logarithms of both numbers, down to steps of 19 %, for the largest
        likelihood of at most FITTING_HAPLOTYPES of the validation haplotypes, evenly spaced. No chance in it.

        Raises HaploomError for an empty reference, a number out of range, or where something is to be found and there
        are no validation people; SiteMismatchError when they have other sites.
        """
        for name, value, limits in (
            ("switches_per_cm", self.switches_per_cm, _SWITCH_LIMITS),
            ("mismatch", self.mismatch, _MISMATCH_LIMITS),
        ):
            if value is not None and not limits[0] <= value <= limits[1]:
                raise HaploomError(f"{name}={value} is out of range: wanted {limits[0]:g} to {limits[1]:g}")
        if not X.n_haplotypes or not X.n_sites:
            raise HaploomError(f"the reference has {X.n_haplotypes} haplotypes at {X.n_sites} sites: wanted some")
        self.n_reference_, self.n_features_in_ = X.n_haplotypes, X.n_sites
        self._columns = _site_columns(X)
        self._distance_cm = distances_cm(X.variants, self.genetic_map)
        if self.switches_per_cm is not None and self.mismatch is not None:
            self.switches_per_cm_, self.mismatch_ = self.switches_per_cm, self.mismatch
        else:
            self.switches_per_cm_, self.mismatch_ = self._search(X.variants, validation)
        return self

    def log_likelihood(self, alleles: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
        """Natural log of the probability of each haplotype's known alleles: float64 (n,), nats, at most 0.

        alleles: uint8 (n, n_sites) of 0 and 1; known: bool (n, n_sites) or (n_sites,), what of them counts (None:
        all). A haplotype without a known allele has 0. The first site of a contig costs its reference frequency.
        Raises SiteMismatchError for another number of sites, ValueError for other alleles or shapes.
        """
        return self._log_likelihood(check_calls(alleles, known, self.n_features_in_), *self._parameters)

    def impute(self, alleles: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Probability of the alternate allele given all known ones (forward-backward): float32 (n, n_sites).

        alleles, known: as in `log_likelihood`. Known alleles come back as 0 and 1.
        """
        codes = check_calls(alleles, known, self.n_features_in_)
        switch, emission = self._model(*self._parameters)
        out = np.empty(codes.shape, dtype=np.float32)

        def impute_block(block: np.ndarray) -> np.ndarray:
            copied = copied_allele(self._columns, self.n_reference_, block, switch, emission)
            p = self.mismatch_ + (1 - 2 * self.mismatch_) * copied
            return np.where(block == UNKNOWN, p, block)

        for rows, p in self._over_blocks("Imputing by Li-Stephens", impute_block, codes):
            out[rows] = p.T[: len(codes[rows])]
        return out

    @property
    def _parameters(self) -> tuple[float, float]:
        return self.switches_per_cm_, self.mismatch_

    def _model(self, switches_per_cm: float, mismatch: float) -> tuple[np.ndarray, np.ndarray]:
        """`switch` and `emission` as the kernels take them."""
        switch = -np.expm1(-switches_per_cm * self._distance_cm)
        return switch, np.array([[1 - mismatch, mismatch], [mismatch, 1 - mismatch], [1.0, 1.0]])

    def _log_likelihood(self, codes: np.ndarray, switches_per_cm: float, mismatch: float) -> np.ndarray:
        switch, emission = self._model(switches_per_cm, mismatch)
        out = np.empty(len(codes))
        for rows, log_p in self._over_blocks(
            "Li-Stephens likelihood",
            lambda block: log_likelihoods(self._columns, self.n_reference_, block, switch, emission),
            codes,
        ):
            out[rows] = log_p[: len(codes[rows])]
        return out

    def _over_blocks(
        self, label: str, work: Callable[[np.ndarray], np.ndarray], codes: np.ndarray
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """(rows, what `work` makes of their (n_sites, LANES) codes) of every block of LANES haplotypes, in order."""
        blocks = [slice(start, start + LANES) for start in range(0, len(codes), LANES)]

        def lanes(rows: slice) -> np.ndarray:
            block = np.full((self.n_features_in_, LANES), UNKNOWN, dtype=np.uint8)
            block[:, : len(codes[rows])] = codes[rows].T
            return work(block)

        with ThreadPoolExecutor(self.threads) as pool, progress.task(label, total=len(codes)) as advance:
            for rows, result in zip(blocks, pool.map(lanes, blocks)):
                yield rows, result
                advance(len(codes[rows]))

    def _search(self, variants: Variants, validation: Panel | None) -> tuple[float, float]:
        """The most likely (switches_per_cm, mismatch); what the user gave is kept."""
        if validation is None or not validation.n_haplotypes:
            raise HaploomError(
                "Li-Stephens finds its rates on validation people and there are none: give some, or both"
            )
        if validation.variants.fingerprint() != variants.fingerprint():
            raise SiteMismatchError(
                f"the validation people have {validation.n_sites:,} sites, other than the {len(variants):,} of the "
                "reference: select the same sites first"
            )
        rows = np.unique(np.linspace(0, validation.n_haplotypes - 1, FITTING_HAPLOTYPES).round().astype(np.int64))
        codes = validation.alleles(rows)

        def parameters(place: tuple[int, int]) -> tuple[float, float]:
            switches, mismatch = (value * 2 ** (octaves / 4) for value, octaves in zip(_FIRST, place))
            return (
                self.switches_per_cm or float(np.clip(switches, *_SWITCH_LIMITS)),
                self.mismatch or float(np.clip(mismatch, *_MISMATCH_LIMITS)),
            )

        # Of parameters, not of places: those beyond a limit are one.
        likelihood = cache(lambda *values: float(self._log_likelihood(codes, *values).sum()))
        best = (0, 0)
        for step in _STEPS:
            while True:
                near = [(best[0] + a * step, best[1] + b * step) for a, b in ((1, 0), (-1, 0), (0, 1), (0, -1))]
                better = max(near, key=lambda place: likelihood(*parameters(place)))
                if likelihood(*parameters(better)) <= likelihood(*parameters(best)):
                    break
                best = better
        return parameters(best)


def _site_columns(panel: Panel) -> np.ndarray:
    """The alleles of each site packed along the haplotypes: uint8 (n_sites, row_bytes(n_haplotypes))."""
    columns = np.empty((panel.n_sites, row_bytes(panel.n_haplotypes)), dtype=np.uint8)
    for byte in range(panel.bits.shape[1]):
        sites = slice(8 * byte, min(8 * byte + 8, panel.n_sites))
        alleles = unpack_rows(panel.bits[:, byte : byte + 1], sites.stop - sites.start)
        columns[sites] = pack_rows(alleles.T)
    return columns


def distances_cm(variants: Variants, genetic_map: GeneticMap | Mapping[str, GeneticMap] | None) -> np.ndarray:
    """cM from the site before: float64 (n_sites,), infinite at the first site of a contig."""
    genome = genome_of(variants, genetic_map)
    cm = np.interp(genome.site_coordinate, genome.map_coordinate, genome.map_cm)
    distance = np.maximum(np.diff(cm, prepend=-np.inf), _LEAST_CM)
    distance[1:][variants.chrom[1:] != variants.chrom[:-1]] = np.inf
    return distance
