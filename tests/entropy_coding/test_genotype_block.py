import hashlib
import itertools
import lzma

import numpy as np
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_array_equal

from haploom.entropy_coding.genotype_block import LEVELS, decode_block, encode_block
from haploom.entropy_coding.site_classes import classes_of

ANY_LEVEL = st.sampled_from(sorted(LEVELS))
SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=40)
ALLELES = arrays(np.uint8, SHAPES, elements=st.integers(0, 1))


FROZEN = {
    "fast": "a6e1d7849d630eb3d1bc033f63ba4e0f6ecffe1a19bf0e33a1d095d2ea830fa0",
    "default": "b907bde9d79bcf2439325edb0c9253642789520f7292100a25b814a0a614c4b0",
    "max": "f4551ef26959215faee9bc0a562e618a37d499f74e9b17aca09d57e740bde167",
    "learned": "61f467c49ec721df4cc3b3e5b2d5ab64a538093d6c730dd5aa630fdc829fc1f9",
}


def related_haplotypes(n_sites: int, n_haplotypes: int, seed: int) -> np.ndarray:
    """Haplotypes that copy earlier ones in long stretches with rare mutations: uint8 (n_sites, n_haplotypes)."""
    rng = np.random.default_rng(seed)
    alleles = (rng.random((n_sites, n_haplotypes)) < rng.beta(0.4, 2, (n_sites, 1))).astype(np.uint8)
    for h in range(8, n_haplotypes):
        borders = np.sort(rng.integers(0, n_sites + 1, 2))
        for left, right in zip([0, *borders], [*borders, n_sites]):
            alleles[left:right, h] = alleles[left:right, rng.integers(0, h)]
    return alleles ^ (rng.random(alleles.shape) < 0.001)


@settings(deadline=None, max_examples=60)
@given(ALLELES, ANY_LEVEL)
def test_decode_block__inverts_encode_block(alleles, level):
    assert_array_equal(decode_block(encode_block(alleles, level), *alleles.shape), alleles)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "alleles",
    [
        np.zeros((0, 5), np.uint8),
        np.zeros((5, 0), np.uint8),
        np.zeros((300, 70), np.uint8),
        np.ones((300, 70), np.uint8),
        np.ones((200, 1), np.uint8),
        np.eye(130, dtype=np.uint8),
        1 - np.eye(130, dtype=np.uint8),
        np.repeat(np.random.default_rng(1).integers(0, 2, (3, 101), dtype=np.uint8), 50, axis=0),
        np.random.default_rng(2).integers(0, 2, (90, 257), dtype=np.uint8),
        related_haplotypes(800, 300, 3),
    ],
    ids=["no-sites", "no-haplotypes", "zeros", "ones", "one-haplotype", "singletons", "all-but-one", "duplicates",
         "noise", "related"],
)  # fmt: skip
def test_decode_block__gives_back_odd_blocks(alleles, level):
    data = encode_block(alleles, level)
    assert len(data) <= -(-alleles.size // 8) + 2
    decoded = decode_block(data, *alleles.shape)
    assert decoded.dtype == np.uint8
    assert_array_equal(decoded, alleles)


@pytest.mark.parametrize("level", LEVELS)
def test_encode_block__relatives_cost_less_than_their_site_entropy(level):
    alleles = related_haplotypes(600, 400, 4)
    p = alleles.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy_bits = -np.nansum(p * np.log2(p) + (1 - p) * np.log2(1 - p)) * alleles.shape[1]
    assert len(encode_block(alleles, level)) * 8 < 0.4 * entropy_bits


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300), ANY_LEVEL, st.integers(1, 12), st.integers(0, 60), st.integers(0, 60))
def test_decode_block__any_bytes_end_in_alleles(noise, level, common_class, n_sites, n_haplotypes):
    decoded = decode_block(bytes([LEVELS[level], common_class]) + noise, n_sites, n_haplotypes)
    assert decoded.shape == (n_sites, n_haplotypes)
    assert decoded.max(initial=0) <= 1


@pytest.mark.parametrize("level", LEVELS)
def test_decode_block__damage_never_breaks_the_decoder(level):
    alleles = related_haplotypes(150, 90, 5)
    good = encode_block(alleles, level)
    rng = np.random.default_rng(6)
    for _ in range(60):
        bad = bytearray(good)
        for _ in range(rng.integers(1, 4)):
            bad[rng.integers(2, len(bad))] ^= 1 << rng.integers(0, 8)
        decoded = decode_block(bytes(bad[: rng.integers(2, len(bad) + 1)]), *alleles.shape)
        assert decoded.shape == alleles.shape
        assert decoded.max() <= 1


@pytest.mark.parametrize("data", [b"", b"\x09\x05abc", b"\x01", b"\x01\x00", b"\x01\x3f", b"\x00\xff"])
def test_decode_block__a_header_that_cannot_be_is_refused(data):
    with pytest.raises(ValueError, match="genotype block"):
        decode_block(data, 8, 8)


def test_classes_of__bounds_as_documented():
    counts = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 23, 24, 31, 32])
    assert classes_of(counts).tolist() == [0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10]


@pytest.mark.parametrize("level", LEVELS)
def test_encode_block__bytes_are_the_formats(level):
    # Frozen: other bytes for these alleles are another format and need another codec id.
    site, haplotype = np.indices((700, 120))
    alleles = ((site * site // 7 + (haplotype * (site // 90 + 3)) % 41) % 29 < (site % 13) // 2).astype(np.uint8)
    alleles[::3] = haplotype[::3] % 120 == site[::3] % 120
    assert hashlib.sha256(encode_block(alleles, level)).hexdigest() == FROZEN[level]


@pytest.mark.parametrize("level", LEVELS)
def test_encode_block__real_haplotypes_come_back_smaller_than_xz(real_data, level):
    rows = []
    with pysam.VariantFile(str(real_data / "chr22-dense.vcf.gz")) as file:
        for record in itertools.islice(file, 1500):
            calls = str(record).rstrip("\n").split("\t", 9)[9]
            rows.append(np.frombuffer(calls.encode(), dtype=np.uint8)[::2] - ord("0"))
    alleles = np.stack(rows)
    data = encode_block(alleles, level)
    assert_array_equal(decode_block(data, *alleles.shape), alleles)
    assert len(data) < 0.7 * len(lzma.compress(np.packbits(alleles.T, axis=1).tobytes()))
