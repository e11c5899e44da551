"""Gaussians in integers against the standard library's, and draws against theory."""

import hashlib
import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from haploom.entropy_coding.normal_bins import (
    MAX_LOG_VARIANCE,
    MIN_LOG_VARIANCE,
    REACH,
    TOTAL_BITS,
    VALUE_BITS,
    inverse_sds,
    normal_cdf,
    normal_frequencies,
    pop_normals,
    pop_prior,
    prior_below,
    push_normals,
    push_prior,
)
from haploom.entropy_coding.stack_coder import StackCoder

STEP = 5
LATENTS = np.arange(-REACH << STEP, REACH << STEP).astype(np.int16)
N_BINS = len(LATENTS)


def fixed_point(mean: float, n: int) -> np.ndarray:
    return np.full(n, round(mean * 2**VALUE_BITS))


def test_tables__equal_the_standard_librarys():
    cdf = [0.5 * math.erfc(-place / 128 / math.sqrt(2)) * 2**40 for place in range(-1024, 1025)]
    assert np.abs(normal_cdf() - cdf).max() <= 0.5 + 1e-3
    sds = [65536 * math.exp(-log_variance / 32) for log_variance in range(MIN_LOG_VARIANCE, MAX_LOG_VARIANCE + 1)]
    assert_array_equal(inverse_sds(), np.floor(sds))


def test_tables__are_the_same_on_every_machine():
    # Archives depend on them: whatever changes one of these numbers changes the format.
    tables = (normal_cdf(), inverse_sds(), prior_below(5))
    digest = hashlib.sha256(b"".join(table.astype("<i8").tobytes() for table in tables)).hexdigest()
    assert digest == "755f8f38f39ffad721eb7a9f830133827e99accbe70972e130ec062b8fd4c37e"


@given(st.floats(-40, 40), st.integers(-400, 200))
def test_normal_frequencies__cover_the_total_whatever_the_gaussian(mean, log_variance):
    starts, frequencies = normal_frequencies(fixed_point(mean, N_BINS), np.full(N_BINS, log_variance), LATENTS, STEP)
    assert frequencies.min() >= 0
    assert_array_equal(starts, np.concatenate([[0], frequencies.cumsum()[:-1]]))
    assert frequencies.sum() == 1 << TOTAL_BITS


@pytest.mark.parametrize(("mean", "log_variance"), [(0, 0), (0.7, -32), (-2.5, -64), (1.2, -96), (0, 30)])
def test_normal_frequencies__are_those_of_the_gaussian(mean, log_variance):
    _, frequencies = normal_frequencies(fixed_point(mean, N_BINS), np.full(N_BINS, log_variance), LATENTS, STEP)
    posterior = NormalDist(mean, math.exp(log_variance / 32))
    edges = [(latent - 0.5) / 2**STEP for latent in LATENTS[1:]]
    wanted = np.diff([0.0, *(posterior.cdf(edge) for edge in edges), 1.0])
    # Linear between entries 1/128 apart, densities are right to about a thousandth.
    assert np.abs(frequencies / 2**TOTAL_BITS - wanted).sum() / 2 < 2e-3


def test_pop_normals__draws_have_mean_and_variance_and_can_be_given_back():
    n, mean, log_variance = 5000, 0.8, -48
    posterior = fixed_point(mean, n), np.full(n, log_variance)
    coder = StackCoder()
    latents = pop_normals(coder, *posterior, STEP)
    values, sd = latents / 2**STEP, math.exp(log_variance / 32)
    assert abs(values.mean() - mean) < 5 * sd / math.sqrt(n)
    assert abs(values.std() / sd - 1) < 5 / math.sqrt(2 * n)
    push_normals(coder, *posterior, latents, STEP)
    coder.check_empty()


@pytest.mark.parametrize(("mean", "log_variance"), [(0.8, -48), (-1.5, -80), (0.0, 0)])
def test_pop_normals__net_cost_is_the_divergence_from_the_prior(mean, log_variance):
    # Drawing gives -log2 q of each bin, the prior takes -log2 p; the mean of the difference is KL(q || p).
    n, variance = 20_000, math.exp(log_variance / 16)
    posterior = fixed_point(mean, n), np.full(n, log_variance)
    latents = pop_normals(StackCoder(), *posterior, STEP)
    _, frequencies = normal_frequencies(*posterior, latents, STEP)
    bits = np.log2(frequencies) - np.log2(np.diff(prior_below(STEP))[latents.astype(int) + (REACH << STEP)])
    divergence = 0.5 * (mean**2 + variance - 1 - math.log(variance)) / math.log(2)
    assert abs(bits.mean() - divergence) < 5 * bits.std() / math.sqrt(n) + 1e-3


def test_push_normals__a_bin_that_cannot_have_been_drawn_is_refused():
    with pytest.raises(ValueError, match="no place"):
        push_normals(StackCoder(), fixed_point(0.0, 1), np.array([-96]), np.array([500], np.int16), STEP)


@pytest.mark.parametrize("step_bits", [0, 5, 10])
def test_prior__every_latent_comes_back_and_is_charged_what_a_normal_says(step_bits):
    latents = np.arange(-REACH << step_bits, REACH << step_bits).astype(np.int16)
    coder = StackCoder()
    push_prior(coder, latents, step_bits)
    coder = StackCoder.from_bytes(coder.to_bytes())
    assert_array_equal(pop_prior(coder, len(latents), step_bits), latents)
    coder.check_empty()
    half, share = 0.5 / 2**step_bits, np.diff(prior_below(step_bits)) / 2**TOTAL_BITS
    wanted = [NormalDist().cdf(z + half) - NormalDist().cdf(z - half) for z in latents / 2**step_bits]
    assert np.abs(share - wanted).sum() / 2 < 4e-3


def test_prior__steps_too_fine_are_refused():
    with pytest.raises(ValueError, match=r"steps of 2\*\*-11"):
        prior_below(11)
