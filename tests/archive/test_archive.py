"""Archives: what goes in comes out, on any machine; damage is told; nothing needs torch to be read."""

import json
import os
import shutil
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from haploom.archive import open_archive
from haploom.archive.codecs import LatentsAndResidual, PackedBits, zstd_compress, zstd_decompress
from haploom.archive.columns import samples_from_bytes, samples_to_bytes, sites_from_bytes, sites_to_bytes
from haploom.compression import compress_panel
from haploom.errors import CheckFailedError, FormatError, HaploomError, SiteMismatchError
from haploom.exact import IntegerLayer, IntegerNetwork
from haploom.panel import Panel, Variants
from haploom.panel.bits import pack_rows


def assert_same_panel(a, b):
    assert a.samples == b.samples
    assert_array_equal(a.bits, b.bits)
    for name in ("chrom", "position_bp", "id", "ref", "alt"):
        assert_array_equal(getattr(a.variants, name), getattr(b.variants, name))
    assert a.variants.contig_length_bp == b.variants.contig_length_bp
    assert {level: labels.tolist() for level, labels in a.populations.items()} == {
        level: labels.tolist() for level, labels in b.populations.items()
    }


@pytest.mark.parametrize("codec", ["zstd", "vae+rle", "auto"])
def test_archive__gives_back_the_panel(two_populations, small_model, tmp_path, codec):
    path = tmp_path / "a.hlm"
    about = compress_panel(two_populations, path, codec=codec, model=small_model)
    assert about["verified"]
    assert about["total_bytes"] == path.stat().st_size
    assert_same_panel(open_archive(path).read(), two_populations)


def test_archive__no_sites_and_no_people(tmp_path):
    nothing = Panel(np.empty((0, 0), np.uint8), Variants(*[np.array([])] * 5), ())
    compress_panel(nothing, tmp_path / "a.hlm")
    assert_same_panel(open_archive(tmp_path / "a.hlm").read(), nothing)


def test_archive__some_people_in_the_order_asked(two_populations, tmp_path):
    compress_panel(two_populations, tmp_path / "a.hlm")
    wanted = ["P41", "P03", "P59"]
    assert_same_panel(open_archive(tmp_path / "a.hlm").read(wanted), two_populations.select_samples(wanted))
    with pytest.raises(HaploomError, match="no sample nobody"):
        open_archive(tmp_path / "a.hlm").read(["nobody"])


def test_archive__sites_the_model_does_not_know(two_populations, small_model, tmp_path):
    # Twice as many sites as the model has: the others are decided by majority.
    rng = np.random.default_rng(5)
    extra = (rng.random((two_populations.n_haplotypes, 300)) < rng.random(300)).astype(np.uint8)
    v = two_populations.variants
    order = np.argsort(np.concatenate([v.position_bp, v.position_bp]), kind="stable")
    both = Variants(
        np.full(600, "22"), np.concatenate([v.position_bp] * 2)[order], np.full(600, "."),
        np.concatenate([v.ref, v.ref])[order], np.concatenate([v.alt, np.full(300, "<X>")])[order],
    )  # fmt: skip
    alleles = np.concatenate([two_populations.alleles(), extra], axis=1)[:, order]
    panel = Panel.from_alleles(alleles, both, two_populations.samples)
    compress_panel(panel, tmp_path / "a.hlm", codec="vae+rle", model=small_model)
    assert_same_panel(open_archive(tmp_path / "a.hlm").read(), panel)


def test_archive__a_model_for_other_sites_is_refused(two_populations, small_model, tmp_path):
    with pytest.raises(SiteMismatchError, match="100 of them are not among the 200 here"):
        compress_panel(
            two_populations.select_sites(slice(0, 200)), tmp_path / "a.hlm", codec="vae+rle", model=small_model
        )
    assert list(tmp_path.iterdir()) == []


def test_archive__auto_is_never_larger(two_populations, small_model, tmp_path):
    sizes = {
        codec: compress_panel(two_populations, tmp_path / f"{codec}.hlm", codec=codec, model=small_model)["total_bytes"]
        for codec in ("zstd", "vae+rle", "auto")
    }
    # The manifest also holds a few numbers of other lengths.
    assert sizes["auto"] <= min(sizes["zstd"], sizes["vae+rle"]) + 64


