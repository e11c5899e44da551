"""Latent numbers as Gaussians over bins: draws and their code lengths, in integers only.

A latent is a multiple of 2^-step_bits, from -REACH up to but without REACH, and stands for the bin half a step around
it (the outermost bins reach to infinity). A Gaussian N(mean, sd^2) gives each bin a frequency of 2**TOTAL_BITS, the
difference of a rounded-down cumulative distribution at its two edges; a bin far from the mean has none. The prior
N(0, 1) gives each bin at least 1, so that every latent can be coded under it: its cumulative distribution c becomes
(c * (2**TOTAL_BITS - n_bins) >> TOTAL_BITS) + bin, bins counted from 0.

Fixed point, the same on every machine:
- an edge and a mean are in 1/2**VALUE_BITS;
- a log-variance is in 1/16, from MIN_LOG_VARIANCE to MAX_LOG_VARIANCE, and stands for an entry of `inverse_sds`;
- `normal_cdf` holds the cumulative distribution at every 1/128 from -8 to 8, linear in between, from sums of Python
  integers: no libm, so no machine differs.
"""

from functools import cache

import numpy as np

from haploom.entropy_coding.stack_coder import StackCoder, drop, top
from haploom.kernels import int64, kernel

REACH = 16
MAX_STEP_BITS = 10  # latents are int16
TOTAL_BITS = 24
VALUE_BITS = 20
LOG_VARIANCE_BITS = 4
MIN_LOG_VARIANCE, MAX_LOG_VARIANCE = -16 << LOG_VARIANCE_BITS, 4 << LOG_VARIANCE_BITS

_MAX_MEAN = REACH << VALUE_BITS
_CDF_REACH = 8  # standard deviations
_CDF_BITS = 40
_ENTRY_BITS = 7  # entries of the table per standard deviation, as a power of two
_BELOW_BITS = VALUE_BITS - _ENTRY_BITS
_FRACTION_BITS = 160
_INVERSE_SD_BITS = 16


