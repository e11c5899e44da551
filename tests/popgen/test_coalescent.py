import subprocess
import sys

import numpy as np
import pytest

from haploom.errors import HaploomError, MissingExtraError
from haploom.panel import GeneticMap
from haploom.popgen import coalescent
from haploom.popgen.coalescent import default_min_count, simulate_panel
from haploom.popgen.demography import POPULATIONS, SUBPOPULATION_AGE, SUBPOPULATION_SIZE
from haploom.popgen.differentiation import fst_matrix, population_counts


@pytest.fixture(scope="module")
def panel():
    return simulate_panel(people=20, sites=2001, seed=7)


def test_simulate_panel__exactly_the_sites_asked_for(panel):
    positions = panel.variants.position_bp
    assert panel.n_sites == len(positions) == 2001
    assert positions[0] >= 1
    assert (np.diff(positions) > 0).all()
    assert panel.variants.contig_length_bp == {"1": positions[-1]}


def test_simulate_panel__people_and_labels(panel):
    assert panel.samples[:2] == ("AFR001", "AFR002")
    assert panel.samples[-1] == "AMR020"
    assert panel.labels("population").tolist() == [label for label in POPULATIONS for _ in range(20)]


def test_simulate_panel__names_widen_with_the_numbers():
    panel = simulate_panel(people={"OCE": 1000, "AFR": 2}, sites=5)
    assert panel.samples[:3] == ("AFR0001", "AFR0002", "OCE0001")
    assert panel.samples[-1] == "OCE1000"


def test_simulate_panel__alleles_are_nucleotides_like_real_ones(panel):
    pairs = list(zip(panel.variants.ref.tolist(), panel.variants.alt.tolist()))
    assert {base for pair in pairs for base in pair} == set("ACGT")
    assert all(reference != alternate for reference, alternate in pairs)
    transitions = sum({reference, alternate} in ({"A", "G"}, {"C", "T"}) for reference, alternate in pairs)
    assert abs(transitions / len(pairs) - 2 / 3) < 5 * np.sqrt(2 / 9 / len(pairs))


@pytest.mark.parametrize("min_count", [1, 4])
def test_simulate_panel__keeps_sites_from_the_minimum_count_on(min_count):
    panel = simulate_panel(people=10, length_bp=150_000, min_count=min_count)
    minor = np.minimum(panel.allele_counts(), panel.n_haplotypes - panel.allele_counts())
    assert minor.min() == min_count


def test_default_min_count__is_more_than_one_in_600():
    assert [default_min_count(n) for n in (2, 599, 600, 1400, 2800)] == [1, 1, 2, 3, 5]


def test_simulation__packing_keeps_every_genotype():
    # The slow way: msprime's own genotype matrix of the same trees.
    simulation = coalescent._Simulation({"AFR": 7, "EAS": 6}, None, 2, 1, seed=3)
    trees = simulation._tree_sequence(120_000)
    genotypes = trees.genotype_matrix().T
    minor = np.minimum(genotypes.sum(axis=0), len(genotypes) - genotypes.sum(axis=0))
    panel = simulate_panel(people={"EAS": 6, "AFR": 7}, length_bp=120_000, min_count=2, seed=3)
    np.testing.assert_array_equal(panel.alleles(), genotypes[:, minor >= 2])
    np.testing.assert_array_equal(panel.variants.position_bp, trees.sites_position[minor >= 2] + 1)
    # A person's haplotypes are neighbours, and the population is the one the label says.
    assert [individual.nodes.tolist() for individual in trees.individuals()] == [[2 * i, 2 * i + 1] for i in range(13)]
    names = [trees.population(node.population).metadata["name"] for node in map(trees.node, trees.samples())]
    assert names == panel.labels("population", per="haplotype").tolist()


def test_simulate_panel__subpopulations_drift_apart_as_theory_says():
    panel = simulate_panel(people=24, sites=4000, subpopulations=3, seed=2)
    counts = population_counts(panel, "subpopulation")
    assert counts.labels[:4] == ("AFR-1", "AFR-2", "AFR-3", "EUR-1")
    assert counts.n_haplotypes.tolist() == [16] * 21
    assert [label[:3] for label in panel.labels("subpopulation")] == panel.labels("population").tolist()
    # Two lineages of one part meet in it with probability F; else they are as far apart as those of two parts.
    expected = 1 - np.exp(-SUBPOPULATION_AGE / (2 * SUBPOPULATION_SIZE))
    fst = fst_matrix(counts)
    found = np.mean([fst[first + a, first + b] for first in range(0, 21, 3) for a, b in ((0, 1), (0, 2), (1, 2))])
    assert abs(found - expected) < 0.025
    with pytest.raises(HaploomError, match="9 subpopulations of 8 people"):
        simulate_panel(people=8, sites=10, subpopulations=9)


