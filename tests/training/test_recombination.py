import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

pytest.importorskip("torch")

from haploom.training.mosaics import recombine


@given(st.integers(1, 30), st.integers(1, 12), st.floats(0, 8), st.integers(0, 99))
def test_recombine__every_column_is_some_row_of_the_same_label(n_rows, n_columns, crossovers, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n_rows)
    columns = np.arange(n_rows)[:, None] * 1000 + np.arange(n_columns)  # says its row and its column
    rows = rng.permutation(n_rows)[: 1 + n_rows // 2]
    before = columns.copy()
    mixed = recombine(columns, rows, labels, crossovers, rng)
    assert_array_equal(columns, before)
    assert_array_equal(mixed % 1000, np.broadcast_to(np.arange(n_columns), mixed.shape))
    assert_array_equal(labels[mixed // 1000], np.broadcast_to(labels[rows][:, None], mixed.shape))


def test_recombine__as_many_crossovers_as_asked_for():
    columns = np.repeat(np.arange(5000)[:, None], 400, axis=1)
    mixed = recombine(columns, np.arange(5000), None, 3.0, np.random.default_rng(1))
    changes = (np.diff(mixed, axis=1) != 0).sum(axis=1)
    # A crossover at column 0 or at another's place, and one to the same row, are not seen: under 1 %.
    assert changes.mean() == pytest.approx(3.0, abs=5 * np.sqrt(3 / 5000) + 0.03)
    assert changes.var() == pytest.approx(3.0, rel=0.15)  # Poisson


def test_recombine__none_leaves_the_rows():
    columns = np.random.default_rng(1).integers(0, 256, (9, 5), dtype=np.uint8)
    assert_array_equal(recombine(columns, np.array([3, 1]), None, 0.0, np.random.default_rng(1)), columns[[3, 1]])
