import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from haploom.entropy_coding.symbols import (
    LARGEST,
    decode_integers,
    decode_symbols,
    encode_integers,
    encode_symbols,
)


def no_sides(n: int) -> np.ndarray:
    return np.zeros((n, 0), dtype=np.int64)


@given(st.data(), st.sampled_from([1, 2, 3, 17, 65536]), st.integers(0, 60))
def test_symbols__decode_inverts_encode(data, n_symbols, n):
    symbols = data.draw(arrays(np.int64, n, elements=st.integers(0, n_symbols - 1)))
    sides = data.draw(arrays(np.int64, (n, 2), elements=st.integers(-(2**63), 2**63 - 1)))
    assert_array_equal(decode_symbols(encode_symbols(symbols, n_symbols, sides), n, n_symbols, sides), symbols)


@given(st.data(), st.integers(0, 60), st.booleans())
def test_integers__decode_inverts_encode(data, n, as_differences):
    numbers = st.one_of(st.integers(-LARGEST, LARGEST), st.integers(-9, 9))
    values = data.draw(arrays(np.int64, n, elements=numbers))
    sides = data.draw(arrays(np.int64, (n, 1), elements=st.integers(0, 3)))
    coded = encode_integers(values, as_differences, sides)
    assert_array_equal(decode_integers(coded, n, as_differences, sides), values)


def test_symbols__random_bits_cost_a_bit_each():
    symbols = np.random.default_rng(1).integers(0, 2, 20_000)
    # Nothing can code them in less than 2,500 bytes; learning that nothing helps may cost a little.
    assert 2_500 - 20 <= len(encode_symbols(symbols, 2, no_sides(20_000))) < 2_550


def test_symbols__a_rare_symbol_costs_its_entropy():
    symbols = (np.random.default_rng(2).random(50_000) < 0.02).astype(np.int64)
    p = symbols.mean()
    entropy_bytes = -(p * np.log2(p) + (1 - p) * np.log2(1 - p)) * 50_000 / 8
    assert len(encode_symbols(symbols, 2, no_sides(50_000))) < 1.06 * entropy_bytes


def test_symbols__what_a_side_tells_is_free():
    side = np.random.default_rng(3).integers(0, 16, 5_000)
    symbols = (side * 7 + 3) % 16
    assert len(encode_symbols(symbols, 16, side[:, None])) < 150  # 2,500 bytes alone


def test_integers__steps_of_a_walk_cost_the_entropy_of_the_steps():
    steps = np.random.default_rng(4).integers(0, 64, 10_000)
    coded = encode_integers(10**9 + np.cumsum(steps), True, no_sides(10_000))
    assert 7_500 - 20 <= len(coded) < 7_900  # 6 bits each


def test_symbols__outside_the_alphabet_is_an_error():
    coded = encode_symbols(np.array([3, 3, 3, 3]), 4, no_sides(4))
    with pytest.raises(ValueError, match="alphabet of 3"):
        decode_symbols(coded, 4, 3, no_sides(4))
    with pytest.raises(ValueError, match="alphabet"):
        decode_symbols(coded, 4, 0, no_sides(4))


@given(st.binary(max_size=40), st.integers(0, 200), st.booleans())
def test_symbols__any_bytes_decode_to_something(data, n, as_differences):
    assert len(decode_symbols(data, n, 256, no_sides(n))) == n
    assert len(decode_integers(data, n, as_differences, no_sides(n))) == n
