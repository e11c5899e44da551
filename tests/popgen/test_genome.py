"""Crossovers: their number and their places, against Poisson and the map."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from haploom.errors import HaploomError
from haploom.panel import GeneticMap, Variants
from haploom.popgen.genome import genome_of


def sites(*places: tuple[str, int]) -> Variants:
    n = len(places)
    chrom = np.array([contig for contig, _ in places], dtype=np.dtypes.StringDType())
    columns = np.full(n, "."), np.full(n, "A"), np.full(n, "C")
    return Variants(chrom, np.array([at for _, at in places], dtype=np.int64), *columns)


# A cold stretch without any recombination, a hot spot, and a slow rest; the sites lie within the map.
UNEVEN = GeneticMap(
    np.array([1, 1_000_000, 3_000_000, 3_100_000, 9_000_000]), np.array([0.0, 20.0, 20.0, 150.0, 170.0])
)


def test_genome__coordinates_by_hand():
    genome = genome_of(sites(("1", 11), ("1", 11), ("1", 20), ("2", 5), ("X", 7), ("X", 9)))
    assert genome.contigs == ("1", "2", "X")
    assert genome.length_bp == 10 + 1 + 3
    assert_array_equal(genome.contig_start, [0, 10, 11])
    assert_array_equal(genome.site_coordinate, [0, 0, 9, 10, 11, 13])


def test_genome__length_is_the_map_between_first_and_last_site():
    variants = sites(("22", 500_001), ("22", 6_050_000))
    # Half of the first 20 cM, the hot spot's 130, and half of the last 20.
    assert genome_of(variants, UNEVEN).length_morgans == pytest.approx(1.5, rel=1e-4)
    assert genome_of(variants).length_morgans == pytest.approx(0.05549999)
    assert genome_of(variants, {"chr22": UNEVEN}).length_morgans == pytest.approx(1.5, rel=1e-4)


def test_genome__contigs_without_a_map_recombine_at_1_cm_per_mb():
    variants = sites(("1", 1), ("1", 2_000_001), ("22", 1), ("22", 9_000_000))
    assert genome_of(variants, {"22": UNEVEN}).length_morgans == pytest.approx(1.7 + 0.02)


def test_crossovers__number_is_poisson_in_morgans():
    genome = genome_of(sites(("22", 1), ("22", 9_000_000)), UNEVEN)
    n = 20_000
    offsets, switches = genome.draw_switches(n, np.random.default_rng(1))
    crossing = np.add.reduceat(np.append(switches > 0, 0), offsets[:-1]) * (np.diff(offsets) > 0)
    for count in range(6):
        expected = np.exp(-1.7) * 1.7**count / np.prod(np.arange(1, count + 1), dtype=float)
        assert abs((crossing == count).mean() - expected) < 4 * np.sqrt(expected / n), count
    # The first contig begins with either haplotype of the parent.
    assert abs((switches == 0).mean() * len(switches) / n - 0.5) < 4 * 0.5 / np.sqrt(n)


def test_crossovers__are_uniform_on_the_map():
    genome = genome_of(sites(("22", 500_001), ("22", 6_050_000)), UNEVEN)
    _, switches = genome.draw_switches(20_000, np.random.default_rng(2))
    at_bp = np.sort(switches[switches > 0]) + 500_001
    assert at_bp.min() > 500_001
    assert at_bp.max() <= 6_050_000
    assert not ((at_bp > 1_000_001) & (at_bp <= 3_000_000)).any(), "no crossover where the map is flat"
    low, high = UNEVEN.cm_at(np.array([500_001, 6_050_000]))
    uniform = (UNEVEN.cm_at(at_bp) - low) / (high - low)
    distance = np.abs(uniform - (np.arange(len(uniform)) + 0.5) / len(uniform)).max()
    assert distance < 1.95 / np.sqrt(len(uniform))  # Kolmogorov-Smirnov, 0.1 % level


def test_crossovers__fall_between_bases():
    # Between the bases 1 and 2, then between 2 and 3: the base right of them has coordinate 1 or 2, as often.
    genome = genome_of(sites(("1", 1), ("1", 3)), GeneticMap(np.array([1, 3]), np.array([0.0, 100.0])))
    _, switches = genome.draw_switches(10_000, np.random.default_rng(4))
    between = switches[switches > 0]
    assert set(between) == {1, 2}
    assert abs((between == 1).mean() - 0.5) < 4 * 0.5 / np.sqrt(len(between))


def test_crossovers__each_meiosis_is_sorted_and_contigs_begin_by_coin():
    genome = genome_of(sites(("1", 1), ("1", 300_000_000), ("2", 1), ("2", 200_000_000)))
    n = 4000
    offsets, switches = genome.draw_switches(n, np.random.default_rng(3))
    assert (offsets[0], offsets[-1]) == (0, len(switches))
    for meiosis in range(n):
        assert (np.diff(switches[offsets[meiosis] : offsets[meiosis + 1]]) >= 0).all()
    for start in (0, 300_000_000):
        assert abs((switches == start).sum() / n - 0.5) < 4 * 0.5 / np.sqrt(n)
    assert (switches < genome.length_bp).all()


def test_genome__no_sites():
    genome = genome_of(sites())
    offsets, switches = genome.draw_switches(3, np.random.default_rng(1))
    assert genome.length_bp == 0
    assert_array_equal(offsets, [0, 0, 0, 0])
    assert len(switches) == 0


def test_genome__maps_that_do_not_fit_are_refused():
    two = sites(("1", 1), ("2", 1))
    with pytest.raises(HaploomError, match="one genetic map was given for 2 contigs"):
        genome_of(two, UNEVEN)
    with pytest.raises(HaploomError, match="map is of 7, the panel of 1, 2"):
        genome_of(two, {"7": UNEVEN})
