import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from haploom.entropy_coding.identifiers import MOST_CLUSTERS, clusters_of, decode_steps, encode_steps


def clustered(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    first, size = clusters_of(numbers)
    return np.searchsorted(first, numbers, side="right") - 1, first, size


@given(
    arrays(np.int64, st.integers(1, 60), elements=st.one_of(st.integers(0, 10**18), st.integers(0, 50), st.just(10**6)))
)
def test_identifiers__decode_inverts_encode(numbers):
    cluster, first, size = clustered(numbers)
    assert_array_equal(decode_steps(encode_steps(numbers, cluster, first, size), cluster, first, size), numbers)


def test_clusters__are_the_batches_the_numbers_came_from():
    rng = np.random.default_rng(6)
    batches = [
        rng.integers(start, start + width, 2000) for start, width in [(100, 10**4), (10**7, 10**6), (5 * 10**8, 10**7)]
    ]
    first, size = clusters_of(rng.permutation(np.concatenate(batches)))
    assert_array_equal(first, [batch.min() for batch in batches])
    assert_array_equal(size, [np.ptp(batch) + 1 for batch in batches])


@given(arrays(np.int64, st.integers(1, 300), elements=st.integers(0, 10**18)))
def test_clusters__hold_every_number_and_do_not_overlap(numbers):
    first, size = clusters_of(numbers)
    assert 1 <= len(first) <= MOST_CLUSTERS
    assert (first[1:] >= (first + size)[:-1]).all()
    cluster = np.searchsorted(first, numbers, side="right") - 1
    assert ((numbers >= first[cluster]) & (numbers < (first + size)[cluster])).all()


def test_identifiers__numbers_dealt_in_strides_cost_less_than_drawn_ones():
    # A service that deals a stride of 1/3 of the batch to each variant, give or take 1/200 of it.
    rng = np.random.default_rng(7)
    size, n = 51_000_000, 4_000
    numbers = (np.arange(n) * (size // 3) + rng.integers(0, size // 200, n)) % size + 527_000_000
    cluster, first, sizes = clustered(numbers)
    drawn_bytes = n * np.log2(size) / 8
    assert len(encode_steps(numbers, cluster, first, sizes)) < drawn_bytes - 4 * n / 8


@pytest.mark.parametrize("data", [b"", b"\xff" * 30, bytes(range(200))])
def test_identifiers__any_bytes_decode_within_the_clusters(data):
    first, size = np.array([5, 10**6, 2**60]), np.array([1, 10**5, 2**61])
    cluster = np.arange(120) % 3
    numbers = decode_steps(data, cluster, first, size)
    assert ((numbers >= first[cluster]) & (numbers < (first + size)[cluster])).all()
