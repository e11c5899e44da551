import hashlib
import itertools

import numpy as np
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from haploom.entropy_coding.genotype_block import LEVELS, encode_block
from haploom.entropy_coding.reference_block import decode_beside, encode_beside

LEVELS_BESIDE = ("fast", "default", "max")
ANY_LEVEL = st.sampled_from(LEVELS_BESIDE)
ANY_SITES, ANY_KNOWN, ANY_NEW = st.integers(0, 30), st.integers(1, 40), st.integers(0, 20)

FROZEN = {
    "fast": "05006decd8523761aacc87b00d30b59dded70de397719e6d7c6c4578fb23c330",
    "default": "538c68b320047fafc32b2edbf6881dc7fc02ac2582091b06814d88002c6d33bb",
    "max": "abbc7bff97ef5c73747ec001a01dd0529ff32a4b105460ac11583fe9853230e2",
}


def mosaics(n_sites: int, n_haplotypes: int, seed: int) -> np.ndarray:
    """Haplotypes in long stretches of eight ancestors, with rare mutations: uint8 (n_sites, n_haplotypes)."""
    rng = np.random.default_rng(seed)
    ancestors = (rng.random((n_sites, 8)) < rng.beta(0.3, 2, (n_sites, 1))).astype(np.uint8)
    switches = np.cumsum(rng.random((n_sites, n_haplotypes)) < 0.01, axis=0) + rng.integers(0, 8, n_haplotypes)
    return np.take_along_axis(ancestors, switches % 8, axis=1) ^ (rng.random(switches.shape) < 0.001)


@settings(max_examples=60)
@given(st.data(), ANY_LEVEL, ANY_SITES, ANY_KNOWN, ANY_NEW)
def test_decode_beside__inverts_encode_beside(data, level, n_sites, n_known, n_new):
    bits = st.integers(0, 1)
    reference = data.draw(arrays(np.uint8, (n_sites, n_known), elements=bits))
    alleles = data.draw(arrays(np.uint8, (n_sites, n_new), elements=bits))
    assert_array_equal(decode_beside(encode_beside(alleles, reference, level), reference, n_new), alleles)


@pytest.mark.parametrize("level", LEVELS_BESIDE)
@pytest.mark.parametrize(("n_known", "n_new"), [(2, 60), (300, 2), (150, 150), (1, 1)])
def test_decode_beside__gives_back_relatives(level, n_known, n_new):
    alleles = mosaics(500, n_known + n_new, n_known)
    reference, new = alleles[:, :n_known], alleles[:, n_known:]
    data = encode_beside(new, reference, level)
    assert len(data) <= -(-new.size // 8) + 1
    assert_array_equal(decode_beside(data, reference, n_new), new)


@pytest.mark.parametrize("level", LEVELS_BESIDE)
def test_encode_beside__copies_of_the_reference_cost_next_to_nothing(level):
    reference = mosaics(2000, 200, 7)
    copies = reference[:, [3, 50]]
    # Two starting points among 200 are 15 bits; without the reference the same two take hundreds of bytes.
    assert len(encode_beside(copies, reference, level)) < 40
    assert len(encode_block(copies, level)) > 150


@pytest.mark.parametrize("level", LEVELS_BESIDE)
def test_encode_beside__beats_storing_the_new_alone(level):
    alleles = mosaics(1500, 260, 8)
    reference, new = alleles[:, :200], np.ascontiguousarray(alleles[:, 200:])
    assert len(encode_beside(new, reference, level)) < 0.8 * len(encode_block(new, level))


@pytest.mark.parametrize("level", LEVELS_BESIDE)
def test_encode_beside__a_reference_that_tells_nothing_costs_little(level):
    # Nobody in the reference carries what many of the new do: its rare sites are their common ones.
    new = mosaics(800, 200, 10)
    data = encode_beside(new, np.zeros((800, 50), np.uint8), level)
    assert_array_equal(decode_beside(data, np.zeros((800, 50), np.uint8), 200), new)
    assert len(data) < 1.1 * len(encode_block(new, level))


@pytest.mark.parametrize("level", LEVELS_BESIDE)
def test_decode_beside__another_reference_gives_other_alleles(level):
    alleles = mosaics(400, 100, 9)
    reference, new = alleles[:, :90], alleles[:, 90:]
    other = reference[:, ::-1].copy()
    decoded = decode_beside(encode_beside(new, reference, level), other, 10)
    assert decoded.shape == new.shape
    assert (decoded != new).any()


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200), ANY_LEVEL, ANY_SITES, ANY_KNOWN, ANY_NEW)
def test_decode_beside__any_bytes_end_in_alleles(noise, level, n_sites, n_known, n_new):
    reference = mosaics(n_sites, n_known, 1)
    decoded = decode_beside(bytes([LEVELS[level]]) + noise, reference, n_new)
    assert decoded.shape == (n_sites, n_new)
    assert decoded.max(initial=0) <= 1


@pytest.mark.parametrize("level", LEVELS_BESIDE)
def test_decode_beside__damage_never_breaks_the_decoder(level):
    alleles = mosaics(150, 120, 2)
    reference, new = alleles[:, :60], alleles[:, 60:]
    good = encode_beside(new, reference, level)
    rng = np.random.default_rng(6)
    for _ in range(60):
        bad = bytearray(good)
        for _ in range(rng.integers(1, 4)):
            bad[rng.integers(1, len(bad))] ^= 1 << rng.integers(0, 8)
        decoded = decode_beside(bytes(bad[: rng.integers(1, len(bad) + 1)]), reference, 60)
        assert decoded.shape == new.shape
        assert decoded.max() <= 1


@pytest.mark.parametrize("data", [b"", b"\x09abc", b"\x00\xff"])
def test_decode_beside__a_header_that_cannot_be_is_refused(data):
    with pytest.raises(ValueError, match="beside a reference"):
        decode_beside(data, np.zeros((8, 4), np.uint8), 8)


@pytest.mark.parametrize("level", LEVELS_BESIDE)
def test_encode_beside__bytes_are_the_formats(level):
    # Frozen: other bytes for these alleles are another format and need another codec id.
    site, haplotype = np.indices((700, 120))
    alleles = ((site * site // 7 + (haplotype * (site // 90 + 3)) % 41) % 29 < (site % 13) // 2).astype(np.uint8)
    alleles[::3] = haplotype[::3] % 60 == site[::3] % 60
    data = encode_beside(alleles[:, 80:], alleles[:, :80], level)
    assert hashlib.sha256(data).hexdigest() == FROZEN[level]


def test_encode_beside__real_people_cost_less_than_the_joint_archive_says(real_data):
    rows = []
    with pysam.VariantFile(str(real_data / "chr22-dense.vcf.gz")) as file:
        for record in itertools.islice(file, 1500):
            calls = str(record).rstrip("\n").split("\t", 9)[9]
            rows.append(np.frombuffer(calls.encode(), dtype=np.uint8)[::2] - ord("0"))
    alleles = np.stack(rows)
    is_new = np.arange(alleles.shape[1]) // 2 % 5 == 0
    reference, new = np.ascontiguousarray(alleles[:, ~is_new]), np.ascontiguousarray(alleles[:, is_new])
    data = encode_beside(new, reference)
    assert_array_equal(decode_beside(data, reference, new.shape[1]), new)
    # The joint archive pays the new people's share of all bytes, or about that; beside a reference it is less.
    assert len(data) < new.size / alleles.size * len(encode_block(alleles))
