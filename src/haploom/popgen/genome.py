"""Where crossovers fall: the contigs of a panel end to end, in base pairs and in centimorgans.

A coordinate is a whole number that counts the bases from the first to the last site of every contig, contig
after contig, from 0. A border at coordinate x lies between the bases x - 1 and x, so that every site is on one
side of it. Bases outside the sites are left out: no crossover there can change an allele of the panel.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from haploom.errors import HaploomError
from haploom.panel import GeneticMap, Variants
from haploom.panel.variants import matching_contig

CM_PER_MORGAN = 100


@dataclass(frozen=True, eq=False)
class Genome:
    """Contigs laid end to end, with the genetic map that places crossovers on them.

    contigs: their names. contig_start, contig_first_bp: int64 (n_contigs,), the coordinate of the first base of
    each and its position on the contig (1-based).
    length_bp: coordinates run from 0 to length_bp - 1. site_coordinate: int64 (n_sites,), never decreasing.
    map_cm, map_coordinate: float64 (n_points,), the cumulative map, both never decreasing.
    """

    contigs: tuple[str, ...]
    contig_start: np.ndarray
    contig_first_bp: np.ndarray
    length_bp: int
    site_coordinate: np.ndarray
    map_cm: np.ndarray
    map_coordinate: np.ndarray

    @property
    def length_morgans(self) -> float:
        """Crossovers expected in one meiosis."""
        return float(self.map_cm[-1]) / CM_PER_MORGAN

    def draw_switches(self, n_meioses: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Where each meiosis changes from one haplotype of the parent to the other.

        Crossovers are Poisson with mean `length_morgans`, uniform in cM, without interference (Haldane 1919).
        Contigs segregate independently: each begins with a switch half of the time, the first one too, and
        every meiosis starts from the parent's first haplotype.

        Returns offsets int64 (n_meioses + 1,) and coordinates int64, those of meiosis m sorted in
        coordinates[offsets[m]:offsets[m + 1]].
        """
        crossovers = rng.poisson(self.length_morgans, n_meioses)
        at_cm = rng.random(crossovers.sum()) * self.map_cm[-1]
        # The base right of a crossover between the bases x and x + 1 is x + 1.
        borders = np.floor(np.interp(at_cm, self.map_cm, self.map_coordinate)).astype(np.int64) + 1
        segregating, contig = np.nonzero(rng.random((n_meioses, len(self.contigs))) < 0.5)
        meiosis = np.concatenate([np.repeat(np.arange(n_meioses), crossovers), segregating])
        coordinates = np.concatenate([borders, self.contig_start[contig]])
        offsets = np.zeros(n_meioses + 1, dtype=np.int64)
        np.cumsum(np.bincount(meiosis, minlength=n_meioses), out=offsets[1:])
        return offsets, coordinates[np.lexsort((coordinates, meiosis))]


def genome_of(variants: Variants, genetic_map: GeneticMap | Mapping[str, GeneticMap] | None = None) -> Genome:
    """The genome that a panel's sites span.

    genetic_map: of the one contig there is, or contig -> map (`chr22` matches `22`). Contigs without a map
    recombine at 1 cM per Mb. Raises HaploomError for a single map where there are several contigs, and for maps
    of which none is for a contig here.
    """
    contigs = variants.contigs()
    maps = _maps_by_contig(contigs, genetic_map)
    ends = np.flatnonzero(variants.chrom[1:] != variants.chrom[:-1]) + 1
    positions = np.split(variants.position_bp, ends) if contigs else []
    start, total_cm = 0, 0.0
    contig_start, first_bp, site_coordinate = [], [], [np.zeros(0, dtype=np.int64)]
    map_cm, map_coordinate = [np.zeros(1)], [np.zeros(1)]
    for contig, position_bp in zip(contigs, positions):
        first, last = int(position_bp[0]), int(position_bp[-1])
        genetic = maps.get(contig) or GeneticMap.uniform(first, last + 1)
        inside = genetic.position_bp[(genetic.position_bp > first) & (genetic.position_bp < last)]
        points_bp = np.concatenate([[first], inside, [last]])
        points_cm = genetic.cm_at(points_bp)
        map_cm.append(points_cm - points_cm[0] + total_cm)
        map_coordinate.append(points_bp - first + np.float64(start))
        contig_start.append(start)
        first_bp.append(first)
        site_coordinate.append(position_bp - first + start)
        start, total_cm = start + last - first + 1, float(map_cm[-1][-1])
    return Genome(
        contigs=tuple(contigs),
        contig_start=np.array(contig_start, dtype=np.int64),
        contig_first_bp=np.array(first_bp, dtype=np.int64),
        length_bp=start,
        site_coordinate=np.concatenate(site_coordinate),
        map_cm=np.concatenate(map_cm),
        map_coordinate=np.concatenate(map_coordinate),
    )


def _maps_by_contig(
    contigs: list[str], genetic_map: GeneticMap | Mapping[str, GeneticMap] | None
) -> dict[str, GeneticMap]:
    if genetic_map is None or not contigs:
        return {}
    if isinstance(genetic_map, GeneticMap):
        if len(contigs) > 1:
            raise HaploomError(
                f"one genetic map was given for {len(contigs)} contigs ({', '.join(contigs[:3])}, ...): "
                "give one map a contig, or breed one contig at a time"
            )
        return {contigs[0]: genetic_map}
    maps = {matching_contig(name, contigs): one for name, one in genetic_map.items()}
    if not maps.keys() & set(contigs):
        raise HaploomError(
            f"the genetic map is of {', '.join(genetic_map) or 'no contig'}, the panel of {', '.join(contigs)}: "
            "give the map of these contigs, or none for 1 cM per Mb"
        )
    return maps
