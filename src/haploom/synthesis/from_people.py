"""Haplotypes made from those of real people of a population, with no network: what any generator must beat.

| method | a haplotype is |
|---|---|
| independent | an allele drawn at each site by its frequency: no linkage at all |
| mosaic | stretches of the population's haplotypes, each from another donor, some alleles flipped |
| copying | one of the population's haplotypes: no privacy at all |

The mosaic is a draw from the copying model (Li & Stephens 2003, Genetics 165:2213), as in HAPGEN (Su et al. 2011) and
HAPNEST (Wharrie et al. 2023). Every stretch of it is somebody's: its privacy is that of its shortest stretches.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import numpy as np

from haploom.errors import HaploomError
from haploom.panel import GeneticMap, Panel
from haploom.panel.bits import column_sums, pack_rows
from haploom.popgen.genome import Genome, genome_of
from haploom.synthesis.sources import ROWS, Draw, Source

Method = Literal["independent", "mosaic", "copying"]
# What the copying model is fitted to on thousands of human haplotypes ends near these.
SWITCHES_PER_CM, MISMATCH = 8.0, 1e-3


@dataclass(frozen=True, kw_only=True)
class MosaicSettings:
    """How a mosaic is put together.

    switches_per_cm: donors change so often, Poisson. mismatch: probability that an allele is not the donor's, below
    0.5. genetic_map: of the one contig there is, or contig -> map; without one, 1 cM per Mb.
    """

    switches_per_cm: float = SWITCHES_PER_CM
    mismatch: float = MISMATCH
    genetic_map: GeneticMap | Mapping[str, GeneticMap] | None = None


def people_source(
    panel: Panel, level: str, method: Method, settings: MosaicSettings = MosaicSettings()
) -> Source:  # fmt: skip
    """The haplotypes that a method makes of each population of a label level; settings: of `mosaic`.

    Raises HaploomError for an unknown method or level, no people or sites, settings out of range, and as
    `popgen.genome.genome_of` does for the map.
    """
    if method not in get_args(Method):
        raise HaploomError(f"there is no method {method!r}: choose one of {', '.join(get_args(Method))}")
    if not (settings.switches_per_cm >= 0 and 0 <= settings.mismatch < 0.5):
        raise HaploomError(
            f"switches_per_cm={settings.switches_per_cm}, mismatch={settings.mismatch}: wanted at least 0, and from 0 "
            "to below 0.5"
        )
    labels = panel.labels(level, per="haplotype")
    populations = tuple(sorted(set(labels.tolist())))
    if not populations or not panel.n_sites:
        raise HaploomError(f"nothing to make people of: the panel has {panel.n_samples} people, {panel.n_sites} sites")
    of_population = [panel.bits[labels == label] for label in populations]
    draws: dict[str, Callable[[np.ndarray], Draw]] = {
        "independent": lambda donors: partial(_independent, column_sums(donors, panel.n_sites) / len(donors)),
        "copying": lambda donors: partial(_copies, donors),
    }
    described: dict[str, object] = {"Method": method, "Haplotypes": panel.n_haplotypes}
    if method == "mosaic":
        genome = genome_of(panel.variants, settings.genetic_map)
        draws["mosaic"] = lambda donors: partial(_mosaics, donors, panel.n_sites, genome, settings)
        described |= {"SwitchesPerCM": settings.switches_per_cm, "Mismatch": settings.mismatch}
    return Source(
        panel.variants, level, populations, lambda place: draws[method](of_population[place]), described
    )  # fmt: skip


def _independent(frequency: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    frequency = frequency.astype(np.float32)  # 2^-24 is nearer than any panel's frequencies are
    return pack_rows(rng.random((ROWS, len(frequency)), dtype=np.float32) < frequency)


def _copies(donors: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return donors[rng.integers(len(donors), size=ROWS)]


def _mosaics(
    donors: np.ndarray, n_sites: int, genome: Genome, settings: MosaicSettings, rng: np.random.Generator
) -> np.ndarray:
    from haploom.popgen.mosaics import Mosaics, expand  # loads numba

    offsets, starts = _stretches(genome, settings.switches_per_cm, rng)
    founders = rng.integers(len(donors), size=len(starts)).astype(np.int32)
    bits = expand(Mosaics(offsets, starts, founders), donors, genome.site_coordinate)
    flips = rng.binomial(n_sites, settings.mismatch, size=ROWS)
    rows, sites = np.repeat(np.arange(ROWS), flips), rng.integers(n_sites, size=flips.sum())
    np.bitwise_xor.at(bits, (rows, sites >> 3), (0x80 >> (sites & 7)).astype(np.uint8))
    return bits


def _stretches(genome: Genome, switches_per_cm: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Where the stretches of ROWS haplotypes begin, as in `Mosaics`: offsets and starts. A contig begins a new one."""
    switches = rng.poisson(switches_per_cm * genome.map_cm[-1], ROWS)
    at_cm = rng.random(switches.sum()) * genome.map_cm[-1]
    borders = np.floor(np.interp(at_cm, genome.map_cm, genome.map_coordinate)).astype(np.int64) + 1
    rows = np.concatenate([np.repeat(np.arange(ROWS), switches), np.repeat(np.arange(ROWS), len(genome.contigs))])
    starts = np.concatenate([borders, np.tile(genome.contig_start, ROWS)])
    rows, starts = np.unique(np.stack([rows, starts]), axis=1)  # in order, and each place once
    return np.searchsorted(rows, np.arange(ROWS + 1)), starts
