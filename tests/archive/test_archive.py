"""Archives of panels: what goes in comes out, on any machine; models are checked; nothing needs torch to be read."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import haploom as hl
from haploom.archive import open_archive
from haploom.archive.genotypes import Statistical
from haploom.archive.neural import LatentsAndResidual
from haploom.compression import compress_panel, verify_against
from haploom.entropy_coding.genotype_block import encode_block
from haploom.errors import CheckFailedError, CorruptArchiveError, FormatError, HaploomError, SiteMismatchError
from haploom.exact import IntegerLayer, IntegerNetwork
from haploom.io import write_panel
from haploom.panel import Panel, Variants


def assert_same_panel(a, b):
    assert a.samples == b.samples
    assert_array_equal(a.bits, b.bits)
    for name in ("chrom", "position_bp", "id", "ref", "alt"):
        assert_array_equal(getattr(a.variants, name), getattr(b.variants, name))
    assert a.variants.contig_length_bp == b.variants.contig_length_bp
    assert {level: labels.tolist() for level, labels in a.populations.items()} == {
        level: labels.tolist() for level, labels in b.populations.items()
    }


@pytest.mark.parametrize("settings", [
    {"codec": "statistical", "level": "fast"}, {"codec": "statistical"}, {"codec": "statistical", "level": "max"},
    {"codec": "vae+rle"}, {"codec": "auto"},
], ids=str)  # fmt: skip
def test_archive__gives_back_the_panel(two_populations, small_model, tmp_path, settings):
    path = tmp_path / "a.hlm"
    model = None if settings["codec"] == "statistical" else small_model
    about = compress_panel(two_populations, path, model=model, **settings)
    assert about["verified"]
    assert about["total_bytes"] == path.stat().st_size
    assert_same_panel(open_archive(path).read(), two_populations)


def test_archive__text_is_the_writers(two_populations, tmp_path):
    write_panel(two_populations, tmp_path / "a.vcf", no_version=True)
    about = compress_panel(two_populations, tmp_path / "a.hlm")
    text = b"".join(open_archive(tmp_path / "a.hlm").text())
    assert text == (tmp_path / "a.vcf").read_bytes()
    assert about["text_sha256"] == hashlib.sha256(text).hexdigest()


def test_archive__no_sites_and_no_people(tmp_path):
    nothing = Panel(np.empty((0, 0), np.uint8), Variants(*[np.array([])] * 5), ())
    compress_panel(nothing, tmp_path / "a.hlm")
    assert_same_panel(open_archive(tmp_path / "a.hlm").read(), nothing)


def test_archive__some_people_and_regions_in_the_order_asked(two_populations, tmp_path):
    compress_panel(two_populations, tmp_path / "a.hlm")
    archive = open_archive(tmp_path / "a.hlm")
    wanted = ["P41", "P03", "P59"]
    assert_same_panel(archive.read(samples=wanted), two_populations.select_samples(wanted))
    position = two_populations.variants.position_bp
    inside = (position >= position[20]) & (position <= position[90])
    got = archive.read([f"22:{position[20]}-{position[90]}"], wanted)
    assert_same_panel(got, two_populations.select_samples(wanted).select_sites(inside))
    assert archive.variants.fingerprint() == two_populations.variants.fingerprint()
    with pytest.raises(HaploomError, match="nobody"):
        archive.read(samples=["nobody"])
    with pytest.raises(HaploomError, match="no contig '7'"):
        archive.read(["7"])


def test_archive__listing_sites_and_samples_decodes_no_genotypes(two_populations, tmp_path, monkeypatch):
    compress_panel(two_populations, tmp_path / "a.hlm")
    monkeypatch.setattr(Statistical, "decode", lambda *_: 1 / 0)
    archive = open_archive(tmp_path / "a.hlm")
    assert archive.samples == two_populations.samples
    assert archive.variants.fingerprint() == two_populations.variants.fingerprint()


def test_archive__same_bytes_for_any_number_of_threads(two_populations, tmp_path, monkeypatch):
    from haploom.compression import writer

    monkeypatch.setitem(writer.LEVELS, "default", writer.BlockLimits(32, 1 << 20, 1 << 20))
    for threads in (1, 2, 3):
        about = compress_panel(two_populations, tmp_path / f"{threads}.hlm", threads=threads)
        assert about["blocks"] == {"genotypes/1": 10}
    assert len({(tmp_path / f"{threads}.hlm").read_bytes() for threads in (1, 2, 3)}) == 1
    assert_same_panel(open_archive(tmp_path / "1.hlm").read(), two_populations)


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
    few = two_populations.select_sites(slice(0, 200))
    with pytest.raises(SiteMismatchError, match="100 of them are not among the 200 here"):
        compress_panel(few, tmp_path / "a.hlm", codec="vae+rle", model=small_model)
    assert list(tmp_path.iterdir()) == []


def test_archive__auto_is_never_larger(two_populations, small_model, tmp_path):
    sizes = {
        codec: compress_panel(two_populations, tmp_path / f"{codec}.hlm", codec=codec, model=small_model)["total_bytes"]
        for codec in ("statistical", "vae+rle", "auto")
    }
    assert sizes["auto"] == min(sizes["statistical"], sizes["vae+rle"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["auto.hlm", "statistical.hlm", "vae+rle.hlm"]


def test_archive__referred_model_is_needed_and_must_be_the_same(two_populations, small_model, tmp_path):
    path = tmp_path / "a.hlm"
    about = compress_panel(two_populations, path, codec="vae+rle", model=small_model, embed_model=False)
    embedded = compress_panel(two_populations, tmp_path / "b.hlm", codec="vae+rle", model=small_model)
    assert about["model_bytes"] == embedded["model_bytes"]
    assert abs(embedded["total_bytes"] - about["total_bytes"] - about["model_bytes"]) < 100
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
        "digest = hashlib.sha256()\n"
        "for piece in open_archive(Path(sys.argv[1])).text(int(sys.argv[2])):\n"
        "    digest.update(piece)\n"
        "print(digest.hexdigest())\n"
    )
    for threads in ("1", "2"):
        environment = dict(os.environ, OMP_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads)
        run = [sys.executable, "-c", program, str(path), threads]
        printed = subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout
        assert printed.strip() == about["text_sha256"]


@pytest.mark.parametrize("rows_at_once", [1, 7, 1024])
def test_archive__batches_do_not_matter(two_populations, small_model, tmp_path, monkeypatch, rows_at_once):
    path = tmp_path / "a.hlm"
    compress_panel(two_populations, path, codec="vae+rle", model=small_model)
    monkeypatch.setattr("haploom.panel.bits.BLOCK_BYTES", rows_at_once * 300)
    monkeypatch.setattr("haploom.exact.network.VALUES_AT_ONCE", rows_at_once * 300)
    open_archive(path).verify()


def test_verify__tells_another_panel(two_populations, tmp_path):
    compress_panel(two_populations, tmp_path / "a.hlm")
    archive = open_archive(tmp_path / "a.hlm")
    alleles = two_populations.alleles()
    was, at = alleles[5, 7], f"22:{two_populations.variants.position_bp[7]}"
    alleles[5, 7] ^= 1
    changed = Panel.from_alleles(alleles, two_populations.variants, two_populations.samples)
    for name, other, says in (
        (
            "alleles",
            changed,
            f"in 1 of 120 haplotypes: the first is haplotype 2 of P02 at {at}, {was}, wanted {1 - was}",
        ),
        ("samples", two_populations.select_samples(two_populations.samples[::-1]), "number 1, 'P00', wanted 'P59'"),
        ("sites", two_populations.select_sites(slice(1, None)), "300 sites, wanted 299"),
    ):
        write_panel(other, tmp_path / f"{name}.vcf")
        with pytest.raises(CheckFailedError, match=says):
            verify_against(archive, tmp_path / f"{name}.vcf")


def test_verify__text_is_compared_byte_for_byte(two_populations, tmp_path):
    write_panel(two_populations, tmp_path / "a.vcf")
    hl.compress(tmp_path / "a.vcf", tmp_path / "a.hlm")
    archive = open_archive(tmp_path / "a.hlm")
    verify_against(archive, tmp_path / "a.vcf")
    (tmp_path / "b.vcf").write_bytes(
        (tmp_path / "a.vcf").read_bytes().replace(b"\t.\t.\t.\tGT", b"\t.\tPASS\t.\tGT", 1)
    )
    first = (tmp_path / "a.vcf").read_text().splitlines()
    record = 1 + next(place for place, line in enumerate(first) if not line.startswith("#"))
    with pytest.raises(CheckFailedError, match=rf"line {record} holds '\.' in column 7, wanted 'PASS'"):
        verify_against(archive, tmp_path / "b.vcf")
    (tmp_path / "c.vcf").write_bytes((tmp_path / "a.vcf").read_bytes() + b"22\t1\n")
    with pytest.raises(CheckFailedError, match="is not in the archive: '22"):
        verify_against(archive, tmp_path / "c.vcf")


def test_archive__names_as_text_and_one_line_to_look_at(two_populations, tmp_path):
    path = str(tmp_path / "a.hlm")
    hl.write_panel(two_populations, str(tmp_path / "a.vcf"))
    hl.compress(str(tmp_path / "a.vcf"), path)
    assert_same_panel(hl.open_archive(path).read(), hl.read_panel(str(tmp_path / "a.vcf")))
    assert repr(hl.open_archive(path)) == f"Archive({path}: 60 people, 300 sites)"
    with pytest.raises(HaploomError, match=r"cannot read .*absent\.hlm: No such file"):
        hl.open_archive(str(tmp_path / "absent.hlm"))
    with pytest.raises(TypeError, match=r"wanted a list of regions, such as \['22'\]"):
        hl.open_archive(path).read("22")
    with pytest.raises(TypeError, match=r"wanted a list of names, such as \['P00'\]"):
        hl.open_archive(path).read(samples="P00")


def test_archive__populations_predict_frequencies(two_populations, tmp_path):
    # INFO that follows from the genotypes costs next to nothing where the labels are given.
    write_panel(two_populations, tmp_path / "plain.vcf", no_version=True)
    alleles = two_populations.alleles()
    of = {name: alleles[two_populations.labels("population", per="haplotype") == name] for name in ("north", "south")}
    counts = {name: rows.sum(axis=0) for name, rows in of.items()}
    lines = (tmp_path / "plain.vcf").read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    for i in range(300):
        info = ";".join(f"{name}_AF={round(count[i] / 60, 4):g}" for name, count in counts.items())
        cells = lines[first + i].split("\t")
        cells[7] = f"AC={alleles[:, i].sum()};AN=120;{info}"
        lines[first + i] = "\t".join(cells)
    (tmp_path / "a.vcf").write_text("\n".join(lines) + "\n")
    table = tmp_path / "t.tsv"
    names = zip(two_populations.samples, two_populations.labels("population"))
    table.write_text("sample\tpopulation\n" + "".join(f"{sample}\t{label}\n" for sample, label in names))
    without = hl.compress(tmp_path / "a.vcf", tmp_path / "a.hlm")
    given = hl.compress(tmp_path / "a.vcf", tmp_path / "b.hlm", selection=hl.Selection(populations=table))
    assert given["annotation_bytes"] < 150 < 500 < without["annotation_bytes"]
    verify_against(open_archive(tmp_path / "b.hlm"), tmp_path / "a.vcf")
    assert open_archive(tmp_path / "b.hlm").read().labels("population").tolist() == [
        str(label) for label in two_populations.labels("population")
    ]


def test_compress__settings_that_are_none_are_told(two_populations, tmp_path):
    with pytest.raises(HaploomError, match="unknown level 'huge': wanted one of fast, default, max"):
        compress_panel(two_populations, tmp_path / "a.hlm", level="huge")
    with pytest.raises(HaploomError, match="unknown codec"):
        compress_panel(two_populations, tmp_path / "a.hlm", codec="zstd")
    with pytest.raises(HaploomError, match="needs a model"):
        compress_panel(two_populations, tmp_path / "a.hlm", codec="vae+rle")


def test_other_files__are_not_archives(tmp_path):
    (tmp_path / "x").write_bytes(b"##fileformat=VCFv4.2\n")
    with pytest.raises(FormatError, match="not a Haploom archive"):
        open_archive(tmp_path / "x")
    (tmp_path / "y").write_bytes(b"HLM0" + bytes(100))
    with pytest.raises(FormatError, match="use the release that wrote it"):
        open_archive(tmp_path / "y")


def test_manifest__lies_are_told(two_populations, tmp_path):
    from haploom.archive.container import Container, ContainerWriter, Manifest

    compress_panel(two_populations, tmp_path / "a.hlm")
    container = Container(tmp_path / "a.hlm")
    block = container.manifest.blocks[0]
    lies = [
        {"n_samples": 10**12}, {"n_samples": 59}, {"requires": ["magic/9"]}, {"text_sha256": "0" * 64},
        {"blocks": [block.model_copy(update={"n_records": 10**12})]}, {"label_level": "region"},
        {"blocks": [block.model_copy(update={"n_records": 299})]}, {"blocks": [block, block]}, {"text_bytes": 3},
        {"blocks": [block.model_copy(update={"text_bytes": 10})]},
    ]  # fmt: skip
    for lie in lies:
        with (tmp_path / "lie.hlm").open("wb") as file:
            writer = ContainerWriter(file)
            for name, section in container.manifest.sections.items():
                writer.add(name, section.codec, container.stored(name), section.decoded_bytes, section.crc32)
            writer.finish(container.manifest.model_copy(update={**lie, "sections": writer.sections}))
        with pytest.raises((CorruptArchiveError, FormatError)):
            open_archive(tmp_path / "lie.hlm").verify()
    assert json.loads(Manifest.model_dump_json(container.manifest))["format"] == "haploom-archive/1"


def identity_codec(latents):
    """Latents that are decided as they are: a latent above 0 is an alternate allele."""
    n_sites = latents.shape[1]
    layer = IntegerLayer(np.eye(n_sites, dtype=np.int16), np.zeros(n_sites, np.int64), np.zeros(n_sites, np.uint8))
    network = IntegerNetwork((layer,), input_bits=0, output_bits=0)
    return LatentsAndResidual(network, np.arange(n_sites), np.zeros(n_sites, np.uint8), network.quantise_input(latents))


@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 2**32))
def test_codecs__any_alleles_and_latents_are_lossless(n_sites, n_rows, seed):
    rng = np.random.default_rng(seed)
    bits = np.packbits(rng.integers(0, 2, (n_sites, n_rows), dtype=np.uint8), axis=1)
    for codec in (identity_codec(rng.normal(size=(n_rows, n_sites))), Statistical("fast")):
        assert_array_equal(codec.decode(codec.encode(bits, n_rows), n_sites, n_rows), bits)


def test_latents_and_residual__perfect_latents_leave_no_residual():
    alleles = np.random.default_rng(2).integers(0, 2, (30, 5), dtype=np.uint8)
    codec = identity_codec(2.0 * alleles.T - 1)
    # One run of zeros a row, one first value a row, thirty latents a row.
    assert codec.paper_size_bits(np.packbits(alleles.T, axis=1), 30) == 5 * (16 + 16 + 32 * 30)


@given(st.binary(max_size=200))
def test_latents_and_residual__bytes_of_another_kind_are_refused(data):
    with pytest.raises((ValueError, IndexError)):
        identity_codec(np.zeros((4, 30))).decode(data, 30, 4)


def test_archive__block_after_block(two_populations, tmp_path, monkeypatch):
    from haploom.compression import writer

    monkeypatch.setitem(writer.LEVELS, "default", writer.BlockLimits(64, 1 << 20, 1 << 20))
    compress_panel(two_populations, tmp_path / "a.hlm")
    blocks = list(open_archive(tmp_path / "a.hlm").panels(samples=["P07", "P01"]))
    assert [block.n_sites for block in blocks] == [64, 64, 64, 64, 44]
    start = 0
    for block in blocks:
        sites = slice(start, start + block.n_sites)
        assert_same_panel(block, two_populations.select_sites(sites).select_samples(["P07", "P01"]))
        start += block.n_sites


def test_statistical__max_is_never_larger_than_default_on_few_alleles():
    rng, max_alone_loses = np.random.default_rng(1), False
    for n_sites in (1, 7, 40, 200):
        alleles = (rng.random((n_sites, 30)) < rng.beta(0.4, 0.4, (n_sites, 1))).astype(np.uint8)
        bits = np.packbits(alleles, axis=1)
        data = Statistical("max").encode(bits, 30)
        assert_array_equal(Statistical("max").decode(data, n_sites, 30), bits)
        default, alone = (len(encode_block(alleles, level)) for level in ("default", "max"))
        assert len(data) <= min(default, alone)
        max_alone_loses |= default < alone
    assert max_alone_loses  # else this test asks for nothing