def test_simulate_panel__same_seed_same_panel(panel):
    again = simulate_panel(people=20, sites=2001, seed=7)
    np.testing.assert_array_equal(again.bits, panel.bits)
    assert again.variants.fingerprint() == panel.variants.fingerprint()
    assert simulate_panel(people=20, sites=2001, seed=8).variants.fingerprint() != panel.variants.fingerprint()


def test_simulate_panel__short_stretch_is_lengthened(monkeypatch):
    monkeypatch.setattr(coalescent, "SITES_PER_KB", 500.0)
    monkeypatch.setattr(coalescent, "SPARE_BP", 0)
    lengths = []
    run = coalescent._Simulation.run
    monkeypatch.setattr(coalescent._Simulation, "run", lambda self, bp: lengths.append(bp) or run(self, bp))
    panel = simulate_panel(people=10, sites=400)
    assert panel.n_sites == 400
    assert len(lengths) > 1


def test_simulate_panel__more_sites_than_a_chromosome_holds():
    with pytest.raises(HaploomError, match="a whole chromosome: ask for fewer sites"):
        simulate_panel(people=2, sites=10_000_000)


def four_gamete_share(alleles):
    """Share of pairs of sites with all four gametes: 0 on one tree without repeated hits (Hudson & Kaplan 1985)."""
    x = alleles.astype(np.int64)
    both, one = x.T @ x, x.sum(axis=0)
    only_first, only_second = one[:, None] - both, one[None, :] - both
    neither = len(x) - both - only_first - only_second
    four = (both > 0) & (only_first > 0) & (only_second > 0) & (neither > 0)
    return four[np.triu_indices(len(four), 1)].mean()


def test_simulate_panel__without_crossovers_there_is_one_tree():
    still = GeneticMap(np.array([5_000, 200_000]), np.array([3.0, 3.0]))
    panel = simulate_panel(people=10, sites=400, genetic_map=still, chrom="22", min_count=2)
    assert panel.variants.position_bp[0] >= 5_000
    assert panel.variants.contigs() == ["22"]
    # Not exactly 0: a base may be hit twice. With crossovers the same measure is far from 0.
    assert four_gamete_share(panel.alleles()) < 0.02
    assert four_gamete_share(simulate_panel(people=10, sites=400, min_count=2).alleles()) > 0.1


def test_simulate_panel__crossovers_fall_where_the_map_has_them():
    # Two still blocks with 2 cM between them, in 1 kb: linkage within a block, none across.
    start, hot, end = 1_000_000, 1_060_000, 1_130_000
    centimorgans = np.array([10.0, 10.0, 12.0, 12.0])
    hotspot = GeneticMap(np.array([start, hot, hot + 1_000, end]), centimorgans)
    panel = simulate_panel(people=20, length_bp=end - start, genetic_map=hotspot, min_count=2, seed=2)
    positions, alleles = panel.variants.position_bp, panel.alleles()
    left, right = alleles[:, positions < hot], alleles[:, positions > hot + 1_000]
    assert four_gamete_share(left) < 0.02
    assert four_gamete_share(right) < 0.02
    whole = four_gamete_share(np.concatenate([left, right], axis=1))
    assert whole > 5 * max(four_gamete_share(left), four_gamete_share(right), 0.01)


def test_rate_map__follows_the_map_and_its_mean_past_the_end():
    genetic_map = GeneticMap(np.array([101, 1_101, 3_101]), np.array([0.5, 0.5, 2.5]))
    rates = coalescent._rate_map(genetic_map, 4_000)
    # 0, then 2 cM in 2,000 bp, then the mean: 2 cM in 3,000 bp.
    assert rates.position.tolist() == [0, 1_000, 3_000, 4_000]
    assert rates.rate.tolist() == pytest.approx([0, 1e-5, 2 / 3 * 1e-5])
    assert coalescent._rate_map(genetic_map, 1_500).position.tolist() == [0, 1_000, 1_500]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"people": {"AFX": 3}}, "no population AFX to simulate: there are AFR"),
        ({"people": 0}, "0 people of AFR"),
        ({"people": {"EUR": -1}}, "-1 people of EUR"),
        ({"people": {}}, "name at least one"),
        ({"sites": 0}, "sites is 0"),
        ({"length_bp": 0}, "length_bp is 0"),
        ({"sites": 5, "length_bp": 5}, "give one of them"),
        ({"people": {"EUR": 2}, "min_count": 3}, "cannot have 3 copies among 4"),
        ({"length_bp": 2}, "hold no site"),
    ],
)
def test_simulate_panel__what_cannot_be_done_is_said(asked, message):
    with pytest.raises(HaploomError, match=message):
        simulate_panel(**asked)


def test_simulate_panel__without_msprime(monkeypatch):
    monkeypatch.setitem(sys.modules, "msprime", None)
    with pytest.raises(MissingExtraError, match=r"haploom\[simulate\]"):
        simulate_panel(people=2, sites=5)


def test_coalescent__msprime_is_loaded_only_when_simulating():
    code = "import sys, haploom.popgen.coalescent; sys.exit('msprime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
