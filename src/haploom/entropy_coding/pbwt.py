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


@kernel
def new_orders(n_orders: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Several orders before the first site.

    order, start: int32 (n_orders, n), as in `advance`. places: int32 (n, n_orders), order[o, places[h, o]] = h.
    scratch: int32 (3, n), of `pass_site`.
    """
    order = np.empty((n_orders, n), dtype=np.int32)
    start = np.zeros((n_orders, n), dtype=np.int32)
    places = np.empty((n, n_orders), dtype=np.int32)
    for o in range(n_orders):
        for i in range(n):  # rows assigned whole would take numba seconds to compile
            order[o, i] = i
            places[i, o] = i
    return order, start, places, np.empty((3, n), dtype=np.int32)


@kernel
def pass_site(
    rules: np.ndarray,
    k: int,
    kind: int,
    order: np.ndarray,
    start: np.ndarray,
    places: np.ndarray,
    alleles: np.ndarray,
    site: int,
    scratch: np.ndarray,
) -> None:
    """Sort those of the orders by the alleles of a site, the k-th common one and of class `kind`, that pass it.

    rules: int64 (n_orders, 3): an order passes only common sites of at least this class, and (where the run is not 0)
    of those only the runs of this many common sites whose number is odd or even: the phase.
    """
    for o in range(rules.shape[0]):
        lowest, run, phase = rules[o]
        if kind >= lowest and (run == 0 or k // run % 2 == phase):
            advance(order[o], start[o], alleles, site, scratch)
            rank_of(order[o], scratch[2])
            for h in range(alleles.size):
                places[h, o] = scratch[2, h]
