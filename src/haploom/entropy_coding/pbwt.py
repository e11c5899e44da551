"""Positional Burrows-Wheeler order: haplotypes sorted by what they carried at the sites just passed.

Haplotypes that share a long stretch stand side by side, so a column of alleles read in this order falls into
a few long runs. Source: Durbin, Bioinformatics 30:1266 (2014), algorithms 1 and 2.
"""

import numpy as np

from haploom.kernels import kernel

_BEFORE_ALL = -(2**31)  # below every site, negated ones too


@kernel
def advance(order: np.ndarray, start: np.ndarray, alleles: np.ndarray, site: int, scratch: np.ndarray) -> int:
    """Sort stably by the alleles of one more site, in place.

    order: int32 (n,), haplotypes in PBWT order before `site`.
    start: int32 (n,), start[i] = first site from which order[i] matches order[i - 1]; start[0] is the site itself.
    alleles: uint8 (n_haplotypes,) at `site`, by haplotype. scratch: int32 (2, n).
    A sweep from right to left passes sites that decrease; it must pass them negated, so that they increase.
    """
    n = order.size
    n_zeros = 0
    n_ones = 0
    zero_start = site + 1
    one_start = site + 1
    for i in range(n):
        zero_start = max(zero_start, start[i])
        one_start = max(one_start, start[i])
        haplotype = order[i]
        if alleles[haplotype]:
            scratch[0, n_ones] = haplotype
            scratch[1, n_ones] = one_start
            n_ones += 1
            one_start = _BEFORE_ALL
        else:
            order[n_zeros] = haplotype
            start[n_zeros] = zero_start
            n_zeros += 1
            zero_start = _BEFORE_ALL
    for i in range(n_ones):  # parts of arrays assigned whole would take numba seconds to compile
        order[n_zeros + i] = scratch[0, i]
        start[n_zeros + i] = scratch[1, i]
    return n_zeros


@kernel
def rank_of(order: np.ndarray, rank: np.ndarray) -> None:
    """Fill rank: int32 (n,), so that rank[order[i]] = i."""
    for i in range(order.size):
        rank[order[i]] = i
