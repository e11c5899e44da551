import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haploom.entropy_coding.range_coder import code_bit, finish, is_full, new_decoder, new_encoder

BITS = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 65535)), max_size=200)


def encoded(bits: list[tuple[int, int]], room: int = 4096) -> tuple[bytes, np.ndarray]:
    state, data = new_encoder(), np.zeros(room, dtype=np.uint8)
    for bit, p in bits:
        code_bit(state, data, np.int64(p), np.int64(bit))
    return finish(state, data), state


@given(BITS)
def test_code_bit__decode_inverts_encode(bits):
    data = np.frombuffer(bytearray(encoded(bits)[0]), dtype=np.uint8)
    state = new_decoder(data)
    assert [int(code_bit(state, data, np.int64(p), np.int64(0))) for _, p in bits] == [bit for bit, _ in bits]


@pytest.mark.parametrize(
    ("bits", "wanted"),
    [
        ([], b""),
        # A 1 at even odds keeps [0, 7fffffff], which zeros without end lie in.
        ([(1, 32768)], b""),
        # A 0 keeps [80000000, ffffffff]; 80 is its shortest member, but the final zeros are not written.
        ([(0, 32768)], b"\x80"),
        # Eight even bits 0,1,0,1,1,0,1,0, a 0 being the upper half: the byte is their complement.
        ([(b, 32768) for b in (0, 1, 0, 1, 1, 0, 1, 0)], b"\xa5"),
    ],
)
def test_code_bit__bytes_worked_out_by_hand(bits, wanted):
    assert encoded(bits)[0] == wanted


@pytest.mark.parametrize("p_one", [0.001, 0.1, 0.5, 0.97])
def test_code_bit__length_is_the_entropy(p_one):
    rng, n = np.random.default_rng(5), 20_000
    p = round(p_one * 65536)
    ones = rng.random(n) < p_one
    ideal_bits = -np.where(ones, np.log2(p / 65536), np.log2(1 - p / 65536)).sum()
    data, _ = encoded([(int(one), p) for one in ones])
    assert -8 < len(data) * 8 - ideal_bits < 8 + ideal_bits * 1e-3


def test_code_bit__a_full_buffer_is_noticed():
    bits = [(bit, 32768) for bit in (0, 1) * 40]
    assert not is_full(encoded(bits, room=10)[1])
    assert is_full(encoded(bits, room=9)[1])
