"""Grids of symbols: there and back, and how small structure makes them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_array_equal

from haploom.entropy_coding.symbol_grids import decode_grid, encode_grid

GRIDS = array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=12).flatmap(
    lambda shape: st.tuples(arrays(np.uint8, shape), arrays(np.uint8, shape, elements=st.integers(0, 3)))
)


@given(GRIDS)
def test_grid__decode_inverts_encode(grids):
    grid, sides = grids
    assert_array_equal(decode_grid(encode_grid(grid, sides), sides), grid)


@given(st.binary(max_size=40))
def test_grid__any_bytes_decode_to_some_grid(data):
    sides = np.zeros((9, 7), dtype=np.uint8)
    assert decode_grid(data, sides).shape == (9, 7)


def test_grid__equal_rows_cost_next_to_nothing():
    row = np.random.default_rng(1).integers(0, 4, 500, dtype=np.uint8)
    sides = np.zeros((2000, 500), dtype=np.uint8)
    one = len(encode_grid(row[None], sides[:1]))
    assert len(encode_grid(np.repeat(row[None], 2000, axis=0), sides)) < one + 40


def test_grid__rare_symbols_cost_about_their_entropy():
    rng = np.random.default_rng(2)
    grid = np.where(rng.random((400, 300)) < 0.02, 5, 2).astype(np.uint8)
    bits = -(0.02 * np.log2(0.02) + 0.98 * np.log2(0.98)) * grid.size
    assert 8 * len(encode_grid(grid, np.zeros_like(grid))) < 1.15 * bits


def test_grid__what_the_sides_tell_is_free():
    sides = np.random.default_rng(3).integers(0, 2, (200, 200), dtype=np.uint8)
    assert 8 * len(encode_grid(7 * sides, sides)) < 0.02 * sides.size
