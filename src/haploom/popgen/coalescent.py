"""A panel simulated under the coalescent: seven continental populations, no donors at all.

Gives a `Panel`; the history is in `demography`. msprime does the simulating and is imported only when asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from haploom import progress
from haploom.errors import HaploomError, MissingExtraError
from haploom.panel import GeneticMap, Panel, Variants
from haploom.panel import bits as packing
from haploom.panel.genetic_map import BP_PER_CM
from haploom.popgen.demography import MUTATION_RATE, POPULATIONS, out_of_africa, subpopulation_names

if TYPE_CHECKING:
    import tskit

LEVEL = "population"
PART_LEVEL = "subpopulation"  # of panels simulated with more than one
DEFAULT_PEOPLE = 100
DEFAULT_SITES = 10_000
DEFAULT_CONTIG = "1"
# Calibrated: sites whose minor allele is in more than 1 of 600 haplotypes stand at about SITES_PER_KB.
HAPLOTYPES_PER_MIN_COUNT = 600
SITES_PER_KB = 9.0
SPARE_BP = 20_000  # added to what a number of sites should need, because short stretches vary more
LONGEST_BP = 250_000_000  # the longest human chromosome

# The alternate base of each reference base: its transition first, which is twice as likely as the two
# transversions together (the human ratio is about 2.1).
_ALTERNATES = {"A": "GCT", "C": "TAG", "G": "ACT", "T": "CAG"}
_ALTERNATE_PROBABILITIES = (2 / 3, 1 / 6, 1 / 6)


def default_min_count(n_haplotypes: int) -> int:
    """Least minor-allele count kept: more than 1 in 600 haplotypes, so 3 in the 1,400 of the default panel."""
    return n_haplotypes // HAPLOTYPES_PER_MIN_COUNT + 1


def simulate_panel(
    *,
    people: int | Mapping[str, int] = DEFAULT_PEOPLE,
    sites: int | None = None,
    length_bp: int | None = None,
    genetic_map: GeneticMap | None = None,
    min_count: int | None = None,
    subpopulations: int = 1,
    chrom: str = DEFAULT_CONTIG,
    seed: int = 1,
) -> Panel:
    """Simulate unrelated diploid people of POPULATIONS, with their label level "population" attached.

    people: how many of each population, or of each one named (the others then have none).
    sites: take exactly so many sequential sites; length_bp: or all sites of a stretch this long. With
        neither, 10,000 sites (about 1.1 Mb).
    genetic_map: crossovers follow it and the stretch begins at its first position; past its end its mean
        rate goes on. Without it, 1 cM per Mb from position 1.
    min_count: sites whose minor allele has fewer copies in the whole sample are left out; by default
        `default_min_count`, calibrated to about 9 sites per kb (see docs/simulate.md).
    subpopulations: with more than 1, the people of each population are of so many small parts of it that have been
        apart for 100 generations, AFR-1, AFR-2, ..., named by the label level "subpopulation".
    chrom: name of the contig. seed: at least 0; the same seed gives the same panel (for one msprime version).

    People are named AFR001, AFR002, ... Sites are biallelic SNPs at strictly increasing positions, 1 is the
    derived allele, and the contig is as long as the stretch. When the stretch expected to hold `sites`
    holds fewer, a longer one is simulated instead.

    Raises HaploomError for counts that make no sense, for both `sites` and `length_bp`, and when a stretch of
    `length_bp` holds no site or `sites` need more than a chromosome; MissingExtraError without msprime.
    """
    counts = _people_of(people)
    n_haplotypes = 2 * sum(counts.values())
    if sites is not None and length_bp is not None:
        raise HaploomError(f"{sites} sites and a length of {length_bp} bp were both asked for: give one of them")
    for name, value in (("sites", sites), ("length_bp", length_bp), ("min_count", min_count)):
        if value is not None and value < 1:
            raise HaploomError(f"{name} is {value}: wanted 1 or more")
    kept_from = default_min_count(n_haplotypes) if min_count is None else min_count
    if 2 * kept_from > n_haplotypes:
        raise HaploomError(f"a minor allele cannot have {kept_from} copies among {n_haplotypes} haplotypes")

    if not 1 <= subpopulations <= min(counts.values()):
        fewest = min(counts.values())
        raise HaploomError(f"{subpopulations} subpopulations of {fewest} people: wanted 1 or more, each of somebody")
    simulation = _Simulation(counts, genetic_map, kept_from, subpopulations, seed)
    if length_bp is not None:
        drawn = simulation.run(length_bp)
        if not len(drawn.offset_bp):
            raise HaploomError(f"{length_bp:,} bp hold no site of minimum count {kept_from}: ask for a longer stretch")
    else:
        drawn = simulation.run_until(DEFAULT_SITES if sites is None else sites)
    return simulation.panel(drawn, chrom)


def _people_of(people: int | Mapping[str, int]) -> dict[str, int]:
    """Wanted people of each population, in the order of POPULATIONS."""
    wanted = dict.fromkeys(POPULATIONS, people) if isinstance(people, int) else dict(people)
    if unknown := sorted(wanted.keys() - set(POPULATIONS)):
        raise HaploomError(f"no population {', '.join(unknown)} to simulate: there are {', '.join(POPULATIONS)}")
    for label, n in wanted.items():
        if n < 1:
            raise HaploomError(f"{n} people of {label}: wanted 1 or more (leave {label} out to have none)")
    if not wanted:
        raise HaploomError("no people to simulate: name at least one population")
    return {label: wanted[label] for label in POPULATIONS if label in wanted}


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Sites of a simulated stretch.

    offset_bp: int64 (n_sites,), from the first base of the stretch. site_rows: uint8 (n_sites,
    ceil(n_haplotypes / 8)), a bit a haplotype. length_bp: of the stretch.
    """

    offset_bp: np.ndarray
    site_rows: np.ndarray
    length_bp: int