@cache
def normal_cdf() -> np.ndarray:
    """Cumulative distribution of N(0, 1) at -8, -8 + 1/128, ..., 8, in 1/2**40: int64 (2049,), from 0 to 2**40.

    The Taylor series of the integral of exp(-x^2 / 2), over its value at 8: beyond lies less than 1/2**49.
    """
    n = _CDF_REACH << _ENTRY_BITS
    sums = []
    for i in range(n + 1):
        term, total, k = (i << _FRACTION_BITS) >> _ENTRY_BITS, 0, 0
        while term:
            total += (-term if k % 2 else term) // (2 * k + 1)
            k += 1
            term = term * i * i // (2 * k) >> 2 * _ENTRY_BITS
        sums.append(total)
    half = 1 << (_CDF_BITS - 1)
    above = np.array([(total * half + sums[-1] // 2) // sums[-1] for total in sums], dtype=np.int64)
    return np.concatenate([half - above[:0:-1], half + above])


@cache
def inverse_sds() -> np.ndarray:
    """1 / sd for each log-variance from MIN to MAX_LOG_VARIANCE, in 1/65536: int64, from integer sums alone."""
    one = 1 << _FRACTION_BITS
    base, term, n = 0, one, 0  # exp(1/32) by its Taylor series: half a step of the log-variance
    while term:
        base += term
        n += 1
        term //= (2 << LOG_VARIANCE_BITS) * n
    inverses = [one]  # of log-variances 0, -1, -2, ...
    for _ in range(-MIN_LOG_VARIANCE):
        inverses.append(inverses[-1] * base >> _FRACTION_BITS)
    wide = [one * one // inverse for inverse in inverses[1 : MAX_LOG_VARIANCE + 1]]
    return np.array([x >> (_FRACTION_BITS - _INVERSE_SD_BITS) for x in (*inverses[::-1], *wide)], dtype=np.int64)


@kernel
def _below(cdf: np.ndarray, mean: int, inverse_sd: int, step_bits: int, place: int) -> int:
    """How many of 2**TOTAL_BITS lie below bin `place`, counted from 0; never fewer than below the bin before."""
    n_bins = int64(2 * REACH) << step_bits
    if place == 0:
        return int64(0)
    if place == n_bins:
        return int64(1) << TOTAL_BITS
    edge = (2 * place - n_bins - 1) << (VALUE_BITS - 1 - step_bits)
    u = ((edge - mean) * inverse_sd >> _INVERSE_SD_BITS) + (_CDF_REACH << VALUE_BITS)
    if u <= 0:
        return int64(0)
    if u >= (2 * _CDF_REACH) << VALUE_BITS:
        return int64(1) << TOTAL_BITS
    entry = u >> _BELOW_BITS
    fraction = u & ((1 << _BELOW_BITS) - 1)
    value = cdf[entry] + ((cdf[entry + 1] - cdf[entry]) * fraction >> _BELOW_BITS)
    return value >> (_CDF_BITS - TOTAL_BITS)


@kernel
def _fill_below(
    cdf: np.ndarray, means: np.ndarray, inverses: np.ndarray, step_bits: int, places: np.ndarray, below: np.ndarray
) -> None:
    for i in range(places.size):
        below[i] = _below(cdf, means[i], inverses[i], step_bits, places[i])


@kernel
def _pop_normals(
    state: np.ndarray,
    words: np.ndarray,
    cdf: np.ndarray,
    means: np.ndarray,
    inverses: np.ndarray,
    step_bits: int,
    places: np.ndarray,
) -> None:
    for i in range(places.size):
        number = top(state, TOTAL_BITS)
        low, high = int64(0), int64(2 * REACH) << step_bits  # below(low) <= number < below(high)
        while high - low > 1:
            middle = (low + high) >> 1
            if _below(cdf, means[i], inverses[i], step_bits, middle) <= number:
                low = middle
            else:
                high = middle
        start = _below(cdf, means[i], inverses[i], step_bits, low)
        frequency = _below(cdf, means[i], inverses[i], step_bits, low + 1) - start
        drop(state, words, start, frequency, TOTAL_BITS)
        places[i] = low


def normal_frequencies(
    means: np.ndarray, log_variances: np.ndarray, latents: np.ndarray, step_bits: int
) -> tuple[np.ndarray, np.ndarray]:
    """Start and frequency of 2**TOTAL_BITS of one bin of each Gaussian; a frequency may be 0.

    means: int64 (n,), in 1/2**VALUE_BITS. log_variances: int64 (n,), in 1/16. Both are cut at their range.
    latents: int16 (n,), in 1/2**step_bits, from -REACH up to but without REACH. Returns int64 (n,) twice.
    """
    places = _places(latents, step_bits)
    starts, ends = np.empty(places.size, dtype=np.int64), np.empty(places.size, dtype=np.int64)
    gaussians = _in_range(means, log_variances)
    _fill_below(normal_cdf(), *gaussians, step_bits, places, starts)
    _fill_below(normal_cdf(), *gaussians, step_bits, places + 1, ends)
    return starts, ends - starts


def pop_normals(coder: StackCoder, means: np.ndarray, log_variances: np.ndarray, step_bits: int) -> np.ndarray:
    """Draw a latent of each Gaussian with bits of the stack: int16 (n,). Arguments as of `normal_frequencies`."""
    places = np.empty(means.size, dtype=np.int64)
    gaussians = _in_range(means, log_variances)
    _pop_normals(coder.state, coder.words, normal_cdf(), *gaussians, step_bits, places)
    return _latents(places, step_bits)


def push_normals(
    coder: StackCoder, means: np.ndarray, log_variances: np.ndarray, latents: np.ndarray, step_bits: int
) -> None:
    """Give the bits of the draw back. Raises ValueError for a latent that cannot have been drawn."""
    coder.push_symbols(*normal_frequencies(means, log_variances, latents, step_bits), TOTAL_BITS)


@cache
def prior_below(step_bits: int) -> np.ndarray:
    """How many of 2**TOTAL_BITS lie below each bin of the prior, and in all: int64 (n_bins + 1,).

    Raises ValueError for steps too fine for latents of 16 bits.
    """
    if not 0 <= step_bits <= MAX_STEP_BITS:
        raise ValueError(f"latents in steps of 2**-{step_bits}, from 2**0 to 2**-{MAX_STEP_BITS} were expected")
    n_bins = 2 * REACH << step_bits
    places = np.arange(n_bins + 1)
    below = np.empty(n_bins + 1, dtype=np.int64)
    zeros = np.zeros(n_bins + 1, dtype=np.int64)
    _fill_below(normal_cdf(), *_in_range(zeros, zeros), step_bits, places, below)
    return (below * ((1 << TOTAL_BITS) - n_bins) >> TOTAL_BITS) + places


def push_prior(coder: StackCoder, latents: np.ndarray, step_bits: int) -> None:
    """Code latents under N(0, 1): int16 (n,), in 1/2**step_bits."""
    below, places = prior_below(step_bits), _places(latents, step_bits)
    coder.push_symbols(below[places], below[places + 1] - below[places], TOTAL_BITS)


def pop_prior(coder: StackCoder, n: int, step_bits: int) -> np.ndarray:
    """The inverse: int16 (n,)."""
    return _latents(coder.pop_symbols(prior_below(step_bits), n, TOTAL_BITS), step_bits)


def _places(latents: np.ndarray, step_bits: int) -> np.ndarray:
    return latents.astype(np.int64) + (REACH << step_bits)


def _latents(places: np.ndarray, step_bits: int) -> np.ndarray:
    return (places - (REACH << step_bits)).astype(np.int16)


def _in_range(means: np.ndarray, log_variances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    entries = np.clip(log_variances, MIN_LOG_VARIANCE, MAX_LOG_VARIANCE) - MIN_LOG_VARIANCE
    return np.clip(means, -_MAX_MEAN, _MAX_MEAN), inverse_sds()[entries]
