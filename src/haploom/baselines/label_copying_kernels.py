"""The Li-Stephens copying model with each label's people as a reference of its own, in integers.

States are integers that sum to about 2^BITS before each site, so every sum is exact: the result does not depend on who
shares a block, on threads, or on the machine's vectors. What is rounded off is less than one part in 2^BITS a state.
"""

import numpy as np

from haploom.kernels import int64, kernel

BITS = 30


@kernel
def _copy_site(states: np.ndarray, column: np.ndarray, allele: int, stay: int, redrawn: int, mismatch_bits: int) -> int:
    """One site: each state stays or is redrawn, and loses `mismatch_bits` where it shows another allele. Their sum.

    stay: at most 2^BITS times 2, the states' factor in units of 2^-BITS. redrawn: added to each.
    """
    total = int64(0)
    for j in range(states.shape[0]):
        p = ((states[j] * stay) >> int64(BITS)) + redrawn
        p = p >> (mismatch_bits * (column[j] ^ allele))
        states[j] = p
        total += p
    return total


@kernel
def label_log_likelihoods(
    columns: np.ndarray, start: np.ndarray, alleles: np.ndarray, left_out: int, switch: np.ndarray, mismatch_bits: int
) -> np.ndarray:
    """Log probability of one haplotype under each label, in nats: float64 (n_labels,).

    columns: uint8 (n_sites, n_reference) of 0 and 1, the haplotypes of one label together. start: int64
    (n_labels + 1,), where each label's begin. alleles: uint8 (n_sites,) of 0 and 1. left_out: this and the next
    reference haplotype are not copied; -1 for none. switch: int64 (n_sites,), probability in units of 2^-BITS that
    the copied haplotype is drawn anew before a site. mismatch_bits: another allele is 2^mismatch_bits times less
    likely than the copied one.
    """
    one = int64(1) << int64(BITS)
    n_sites, n_labels = columns.shape[0], len(start) - 1
    out = np.zeros(n_labels)
    fits = -np.log1p(2.0**-mismatch_bits)
    for label in range(n_labels):
        first, last = start[label], start[label + 1]
        gone = left_out - first if first <= left_out < last else int64(-1)
        n = last - first - (2 if gone >= 0 else 0)
        states = np.zeros(last - first, dtype=np.int64)
        total, log_p = one, 0.0
        for s in range(n_sites):
            new = one if s == 0 else switch[s]
            # The states are brought back to a sum of 2^BITS in the same step.
            stay = ((one - new) << int64(BITS)) // total
            shift = int64(0)
            while stay >= int64(1) << int64(32):
                # A site no state explains: scale up first, so that products stay within 64 bits.
                stay >>= int64(1)
                shift += 1
            if shift:
                for j in range(states.shape[0]):
                    states[j] <<= shift
            total = _copy_site(states, columns[s, first:last], int64(alleles[s]), stay, new // n + 1, mismatch_bits)
            if gone >= 0:
                total -= states[gone] + states[gone + 1]
                states[gone] = 0
                states[gone + 1] = 0
            log_p += np.log(total / one) + fits
        out[label] = log_p
    return out
