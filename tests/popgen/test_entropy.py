from math import comb, log2

import numpy as np
import pytest

from haploom.panel import Panel, Variants
from haploom.popgen.entropy import (
    binary_entropy,
    bootstrap_site_entropy,
    population_entropies,
    site_entropy,
    tsallis_entropy,
)


def panel_of(alleles, labels=None):
    n_haplotypes, n_sites = alleles.shape
    variants = Variants(["1"] * n_sites, np.arange(1, n_sites + 1), ["."] * n_sites, ["A"] * n_sites, ["C"] * n_sites)
    samples = [f"S{i}" for i in range(n_haplotypes // 2)]
    return Panel.from_alleles(alleles.astype(np.uint8), variants, samples, {"population": labels} if labels else None)


def test_binary_entropy__known_values():
    # By hand: h(1/4) = 1/4 * 2 + 3/4 * log2(4/3) = 2 - 3/4 log2 3.
    assert binary_entropy(np.array([0, 0.25, 0.5, 1])).tolist() == pytest.approx([0, 2 - 0.75 * log2(3), 1, 0])


def test_binary_entropy__unknown_stays_unknown():
    assert np.isnan(binary_entropy(np.array([np.nan]))).all()


def test_site_entropy__counts_alternate_alleles():
    alleles = np.array([[0, 1, 1, 0], [0, 1, 0, 0], [0, 1, 0, 1], [0, 1, 1, 0]])
    assert site_entropy(panel_of(alleles)).tolist() == pytest.approx([0, 0, 1, 2 - 0.75 * log2(3)])


def test_site_entropy__nobody_is_an_error():
    with pytest.raises(ValueError, match="at least one haplotype"):
        site_entropy(panel_of(np.zeros((0, 3))))


@pytest.mark.parametrize("copies", [1, 7, 20])
def test_bootstrap_site_entropy__expectation_is_binomial(copies):
    # Draws with replacement: the count among n is Binomial(n, copies / 40), so the mean entropy is known exactly.
    n, draws, p = 8, 400, copies / 40
    rng = np.random.default_rng(5)
    alleles = rng.permuted(np.repeat((np.arange(40) < copies)[:, None], 300, axis=1), axis=0)
    weights = [comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    values = [-sum(q * log2(q) for q in (k / n, 1 - k / n) if q > 0) for k in range(n + 1)]
    expected = np.dot(weights, values)
    spread = np.sqrt(np.dot(weights, np.square(values)) - expected**2)
    drawn = bootstrap_site_entropy(panel_of(alleles), np.arange(40), n, draws, seed=3)
    # Sites share their draws, but within a draw a permuted site is nearly independent of the others.
    assert np.abs(drawn - expected).max() < 5 * spread / np.sqrt(draws)


def test_bootstrap_site_entropy__draws_only_from_the_rows():
    alleles = np.zeros((12, 5))
    alleles[:6] = np.arange(6)[:, None] % 2
    assert bootstrap_site_entropy(panel_of(alleles), np.arange(6, 12)).max() == 0
    assert bootstrap_site_entropy(panel_of(alleles), np.arange(6)).min() > 0.9


@pytest.mark.parametrize(("rows", "n", "draws"), [(0, 32, 50), (4, 0, 50), (4, 32, 0)])
def test_bootstrap_site_entropy__nothing_to_draw_is_an_error(rows, n, draws):
    with pytest.raises(ValueError, match="needs"):
        bootstrap_site_entropy(panel_of(np.zeros((4, 2))), np.arange(rows), n, draws)


def test_population_entropies__do_not_depend_on_the_others():
    rng = np.random.default_rng(2)
    panel = panel_of(rng.integers(0, 2, (20, 50)), ["B"] * 4 + ["A"] * 6)
    both = population_entropies(panel, seed=9)
    assert list(both) == ["B", "A"]
    alone = population_entropies(panel.select_samples(panel.samples[4:]), seed=9)
    np.testing.assert_array_equal(alone["A"], both["A"])
    assert (population_entropies(panel, seed=10)["A"] != both["A"]).any()


def test_tsallis_entropy__known_values():
    # Order 2: 1 - 1/16 - 9/16 = 2 p (1 - p). Order 1/2: (sqrt(1/4) + sqrt(3/4) - 1) / (1/2).
    p = np.array([0, 0.25, 1])
    assert tsallis_entropy(p, 2).tolist() == pytest.approx([0, 3 / 8, 0])
    assert tsallis_entropy(p, 0.5).tolist() == pytest.approx([0, 3**0.5 - 1, 0])


def test_tsallis_entropy__order_one_is_the_limit():
    p = np.linspace(0, 1, 11)
    for order in (1 - 1e-6, 1 + 1e-6):
        np.testing.assert_allclose(tsallis_entropy(p, order), tsallis_entropy(p, 1), atol=1e-6)
    np.testing.assert_allclose(tsallis_entropy(p, 1) / np.log(2), binary_entropy(p))


@pytest.mark.parametrize("order", [0, -1, np.inf, np.nan])
def test_tsallis_entropy__impossible_orders(order):
    with pytest.raises(ValueError, match="wanted above 0"):
        tsallis_entropy(np.array([0.5]), order)


def test_bootstrap_site_entropy__of_order_two_is_heterozygosity():
    # E[2 k/n (1 - k/n)] = 2 p (1 - p) (n - 1) / n for k ~ Binomial(n, p).
    alleles = np.random.default_rng(5).permuted(np.repeat((np.arange(40) < 10)[:, None], 300, axis=1), axis=0)
    drawn = bootstrap_site_entropy(panel_of(alleles), np.arange(40), 8, 400, order=2)
    assert drawn.mean() == pytest.approx(2 * 0.25 * 0.75 * 7 / 8, rel=0.01)


def test_bootstrap_site_entropy__correction_takes_the_bias_away():
    # A large population at p = 0.4: the plug-in entropy of 32 is low by 1 / (64 ln 2) = 0.0225 bits.
    alleles = np.random.default_rng(7).permuted(np.repeat((np.arange(5000) < 2000)[:, None], 50, axis=1), axis=0)
    panel, truth = panel_of(alleles), binary_entropy(0.4)
    plain, corrected = (
        bootstrap_site_entropy(panel, np.arange(5000), 32, 200, bias_correction=correct).mean()
        for correct in (False, True)
    )
    assert truth - plain == pytest.approx(1 / (64 * np.log(2)), abs=0.004)
    assert corrected == pytest.approx(truth, abs=0.004)


def test_bootstrap_site_entropy__fixed_sites_stay_at_zero_when_corrected():
    assert bootstrap_site_entropy(panel_of(np.ones((4, 3))), np.arange(4), bias_correction=True).max() == 0


def test_bootstrap_site_entropy__tsallis_has_no_correction():
    with pytest.raises(ValueError, match="Shannon"):
        bootstrap_site_entropy(panel_of(np.ones((4, 3))), np.arange(4), order=2, bias_correction=True)
