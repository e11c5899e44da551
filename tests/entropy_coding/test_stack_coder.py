"""The stack coder against Python's own integers, bytes by hand, entropy, and damage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from haploom.entropy_coding.stack_coder import StackCoder


@st.composite
def symbols(draw):
    total_bits = draw(st.integers(0, 31))
    start = draw(st.integers(0, (1 << total_bits) - 1))
    return start, draw(st.integers(1, (1 << total_bits) - start)), total_bits


def murmur_finaliser(h: int) -> int:
    h = (h ^ h >> 16) * 0x85EBCA6B % 2**32
    h = (h ^ h >> 13) * 0xC2B2AE35 % 2**32
    return h ^ h >> 16


def oracle_bytes(pushed: list[tuple[int, int, int]]) -> bytes:
    """The coder's docstring in Python integers."""
    head, words = 2**31 + murmur_finaliser(1) // 2, []
    for start, frequency, total_bits in pushed:
        if head >> (63 - total_bits) >= frequency:
            words.insert(0, head % 2**32)
            head //= 2**32
        head = (head // frequency) * 2**total_bits + head % frequency + start
    return b"".join([head.to_bytes(8, "little"), *(word.to_bytes(4, "little") for word in words)])


def pushed_bits(coder: StackCoder) -> float:
    """How much is on a stack: its words and the logarithm of its head."""
    data = coder.to_bytes()
    return 8 * (len(data) - 8) + np.log2(int.from_bytes(data[:8], "little"))


@given(st.lists(symbols(), max_size=60))
def test_push__equals_python_integers(pushed):
    coder = StackCoder()
    for start, frequency, total_bits in pushed:
        coder.push_symbols(np.array([start]), np.array([frequency]), total_bits)
    assert coder.to_bytes() == oracle_bytes(pushed)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 65535)), max_size=300), st.integers(1, 31))
def test_pop__inverts_push_in_the_other_order(alleles, total_bits):
    bits = np.array([bit for bit, _ in alleles], dtype=np.uint8)
    probabilities = np.array([p for _, p in alleles], dtype=np.uint16)
    below = np.array([0, 1, 1, 1 << total_bits >> 1, 1 << total_bits])  # the symbol 1 never comes, 2 not always
    chosen = np.where(np.diff(below)[numbers := probabilities % 4] > 0, numbers, 3)
    coder = StackCoder()
    coder.push_alleles(bits, probabilities)
    coder.push_symbols(below[chosen], np.diff(below)[chosen], total_bits)
    coder = StackCoder.from_bytes(coder.to_bytes())
    assert_array_equal(coder.pop_symbols(below, len(chosen), total_bits), chosen)
    assert_array_equal(coder.pop_alleles(probabilities), bits)
    coder.check_empty()


def test_push__bytes_worked_out_by_hand():
    # An empty stack's head is 2^31 + (514E28B7 >> 1) = A8A7145B; 514E28B7 is what MurmurHash3's finaliser makes of 1.
    # A 1 at even odds: A8A7145B // 8000 = 1514E, the rest is 145B.
    coder = StackCoder()
    assert coder.to_bytes().hex() == "5b14a7a800000000"
    coder.push_alleles(np.array([1], np.uint8), np.array([32768], np.uint16))
    assert coder.to_bytes().hex() == "5b144e5101000000"


@pytest.mark.parametrize("p_one", [0.001, 0.1, 0.5, 0.97])
def test_push__length_is_the_entropy(p_one):
    rng, n = np.random.default_rng(5), 20_000
    probabilities = np.full(n, round(p_one * 65536), dtype=np.uint16)
    ones = (rng.random(n) < p_one).astype(np.uint8)
    ideal_bits = -np.where(ones, np.log2(probabilities / 65536), np.log2(1 - probabilities / 65536)).sum()
    coder = StackCoder()
    before = pushed_bits(coder)
    coder.push_alleles(ones, probabilities)
    assert pushed_bits(coder) - before == pytest.approx(ideal_bits, rel=1e-4)


def test_pop__draws_are_given_back():
    # 3,000 draws that nobody pushed, as likely as they should be, leave the stack as it was when they go back.
    coder = StackCoder()
    probabilities = np.full(3000, 16384, dtype=np.uint16)
    drawn = coder.pop_alleles(probabilities)
    assert abs(drawn.mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 3000)
    coder.push_alleles(drawn, probabilities)
    coder = StackCoder.from_bytes(coder.to_bytes())
    coder.check_empty()
    assert_array_equal(coder.pop_alleles(probabilities), drawn)
    with pytest.raises(ValueError, match="does not end as it began"):
        coder.check_empty()


@pytest.mark.parametrize("data", [b"", b"\0" * 7, b"\0" * 8, b"\xff" * 8, b"\xff" * 7 + b"\x7f\0"])
def test_from_bytes__what_is_no_stack_is_refused(data):
    with pytest.raises(ValueError, match="not a stack"):
        StackCoder.from_bytes(data)


@pytest.mark.parametrize(
    ("start", "frequency", "total_bits", "message"),
    [(0, 0, 4, "no place"), (-1, 2, 4, "no place"), (10, 7, 4, "no place"), (0, 1, 32, "a total of")],
)
def test_push__symbols_without_a_place_are_refused(start, frequency, total_bits, message):
    with pytest.raises(ValueError, match=message):
        StackCoder().push_symbols(np.array([start]), np.array([frequency]), total_bits)


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        (np.array([5, 0], np.uint16), "probability 0"),
        (np.array([5, 6]), "int64"),
        (np.array([5], np.uint16), "wanted uint16"),
    ],
)
def test_push__probabilities_are_checked(probabilities, message):
    with pytest.raises(ValueError, match=message):
        StackCoder().push_alleles(np.zeros(2, np.uint8), probabilities)


@given(st.integers(0, 2**40), st.integers(0, 50), st.integers(0, 80))
def test_scramble__undoes_itself_and_leaves_what_lies_deeper(place, n_words, n_symbols):
    coder = StackCoder()
    coder.push_symbols(np.arange(n_symbols), np.ones(n_symbols, int), 24)
    before = coder.to_bytes()
    # What is not on the stack comes from below it.
    n_below = max(n_words - (len(before) - 8) // 4, 0)
    before += b"".join(murmur_finaliser(i + 2).to_bytes(4, "little") for i in range(n_below))
    masks = [murmur_finaliser((place + 1) % 2**32) >> 1, 0]
    masks += [murmur_finaliser((place + 2 + i) % 2**32) for i in range(n_words)]
    coder.scramble(place, n_words)
    changed = np.frombuffer(coder.to_bytes(), "<u4") ^ np.frombuffer(before, "<u4")
    assert_array_equal(changed, masks + [0] * (len(changed) - len(masks)))
    coder.scramble(place, n_words)
    assert coder.to_bytes() == before
