"""Adaptive probabilities and their logistic mixing, in integers only.

Fixed point, the same on every machine:
- a probability is 16 bits, from 1 to 65535 (in 1/65536);
- a logit ln(p / (1 - p)) is in 1/256 nat, from -MAX_LOGIT to MAX_LOGIT (a probability of 1/65536 and of 65535/65536);
- a weight is in 1/65536;
- a cell holds a 32-bit probability above a 16-bit count of the bits it has seen: p << 16 | n, in an int64.

Shifts to the right round towards minus infinity. Source: Mahoney, "Adaptive weighing of context models for
lossless data compression" (2005), with counts as in lpaq's state maps.
"""

import numpy as np

from haploom.entropy_coding.range_coder import code_bit
from haploom.kernels import int64, kernel

MAX_LOGIT = 2839  # 256 * ln(65535), rounded
_FRACTION_BITS = 160


def _exact_tables() -> tuple[np.ndarray, np.ndarray]:
    """`SQUASH` and `STRETCH` from integer arithmetic alone: no libm, so no machine differs.

    SQUASH: int32 (2 * MAX_LOGIT + 1,), the 16-bit probability of each logit, rounded half up, kept in 1..65535.
    STRETCH: int16 (65536,), for each probability p the middle of the logits whose SQUASH is p (where there is none, the
    last one below).
    """
    one = 1 << _FRACTION_BITS
    base, term, n = 0, one, 0  # exp(1/256) by its Taylor series
    while term:
        base += term
        n += 1
        term //= 256 * n
    squash = np.empty(2 * MAX_LOGIT + 1, dtype=np.int32)
    odds = one  # exp(logit / 256)
    for logit in range(MAX_LOGIT + 1):
        p = ((odds << 17) + one + odds) // (2 * (one + odds))
        squash[MAX_LOGIT + logit] = min(p, 65535)
        squash[MAX_LOGIT - logit] = 65536 - min(p, 65535)
        odds = odds * base >> _FRACTION_BITS
    every_p = np.arange(65536)
    first, past = np.searchsorted(squash, every_p, side="left"), np.searchsorted(squash, every_p, side="right")
    stretch = (first + past - 1) // 2 - MAX_LOGIT
    return squash, np.clip(stretch, -MAX_LOGIT, MAX_LOGIT).astype(np.int16)


SQUASH, STRETCH = _exact_tables()

MAX_COUNT = 4095
# 65536 / (n + 1.5): how far a cell that has seen n bits moves towards the next one.
RATE = ((1 << 17) // (2 * np.arange(MAX_COUNT + 1) + 3)).astype(np.int64)


def new_cells(n_cells: int, p: int = 32768, seen: int = 0) -> np.ndarray:
    """Cells that all give probability `p` (16 bits), as if they had seen `seen` bits: int64 (n_cells,)."""
    return np.full(n_cells, (p << 32) | seen, dtype=np.int64)


@kernel
def squash(logit: int) -> int:
    """16-bit probability of a logit; logits out of range are clipped."""
    return int64(SQUASH[min(max(logit, -MAX_LOGIT), MAX_LOGIT) + MAX_LOGIT])


@kernel
def cell_probability(cell: int) -> int:
    """16-bit probability (1..65535) a cell gives."""
    return min(max(cell >> 32, 1), 65535)


@kernel
def cell_logit(cell: int) -> int:
    """Logit a cell gives."""
    return int64(STRETCH[cell >> 32])


@kernel
def updated_cell(cell: int, bit: int, limit: int) -> int:
    """The cell after it has seen `bit`; it moves by 1 / (n + 1.5), n at most `limit` (<= MAX_COUNT)."""
    n = cell & 0xFFFF
    p = cell >> 16
    p += ((bit << 32) - bit - p) * RATE[n] >> 16
    return (p << 16) | min(n + 1, limit)


@kernel
def mixed_logit(logits: np.ndarray, weights: np.ndarray, n_inputs: int) -> int:
    """Weighted sum of `n_inputs` logits, in 1/256 nat, not clipped. logits: int64, weights: int64 (of one set)."""
    total = int64(0)
    for i in range(n_inputs):
        total += logits[i] * weights[i]
    return total >> 16


@kernel
def learn_weights(logits: np.ndarray, weights: np.ndarray, n_inputs: int, error: int, rate: int) -> None:
    """Move one set of weights down the gradient of the code length.

    error: bit * 65536 - p. rate: learning rate in 1/1024 per nat.
    """
    for i in range(n_inputs):
        weights[i] += (logits[i] * error * rate + (1 << 17)) >> 18


@kernel
def code_mixed(
    coder: np.ndarray,
    data: np.ndarray,
    cells: np.ndarray,
    chosen: np.ndarray,
    weights: np.ndarray,
    logits: np.ndarray,
    rate: int,
    limit: int,
    bit: int,
) -> int:
    """Code one bit under the mix of the cells `chosen`, and let cells and weights learn it; returns the bit.

    cells: int64 (n_cells,). chosen: int64 (n_inputs,), a cell of each input. weights: int64 (n_inputs,), one set.
    logits: int64 (n_inputs,), scratch. rate, limit: as in `learn_weights` and `updated_cell`.
    """
    n_inputs = chosen.size
    for i in range(n_inputs):
        logits[i] = cell_logit(cells[chosen[i]])
    p = squash(mixed_logit(logits, weights, n_inputs))
    bit = code_bit(coder, data, p, bit)
    learn_weights(logits, weights, n_inputs, (bit << 16) - p, rate)
    for i in range(n_inputs):
        cells[chosen[i]] = updated_cell(cells[chosen[i]], bit, limit)
    return bit
