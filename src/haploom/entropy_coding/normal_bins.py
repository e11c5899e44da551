"""Gaussians over the bins of a standard normal: draws and their code lengths, in integers only.

A latent number is one of 2**BIN_BITS bins that are equally likely under N(0, 1), so under the prior it costs BIN_BITS
bits. A Gaussian N(mean, sd^2) gives each bin a frequency of 2**TOTAL_BITS, the difference of a rounded-down
cumulative distribution at its two edges; a bin far from the mean has none.

Fixed point, the same on every machine:
- a latent number, an edge and a mean are in 1/2**VALUE_BITS;
- a log-variance is in 1/16, from MIN_LOG_VARIANCE to MAX_LOG_VARIANCE, and stands for a row of `inverse_sds`;
- `normal_cdf` holds the cumulative distribution at every 1/128 from -8 to 8, linear in between, from sums of Python
  integers: no libm, so no machine differs.
"""

from functools import cache

import numpy as np

from haploom.entropy_coding.stack_coder import StackCoder, drop, top
from haploom.kernels import int64, kernel

BIN_BITS = 12
N_BINS = 1 << BIN_BITS
TOTAL_BITS = 24
VALUE_BITS = 20
LOG_VARIANCE_BITS = 4
MIN_LOG_VARIANCE, MAX_LOG_VARIANCE = -16 << LOG_VARIANCE_BITS, 4 << LOG_VARIANCE_BITS
MAX_MEAN = 16 << VALUE_BITS

_CDF_BITS = 40
_STEP_BITS = 7  # entries of the table per unit, as a power of two
_REACH = 8  # units
_FRACTION_BITS = 160
_INVERSE_SD_BITS = 16
_BELOW_BITS = VALUE_BITS - _STEP_BITS


@cache
def normal_cdf() -> np.ndarray:
    """Cumulative distribution of N(0, 1) at -8, -8 + 1/128, ..., 8, in 1/2**40: int64 (2049,), from 0 to 2**40.

    The Taylor series of the integral of exp(-x^2 / 2), over its value at 8: beyond lies less than 1/2**49.
    """
    n = _REACH << _STEP_BITS
    sums = []
    for i in range(n + 1):
        term, total, k = (i << _FRACTION_BITS) >> _STEP_BITS, 0, 0
        while term:
            total += (-term if k % 2 else term) // (2 * k + 1)
            k += 1
            term = term * i * i // (2 * k) >> 2 * _STEP_BITS
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


@cache
def _quantiles() -> np.ndarray:
    """Where j / 2**(BIN_BITS + 1) of N(0, 1) lies below, for j = 1, 2, ...: int64 (2 * N_BINS - 1,), increasing."""
    cdf = normal_cdf()
    wanted = np.arange(1, 2 * N_BINS, dtype=np.int64) << (_CDF_BITS - BIN_BITS - 1)
    place = np.searchsorted(cdf, wanted, side="right") - 1
    between = ((wanted - cdf[place]) << _BELOW_BITS) // (cdf[place + 1] - cdf[place])
    return (place << _BELOW_BITS) + between - (_REACH << VALUE_BITS)


def bin_values(value_bits: int) -> np.ndarray:
    """The median of each bin, in 1/2**value_bits: int16 (N_BINS,). value_bits: at most 12."""
    medians = _quantiles()[::2]
    shift = VALUE_BITS - value_bits
    return ((medians + (1 << (shift - 1))) >> shift).astype(np.int16)


@cache
def _edges() -> np.ndarray:
    """The upper edge of each bin but the last: int64 (N_BINS - 1,)."""
    return np.ascontiguousarray(_quantiles()[1::2])


@kernel
def _below(edges: np.ndarray, cdf: np.ndarray, mean: int, inverse_sd: int, place: int) -> int:
    """How many of 2**TOTAL_BITS lie below bin `place` (0 to N_BINS); never less than below the bin before."""
    if place == 0:
        return int64(0)
    if place == N_BINS:
        return int64(1) << TOTAL_BITS
    u = ((edges[place - 1] - mean) * inverse_sd >> _INVERSE_SD_BITS) + (_REACH << VALUE_BITS)
    if u <= 0:
        return int64(0)
    if u >= (2 * _REACH) << VALUE_BITS:
        return int64(1) << TOTAL_BITS
    step = u >> _BELOW_BITS
    fraction = u & ((1 << _BELOW_BITS) - 1)
    value = cdf[step] + ((cdf[step + 1] - cdf[step]) * fraction >> _BELOW_BITS)
    return value >> (_CDF_BITS - TOTAL_BITS)


@kernel
def _frequencies(
    edges: np.ndarray,
    cdf: np.ndarray,
    means: np.ndarray,
    inverses: np.ndarray,
    bins: np.ndarray,
    starts: np.ndarray,
    frequencies: np.ndarray,
) -> None:
    for i in range(bins.size):
        starts[i] = _below(edges, cdf, means[i], inverses[i], bins[i])
        frequencies[i] = _below(edges, cdf, means[i], inverses[i], bins[i] + 1) - starts[i]


@kernel
def _pop_normals(
    state: np.ndarray,
    words: np.ndarray,
    edges: np.ndarray,
    cdf: np.ndarray,
    means: np.ndarray,
    inverses: np.ndarray,
    bins: np.ndarray,
) -> None:
    for i in range(bins.size):
        number = top(state, TOTAL_BITS)
        low, high = int64(0), int64(N_BINS)  # below(low) <= number < below(high)
        while high - low > 1:
            middle = (low + high) >> 1
            if _below(edges, cdf, means[i], inverses[i], middle) <= number:
                low = middle
            else:
                high = middle
        start = _below(edges, cdf, means[i], inverses[i], low)
        frequency = _below(edges, cdf, means[i], inverses[i], low + 1) - start
        drop(state, words, start, frequency, TOTAL_BITS)
        bins[i] = low


def normal_frequencies(means: np.ndarray, log_variances: np.ndarray, bins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Start and frequency of 2**TOTAL_BITS of one bin of each Gaussian; a frequency may be 0.

    means: int64 (n,), in 1/2**VALUE_BITS. log_variances: int64 (n,), in 1/16. Both are cut at their range.
    bins: int64 (n,), from 0 to N_BINS - 1. Returns int64 (n,) twice.
    """
    starts, frequencies = np.empty(bins.size, dtype=np.int64), np.empty(bins.size, dtype=np.int64)
    _frequencies(_edges(), normal_cdf(), *_in_range(means, log_variances), bins, starts, frequencies)
    return starts, frequencies


def pop_normals(coder: StackCoder, means: np.ndarray, log_variances: np.ndarray) -> np.ndarray:
    """Draw a bin of each Gaussian with bits of the stack: int64 (n,). Arguments as of `normal_frequencies`."""
    bins = np.empty(means.size, dtype=np.int64)
    _pop_normals(coder.state, coder.words, _edges(), normal_cdf(), *_in_range(means, log_variances), bins)
    return bins


def push_normals(coder: StackCoder, means: np.ndarray, log_variances: np.ndarray, bins: np.ndarray) -> None:
    """Give the bits of the draw back. Raises ValueError for a bin that cannot have been drawn."""
    coder.push_symbols(*normal_frequencies(means, log_variances, bins), TOTAL_BITS)


def _in_range(means: np.ndarray, log_variances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = np.clip(log_variances, MIN_LOG_VARIANCE, MAX_LOG_VARIANCE) - MIN_LOG_VARIANCE
    return np.clip(means, -MAX_MEAN, MAX_MEAN), inverse_sds()[rows]
