import lzma

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from haploom.entropy_coding.byte_text import decode_text, encode_text


@given(st.one_of(st.binary(max_size=200), st.text("ACGT\n,|", max_size=200).map(str.encode)))
def test_byte_text__decode_inverts_encode(text):
    assert decode_text(encode_text(text), len(text)) == text


def test_byte_text__smaller_than_xz_on_lines_that_resemble_each_other():
    rng = np.random.default_rng(5)
    text = b"".join(
        b"%s|ENST%011d|%.3f\n" % (rng.choice([b"missense", b"synonymous"]), rng.integers(10**6), rng.random())
        for _ in range(1000)
    )  # fmt: skip
    assert len(encode_text(text)) < len(lzma.compress(text, preset=9))


@given(st.binary(max_size=40), st.integers(0, 300))
def test_byte_text__any_bytes_decode_to_something(data, n):
    assert len(decode_text(data, n)) == n
