import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from haploom.archive.text.numbers import needed_decimals, parse_numbers, spell_numbers

ODD = [b"1e-05", b"007", b"+5", b"-0", b"-0.0", b".5", b"5.", b"", b".", b"nan",
       b"0x1", b"1_0", b" 1", b"1\n", b"\xd9\xa1"]  # fmt: skip


@pytest.mark.parametrize("value", ODD)
def test_numbers__odd_spellings_are_left(value):
    assert not parse_numbers([value]).is_number.any()


@pytest.mark.parametrize(
    ("values", "scale", "scaled", "decimals"),
    [
        ([b"0", b"17", b"-3"], 0, [0, 17, -3], [0, 0, 0]),
        ([b"0.5", b"0.500", b"1"], 3, [500, 500, 1000], [1, 3, 0]),
        ([b"-0.25", b"0.00"], 2, [-25, 0], [2, 2]),
    ],
)
def test_numbers__known_values(values, scale, scaled, decimals):
    numbers = parse_numbers(values)
    assert numbers.is_number.all()
    assert (numbers.scale, numbers.scaled.tolist(), numbers.decimals.tolist()) == (scale, scaled, decimals)


NUMBER_LIKE = st.one_of(
    st.from_regex(rb"[-+]?[0-9]{0,20}(\.[0-9]{0,12})?(e-?[0-9])?", fullmatch=True), st.sampled_from(ODD)
)


@given(st.lists(NUMBER_LIKE, max_size=30))
def test_numbers__what_is_taken_is_spelled_again(values):
    numbers = parse_numbers(values)
    taken = [value for value, is_number in zip(values, numbers.is_number) if is_number]
    assert spell_numbers(numbers.scaled, numbers.decimals, numbers.scale) == taken


def test_needed_decimals__against_text():
    scaled = np.concatenate([np.arange(-1200, 1200), np.array([10**15, 123450, 10**17 + 1000])])
    expected = [len((b"%04d" % abs(n))[-3:].rstrip(b"0")) for n in scaled.tolist()]
    assert_array_equal(needed_decimals(scaled, 3), expected)
