"""People made of real people's haplotypes: what each method keeps and what it loses, and a map that is followed."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from haploom.errors import HaploomError
from haploom.panel import GeneticMap, Panel
from haploom.synthesis import MosaicSettings, people_source, synthesize
from haploom.synthesis.sources import ROWS


def made(panel, method, people=ROWS, **settings):
    return synthesize(
        people_source(panel, "population", method, MosaicSettings(**settings)), ["south"], people
    ).alleles()


def of_south(panel):
    return panel.alleles()[panel.labels("population", per="haplotype") == "south"]


def test_copying__gives_whole_haplotypes_of_the_population(two_populations):
    donors = {row.tobytes() for row in of_south(two_populations)}
    copies = {row.tobytes() for row in made(two_populations, "copying")}
    assert copies == donors  # 1,024 draws of 60: all come


def test_independent__frequencies_of_the_population_and_no_linkage(two_populations):
    alleles, p = made(two_populations, "independent"), of_south(two_populations).mean(axis=0)
    assert (np.abs(alleles.mean(axis=0) - p) < 5 * np.sqrt(p * (1 - p) / len(alleles)) + 1e-9).all()
    varies = (p > 0.1) & (p < 0.9)
    r = np.corrcoef(alleles[:, varies].T)
    assert np.abs(r[~np.eye(len(r), dtype=bool)]).max() < 6 / np.sqrt(len(alleles))


@pytest.mark.parametrize("switches_per_cm", [0.0, 5.0, 400.0])
def test_mosaic__switches_as_often_as_it_should(switches_per_cm):
    # Donor d carries the bits of d at sites 10 k + 0..9: so any ten sites tell whose they are.
    donors, n_sites = 512, 2000
    alleles = np.tile((np.arange(donors)[:, None] >> np.arange(10)) & 1, n_sites // 10).astype(np.uint8)
    panel = panel_of(alleles, np.arange(1, n_sites * 100, 100))
    people = synthesize(
        people_source(
            panel, "population", "mosaic", MosaicSettings(switches_per_cm=switches_per_cm, mismatch=0)
        ), ["south"], ROWS,
    )  # fmt: skip
    tens = people.alleles().reshape(2 * ROWS, -1, 10) @ (1 << np.arange(10))
    stretches = 1 + (np.diff(tens, axis=1) != 0).sum(axis=1)
    expected = switches_per_cm * 0.2  # 200 kb at 1 cM per Mb
    if switches_per_cm == 0:
        assert (stretches == 1).all()
    elif switches_per_cm == 5:
        # A switch inside ten sites shows as two changes more often than not; 1 in 512 goes unseen.
        assert expected * 0.9 < (stretches - 1).mean() < 2.1 * expected
    else:
        assert (stretches - 1).mean() > 0.3 * expected


def test_mosaic__follows_the_map():
    # All the recombination is between sites 99 and 100: neighbours elsewhere stay together.
    alleles = np.random.default_rng(1).integers(0, 2, (40, 200), dtype=np.uint8)
    panel = panel_of(alleles, np.arange(1000, 201_000, 1000))
    hot = GeneticMap(np.array([1, 100_500, 100_600, 300_000]), np.array([0.0, 0.0, 1.0, 1.0]))
    settings = MosaicSettings(switches_per_cm=50, mismatch=0, genetic_map=hot)
    drawn = synthesize(people_source(panel, "population", "mosaic", settings), ["south"], 100).alleles()
    halves = [{row.tobytes() for row in part} for part in (alleles[:, :100], alleles[:, 100:])]
    assert all(row[:100].tobytes() in halves[0] and row[100:].tobytes() in halves[1] for row in drawn)
    whole = {row.tobytes() for row in alleles}
    assert np.mean([row.tobytes() in whole for row in drawn]) < 0.2


def test_mosaic__mismatches_come_as_often_as_they_should():
    panel = panel_of(np.zeros((4, 500), dtype=np.uint8), np.arange(1, 501))
    settings = MosaicSettings(mismatch=0.01)
    drawn = synthesize(people_source(panel, "population", "mosaic", settings), ["south"], ROWS).alleles()
    assert drawn.mean() == pytest.approx(0.01, rel=0.05)


def test_people_source__same_seed_same_people(two_populations):
    for method in ("independent", "mosaic", "copying"):
        first = made(two_populations, method, 5)
        assert_array_equal(first, made(two_populations, method, 600)[:10])


def test_people_source__what_cannot_be_is_told(two_populations):
    with pytest.raises(HaploomError, match="no method 'magic'"):
        people_source(two_populations, "population", "magic")
    with pytest.raises(HaploomError, match=r"mismatch=0\.5"):
        people_source(two_populations, "population", "mosaic", MosaicSettings(mismatch=0.5))
    with pytest.raises(HaploomError, match="the panel knows no population 'west': it has north, south"):
        synthesize(people_source(two_populations, "population", "copying"), ["west"], 1)


def panel_of(alleles, position_bp):
    from haploom.panel import Variants

    n = alleles.shape[1]
    variants = Variants(np.full(n, "22"), position_bp, np.full(n, "."), np.full(n, "A"), np.full(n, "C"))
    names = [f"P{person}" for person in range(len(alleles) // 2)]
    return Panel.from_alleles(alleles, variants, names, {"population": np.full(len(names), "south")})
