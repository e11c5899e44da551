"""The reverse PBWT at any place, without keeping it at every place.

The rare sites are coded from left to right, the reverse order is made from right to left. So it is made
once and kept at every REVERSE_SEGMENT-th common site; the sites between two such checkpoints are made again when the
rare coder enters them. Memory is a few MB for thousands of haplotypes instead of gigabytes.
"""

import numpy as np

from haploom.entropy_coding.pbwt import advance, rank_of
from haploom.kernels import kernel

REVERSE_SEGMENT = 64


@kernel
def _copy(order: np.ndarray, start: np.ndarray, kept: np.ndarray) -> None:
    """Into the first two rows of `kept`. Rows assigned whole would take numba seconds to compile."""
    for i in range(order.size):
        kept[0, i] = order[i]
        kept[1, i] = start[i]


@kernel
def reverse_checkpoints(columns: np.ndarray, common_sites: np.ndarray, n_sites: int) -> np.ndarray:
    """Reverse order before every REVERSE_SEGMENT-th common site: int32 (n_checkpoints, 2, n), order and start.

    Checkpoint c holds the order of the common sites from c * REVERSE_SEGMENT on; the last one that of no sites.
    start counts in negated sites, as `advance` wants.
    """
    n_common, n = columns.shape
    n_checkpoints = -(-(n_common + 1) // REVERSE_SEGMENT) + 1
    checkpoints = np.empty((n_checkpoints, 2, n), dtype=np.int32)
    order = np.empty(n, dtype=np.int32)
    start = np.full(n, -n_sites, dtype=np.int32)
    scratch = np.empty((2, n), dtype=np.int32)
    for i in range(n):
        order[i] = i
    _copy(order, start, checkpoints[n_checkpoints - 1])
    for k in range(n_checkpoints * REVERSE_SEGMENT - 1, -1, -1):
        if k < n_common:
            advance(order, start, columns[k], -common_sites[k], scratch)
        if k % REVERSE_SEGMENT == 0:
            _copy(order, start, checkpoints[k // REVERSE_SEGMENT])
    return checkpoints


@kernel
def load_segment(
    segment: np.ndarray, checkpoints: np.ndarray, loaded: int, columns: np.ndarray, common_sites: np.ndarray
) -> None:
    """Make the orders of one segment again, for each of its common sites from that site on.

    segment: int32 (REVERSE_SEGMENT, 3, n), filled with order, start and rank. loaded: which segment.
    """
    n_common, n = columns.shape
    order = checkpoints[loaded + 1, 0].copy()
    start = checkpoints[loaded + 1, 1].copy()
    scratch = np.empty((2, n), dtype=np.int32)
    for i in range(REVERSE_SEGMENT - 1, -1, -1):
        k = loaded * REVERSE_SEGMENT + i
        if k < n_common:
            advance(order, start, columns[k], -common_sites[k], scratch)
        _copy(order, start, segment[i])
        rank_of(order, segment[i, 2])