def test_archive__auto_takes_the_network_where_it_wins(two_populations, small_model, tmp_path):
    # The same people again and again: the model is paid for once.
    many = np.concatenate([two_populations.alleles() ^ (np.random.default_rng(i).random((120, 300)) < 0.002)
                           for i in range(60)]).astype(np.uint8)  # fmt: skip
    names = [f"Q{i}" for i in range(len(many) // 2)]
    panel = Panel.from_alleles(many, two_populations.variants, names)
    about = compress_panel(panel, tmp_path / "a.hlm", model=small_model)
    plain = compress_panel(panel, tmp_path / "b.hlm", codec="zstd")
    assert about["total_bytes"] <= plain["total_bytes"] + 64
    assert_same_panel(open_archive(tmp_path / "a.hlm").read(), panel)


def test_archive__referred_model_is_needed_and_must_be_the_same(two_populations, small_model, tmp_path):
    path = tmp_path / "a.hlm"
    about = compress_panel(two_populations, path, codec="vae+rle", model=small_model, embed_model=False)
    embedded = compress_panel(two_populations, tmp_path / "b.hlm", codec="vae+rle", model=small_model)
    assert about["model_bytes"] == embedded["model_bytes"]
    assert embedded["total_bytes"] > about["total_bytes"] + about["model_bytes"] - 64
    assert_same_panel(open_archive(path, small_model).read(), two_populations)
    with pytest.raises(HaploomError, match=f"needs its model, SHA-256 {about['model_sha256']}"):
        open_archive(path).read()
    other = tmp_path / "other.model"
    shutil.copy(small_model, other)
    with other.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(HaploomError, match="is not the model of"):
        open_archive(path, other).read()


def test_archive__reads_without_torch_in_any_number_of_threads(two_populations, small_model, tmp_path):
    path = tmp_path / "a.hlm"
    about = compress_panel(two_populations, path, codec="vae+rle", model=small_model)
    program = (
        "import sys, hashlib\n"
        "sys.modules['torch'] = None  # any import of it fails\n"
        "from pathlib import Path\n"
        "from haploom.archive import open_archive\n"
        "print(hashlib.sha256(open_archive(Path(sys.argv[1])).read().bits.tobytes()).hexdigest())\n"
    )
    for threads in ("1", "2"):
        environment = dict(os.environ, OMP_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads)
        run = [sys.executable, "-c", program, str(path)]
        printed = subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout
        assert printed.strip() == about["alleles_sha256"]


@pytest.mark.parametrize("values_at_once", [1, 7 * 300, 1024 * 300])
def test_archive__batches_do_not_matter(two_populations, small_model, tmp_path, monkeypatch, values_at_once):
    path = tmp_path / "a.hlm"
    compress_panel(two_populations, path, codec="vae+rle", model=small_model)
    monkeypatch.setattr("haploom.exact.network.VALUES_AT_ONCE", values_at_once)
    open_archive(path).verify()


def test_verify__tells_another_panel(two_populations, tmp_path):
    from haploom.compression import verify_against

    compress_panel(two_populations, tmp_path / "a.hlm")
    archive = open_archive(tmp_path / "a.hlm")
    alleles = two_populations.alleles()
    alleles[5, 7] ^= 1
    changed = Panel.from_alleles(alleles, two_populations.variants, two_populations.samples)
    with pytest.raises(CheckFailedError, match="other alleles"):
        verify_against(archive, changed)
    with pytest.raises(CheckFailedError, match="other samples"):
        verify_against(archive, two_populations.select_samples(["P01"]))


@pytest.fixture(scope="module", params=["zstd", "vae+rle"])
def whole(request, two_populations, small_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "a.hlm"
    compress_panel(two_populations, path, codec=request.param, model=small_model)
    return path.read_bytes()


def read_or_error(data, path):
    path.write_bytes(data)
    try:
        archive = open_archive(path)
        archive.verify()
        return archive.read()
    except FormatError:
        return None


def test_damage__every_cut_is_told(whole, tmp_path):
    for length in [0, 1, 11, 12, 100, *np.linspace(200, len(whole) - 1, 60).astype(int)]:
        assert read_or_error(whole[:length], tmp_path / "cut.hlm") is None


def test_damage__flipped_bits_are_told_or_harmless(whole, two_populations, tmp_path):
    rng = np.random.default_rng(1)
    told = 0
    for place in rng.integers(0, len(whole), 400):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(8)
        got = read_or_error(bytes(damaged), tmp_path / "flip.hlm")
        told += got is None
        if got is not None:
            assert_same_panel(got, two_populations)
    assert told > 390


def test_damage__lies_in_the_manifest_are_told(whole, two_populations, tmp_path):
    length = struct.unpack_from("<I", whole, 4)[0]
    manifest = json.loads(whole[12 : 12 + length])
    lies = [
        {"n_sites": 10**15}, {"n_sites": 0}, {"n_samples": 10**15}, {"rows_per_block": 0}, {"rows_per_block": 1},
        {"requires": ["magic/9"]}, {"format": "haploom-archive/7"}, {"alleles_sha256": "0" * 64},
        {"sections": {}}, {"site_fingerprint": "x"}, {"n_samples": 59},
    ]  # fmt: skip
    for lie in lies:
        text = json.dumps({**manifest, **lie}).encode()
        data = struct.pack("<4sII", b"HLM0", len(text), zlib.crc32(text)) + text + whole[12 + length :]
        assert read_or_error(data, tmp_path / "lie.hlm") is None, lie


def test_other_files__are_not_archives(tmp_path):
    (tmp_path / "x").write_bytes(b"##fileformat=VCFv4.2\n")
    with pytest.raises(FormatError, match="not a Haploom archive"):
        open_archive(tmp_path / "x")
    (tmp_path / "y").write_bytes(b"HLM9" + bytes(100))
    with pytest.raises(FormatError, match="version"):
        open_archive(tmp_path / "y")


def identity_codec(n_sites):
    """Latents that are decided as they are: a latent above 0 is an alternate allele."""
    weight = np.eye(n_sites, dtype=np.int16)
    network = IntegerNetwork(
        (IntegerLayer(weight, np.zeros(n_sites, np.int64), np.zeros(n_sites, np.uint8)),), input_bits=0, output_bits=0
    )
    return LatentsAndResidual(network, np.arange(n_sites), np.zeros(n_sites, np.uint8))


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 2**32))
def test_latents_and_residual__any_latents_are_lossless(n_sites, n_rows, seed):
    rng = np.random.default_rng(seed)
    bits = pack_rows(rng.integers(0, 2, (n_rows, n_sites), dtype=np.uint8))
    codec = identity_codec(n_sites)
    data, _ = codec.encode(bits, rng.normal(size=(n_rows, n_sites)))
    assert_array_equal(codec.decode(data, n_rows), bits)
    assert_array_equal(PackedBits(n_sites).decode(PackedBits(n_sites).encode(bits), n_rows), bits)


def test_latents_and_residual__perfect_latents_leave_no_residual():
    rng = np.random.default_rng(2)
    alleles = rng.integers(0, 2, (5, 30), dtype=np.uint8)
    _, size_bits = identity_codec(30).encode(pack_rows(alleles), 2.0 * alleles - 1)
    # One run of zeros a row, one first value a row, thirty latents a row.
    assert size_bits == 5 * (16 + 16 + 32 * 30)


@given(st.binary(max_size=200))
def test_latents_and_residual__bytes_of_another_kind_are_refused(data):
    with pytest.raises(ValueError):
        identity_codec(30).decode(data, 4)


def test_zstd__a_frame_that_lies_about_its_size_is_refused():
    with pytest.raises(ValueError, match="does not hold 5 bytes"):
        zstd_decompress(zstd_compress(b"123456"), 5)


def test_columns__come_back(two_populations):
    v = two_populations.variants
    data = sites_to_bytes(v)
    again = sites_from_bytes(data, len(v), {})
    assert again.fingerprint() == v.fingerprint()
    assert again.id.tolist() == v.id.tolist()
    names, levels = samples_from_bytes(samples_to_bytes(["å", "b c"], {"level": np.array(["x", "<y>"])}))
    assert names == ("å", "b c")
    assert levels["level"].tolist() == ["x", "<y>"]
    with pytest.raises(ValueError, match="do not hold 300 sites"):
        sites_from_bytes(data + b"\none more", 300, {})
