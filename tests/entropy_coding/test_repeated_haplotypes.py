import hashlib
import lzma

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_array_equal

from haploom.entropy_coding.byte_packing import join_parts, pack_bytes
from haploom.entropy_coding.code_indices import decode_codes, encode_codes
from haploom.entropy_coding.genotype_block import LEVELS, decode_block, encode_block
from haploom.entropy_coding.repeated_haplotypes import PACKED, REPEATED, decode_any, encode_smallest, number_haplotypes


def repeated(n_sites: int, n_different: int, n_haplotypes: int, seed: int) -> np.ndarray:
    """Haplotypes drawn again and again from a few unrelated ones: uint8 (n_sites, n_haplotypes)."""
    rng = np.random.default_rng(seed)
    few = rng.integers(0, 2, (n_sites, n_different), dtype=np.uint8)
    return few[:, rng.integers(0, n_different, n_haplotypes)]


def by_the_spec(data: bytes, n_sites: int, n: int) -> np.ndarray:
    """A slow decoder after the words of docs/spec/genotypes-1.md, of levels 5 and 6."""
    if data[0] == PACKED:
        size, place, shift = 0, 2, 0
        while True:
            size |= (data[place] & 127) << shift
            place, shift = place + 1, shift + 7
            if data[place - 1] < 128:
                break
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": max(size, 4096)}]
        how = (
            bytes,
            zstandard.ZstdDecompressor().decompress,
            lambda form: lzma.decompress(form, lzma.FORMAT_RAW, None, filters),
        )
        bits = np.unpackbits(np.frombuffer(how[data[1]](data[place:]), np.uint8)).reshape(n, -1)
        return bits[:, :n_sites].T
    if data[0] != REPEATED:
        return decode_block(data, n_sites, n)
    n_different, length = data[1], data[2]
    assert max(n_different, length) < 128
    ranks = decode_codes(data[3 : 3 + length], n, 1, n_different + 1)[:, 0]
    recent: list[int] = []
    numbers = []
    for rank in ranks.tolist():
        number = len(recent) if rank == 0 else recent.pop(rank - 1)
        recent.insert(0, number)
        numbers.append(number)
    return by_the_spec(data[3 + length :], n_sites, n_different)[:, numbers]


@settings(deadline=None, max_examples=60)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=24), elements=st.integers(0, 1)))
def test_decode_any__inverts_encode_smallest(alleles):
    data = encode_smallest(alleles)
    decoded = decode_any(data, *alleles.shape)
    assert decoded.dtype == np.uint8
    assert_array_equal(decoded, alleles)
    assert len(data) <= min(len(encode_block(alleles, level)) for level in ("default", "learned"))


@pytest.mark.parametrize("level", LEVELS)
def test_decode_any__reads_the_levels_of_before(level):
    alleles = repeated(90, 9, 60, 1)
    assert_array_equal(decode_any(encode_block(alleles, level), *alleles.shape), alleles)


@pytest.mark.parametrize("n_different", [3, 40])
def test_encode_smallest__repeated_haplotypes_are_told_once(n_different):
    alleles = repeated(500, n_different, 120, 2)
    data = encode_smallest(alleles)
    assert data[0] == REPEATED
    assert_array_equal(by_the_spec(data, *alleles.shape), alleles)
    # Random alleles cannot be told in less than a bit each, and who has which in less than its entropy.
    assert len(data) < n_different * 500 / 8 + 120 * np.log2(n_different + 1) / 8 + 60


@pytest.mark.parametrize("n_haplotypes", [3, 60])
def test_encode_smallest__rows_that_repeat_themselves_are_packed(n_haplotypes):
    # Alleles of no order but that they come again 64 sites on: a general coder sees that, the statistics do not.
    alleles = np.tile(np.random.default_rng(3).integers(0, 2, (64, 3), dtype=np.uint8), (40, 1))
    alleles = alleles[:, np.arange(n_haplotypes) % 3]
    data = encode_smallest(alleles)
    assert (data[0] if n_haplotypes == 3 else data[3 + data[2]]) == PACKED
    assert_array_equal(by_the_spec(data, *alleles.shape), alleles)


def test_encode_smallest__related_haplotypes_go_to_the_statistics():
    rng = np.random.default_rng(4)
    alleles = (rng.random((1500, 120)) < rng.beta(0.3, 2, (1500, 1))).astype(np.uint8)
    assert encode_smallest(alleles) == encode_block(alleles, "learned")


