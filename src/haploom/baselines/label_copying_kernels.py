"""The Li-Stephens copying model with each label's people as a reference of its own, in integers.

States are 32-bit integers that are added to and shifted, never multiplied: instead of every state losing what switches
away, what is switched to is added in the unit that the states have by then. Their sums are exact, so the result does
not depend on who shares a block, on threads, or on the machine's vectors. They are shifted so that what is rounded off
one is about 2^-25 of them all.
"""

from typing import Any

import numpy as np

from haploom.kernels import int64, kernel

uint32: Any = np.uint32  # to the type checker its numbers are plain `int`s

BITS = 30  # of the sum of the states with what is added to it: so those of two who are left out fit in 32, too
SLACK_BITS = 3  # how much less the sum may be before the states are shifted
FORGOTTEN = 2.0**10  # odds of being drawn anew above which nothing is left of the states
_LN2 = 0.6931471805599453


@kernel
def _copy_site(states: np.ndarray, column: np.ndarray, allele: int, redrawn: int, mismatch_bits: int) -> int:
    """One site: `redrawn` comes to each state, which loses `mismatch_bits` if it shows another allele. Their sum."""
    total = uint32(0)
    for j in range(states.shape[0]):
        # As functions, 32-bit sums stay 32-bit, of which a vector holds twice as many.
        p = np.add(states[j], redrawn)
        if column[j] != allele:
            p = np.right_shift(p, mismatch_bits)
        states[j] = p
        total = np.add(total, p)
    return int64(total)


@kernel
def _shifted_below(states: np.ndarray, total: int, most: int) -> int:
    """Shift the states so that their sum, `total` of at least 1, is below `most` but not below half of it."""
    right, left = int64(0), int64(0)
    while (total >> right) >= most:
        right += 1
    while (total << (left + 1)) < most:
        left += 1
    total = int64(0)
    for j in range(states.shape[0]):
        states[j] = (int64(states[j]) >> right) << left
        total += int64(states[j])
    return total


@kernel
def label_log_likelihoods(
    columns: np.ndarray, start: np.ndarray, alleles: np.ndarray, left_out: np.ndarray, odds: np.ndarray,
    mismatch_bits: int,
) -> np.ndarray:  # fmt: skip
    """Log probability of each haplotype of a block under each label, in nats: float64 (n, n_labels).

    columns: uint8 (n_sites, n_reference) of 0 and 1, the haplotypes of one label together. start: int64
    (n_labels + 1,), where each label's begin. alleles: uint8 (n, n_sites) of 0 and 1. left_out: int64 (n,), this and
    the next reference haplotype are not copied; -1 for none. odds: float64 (n_sites,) that the copied haplotype is
    drawn anew before a site, against that it stays. mismatch_bits: another allele is
    2^mismatch_bits times less likely than the copied one.
    A label of which nobody is left has -inf. Labels have at most 2^14 haplotypes, so that no state's last bit is lost.
    """
    n_sites, n_rows, n_labels = columns.shape[0], alleles.shape[0], len(start) - 1
    bits = uint32(mismatch_bits)
    most = np.empty(n_sites, dtype=np.int64)
    for s in range(n_sites):
        most[s] = max(int64(2.0**BITS / (1 + odds[s])), int64(1))
    out = np.zeros((n_rows, n_labels))
    totals, kept = np.zeros(n_rows, dtype=np.int64), np.zeros(n_rows, dtype=np.int64)
    gone, exponents = np.zeros(n_rows, dtype=np.int64), np.zeros(n_rows, dtype=np.int64)
    for label in range(n_labels):
        first, last = start[label], start[label + 1]
        states = np.zeros((n_rows, last - first), dtype=np.uint32)
        for r in range(n_rows):
            gone[r] = left_out[r] - first if first <= left_out[r] < last else int64(-1)
            kept[r] = last - first - (2 if gone[r] >= 0 else 0)
            exponents[r] = 0
            out[r, label] = 1.0
        for s in range(n_sites):
            column = columns[s, first:last]  # read once for all rows of the block
            for r in range(n_rows):
                if kept[r] == 0:
                    continue
                own = states[r]
                if s == 0 or odds[s] > FORGOTTEN:
                    redrawn, totals[r] = (int64(1) << int64(BITS)) // kept[r], 0
                    for j in range(own.shape[0]):
                        own[j] = 0
                else:
                    if not most[s] >> int64(SLACK_BITS) <= totals[r] < most[s]:
                        totals[r] = _shifted_below(own, totals[r], most[s])
                    redrawn = max(int64(totals[r] * odds[s] / kept[r] + 0.5), int64(1))
                before = totals[r] + redrawn * kept[r]
                total = _copy_site(own, column, alleles[r, s], uint32(redrawn), bits)
                if gone[r] >= 0:
                    for j in range(gone[r], gone[r] + 2):
                        total -= int64(own[j])
                        own[j] = 0
                totals[r] = total
                # The product of the sites' ratios, its exponent apart: one logarithm at the end is enough.
                p = out[r, label] * (total / before)
                if p < 2.0**-500:
                    p *= 2.0**500
                    exponents[r] -= 500
                out[r, label] = p
        for r in range(n_rows):
            out[r, label] = np.log(out[r, label]) + exponents[r] * _LN2 if kept[r] else -np.inf
    return out - n_sites * np.log1p(2.0**-mismatch_bits)
