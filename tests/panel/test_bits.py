"""Packing of alleles: bytes by hand, and against plain indexing."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from haploom.panel import bits

MATRICES = st.tuples(st.integers(0, 5), st.integers(0, 40)).flatmap(
    lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 1))
)


def test_pack_rows__known_bytes():
    # The first site is the highest bit; the last byte is filled up with zeros.
    alleles = np.array([[1, 0, 0, 0, 0, 0, 0, 1, 1], [0] * 8 + [0]], dtype=np.uint8)
    assert bits.pack_rows(alleles).tolist() == [[0x81, 0x80], [0, 0]]


@given(MATRICES)
def test_pack_rows__unpack_inverts(alleles):
    packed = bits.pack_rows(alleles)
    assert packed.shape == (len(alleles), bits.row_bytes(alleles.shape[1]))
    assert_array_equal(bits.unpack_rows(packed, alleles.shape[1]), alleles)
    assert_array_equal(bits.column_sums(packed, alleles.shape[1]), alleles.sum(axis=0, dtype=np.int64))


@given(MATRICES, st.data())
def test_select_columns__as_indexing_does(alleles, data):
    n_sites = alleles.shape[1]
    index = data.draw(st.lists(st.integers(0, n_sites - 1), max_size=50)) if n_sites else []
    mask = data.draw(arrays(np.bool_, n_sites))
    near = data.draw(st.slices(n_sites))  # forwards, backwards, empty
    stretch = slice(near.start, near.stop)
    for sites in (np.array(index, dtype=np.int64), mask, slice(n_sites // 3, n_sites, 2), near, stretch):
        wanted = alleles[:, sites]
        got = bits.select_columns(bits.pack_rows(alleles), n_sites, sites)
        assert_array_equal(got, np.packbits(wanted, axis=1))


def test_row_blocks__cover_all_rows_once(monkeypatch):
    monkeypatch.setattr(bits, "BLOCK_BYTES", 100)
    assert list(bits.row_blocks(7, 30)) == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert list(bits.row_blocks(2, 1000)) == [slice(0, 1), slice(1, 2)]
    assert list(bits.row_blocks(0, 10)) == []
