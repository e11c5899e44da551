"""The copying model against sums over every path, against theory, and against what it must do on real haplotypes."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from haploom.baselines.independent_sites import IndependentSites
from haploom.baselines.li_stephens import LiStephens
from haploom.errors import HaploomError, SiteMismatchError
from haploom.io import Selection, read_panel
from haploom.panel import PARTS, GeneticMap, Panel, Variants, split_people


def panel_of(alleles, positions_bp=None, chrom=None):
    n_sites = alleles.shape[1]
    positions_bp = np.arange(1, n_sites + 1) * 1000 if positions_bp is None else positions_bp
    chrom = np.full(n_sites, "22") if chrom is None else chrom
    column = np.full(n_sites, ".")
    variants = Variants(chrom, positions_bp, column, np.full(n_sites, "A"), np.full(n_sites, "C"))
    return Panel.from_alleles(alleles, variants, [f"P{i}" for i in range(len(alleles) // 2)])


def every_string(n_sites):
    return np.array(list(product((0, 1), repeat=n_sites)), dtype=np.uint8)


def by_paths(reference, switch, mismatch, haplotype, known):
    """(probability, probability of allele 1 and of the known ones at each site), summed over all K^n paths."""
    n, n_sites = reference.shape
    total, with_one = 0.0, np.zeros(n_sites)
    for path in product(range(n), repeat=n_sites):
        p = 1 / n
        for s in range(1, n_sites):
            p *= switch[s] / n + (1 - switch[s]) * (path[s] == path[s - 1])
        copied = reference[path, np.arange(n_sites)]
        p *= np.where(copied == haplotype, 1 - mismatch, mismatch)[known].prod()
        total += p
        with_one += p * np.where(copied == 1, 1 - mismatch, mismatch)
    return total, with_one


def by_matrices(reference, switch, mismatch, haplotype, known):
    """The same by full transition matrices: textbook forward-backward, nothing scaled or shared."""
    n, n_sites = reference.shape
    shown = [
        np.where(reference[:, s] == haplotype[s], 1 - mismatch, mismatch) if known[s] else np.ones(n)
        for s in range(n_sites)
    ]
    steps = [np.eye(n) * (1 - switch[s]) + switch[s] / n for s in range(n_sites)]
    forward = [shown[0] / n]
    for s in range(1, n_sites):
        forward.append(forward[-1] @ steps[s] * shown[s])
    backward = [np.ones(n)]
    for s in range(n_sites - 1, 0, -1):
        backward.insert(0, steps[s] @ (shown[s] * backward[0]))
    total = forward[-1].sum()
    states = np.array(forward) * np.array(backward) / total
    return np.log(total), (states * np.where(reference.T == 1, 1 - mismatch, mismatch)).sum(axis=1)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_li_stephens__agrees_with_the_sum_over_every_path(seed):
    rng = np.random.default_rng(seed)
    reference = rng.integers(0, 2, (4, 5), dtype=np.uint8)
    haplotype, known = rng.integers(0, 2, 5, dtype=np.uint8), rng.random(5) < 0.6
    positions_bp = np.sort(rng.integers(1, 3_000_000, 5))
    rate, mismatch = rng.uniform(0.1, 3), rng.uniform(0.001, 0.4)
    # Without a map, 1 cM is a million bp; no less than 1 bp counts.
    switch = np.append(1, 1 - np.exp(-rate * np.maximum(np.diff(positions_bp), 1) / 1e6))
    probability, with_one = by_paths(reference, switch, mismatch, haplotype, known)
    model = LiStephens(switches_per_cm=rate, mismatch=mismatch).fit(panel_of(reference, positions_bp))
    assert_allclose(model.log_likelihood(haplotype[None], known)[0], np.log(probability), atol=1e-12)
    wanted = np.where(known, haplotype, with_one / probability)
    assert_allclose(model.impute(haplotype[None], known)[0], wanted, rtol=1e-6)


def test_li_stephens__agrees_with_full_matrices_on_more_than_a_block():
    # 19 new haplotypes fill two blocks and part of a third; 50 sites make eight runs between kept states.
    rng = np.random.default_rng(2)
    reference = rng.integers(0, 2, (22, 50), dtype=np.uint8)
    new, known = rng.integers(0, 2, (19, 50), dtype=np.uint8), rng.random((19, 50)) < 0.7
    model = LiStephens(switches_per_cm=200, mismatch=0.02, threads=2).fit(panel_of(reference))
    switch = np.append(1, np.full(49, 1 - np.exp(-200 * 0.001)))
    log_p, imputed = model.log_likelihood(new, known), model.impute(new, known)
    for i in range(len(new)):
        wanted_log_p, wanted = by_matrices(reference, switch, 0.02, new[i], known[i])
        assert_allclose(log_p[i], wanted_log_p, rtol=1e-12)
        assert_allclose(imputed[i], np.where(known[i], new[i], wanted), rtol=1e-5)
    one_thread = LiStephens(switches_per_cm=200, mismatch=0.02).fit(panel_of(reference))
    assert_array_equal(one_thread.impute(new[::-1], known[::-1])[::-1], imputed)


def test_li_stephens__probabilities_of_all_strings_sum_to_one():
    reference = np.random.default_rng(3).integers(0, 2, (6, 10), dtype=np.uint8)
    model = LiStephens(switches_per_cm=300, mismatch=0.03).fit(panel_of(reference))
    strings = every_string(10)
    assert_allclose(np.exp(model.log_likelihood(strings)).sum(), 1, rtol=1e-12)
    # Unknown alleles are summed over: 4 known sites have 2^4 probabilities.
    known = np.isin(np.arange(10), [0, 3, 4, 9])
    of_known = np.exp(model.log_likelihood(strings, known))
    assert_allclose(of_known.sum(), 2**6, rtol=1e-12)
    same = (strings[:, known] == strings[77, known]).all(axis=1)
    assert_allclose(np.exp(model.log_likelihood(strings[same])).sum(), of_known[77], rtol=1e-12)


def test_li_stephens__a_copy_costs_its_choice_when_mismatch_is_small():
    # Never leaving one of 8 distinct haplotypes: ln 8 nats, and no more as mismatch and switches go to 0.
    reference = np.random.default_rng(4).integers(0, 2, (8, 40), dtype=np.uint8)
    model = LiStephens(switches_per_cm=1e-6, mismatch=1e-9).fit(panel_of(reference))
    assert_allclose(model.log_likelihood(reference), -np.log(8), atol=1e-5)
    half = np.arange(40) % 2 == 0
    assert_allclose(model.impute(reference, half), reference, atol=1e-5)


def test_li_stephens__first_sites_of_contigs_cost_their_frequency():
    # 3 of 4 carry the first allele, 1 of 4 the second, which is on another contig: two independent mixtures.
    reference = np.array([[1, 0], [1, 0], [1, 1], [0, 0]], dtype=np.uint8)
    panel = panel_of(reference, np.array([500, 500]), np.array(["21", "22"]))
    model = LiStephens(switches_per_cm=1, mismatch=0.1).fit(panel)
    first, second = 0.75 * 0.9 + 0.25 * 0.1, 0.25 * 0.9 + 0.75 * 0.1
    assert_allclose(model.log_likelihood(np.ones((1, 2), dtype=np.uint8)), np.log(first * second))
    imputed = model.impute(np.zeros((1, 2), dtype=np.uint8), np.zeros(2, dtype=bool))
    assert_allclose(imputed, [[first, second]], rtol=1e-6)
    assert_array_equal(model.log_likelihood(np.zeros((1, 2), dtype=np.uint8), np.zeros(2, dtype=bool)), [0])


def test_li_stephens__distance_is_the_map_s():
    reference = np.random.default_rng(5).integers(0, 2, (6, 8), dtype=np.uint8)
    new = every_string(8)[::7]
    # 1 cM per kb on the map is a thousand times the rate without one.
    mapped = LiStephens(switches_per_cm=0.2, mismatch=0.05, genetic_map=GeneticMap.uniform(1, 9000, 1000))
    plain = LiStephens(switches_per_cm=200, mismatch=0.05).fit(panel_of(reference))
    assert_allclose(mapped.fit(panel_of(reference)).log_likelihood(new), plain.log_likelihood(new))


def mosaics(rng, reference, n, switch, mismatch):
    rows = np.empty((n, reference.shape[1]), dtype=np.uint8)
    copied = rng.integers(len(reference), size=n)
    for s in range(reference.shape[1]):
        copied = np.where(rng.random(n) < switch, rng.integers(len(reference), size=n), copied)
        rows[:, s] = reference[copied, s] ^ (rng.random(n) < mismatch)
    return rows


def test_li_stephens__fit_finds_the_rates_of_its_own_mosaics():
    # 40 x 600 sites: about 240 switches and 480 mismatches, so 7 and 5 % of error, and half a step of 19 % each way.
    rng = np.random.default_rng(6)
    reference = rng.integers(0, 2, (30, 600), dtype=np.uint8)
    validation = panel_of(mosaics(rng, reference, 40, 0.01, 0.02))
    model = LiStephens().fit(panel_of(reference), validation)
    assert 1 / 1.4 < model.switches_per_cm_ / (-np.log1p(-0.01) / 0.001) < 1.4
    assert 1 / 1.3 < model.mismatch_ / 0.02 < 1.3
    given = LiStephens(mismatch=0.05).fit(panel_of(reference), validation)
    assert given.mismatch_ == 0.05


def test_li_stephens__imputed_probabilities_are_calibrated():
    # Of the true model the imputed probability is the chance of a 1: the sum of (allele - p) has variance sum p(1-p).
    rng = np.random.default_rng(7)
    reference = rng.integers(0, 2, (20, 200), dtype=np.uint8)
    new, known = mosaics(rng, reference, 64, 0.05, 0.02), rng.random((64, 200)) < 0.5
    model = LiStephens(switches_per_cm=-np.log1p(-0.05) / 0.001, mismatch=0.02).fit(panel_of(reference))
    p = model.impute(new, known).astype(np.float64)
    for low, high in ((0, 0.2), (0.2, 0.8), (0.8, 1)):
        chosen = ~known & (p >= low) & (p <= high)
        # Four standard errors, doubled: alleles of one haplotype are not independent.
        assert abs((new - p)[chosen].sum()) < 8 * np.sqrt((p * (1 - p))[chosen].sum())
    assert_array_equal(p[known], new[known])
    right, foretold = ((p > 0.5) == new)[~known].mean(), np.maximum(p, 1 - p)[~known].mean()
    assert abs(right - foretold) < 0.02
    assert right > 0.8


def test_li_stephens__what_cannot_be_used_is_refused():
    reference = panel_of(np.zeros((4, 6), dtype=np.uint8))
    with pytest.raises(HaploomError, match="mismatch=0 is out of range"):
        LiStephens(mismatch=0).fit(reference)
    with pytest.raises(HaploomError, match="there are none"):
        LiStephens(mismatch=0.1).fit(reference)
    with pytest.raises(HaploomError, match="0 haplotypes"):
        LiStephens().fit(reference.select_samples([]))
    with pytest.raises(SiteMismatchError, match="5 sites"):
        LiStephens().fit(reference, reference.select_sites(slice(5)))
    model = LiStephens(switches_per_cm=1, mismatch=0.1).fit(reference)
    with pytest.raises(SiteMismatchError, match="have 7 sites, the reference 6"):
        model.log_likelihood(np.zeros((2, 7), dtype=np.uint8))
    with pytest.raises(ValueError, match="must be 0 or 1"):
        model.log_likelihood(np.full((2, 6), 2, dtype=np.uint8))
    with pytest.raises(ValueError, match="known is bool"):
        model.impute(np.zeros((2, 6), dtype=np.uint8), np.zeros(5, dtype=bool))


def test_li_stephens__real_haplotypes_cost_far_less_than_independent_sites(real_data):
    # 40 kb of 500 people's chromosome 22; over the whole megabase it is 0.035 of 0.47 bits a site.
    panel = read_panel(real_data / "chr22-dense.vcf.gz", Selection(regions=("22:50500000-50540000",)))
    panel = panel.select_samples(panel.samples[::5])
    split = split_people(panel.samples, ["all"] * panel.n_samples, (0.7, 0.1, 0.2))
    parts = {part: panel.select_samples(split.samples(part, panel.samples)) for part in PARTS}
    common = parts["train"].minor_allele_frequencies() > 0.01
    train, validation, test = (parts[part].select_sites(common) for part in PARTS)
    copying, independent = LiStephens().fit(train, validation), IndependentSites().fit(train)
    new = test.alleles()
    bits = -copying.log_likelihood(new).mean() / np.log(2) / train.n_sites
    assert 0.01 < bits < 0.1
    assert bits < -independent.log_likelihood(new).mean() / np.log(2) / train.n_sites / 5

    untyped = np.arange(train.n_sites) % 2 == 1
    wrong = (copying.impute(new, ~untyped)[:, untyped] > 0.5) != new[:, untyped]
    wrong_by_frequency = (independent.impute(new, ~untyped)[:, untyped] > 0.5) != new[:, untyped]
    assert wrong.mean() < wrong_by_frequency.mean() / 10
