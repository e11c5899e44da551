import numpy as np
import pytest

from haploom.errors import HaploomError
from haploom.panel import Panel, Variants
from haploom.popgen.differentiation import fst_matrix, hudson_fst, population_counts


@pytest.fixture(scope="module")
def drifted():
    """Three populations of unequal size drifted from the same frequencies (Balding-Nichols)."""
    rng = np.random.default_rng(4)
    n_sites, people, drift = 3000, {"A": 40, "B": 25, "C": 60}, (0.02, 0.1, 0.2)
    ancestral = rng.uniform(0.05, 0.95, n_sites)
    rows = []
    for n, f in zip(people.values(), drift):
        frequency = rng.beta(ancestral * (1 - f) / f, (1 - ancestral) * (1 - f) / f)
        rows.append(rng.random((2 * n, n_sites)) < frequency)
    variants = Variants(["1"] * n_sites, np.arange(n_sites), ["."] * n_sites, ["A"] * n_sites, ["C"] * n_sites)
    labels = np.repeat(list(people), list(people.values()))
    panel = Panel.from_alleles(np.concatenate(rows), variants, [f"S{i}" for i in range(len(labels))], {"pop": labels})
    return panel.select_samples(np.random.default_rng(8).permutation(panel.samples).tolist())


def test_population_counts__are_the_sums_of_the_rows(drifted):
    counts = population_counts(drifted, "pop")
    labels, alleles = drifted.labels("pop", per="haplotype"), drifted.alleles()
    assert sorted(counts.labels) == ["A", "B", "C"]
    for label, n, alternate in zip(counts.labels, counts.n_haplotypes, counts.alternate):
        assert n == (labels == label).sum()
        np.testing.assert_array_equal(alternate, alleles[labels == label].sum(axis=0))


def test_population_counts__unknown_level(drifted):
    with pytest.raises(HaploomError, match="no label level"):
        population_counts(drifted, "continent")


def test_hudson_fst__by_hand():
    # One site: 3 of 4 against 1 of 2. (1/16 - (3/16)/3 - (1/4)/1) / (3/8 + 1/8) = -1/4 / (1/2).
    assert hudson_fst(np.array([3]), 4, np.array([1]), 2) == pytest.approx(-0.5)
    assert hudson_fst(np.array([4, 0]), 4, np.array([0, 6]), 6) == 1


def test_hudson_fst__undefined_is_nan():
    assert np.isnan(hudson_fst(np.array([0, 4]), 4, np.array([0, 6]), 6))
    assert np.isnan(hudson_fst(np.array([1]), 1, np.array([0]), 6))


def test_fst_matrix__agrees_with_scikit_allel(drifted):
    allel = pytest.importorskip("allel")
    counts = population_counts(drifted, "pop")
    fst = fst_matrix(counts)
    ours = [np.stack([n - alternate, alternate], axis=1) for n, alternate in zip(counts.n_haplotypes, counts.alternate)]
    for a in range(3):
        for b in range(3):
            numerator, denominator = allel.hudson_fst(ours[a], ours[b])
            wanted = numerator.sum() / denominator.sum() if a != b else 0
            assert fst[a, b] == pytest.approx(wanted, abs=1e-12)


def test_fst_matrix__recovers_the_drift_simulated(drifted):
    # Hudson's Fst estimates the mean of the two populations' drift (Bhatia et al. 2013).
    counts = population_counts(drifted, "pop")
    place = {label: i for i, label in enumerate(counts.labels)}
    fst = fst_matrix(counts)
    for a, b, drift in (("A", "B", 0.06), ("A", "C", 0.11), ("B", "C", 0.15)):
        assert fst[place[a], place[b]] == pytest.approx(drift, abs=0.012)
