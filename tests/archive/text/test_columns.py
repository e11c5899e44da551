import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haploom.archive.text.columns import decode_column, decode_texts, encode_column, encode_texts, no_sides

ANY_VALUE = st.binary(max_size=12).map(lambda value: value.replace(b"\n", b"\r"))
TYPED = [
    st.integers(-(10**20), 10**20).map(b"%d".__mod__),
    st.decimals(-1000, 1000, places=3).map(lambda d: str(d).encode()),
    st.floats().map(lambda x: repr(x).encode()),
    st.sampled_from([b".", b"PASS", b"q10;s50", b"007", b"+5", b"0.100", b"1e-05", b"", b"\xff\xfe", b","]),
    st.lists(st.integers(0, 99).map(b"%d".__mod__), max_size=4).map(b",".join),
    st.integers(0, 10**9).map(b"rs%d".__mod__),
    st.integers(0, 10**9).map(b"rs%010d".__mod__),
    ANY_VALUE,
]
COLUMNS = st.one_of(*[st.lists(values, max_size=80) for values in TYPED], st.lists(st.one_of(*TYPED), max_size=80))


def round_trip(values: list[bytes], sides: np.ndarray | None = None) -> list[bytes]:
    sides = no_sides(len(values)) if sides is None else sides
    return decode_column(encode_column(values, sides), sides, sum(map(len, values)))


@given(COLUMNS, st.integers(0, 2))
def test_column__decode_inverts_encode(values, n_sides):
    sides = np.arange(len(values) * n_sides, dtype=np.int64).reshape(len(values), n_sides) % 5
    assert round_trip(values, sides) == values


@given(st.lists(ANY_VALUE, max_size=40))
def test_texts__decode_inverts_encode(values):
    assert decode_texts(encode_texts(values), len(values), sum(map(len, values))) == values


LONG_COLUMNS = {
    "constant": [b"100"] * 5000,
    "few": [b"PASS", b"q10", b"."] * 2000,
    "rising": [b"%d" % (7 * i * i) for i in range(5000)],
    "fixed decimals": [b"%.3f" % (i / 977) for i in range(5000)],
    "python floats": [repr(i / 8).encode() for i in range(5000)],
    "lists": [b",".join([b"0.%d" % i] * (i % 3 + 1)) for i in range(5000)],
    "identifiers": [b"rs%d" % (i * 7919 % 100_003) for i in range(5000)] + [b".", b"rs1;rs2", b"rs007"],
    "long": [b"A" * 300_000, b"C", b"G" * 100_000],
}


@pytest.mark.parametrize("name", LONG_COLUMNS)
def test_column__long_ones_come_back(name):
    values = LONG_COLUMNS[name]
    assert round_trip(values) == values


def test_column__one_odd_value_costs_no_more_than_itself():
    rng = np.random.default_rng(8)
    plain = [b"%d" % n for n in rng.integers(0, 30_000, 4000)]
    odd = list(plain)
    odd[1000], odd[3000] = b"007", b"1e-05"
    sizes = [len(encode_column(values, no_sides(4000))) for values in (plain, odd)]
    assert sizes[1] < sizes[0] + 60


def test_column__constant_by_hand():
    assert encode_column([b"22", b"22", b"22"], no_sides(3)) == b"\x0022"
    assert encode_column([], no_sides(0)) == b""


def test_column__a_newline_is_refused():
    with pytest.raises(ValueError, match="newline"):
        encode_column([b"a\nb", b"c"], no_sides(2))


def test_column__more_than_may_be_is_an_error():
    values = [b"%d" % n for n in np.random.default_rng(9).integers(0, 2**60, 300)] + [b"x" * 50_000]
    coded = encode_column(values, no_sides(301))
    with pytest.raises(ValueError, match="at most"):
        decode_column(coded, no_sides(301), 40_000)


@given(st.sampled_from(sorted(LONG_COLUMNS)), st.randoms(use_true_random=False))
def test_column__damage_is_an_error_or_other_values(name, random):
    values = LONG_COLUMNS[name][-200:]
    coded = bytearray(encode_column(values, no_sides(len(values))))
    for _ in range(random.randint(1, 3)):
        coded[random.randrange(len(coded))] = random.randrange(256)
    coded = coded[: random.choice([len(coded), random.randint(0, len(coded))])]
    limit = sum(map(len, values))
    try:
        decoded = decode_column(bytes(coded), no_sides(len(values)), limit)
    except ValueError:
        return
    assert len(decoded) == len(values)
