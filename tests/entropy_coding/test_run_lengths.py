import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_array_equal

from haploom.entropy_coding.run_lengths import LONGEST, decode_runs, encode_runs, paper_size_bits


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=40), elements=st.integers(0, 1)))
def test_runs__decode_inverts_encode(rows):
    assert_array_equal(decode_runs(encode_runs(rows), *rows.shape), rows)


def test_runs__known_values():
    # A row beginning with 0, one beginning with 1 (an empty run of zeros first), one of zeros.
    rows = np.array([[0, 0, 1, 0], [1, 1, 0, 1], [0, 0, 0, 0]], dtype=np.uint8)
    assert encode_runs(rows).tolist() == [2, 1, 1, 0, 2, 1, 1, 4]


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("n", [LONGEST - 1, LONGEST, LONGEST + 1, 2 * LONGEST, 2 * LONGEST + 1, 200_001])
def test_runs__longer_than_sixteen_bits(n, value):
    row = np.full((2, n), value, dtype=np.uint8)
    row[1, 0] = 1 - value
    assert_array_equal(decode_runs(encode_runs(row), 2, n), row)


@pytest.mark.parametrize("runs", [[], [3], [5], [4, 0], [2, 2, 1], [65535]], ids=str)
def test_runs__that_do_not_fill_the_row_are_refused(runs):
    with pytest.raises(ValueError, match="do not fill"):
        decode_runs(np.array(runs, dtype=np.uint16), 1, 4)


def test_paper_size__counted_by_hand():
    # Two rows: runs 2 1 1, and (0) 2 1 1 whose empty run the paper replaces by the first value.
    rows = np.array([[0, 0, 1, 0], [1, 1, 0, 1]], dtype=np.uint8)
    assert paper_size_bits(encode_runs(rows), n_rows=2, n_latent=8) == 16 * (3 + 3) + 16 * 2 + 32 * 2 * 8
