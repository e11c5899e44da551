"""Wright-Fisher breeding against theory and against a slow expansion of its tracks."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from haploom.errors import HaploomError
from haploom.panel import GeneticMap, Panel, Variants
from haploom.popgen.admixture import Admixture
from haploom.popgen.breeding import Generation, breed, draw_parents, gather
from haploom.popgen.tracks import ancestry_tracks, track_lines

BASES_PER_MORGAN = 100_000_000  # at 1 cM per Mb


def sites_at(positions: Mapping[str, list[int]]) -> Variants:
    chrom = [contig for contig, at in positions.items() for _ in at]
    n = len(chrom)
    columns = np.full(n, "."), np.full(n, "A"), np.full(n, "C")
    return Variants(
        np.array(chrom, dtype=np.dtypes.StringDType()),
        np.array([bp for at in positions.values() for bp in at]),
        *columns,
    )


def founders_of(people: Mapping[str, int], positions: Mapping[str, list[int]], seed: int = 0) -> Panel:
    """Random alleles; people named by their population."""
    variants = sites_at(positions)
    names = [f"{label}{i}" for label, n in people.items() for i in range(n)]
    labels = np.repeat(list(people), list(people.values()))
    alleles = np.random.default_rng(seed).integers(0, 2, (2 * len(names), len(variants)), dtype=np.uint8)
    return Panel.from_alleles(alleles, variants, names, {"population": labels})


def only(founders: Panel, **settings) -> Generation:
    """The one generation kept of the one population."""
    (generation,) = breed(founders, **{"level": "population", "seed": 1, **settings})
    return generation


def alleles_by_tracks(generation: Generation) -> np.ndarray:
    """The slow oracle: for each site of each haplotype, look up the line of the tracks that holds it."""
    founders, variants = generation.founders, generation.founders.variants
    alleles = np.full((2 * len(generation.samples), len(variants)), 255, dtype=np.uint8)
    founder_alleles = founders.alleles()
    for line in track_lines(generation):
        sample, haplotype, chrom, start_bp, end_bp, founder, founder_haplotype, population = line.rstrip().split("\t")
        row = 2 * generation.samples.index(sample) + int(haplotype) - 1
        founder_row = 2 * founders.samples.index(founder) + int(founder_haplotype) - 1
        assert population == founders.labels("population")[founder_row // 2]
        for site in range(len(variants)):
            if variants.chrom[site] == chrom and int(start_bp) <= variants.position_bp[site] <= int(end_bp):
                assert alleles[row, site] == 255, "two segments claim one site"
                alleles[row, site] = founder_alleles[founder_row, site]
    return alleles


def pair_moments(n: int, generations: int, recombination: float, start: Sequence[float]) -> np.ndarray:
    """E[product of an allele at A and an allele at B] where the two stand on one haplotype (q1), on the two
    haplotypes of one person (q2), or in two people (q3), after random mating of n people without selfing.

    A haplotype keeps both alleles of a parental haplotype unless it recombines. A person's two haplotypes come
    from two distinct parents. Two people's genes come from the same parent with chance 1/n, then from the same
    haplotype half of the time.
    """
    step = np.array(
        [
            [1 - recombination, recombination, 0],
            [0, 0, 1],
            [1 / (2 * n), 1 / (2 * n), 1 - 1 / n],
        ]
    )
    return np.linalg.matrix_power(step, generations) @ np.array(start)


def assert_mean(values: list[float] | np.ndarray, expected: float) -> None:
    """Within four standard errors. One value a pedigree: loci that share a pedigree are not independent."""
    values = np.asarray(values)
    assert abs(values.mean() - expected) < 4 * values.std(ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize("generations", [1, 2, 20])
def test_breed__heterozygosity_decays_as_theory_says(generations):
    # Take A = B, unrecombined: the moments are chances that two genes are both 1, and 2 (q1 - q2) is the observed
    # heterozygosity H of people, 2 (q1 - q3) that of gene pairs from two people. Near H0 (1 - 1/2N)^t of selfing
    # populations (Crow & Kimura 1970), but exact for two distinct parents.
    n, n_sites = 10, 100
    founders = founders_of({"P": n}, {f"c{i}": [1] for i in range(n_sites)})

    def moments(panel):
        alleles = panel.alleles().astype(float)
        people = alleles.reshape(n, 2, -1)
        q1, q2 = alleles.mean(0), (people[:, 0] * people[:, 1]).mean(0)
        q3 = (alleles.sum(0) ** 2 - 2 * n * (q1 + q2)) / (2 * n * (2 * n - 2))
        return np.array([q1.mean(), q2.mean(), q3.mean()])

    start = moments(founders)
    expected = pair_moments(n, generations, 0, start)
    got = [moments(only(founders, generations=generations, size=n, seed=seed).panel()) for seed in range(60)]
    observed = np.array([2 * (q1 - q2) for q1, q2, _ in got])
    assert_mean(observed, 2 * (expected[0] - expected[1]))
    assert_mean([2 * (q1 - q3) for q1, _, q3 in got], 2 * (expected[0] - expected[2]))
    # The same in the textbook's form: the first children are as heterozygous as pairs of founders are, and from
    # then on Ne = N + 1/2 (Crow & Kimura 1970, no selfing).
    textbook = 2 * (start[0] - start[2]) * (1 - 1 / (2 * n + 1)) ** (generations - 1)
    assert observed.mean() == pytest.approx(textbook, rel=0.05)


@pytest.mark.parametrize(("distance_morgans", "generations"), [(0.01, 10), (0.1, 5), (0.5, 3)])
def test_breed__disequilibrium_decays_as_theory_says(distance_morgans, generations):
    # Two sites a contig. Founder haplotypes are 00 and 11 only, in people of all four kinds equally often: D0 = 1/4
    # and no covariance between the haplotypes of a person. c from the map by Haldane 1919.
    n, n_contigs = 20, 40
    variants = sites_at({f"c{i}": [1, 1 + round(distance_morgans * BASES_PER_MORGAN)] for i in range(n_contigs)})
    kinds = np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (n // 4, 1))
    recombination = (1 - np.exp(-2 * distance_morgans)) / 2
    q3 = (n - 1.5) / (4 * (n - 1))  # two people: all pairs of haplotypes together have a mean product of 1/4
    q1, q2, q3 = pair_moments(n, generations, recombination, (0.5, 0.25, q3))
    expected = q1 - ((q1 + q2) / (2 * n) + (1 - 1 / n) * q3)
    textbook = 0.25 * ((1 - recombination) * (1 - 1 / (2 * n))) ** generations
    assert expected == pytest.approx(textbook, rel=0.1)

    measured = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        haplotypes = np.stack([rng.permutation(kinds).ravel() for _ in range(n_contigs)], axis=1)
        alleles = np.repeat(haplotypes, 2, axis=1).astype(np.uint8)
        names = [f"p{i}" for i in range(n)]
        founders = Panel.from_alleles(alleles, variants, names, {"population": np.full(n, "P")})
        child = only(founders, generations=generations, size=n, seed=seed).panel().alleles().astype(float)
        a, b = child[:, ::2], child[:, 1::2]
        measured.append(((a * b).mean(0) - a.mean(0) * b.mean(0)).mean())
    assert_mean(measured, expected)


def test_breed__contigs_segregate_independently():
    # One child generation: the first sites of two contigs come from the same parental haplotype half of the time.
    founders = founders_of({"P": 2}, {"1": [5], "2": [7]})
    tracks = ancestry_tracks(only(founders, generations=1, size=4000))
    founder = tracks.founder.reshape(-1, 2)
    assert set(np.unique(tracks.founder)) == {0, 1, 2, 3}
    assert (founder[:, 0] // 2 == founder[:, 1] // 2).all(), "a gamete comes from one parent"
    same = (founder[:, 0] == founder[:, 1]).mean()
    assert abs(same - 0.5) < 4 * 0.5 / np.sqrt(8000)


@settings(deadline=None, max_examples=40)
@given(
    positions=st.dictionaries(
        st.sampled_from(["1", "2", "X"]),
        st.lists(st.integers(1, 40), min_size=1, max_size=20).map(sorted),
        max_size=3,
    ),
    people=st.integers(2, 4),
    generations=st.integers(1, 6),
    size=st.integers(2, 5),
    cm_per_mb=st.sampled_from([0.0, 1.0, 2e6, 5e6]),
    seed=st.integers(0, 2**32),
)
def test_tracks__reproduce_the_alleles_exactly(positions, people, generations, size, cm_per_mb, seed):
    founders = founders_of({"A": people, "B": 2}, positions, seed)
    maps = {contig: GeneticMap.uniform(1, 41, cm_per_mb) for contig in positions}
    mixture = Admixture({"A": 0.5, "B": 0.5}, generations)
    settings = {"level": "population", "size": size, "genetic_map": maps or None, "admix": [mixture], "seed": seed}
    kept = list(breed(founders, generations=generations, keep="all", **settings))
    assert len(kept) == 3 * generations
    for generation in kept:
        assert_array_equal(generation.panel().alleles(), alleles_by_tracks(generation))


def test_tracks__cover_each_contig_once_from_first_to_last_site():
    positions = {"1": [100, 5_000_000, 9_000_000], "2": [7], "3": [1, 400_000_000]}
    generation = only(founders_of({"P": 5}, positions), generations=12, size=6)
    tracks = ancestry_tracks(generation)
    for row in range(12):
        for contig, at in enumerate(positions.values()):
            here = (tracks.haplotype == row) & (tracks.contig == contig)
            assert tracks.start_bp[here][0] == at[0]
            assert tracks.end_bp[here][-1] == at[-1]
            assert_array_equal(tracks.start_bp[here][1:], tracks.end_bp[here][:-1] + 1)
            assert (np.diff(tracks.founder[here]) != 0).all()


def test_breed__founders_of_other_populations_and_parts_leave_no_trace():
    founders = founders_of({"A": 4, "B": 4}, {"1": list(range(1, 200_000_000, 5_000_000))})
    train = founders.select_samples(["A0", "A2", "A3", "B1", "B2"])
    for generation in breed(train, level="population", generations=5, size=6, keep="all"):
        used = {train.samples[row // 2] for row in ancestry_tracks(generation).founder}
        assert used <= {"A": {"A0", "A2", "A3"}, "B": {"B1", "B2"}}[generation.label]


def test_breed__parts_of_a_split_share_no_pedigree():
    founders = founders_of({"P": 8}, {"1": [1, 500_000_000]})
    halves = [founders.select_samples(founders.samples[i::2]) for i in range(2)]
    one, other = [ancestry_tracks(only(half, generations=3, size=5)).start_bp for half in halves]
    assert len(one) > 20
    assert not set(one[one > 1]) & set(other)


def test_breed__same_seed_same_bytes_and_another_seed_others():
    founders = founders_of({"A": 4, "B": 5}, {"1": list(range(1, 90_000_000, 1_000_000))})
    settings = {"level": "population", "generations": 4, "size": 5, "admix": [Admixture.parse("A=0.3,B=0.7@3")]}
    one, again, other = [gather(breed(founders, seed=seed, **settings)) for seed in (1, 1, 2)]
    assert one.bits.tobytes() == again.bits.tobytes()
    assert one.samples == again.samples
    assert one.bits.tobytes() != other.bits.tobytes()


def test_breed__a_population_does_not_depend_on_what_else_is_bred_or_kept():
    founders = founders_of({"A": 4, "B": 5, "C": 3}, {"1": list(range(1, 90_000_000, 1_000_000))})
    settings = {"level": "population", "generations": 4, "seed": 3}
    alone = {g.label: g for g in breed(founders, size={"B": 5}, **settings)}
    among = {g.label: g for g in breed(founders, size=5, admix=[Admixture.parse("A=0.5,C=0.5@2")], **settings)}
    every = {(g.label, g.number): g for g in breed(founders, size=5, keep="all", **settings)}
    assert list(alone) == ["B"]
    assert list(among) == ["A", "B", "C", "A+C"]
    expected = alone["B"].panel().bits
    assert_array_equal(among["B"].panel().bits, expected)
    assert_array_equal(every["B", 4].panel().bits, expected)


def test_breed__names_labels_and_kept_generations():
    founders = founders_of({"A": 4, "B": 5}, {"1": [1, 2, 3]})
    settings = {"level": "population", "admix": [Admixture.parse("B=0.5,A=0.5@2")], "name_prefix": "train_"}
    panel = gather(breed(founders, generations=5, size={"A": 2, "B+A": 3}, keep=[2, 5], **settings))
    assert panel.samples == (
        "train_A_g2_0001", "train_A_g2_0002", "train_A_g5_0001", "train_A_g5_0002",
        "train_B+A_g2_0001", "train_B+A_g2_0002", "train_B+A_g2_0003",
    )  # fmt: skip
    assert panel.labels("population").tolist() == ["A"] * 4 + ["B+A"] * 3
    assert panel.labels("generation").tolist() == ["2", "2", "5", "5", "2", "2", "2"]
    last = {g.label: g.number for g in breed(founders, generations=5, size=2, **settings)}
    assert last == {"A": 5, "B": 5, "B+A": 2}
    assert [g.label for g in breed(founders, size=2, **settings)] == ["B+A"]


def test_breed__blocks_join_to_the_panel(monkeypatch):
    generation = only(founders_of({"P": 3}, {"1": list(range(1, 30))}), generations=2, size=7)
    monkeypatch.setattr("haploom.popgen.breeding.BLOCK_BYTES", 2 * 2 * 4)  # two people of 4 bytes a haplotype
    blocks = list(generation.blocks())
    assert [block.n_samples for block in blocks] == [2, 2, 2, 1]
    assert_array_equal(np.concatenate([block.bits for block in blocks]), generation.panel().bits)


def test_breed__admixed_ancestry_follows_shares_and_time():
    # Ancestry along a haplotype is nearly a two-state Markov chain: after t generations of random mating in a large
    # population, stretches of A are exponential with rate t x (share of B) a Morgan (Falush et al. 2003). Nearly,
    # because crossovers of one meiosis go back and forth between the same two haplotypes, so that the longest
    # distance to the exponential is about 0.3 / t (measured at t = 5, 10 and 20 with 3,000 people).
    morgans, t, people = 20, 20, 1000
    founders = founders_of({"A": 300, "B": 300}, {"1": [1, morgans * BASES_PER_MORGAN]})
    generation = only(founders, size=people, admix=[Admixture({"A": 0.7, "B": 0.3}, t)])
    assert generation.label == "A+B"
    tracks = ancestry_tracks(generation)
    of_a = tracks.founder < 600
    length = (tracks.end_bp - tracks.start_bp + 1) / BASES_PER_MORGAN
    share = length[of_a].sum() / length.sum()
    assert share == pytest.approx(0.7, abs=0.06)  # shares drift like any frequency: SD 0.014 at the pulse, then more
    begins = np.ones(len(length), dtype=bool)
    begins[1:] = (of_a[1:] != of_a[:-1]) | (tracks.haplotype[1:] != tracks.haplotype[:-1])
    stretch, is_a, row = np.add.reduceat(length, np.flatnonzero(begins)), of_a[begins], tracks.haplotype[begins]
    inner = np.ones(len(stretch), dtype=bool)  # those cut off by an end of the contig are left out
    inner[1:] &= row[1:] == row[:-1]
    inner[:-1] &= row[:-1] == row[1:]
    inner[[0, -1]] = False
    for chosen, rate in ((is_a, t * (1 - share)), (~is_a, t * share)):
        stretches = np.sort(stretch[chosen & inner])
        assert len(stretches) > 10_000
        assert stretches.mean() == pytest.approx(1 / rate, rel=0.05)
        exponential = 1 - np.exp(-stretches / stretches.mean())
        assert np.abs(exponential - np.arange(1, len(stretches) + 1) / len(stretches)).max() < 0.03


def test_breed__generation_zero_of_an_admixed_population_is_not_mixed_within_a_haplotype():
    # One generation of mating: gametes of people whose haplotypes are each of one population, so ancestry changes
    # at most where that one meiosis recombined: as often as a Poisson of the map length, times 2 x 0.5 x 0.5.
    founders = founders_of({"A": 50, "B": 50}, {"1": [1, 2 * BASES_PER_MORGAN]})
    tracks = ancestry_tracks(only(founders, size=2000, admix=[Admixture.parse("A=0.5,B=0.5@1")]))
    of_a = tracks.founder < 100
    switches = ((of_a[1:] != of_a[:-1]) & (tracks.haplotype[1:] == tracks.haplotype[:-1])).sum() / 4000
    # Both haplotypes of a parent differ in population with chance 1/2; then every crossover changes it.
    assert switches == pytest.approx(2 * 0.5, abs=4 * np.sqrt((1 + 2**2 * 0.25) / 4000) + 0.02)


def test_draw_parents__two_distinct_parents_every_pair_alike():
    parents = draw_parents((np.array([3, 5, 8]),), (1.0,), 60_000, np.random.default_rng(1))
    pairs, counts = np.unique(parents, axis=0, return_counts=True)
    assert pairs.tolist() == [[3, 5], [3, 8], [5, 3], [5, 8], [8, 3], [8, 5]]
    assert np.abs(counts - 10_000).max() < 5 * np.sqrt(10_000)


def test_draw_parents__sources_by_their_shares():
    sources = np.array([1, 2]), np.array([7, 8, 9])
    parents = draw_parents(sources, (0.25, 0.75), 40_000, np.random.default_rng(1))
    assert (parents[:, 0] != parents[:, 1]).all()
    from_first = (parents < 5).sum(axis=1)
    expected = 40_000 * np.array([0.75**2, 2 * 0.25 * 0.75, 0.25**2])
    assert (np.abs(np.bincount(from_first) - expected) < 5 * np.sqrt(expected)).all()


def test_breed__no_sites_and_smallest_populations():
    empty = only(founders_of({"P": 2}, {}), generations=3, size=2)
    assert empty.panel().bits.shape == (4, 0)
    assert list(track_lines(empty)) == []
    assert only(founders_of({"P": 2}, {"1": [4]}), generations=1, size=1).panel().n_samples == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"generations": 2, "size": 1}, "two distinct parents.*2 or more"),
        ({"generations": 1, "size": 0}, "generation of 0"),
        ({"generations": 1, "size": {"one": 5}}, "population one has 1 founder.*naming the populations"),
        ({"generations": 1, "size": {"Z": 5}}, "no population Z.*there is A, B, one"),
        ({"generations": 1, "size": {}}, "nobody to breed"),
        ({"generations": 0, "size": 5}, "0 generations"),
        ({"size": 5}, "nothing to breed"),
        ({"generations": 3, "size": {"A": 5}, "keep": [0]}, "from 1 to 3"),
        ({"generations": 3, "size": {"A": 5}, "keep": [1, 4]}, "keep 1,4"),
        ({"generations": 3, "size": {"A": 5}, "keep": []}, "keep nothing"),
        ({"generations": 3, "size": {"A": 5}, "keep": "first"}, "keep first"),
        ({"size": {"A+Z": 5}, "admix": [Admixture({"A": 0.5, "Z": 0.5}, 2)]}, "no founder is of Z"),
        ({"size": 5, "admix": [Admixture({"A": 0.5, "B": 0.5}, t) for t in (2, 3)]}, "bred twice"),
        ({"generations": 1, "size": {"A": 5}, "admix": [Admixture({"A": 0.5, "B": 0.5}, 2)]}, r"no size.*A\+B"),
        ({"level": "clade", "generations": 1, "size": 5}, "clade"),
    ],
)
def test_breed__what_cannot_be_bred_is_said_at_once(settings, message):
    founders = founders_of({"A": 3, "B": 3, "one": 1}, {"1": [1, 2]})
    with pytest.raises(HaploomError, match=message):
        breed(founders, **{"level": "population", **settings})


@pytest.mark.parametrize(
    "text", ["AFR=0.8,EUR=0.2", "AFR@8", "AFR=1@8", "AFR=0.8,EUR=0.3@8", "A=0.5,A=0.5@8", "A=0.5,B=half@8",
             "A=1.5,B=-0.5@8", "A=nan,B=0.5@8", "A=0.5,B=0.5@0", "A=0.5,=0.5@2", "", "@"],
)  # fmt: skip
def test_admixture__what_cannot_be_read_is_refused(text):
    with pytest.raises(HaploomError, match="wanted"):
        Admixture.parse(text)


def test_admixture__reads_shares_and_generations():
    mixture = Admixture.parse("AFR=0.8,EUR=0.15,AMR=5e-2@12")
    assert mixture.proportions == {"AFR": 0.8, "EUR": 0.15, "AMR": 0.05}
    assert (mixture.label, mixture.generations) == ("AFR+EUR+AMR", 12)