def test_encode_smallest__is_never_larger_than_packed_rows():
    alleles = np.concatenate([repeated(700, 30, 80, 5), repeated(700, 30, 80, 6)])
    rows = np.packbits(alleles.T, axis=1).tobytes()
    assert len(encode_smallest(alleles)) <= len(zstandard.ZstdCompressor(level=19).compress(rows)) + 4


def test_encode_smallest__bytes_are_the_formats():
    # Frozen: other bytes for these alleles are another format and need another codec id.
    site, haplotype = np.indices((400, 150))
    different = haplotype * haplotype % 37
    alleles = (site * site // 7 + different * (site // 90 + 3) * 5 % 41) % 29 < (site % 13) // 2
    data = encode_smallest(alleles.astype(np.uint8))
    assert data[0] == REPEATED
    assert hashlib.sha256(data).hexdigest() == ("97f077ea129af048fa59df4b98c07b38e1508a2c216bb9e93528f26f8462a254")


def test_number_haplotypes__in_order_of_appearance():
    alleles = np.array([[0, 1, 0, 1, 1], [1, 1, 1, 0, 1]], dtype=np.uint8)
    numbers, first = number_haplotypes(alleles)
    assert numbers.tolist() == [0, 1, 0, 2, 1]
    assert first.tolist() == [0, 1, 3]


def block(n_different: int, ranks: list[int], n_sites: int = 8) -> bytes:
    """A block at level 5 of different haplotypes 0, 1, 2, ... in binary."""
    rows = bytes(range(n_different))
    codes = encode_codes(np.array(ranks, dtype=np.int64)[:, None], max(n_different, max(ranks)) + 1)
    return bytes([REPEATED, n_different]) + join_parts([codes, bytes([PACKED]) + pack_bytes(rows)])


def test_decode_any__by_hand():
    # Row 0, row 1, then the latest (1), then the one before it (0), a new one (2), the third latest (1).
    numbers = np.packbits(decode_any(block(3, [0, 0, 1, 2, 0, 3]), 8, 6), axis=0)[0]
    assert numbers.tolist() == [0, 1, 1, 0, 2, 1]


@pytest.mark.parametrize(
    "data",
    [
        b"", bytes([REPEATED]), bytes([REPEATED, 0, 0]), bytes([REPEATED, 7, 0]), bytes([REPEATED, 3, 9, 0]),
        block(3, [0, 0, 1, 2, 2, 2]), block(2, [0, 0, 1, 2, 0, 1]), block(3, [0, 3, 0, 0, 1, 1]),
        block(3, [0, 0, 0, 1, 1, 1])[:-1], bytes([REPEATED, 3, 1]) + block(3, [0, 0, 0, 1, 1, 1])[3:],
        bytes([PACKED]), bytes([PACKED, 9, 1, 0]), bytes([PACKED]) + pack_bytes(bytes(5)),
        bytes([PACKED]) + pack_bytes(bytes(7)), b"\x07\x05abc",
        bytes([REPEATED, 1]) + join_parts([encode_codes(np.eye(6, 1, dtype=np.int64) ^ 1, 2), block(1, [0])]),
    ],
    ids=["empty", "cut", "none", "too-many", "parts", "one-missing", "one-more", "not-yet", "short-rows", "bad-codes",
         "no-rows", "unknown-form", "few-rows", "many-rows", "unknown-level", "in-itself"],
)  # fmt: skip
def test_decode_any__damage_is_reported(data):
    with pytest.raises(ValueError, match=r"."):
        decode_any(data, 8, 6)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_decode_any__altered_bytes_end_in_alleles_or_an_error(data):
    good = bytearray(encode_smallest(repeated(40, 5, 30, 7)))
    place = data.draw(st.integers(0, len(good) - 1))
    good[place] ^= data.draw(st.integers(1, 255))
    try:
        decoded = decode_any(bytes(good), 40, 30)
    except ValueError:
        return
    assert decoded.shape == (40, 30)
    assert decoded.max() <= 1


def test_encode_smallest__more_different_haplotypes_than_codes():
    numbers = np.arange((1 << 16) + 10, dtype=np.uint32) % ((1 << 16) + 5)
    alleles = (numbers >> np.arange(17, dtype=np.uint32)[:, None] & 1).astype(np.uint8)
    data = encode_smallest(alleles)
    assert data[0] != REPEATED
    assert_array_equal(decode_any(data, *alleles.shape), alleles)
