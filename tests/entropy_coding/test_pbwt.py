from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from haploom.entropy_coding.pbwt import advance, rank_of
from haploom.entropy_coding.reverse_sweep import REVERSE_SEGMENT, load_segment, reverse_checkpoints

COLUMNS = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 1))


def sorted_by_suffix(columns: np.ndarray, sites: np.ndarray) -> tuple[list[int], list[int]]:
    """The order and match lengths in sites straight from the definition: sort haplotypes by their alleles backwards."""
    haplotypes = [tuple(columns[::-1, h]) for h in range(columns.shape[1])]
    order = sorted(range(len(haplotypes)), key=lambda h: haplotypes[h])
    starts = []
    for a, b in pairwise(order):
        differ = [i for i in range(len(columns)) if columns[i, a] != columns[i, b]]
        starts.append(int(sites[differ[-1]]) + 1 if differ else 0)
    return order, starts


@given(COLUMNS)
def test_advance__sorts_as_the_definition_says(columns):
    n_sites, n = columns.shape
    sites = np.arange(n_sites) * 3 + 1
    order, start = np.arange(n, dtype=np.int32), np.zeros(n, dtype=np.int32)
    for k in range(n_sites):
        advance(order, start, columns[k], sites[k], np.empty((2, n), dtype=np.int32))
        wanted_order, wanted_start = sorted_by_suffix(columns[: k + 1], sites)
        assert order.tolist() == wanted_order
        assert start[1:].tolist() == wanted_start


def test_load_segment__is_the_reverse_order_at_every_site():
    rng = np.random.default_rng(1)
    n_common, n, n_sites = 2 * REVERSE_SEGMENT + 9, 17, 1000
    columns = (rng.random((n_common, n)) < 0.3).astype(np.uint8)
    sites = np.sort(rng.choice(n_sites, n_common, replace=False))
    checkpoints = reverse_checkpoints(columns, sites, n_sites)
    segment = np.empty((REVERSE_SEGMENT, 3, n), dtype=np.int32)
    for k in (0, 1, REVERSE_SEGMENT - 1, REVERSE_SEGMENT, 2 * REVERSE_SEGMENT, n_common):
        load_segment(segment, checkpoints, k // REVERSE_SEGMENT, columns, sites)
        order, _, rank = segment[k % REVERSE_SEGMENT]
        assert order.tolist() == sorted(range(n), key=lambda h: tuple(columns[k:, h]))
        assert rank[order].tolist() == list(range(n))


def test_rank_of__inverts_the_order():
    order = np.random.default_rng(2).permutation(50).astype(np.int32)
    rank = np.empty(50, dtype=np.int32)
    rank_of(order, rank)
    assert (rank[order] == np.arange(50)).all()