class _Simulation:
    """One request: who, along which map, from which allele count on, by which seed."""

    def __init__(
        self, people: Mapping[str, int], genetic_map: GeneticMap | None, min_count: int, subpopulations: int, seed: int
    ) -> None:
        self.people = people
        self.subpopulations = subpopulations
        self.genetic_map = genetic_map
        self.min_count = min_count
        self.first_bp = 1 if genetic_map is None else int(genetic_map.position_bp[0])
        ancestry, mutations, self.bases_seed = np.random.SeedSequence(seed).spawn(3)
        self.ancestry_seed, self.mutations_seed = _msprime_seed(ancestry), _msprime_seed(mutations)

    def run(self, length_bp: int) -> _Drawn:
        """All kept sites of a stretch."""
        n_haplotypes = 2 * sum(self.people.values())
        offsets, rows = [], []
        for variant in self._tree_sequence(length_bp).variants():
            copies = int(variant.genotypes.sum())
            if min(copies, n_haplotypes - copies) >= self.min_count:
                offsets.append(int(variant.site.position))
                rows.append(np.packbits(variant.genotypes.astype(np.bool_)))
        site_rows = np.stack(rows) if rows else np.zeros((0, packing.row_bytes(n_haplotypes)), dtype=np.uint8)
        return _Drawn(np.array(offsets, dtype=np.int64), site_rows, length_bp)

    def run_until(self, sites: int) -> _Drawn:
        """The first `sites` kept sites of a stretch that is simulated again, longer, until it holds them."""
        length_bp = round(1.15 * sites / SITES_PER_KB * 1000) + SPARE_BP
        while length_bp <= LONGEST_BP:
            drawn = self.run(length_bp)
            if (found := len(drawn.offset_bp)) >= sites:
                # Cut after the last site wanted: what lies beyond was only simulated to be safe.
                return _Drawn(drawn.offset_bp[:sites], drawn.site_rows[:sites], int(drawn.offset_bp[sites - 1]) + 1)
            length_bp = round(length_bp * min(10.0, 1.2 * sites / max(found, 1)))
        raise HaploomError(
            f"{sites:,} sites whose minor allele has {self.min_count} copies or more need more than "
            f"{LONGEST_BP // 1_000_000} Mb, a whole chromosome: ask for fewer sites or a lower minimum count"
        )

    def panel(self, drawn: _Drawn, chrom: str) -> Panel:
        n_sites = len(drawn.offset_bp)
        reference, alternate = _bases(n_sites, self.bases_seed)
        variants = Variants(
            chrom=np.full(n_sites, chrom),
            position_bp=drawn.offset_bp + self.first_bp,
            id=np.full(n_sites, "."),
            ref=reference,
            alt=alternate,
            contig_length_bp={chrom: self.first_bp + drawn.length_bp - 1},
        )
        width = max(3, len(str(max(self.people.values()))))
        samples = tuple(f"{label}{i:0{width}}" for label, n in self.people.items() for i in range(1, n + 1))
        labels = np.repeat(list(self.people), list(self.people.values()))
        levels = {LEVEL: labels}
        if self.subpopulations > 1:
            levels[PART_LEVEL] = np.repeat(list(self._sampled()), list(self._sampled().values()))
        return Panel(_transpose(drawn.site_rows, 2 * len(samples)), variants, samples, levels)

    def _sampled(self) -> dict[str, int]:
        """People of each population, or of each subpopulation where there are some, in the order of the samples."""
        k = self.subpopulations
        if k == 1:
            return dict(self.people)
        return {
            name: n // k + (place < n % k)
            for label, n in self.people.items() for place, name in enumerate(subpopulation_names(label, k))
        }  # fmt: skip

    def _tree_sequence(self, length_bp: int) -> "tskit.TreeSequence":
        try:
            import msprime
        except ImportError as error:
            raise MissingExtraError("msprime", "simulate", "Simulating") from error
        with progress.task(f"Simulating {length_bp / 1e6:.2f} Mb", total=2) as advance:  # ancestry, mutations
            trees = msprime.sim_ancestry(
                samples={name.replace("-", "_"): n for name, n in self._sampled().items()},
                demography=out_of_africa(self.subpopulations),
                sequence_length=length_bp,
                recombination_rate=_rate_map(self.genetic_map, length_bp),
                random_seed=self.ancestry_seed,
            )
            advance()
            # Two alleles by construction: a base hit twice falls back, and never has a third allele.
            trees = msprime.sim_mutations(
                trees, rate=MUTATION_RATE, model=msprime.BinaryMutationModel(), random_seed=self.mutations_seed
            )
            advance()
        return trees


