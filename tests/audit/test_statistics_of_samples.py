"""Frequencies, pairs and triples of sites by group, against counting again without the group."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from haploom.audit.frequencies import AlleleCounts, frequency_figures, population_figures, rare_allele_share, rare_sites
from haploom.audit.linkage import (
    EDGES_BP,
    SetCounts,
    common_sites,
    draw_pairs,
    draw_triples,
    pair_figures,
    triple_figures,
)
from haploom.audit.sampling import N_GROUPS, bootstrap, jackknife, matched_samples, shared_populations
from haploom.errors import HaploomError


@pytest.fixture(scope="module")
def halves(two_populations):
    """Two halves of the people, as samples, and their allele counts."""
    names = two_populations.samples
    panels = [two_populations.select_samples(names[start::2]) for start in (0, 1)]
    samples = matched_samples(panels, "population", ["north", "south"], 1000, seed=1)
    return samples, [AlleleCounts.of(sample) for sample in samples]


def kept_alleles(sample, without):
    """Population -> alleles of all but one group."""
    rows, labels = sample.rows[sample.groups != without], sample.haplotype_labels[sample.groups != without]
    return {label: sample.panel.alleles(rows[labels == label]).astype(float) for label in sample.labels}


def test_matched_samples__as_many_of_each_population(two_populations):
    few = two_populations.select_samples(two_populations.samples[20:50])  # 10 of north, 20 of south
    samples = matched_samples([two_populations, few], "population", ["north", "south"], 1000, seed=1)
    assert [[len(each) for each in sample.people.values()] for sample in samples] == [[10, 20]] * 2
    assert [sample.panel.labels("population")[sample.rows // 2].tolist() for sample in samples] == [
        sample.haplotype_labels.tolist() for sample in samples
    ]
    fewer = matched_samples([two_populations, few], "population", ["north", "south"], 15, seed=1)
    assert [len(each) for each in fewer[0].people.values()] == [5, 10]
    assert len(np.unique(fewer[0].rows)) == 30


def test_shared_populations__none_is_an_error(two_populations):
    other = two_populations.with_populations({"population": np.full(two_populations.n_samples, "west")})
    with pytest.raises(HaploomError, match="no population of column 'population' in common"):
        shared_populations([two_populations, other], "population")


def test_jackknife__of_a_mean_has_the_classical_error():
    values = np.random.default_rng(1).normal(size=(N_GROUPS, 7))
    found = jackknife(lambda group: {"mean": values[np.arange(N_GROUPS) != group].mean()})["mean"]
    error = values.mean(axis=1).std(ddof=1) / np.sqrt(N_GROUPS)
    assert_allclose(found, [values.mean(), values.mean() - 2.262 * error, values.mean() + 2.262 * error])


def test_bootstrap__interval_of_a_mean_is_near_theory():
    scores = np.random.default_rng(1).normal(size=400)
    found = bootstrap(lambda each: float(each.mean()), scores, seed=1, n_resamples=2000)
    error = scores.std() / 20
    assert_allclose([found.low, found.high], [scores.mean() - 1.96 * error, scores.mean() + 1.96 * error], atol=0.01)


@pytest.mark.parametrize("without", [None, 3])
def test_frequency_figures__by_counting_again(halves, without):
    samples, counts = halves
    found = frequency_figures(*counts, without)
    ours, theirs = (kept_alleles(sample, without) for sample in samples)
    p, q = (np.stack([each.mean(axis=0) for each in of.values()]) for of in (ours, theirs))
    assert_allclose(found["frequency_error"], np.sqrt(((p - q) ** 2).mean()))
    pooled = [np.concatenate(list(of.values())).mean(axis=0) for of in (ours, theirs)]
    assert_allclose(found["frequency_correlation"], np.corrcoef(pooled)[0, 1])
    pi = [[_pairwise_difference(each) for each in of.values()] for of in (ours, theirs)]
    assert_allclose(found["heterozygosity_error"], np.mean([abs(a / b - 1) for a, b in zip(*pi)]))


def test_population_figures__are_those_of_the_panel(halves):
    samples, counts = halves
    found = population_figures(samples[0].labels, [*counts, counts[1]])
    for place, label in enumerate(samples[0].labels):
        of = [kept_alleles(sample, None)[label] for sample in (*samples, samples[1])]
        assert (found[place].label, found[place].n_haplotypes) == (label, len(of[0]))
        p = np.stack([each.mean(axis=0) for each in of])
        with np.errstate(divide="ignore", invalid="ignore"):
            bits = np.nan_to_num(-p * np.log2(p)) + np.nan_to_num(-(1 - p) * np.log2(1 - p))
        assert_allclose(found[place].entropy_bits, bits.mean(axis=1))
        assert_allclose(found[place].heterozygosity, [_pairwise_difference(each) for each in of])
        assert found[place].fst[1] <= 0  # of people from themselves, unbiased


def _pairwise_difference(alleles):
    n = len(alleles)
    return np.mean([(alleles[i] != alleles[j]).mean() for i in range(n) for j in range(i)])


def test_common_sites__are_those_of_both_samples(halves):
    samples, counts = halves
    common = common_sites(*counts)
    for place, label in enumerate(samples[0].labels):
        share = np.concatenate([kept_alleles(sample, None)[label] for sample in samples]).mean(axis=0)
        assert_array_equal(common[:, place], np.minimum(share, 1 - share) > 0.05)


@pytest.mark.parametrize("width", [None, 40])
def test_draw_pairs__distances_and_borders(halves, width):
    samples, counts = halves
    variants, common = samples[0].panel.variants, common_sites(*counts)
    windows = np.arange(len(variants)) // width if width else None
    pairs = draw_pairs(variants, common, np.random.default_rng(1), windows)
    apart = variants.position_bp[pairs.sites[:, 1]] - variants.position_bp[pairs.sites[:, 0]]
    assert len(apart) > 500
    assert (apart >= EDGES_BP[pairs.bins]).all()
    assert (apart < EDGES_BP[pairs.bins + 1]).all()
    assert pairs.common.any(axis=1).all()
    if width:
        assert (pairs.sites[:, 0] // width < pairs.sites[:, 1] // width).all()


@pytest.mark.parametrize("without", [None, 3])
def test_pair_figures__by_numpy(halves, without):
    samples, counts = halves
    pairs = draw_pairs(samples[0].panel.variants, common_sites(*counts), np.random.default_rng(1))
    found = pair_figures(pairs, *(SetCounts.of(sample, pairs) for sample in samples), without)
    of = [kept_alleles(sample, without) for sample in samples]
    squares, differences = [], []
    for place, label in enumerate(samples[0].labels):
        here = np.flatnonzero(pairs.common[:, place])
        with np.errstate(invalid="ignore", divide="ignore"):
            r = [np.nan_to_num(np.corrcoef(alleles[label].T)) for alleles in of]
        r = [each[tuple(pairs.sites[here].T)] for each in r]
        differences.append(r[0] - r[1])
        for bin_ in np.unique(pairs.bins):
            inside = pairs.bins[here] == bin_
            if inside.sum() >= 20:
                squares.append(abs((r[0][inside] ** 2).mean() - (r[1][inside] ** 2).mean()))
    assert_allclose(found["ld_decay_error"], np.mean(squares))
    assert_allclose(found["ld_matrix_error"], np.sqrt((np.concatenate(differences) ** 2).mean()))


def test_triple_figures__by_numpy(halves):
    samples, counts = halves
    triples = draw_triples(samples[0].panel.variants, common_sites(*counts), np.random.default_rng(1))
    assert len(np.unique(triples.bins)) >= 4
    found = triple_figures(triples, *(SetCounts.of(sample, triples) for sample in samples))
    moments = []
    for sample in samples:
        total = np.zeros(len(triples.sites))
        for place, alleles in enumerate(kept_alleles(sample, None).values()):
            centred = (alleles - alleles.mean(axis=0))[:, triples.sites]
            total += np.where(triples.common[:, place], centred.prod(axis=2).mean(axis=0), 0)
        moments.append(total / triples.common.sum(axis=1))
    assert_allclose(found["three_point_correlation"], np.corrcoef(moments)[0, 1])


def test_rare_alleles__reference_alleles_count_too(halves):
    samples, counts = halves
    n = len(samples[0].rows)
    # Of 10 training haplotypes: 1, 9, 2, 8 and 5 alternate alleles, and none. The rarer allele of 9 is the reference.
    sites, flipped = rare_sites(np.array([1, 9, 2, 8, 5, 0]), 10)
    assert_array_equal(sites, [0, 1, 2, 3])
    assert_array_equal(flipped, [False, True, False, True])
    total = counts[0].alternate.sum(axis=(0, 1))[sites]
    wanted = np.where(flipped, n - total, total) > 0
    assert rare_allele_share(counts[0], sites, flipped, None) == wanted.mean()
