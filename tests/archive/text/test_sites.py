import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from haploom.archive.text.lines import LineTable
from haploom.archive.text.sites import decode_sites, encode_sites
from haploom.entropy_coding.byte_packing import join_parts, split_parts

ANY = st.binary(max_size=6).map(lambda value: value.translate(bytes.maketrans(b"\t\n", b"  ")))
SITES = st.lists(
    st.tuples(
        st.one_of(st.sampled_from([b"22", b"chrX", b"HLA-A*01"]), ANY),
        st.one_of(st.integers(0, 10**9).map(b"%d".__mod__), st.sampled_from([b"007", b"-5", b"9" * 30, b""]), ANY),
        st.one_of(st.just(b"."), st.integers(0, 10**9).map(b"rs%d".__mod__), ANY),
        st.one_of(st.sampled_from([b"A", b"C", b"G", b"T", b"N", b"a"]), st.text("ACGT", max_size=30).map(str.encode)),
        st.one_of(st.sampled_from([b"A", b"T", b".", b"*", b"<DEL>", b"A,T", b"G]17:198982]", b"<INS:ME>,C"]), ANY),
    ),
    max_size=40,
)


def assert_round_trip(rows) -> bytes:
    lines = LineTable.from_list(map(b"\t".join, rows))
    coded = encode_sites(lines)
    decoded = decode_sites(coded, len(lines), len(lines.text))
    assert decoded.text.tobytes() == lines.text.tobytes()
    assert_array_equal(decoded.starts, lines.starts)
    return coded


@given(SITES)
def test_sites__decode_inverts_encode(rows):
    assert_round_trip(rows)


def test_sites__very_long_alleles():
    rng = np.random.default_rng(10)
    long = rng.choice(np.frombuffer(b"ACGT", np.uint8), 400_000).tobytes()
    rows = [(b"1", b"%d" % i, b".", b"A", b"C") for i in range(100)]
    rows[50] = (b"1", b"50", b".", long, b"A")
    assert len(assert_round_trip(rows)) < 400_000 / 3


@pytest.mark.parametrize("line", [b"1\t2\t3\t4", b"1\t2\t3\t4\t5\t6", b""])
def test_sites__other_than_five_columns_are_refused(line):
    with pytest.raises(ValueError, match="5 columns"):
        encode_sites(LineTable.from_list([b"22\t1\t.\tA\tC", line]))


def test_sites__a_table_larger_than_said_is_an_error():
    rows = [(b"22" * 1000, b"%d" % i, b".", b"A", b"C") for i in range(200)]
    lines = LineTable.from_list(map(b"\t".join, rows))
    with pytest.raises(ValueError, match="at most"):
        decode_sites(encode_sites(lines), 200, len(lines.text) - 1)


@pytest.mark.parametrize("data", [b"", b"\0", b"\xff" * 9, b"\x7f" + b"\0" * 20])
def test_sites__damage_is_reported(data):
    with pytest.raises(ValueError):
        decode_sites(data, 3, 1000)


PATTERNS = {
    "plink": "{c}:{p}:{r}:{a}",
    "gtex": "chr{c}_{p}_{r}_{a}_b37",
    "place": "{c}-{p}",
    "shapeit": "snp.{c}:{p}_{r}/{a}%b\\",
}


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
@pytest.mark.parametrize("contig", ["22", "chr22"])
def test_sites__ids_made_of_the_other_columns_cost_almost_nothing(pattern, contig):
    rng = np.random.default_rng(11)
    sites = [(contig, 1000 + 17 * i, "ACGT"[rng.integers(4)], "ACGT"[rng.integers(4)]) for i in range(2000)]
    bare = contig if pattern.startswith("{c}") else "22"
    made = [(c, p, pattern.format(c=bare, p=p, r=r, a=a), r, a) for c, p, r, a in sites]
    made[77] = (*made[77][:2], "rs77", *made[77][3:])
    without = [(c, p, ".", r, a) for c, p, r, a in sites]
    with_names, without_names = (
        len(assert_round_trip([[str(field).encode() for field in row] for row in rows])) for rows in (made, without)
    )
    assert with_names < without_names + 60


def test_sites__a_pattern_that_would_fill_memory_is_an_error():
    rows = [[b"1", b"%d" % i, b"1:%d" % i, b"A", b"C"] for i in range(50)]
    parts = split_parts(assert_round_trip(rows), 6)
    parts[4] = b"\0" + b"x" * 10**6 + b"\t:\t"
    with pytest.raises(ValueError, match="pattern"):
        decode_sites(join_parts(parts), 50, 10**9)
