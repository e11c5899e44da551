import numpy as np
import pytest

from haploom.popgen.intervals import N_BLOCKS, mean_over_sites


def test_mean_over_sites__of_equal_blocks_is_the_textbook_interval():
    # With blocks of the same size the jackknife error is the standard error of the block means.
    values = np.random.default_rng(1).random(10 * N_BLOCKS)
    means = values.reshape(N_BLOCKS, 10).mean(axis=1)
    scipy_stats = pytest.importorskip("scipy.stats")
    low, high = scipy_stats.t.interval(0.95, N_BLOCKS - 1, means.mean(), scipy_stats.sem(means))
    assert mean_over_sites(values) == pytest.approx((values.mean(), low, high), rel=1e-3)


def test_mean_over_sites__covers_the_truth_of_linked_values():
    # Runs of 25 equal values: 95 % of 400 intervals, give or take three standard errors, hold the mean 0.
    rng = np.random.default_rng(2)
    held = [
        estimate.low < 0 < estimate.high
        for estimate in (mean_over_sites(np.repeat(rng.standard_normal(400), 25)) for _ in range(400))
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 400))


def test_mean_over_sites__too_few_sites_have_no_interval():
    few = mean_over_sites(np.ones(N_BLOCKS - 1))
    assert few.value == 1
    assert np.isnan([few.low, few.high, *mean_over_sites(np.array([]))]).all()
