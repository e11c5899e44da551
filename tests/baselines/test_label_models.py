from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from haploom.baselines.kernel_ridge import KernelRidge, squared_distances
from haploom.baselines.label_copying import LabelCopying
from haploom.baselines.label_frequencies import LabelFrequencies
from haploom.baselines.stretches import Stretches

START = np.array([0, 6, 14])


def slow_log_likelihoods(reference, chrom, position_bp, alleles, rate, bits, left_out=()):
    """The copying model in floats, a site and a label at a time."""
    out = []
    for first, last in pairwise(START):
        rows = [row for row in range(first, last) if row not in left_out]
        states, log_p = np.full(len(rows), 1 / len(rows)), 0.0
        for s in range(len(alleles)):
            if s:
                gap = max(position_bp[s] - position_bp[s - 1], 1) if chrom[s] == chrom[s - 1] else np.inf
                switch = 1 - np.exp(-rate * gap / 1e6)
                states = states * (1 - switch) + switch / len(rows)
            odds = np.where(reference[rows, s] == alleles[s], 1.0, 2.0**-bits)
            states = states * odds / (1 + 2.0**-bits)
            log_p += np.log(states.sum())
            states /= states.sum()
        out.append(log_p)
    return out


@given(st.integers(0, 2**32 - 1), st.sampled_from([5, 7, 10, 12]), st.sampled_from([1.0, 30.0, 1000.0]))
def test_label_copying__as_a_slow_model(seed, bits, rate):
    rng = np.random.default_rng(seed)
    reference = rng.integers(0, 2, (14, 25), dtype=np.uint8)
    chrom = np.array(["1"] * 15 + ["2"] * 10)
    position = np.concatenate([np.sort(rng.integers(1, 10**6, 15)), np.sort(rng.integers(1, 10**6, 10))])
    model = LabelCopying(reference, START, chrom, position, switches_per_mb=rate, mismatch_bits=bits)
    new = rng.integers(0, 2, (3, 25), dtype=np.uint8)
    wanted = [slow_log_likelihoods(reference, chrom, position, row, rate, bits) for row in new]
    assert_allclose(model.log_likelihoods(new), wanted, atol=0.01)
    left_out = model.log_likelihoods(reference[[3, 9]], np.array([3, 9]))
    pairs = [(3, (2, 3)), (9, (8, 9))]
    wanted = [slow_log_likelihoods(reference, chrom, position, reference[i], rate, bits, pair) for i, pair in pairs]
    assert_allclose(left_out, wanted, atol=0.01)


def test_label_copying__long_stretches_and_more_rows_than_lanes():
    # Mosaics of three founders show few patterns, so that stretches are long; the last is a broken one.
    rng = np.random.default_rng(8)
    founders = rng.integers(0, 2, (3, 210), dtype=np.uint8)

    def people(n):
        source = np.repeat(rng.integers(0, 3, (n, 3)), 70, axis=1)
        return founders[source, np.arange(210)] ^ (rng.random((n, 210)) < 0.01).astype(np.uint8)

    reference, new, chrom = people(14), people(70), np.repeat(["1", "2"], 105)
    position = np.sort(rng.integers(1, 10**6, 210))
    model = LabelCopying(reference, START, chrom, position, switches_per_mb=30, mismatch_bits=8)
    got = model.log_likelihoods(new)
    wanted = [slow_log_likelihoods(reference, chrom, position, row, 30, 8) for row in new]
    assert_allclose(got, wanted, atol=1e-3)
    model.threads = 2
    assert_array_equal(model.log_likelihoods(new[::-1]), got[::-1])
    assert_array_equal(model.log_likelihoods(new[66:67]), got[66:67])
    left_out = model.from_everybody().log_likelihoods(reference, np.arange(14))[:, 0]
    for row in (0, 5, 13):
        others = np.delete(reference, [row // 2 * 2, row // 2 * 2 + 1], axis=0)
        alone = LabelCopying(others, START[[0, 0]] + [0, 12], chrom, position, switches_per_mb=30, mismatch_bits=8)
        assert_allclose(left_out[row], alone.log_likelihoods(reference[row : row + 1])[0, 0], atol=1e-3)


@given(st.integers(0, 2**32 - 1), st.integers(1, 150), st.sampled_from([2, 9]))
def test_stretches__patterns_spell_the_haplotypes(seed, n_sites, n_founders):
    rng = np.random.default_rng(seed)
    columns = rng.integers(0, 2, (n_sites, n_founders), dtype=np.uint8)[:, rng.integers(0, n_founders, 12)]
    found = Stretches.of(columns)
    sites = np.arange(n_sites)
    stretch = sites // found.width
    patterns = found.bits[found.first[stretch][:, None] + found.pattern_of[stretch]]
    assert_array_equal(patterns >> (sites % found.width).astype(np.uint64)[:, None] & np.uint64(1), columns)
    assert len(found.first) == len(found.pattern_of) + 1 == -(-n_sites // found.width) + 1
    for first, last in pairwise(found.first):
        assert len(np.unique(found.bits[first:last])) == last - first


def test_kernel_ridge__left_out_as_fitted_without_the_person():
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 2, (30, 80), dtype=np.uint8)
    labels = np.repeat(np.arange(15) % 3, 2)
    distances = squared_distances(counts, np.True_, counts)
    fitted = KernelRidge().fit(distances, labels, 2)
    kernel = np.exp(-fitted.width_ * distances)
    targets = np.eye(3)[labels] - fitted.mean_
    for person in (0, 7, 14):
        own = [2 * person, 2 * person + 1]
        others = np.setdiff1d(np.arange(30), own)
        weights = np.linalg.solve(kernel[np.ix_(others, others)] + fitted.ridge_ * np.eye(28), targets[others])
        assert_allclose(fitted.left_out_[own], fitted.mean_ + kernel[np.ix_(own, others)] @ weights, atol=1e-9)
    assert_allclose(fitted.scores(distances), fitted.mean_ + kernel @ fitted.weights_, atol=1e-3)


def test_squared_distances__missing_calls_are_left_out_and_scaled_up():
    rng = np.random.default_rng(4)
    counts, reference = rng.integers(0, 3, (5, 60), dtype=np.uint8), rng.integers(0, 3, (7, 60), dtype=np.uint8)
    called = rng.random((5, 60)) < 0.6
    counts[~called] = 0
    wanted = [
        [((x.astype(int) - r.astype(int))[c] ** 2).sum() * 60 / c.sum() for r in reference]
        for x, c in zip(counts, called)
    ]
    assert_allclose(squared_distances(counts, called, reference), wanted)
    assert_array_equal(squared_distances(counts[2:3], called[2:3], reference)[0],
                       squared_distances(counts, called, reference)[2])  # fmt: skip


def test_label_frequencies__left_out_as_counted_without_the_person():
    rng = np.random.default_rng(6)
    counts, labels = rng.integers(0, 3, (9, 20), dtype=np.uint8), np.repeat([0, 1, 2], 3)

    def of(rows):
        alternate = np.stack([counts[[r for r in rows if labels[r] == k]].sum(axis=0) for k in range(3)]).astype(int)
        total = np.stack([np.full(20, 2 * sum(labels[r] == k for r in rows)) for k in range(3)])
        return LabelFrequencies(alternate, total)

    got = of(range(9)).left_out(counts, np.True_, labels)
    for row in range(9):
        wanted = of([r for r in range(9) if r != row]).log_likelihoods(counts[row : row + 1], np.True_)[0]
        assert_allclose(got[row, labels[row]], wanted[labels[row]], atol=1e-3)