def _rate_map(genetic_map: GeneticMap | None, length_bp: int):  # type: ignore[no-untyped-def]  # msprime.RateMap
    """Crossovers per base and generation along a stretch that begins with the map."""
    import msprime

    if genetic_map is None:
        return msprime.RateMap.uniform(length_bp, 0.01 / BP_PER_CM)
    first_bp = int(genetic_map.position_bp[0])
    inside = genetic_map.position_bp - first_bp
    ends = np.append(inside[inside < length_bp], length_bp)
    return msprime.RateMap(position=ends, rate=np.diff(genetic_map.cm_at(ends + first_bp)) / 100 / np.diff(ends))


def _msprime_seed(sequence: np.random.SeedSequence) -> int:
    """msprime takes seeds from 1 to 2^32 - 1."""
    return int(sequence.generate_state(1, np.uint64)[0] % (2**32 - 1)) + 1


def _bases(n_sites: int, seed: np.random.SeedSequence) -> tuple[np.ndarray, np.ndarray]:
    """Reference and alternate base of each site."""
    rng = np.random.default_rng(seed)
    reference = rng.integers(0, 4, n_sites)
    change = rng.choice(3, n_sites, p=_ALTERNATE_PROBABILITIES)
    alternates = np.array([list(bases) for bases in _ALTERNATES.values()])
    return np.array(list(_ALTERNATES))[reference], alternates[reference, change]


def _transpose(site_rows: np.ndarray, n_haplotypes: int) -> np.ndarray:
    """Packed rows of sites -> packed rows of haplotypes, a few haplotypes at a time."""
    n_sites = len(site_rows)
    out = np.empty((n_haplotypes, packing.row_bytes(n_sites)), dtype=np.uint8)
    step = max(1, packing.BLOCK_BYTES // max(8 * n_sites, 1))
    for start in range(0, site_rows.shape[1], step):
        rows = slice(8 * start, min(8 * (start + step), n_haplotypes))
        alleles = packing.unpack_rows(site_rows[:, start : start + step], rows.stop - rows.start)
        out[rows] = packing.pack_rows(np.ascontiguousarray(alleles.T))
    return out
