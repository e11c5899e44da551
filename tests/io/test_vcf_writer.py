"""The VCF writer: bytes by hand, round trips, and what bcftools and pysam make of it."""

import gzip
import io
import sys
from pathlib import Path

import numpy as np
import pysam
import pytest
from hypothesis import given, settings
from numpy.testing import assert_array_equal
from small_vcfs import QUERY, Record, Vcf, as_rows, bcftools, needs_bcftools, vcfs, written

from haploom.errors import HaploomError
from haploom.io import read_panel, vcf_writer, write_panel
from haploom.io.bgzf import BGZF_END, bgzf_blocks
from haploom.panel import Panel, Variants


def small_panel() -> Panel:
    variants = Variants(["22", "22"], [5, 9], [".", "rs1"], ["A", "GT"], ["C", "G"], {"22": 100, "X": 7})
    return Panel.from_alleles(np.array([[0, 1], [1, 1], [0, 0], [1, 0]], dtype=np.uint8), variants, ("a", "b"))


def test_write_panel__known_bytes(tmp_path):
    path = tmp_path / "out.vcf"
    write_panel(small_panel(), path, no_version=True, header_lines=["##synthetic=<no>"])
    assert path.read_text() == (
        "##fileformat=VCFv4.2\n##contig=<ID=22,length=100>\n##contig=<ID=X,length=7>\n"
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n##synthetic=<no>\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n"
        "22\t5\t.\tA\tC\t.\t.\t.\tGT\t0|1\t0|1\n22\t9\trs1\tGT\tG\t.\t.\t.\tGT\t1|1\t0|0\n"
    )


def test_write_panel__names_version_and_command(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/haploom", "convert", "a\nb.vcf"])
    write_panel(small_panel(), tmp_path / "out.vcf")
    header = [line for line in (tmp_path / "out.vcf").read_text().splitlines() if line.startswith("##haploom")]
    assert header[0].startswith("##haploom_convertVersion=")
    assert header[1].startswith("##haploom_convertCommand=haploom convert 'a b.vcf'; Date=")
    assert read_panel(tmp_path / "out.vcf").n_sites == 2


@settings(max_examples=80, deadline=None)
@given(vcf=vcfs())
def test_write_panel__reads_back(tmp_path_factory, vcf):
    folder = tmp_path_factory.mktemp("round")
    panel = read_panel(written(folder, vcf))
    for name in ("out.vcf", "out.vcf.gz"):
        write_panel(panel, folder / name)
        again = read_panel(folder / name)
        assert_array_equal(again.bits, panel.bits)
        assert again.samples == panel.samples
        assert again.variants.site_keys() == panel.variants.site_keys()
        assert again.variants.id.tolist() == panel.variants.id.tolist()
        assert again.variants.contig_length_bp == panel.variants.contig_length_bp


def test_write_panel__does_not_depend_on_the_block_size(tmp_path, monkeypatch):
    rng = np.random.default_rng(2)
    n = 100
    variants = Variants(np.full(n, "1"), np.arange(1, n + 1), np.full(n, "."), np.full(n, "A"), np.full(n, "C"))
    panel = Panel.from_alleles(rng.integers(0, 2, (6, n), dtype=np.uint8), variants, ("a", "b", "c"))
    write_panel(panel, tmp_path / "one.vcf", no_version=True)
    monkeypatch.setattr(vcf_writer, "_BLOCK_BYTES", 1)
    write_panel(panel, tmp_path / "many.vcf", no_version=True)
    assert (tmp_path / "one.vcf").read_bytes() == (tmp_path / "many.vcf").read_bytes()
    assert_array_equal(read_panel(tmp_path / "many.vcf").bits, panel.bits)


@needs_bcftools
def test_write_panel__bcftools_and_pysam_accept_it(tmp_path):
    path = tmp_path / "out.vcf.gz"
    panel = small_panel()
    write_panel(panel, path)
    assert bcftools("query", "-f", QUERY, path) == as_rows(panel)
    bcftools("index", "-t", path)
    assert bcftools("view", "-H", "-r", "22:9", path) == ["22\t9\trs1\tGT\tG\t.\t.\t.\tGT\t1|1\t0|0"]
    with pysam.VariantFile(str(path)) as file:
        calls = [[sample["GT"] for sample in record.samples.values()] for record in file]
        assert file.header.contigs["X"].length == 7
    assert calls == [[(0, 1), (0, 1)], [(1, 1), (0, 0)]]
    assert path.read_bytes().endswith(bytes.fromhex("1b0003000000000000000000"))  # the BGZF end block


def test_write_panel__stdout(tmp_path, monkeypatch):
    write_panel(small_panel(), tmp_path / "out.vcf", no_version=True)
    stdout = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", stdout)
    write_panel(small_panel(), Path("-"), no_version=True)
    assert stdout.buffer.getvalue() == (tmp_path / "out.vcf").read_bytes()


def test_write_panel__output_type_beats_the_suffix(tmp_path):
    write_panel(small_panel(), tmp_path / "out.vcf", no_version=True)
    write_panel(small_panel(), tmp_path / "out.txt", output_type="z", no_version=True)
    assert gzip.decompress((tmp_path / "out.txt").read_bytes()) == (tmp_path / "out.vcf").read_bytes()
    for name, output_type in (("out.cram", None), ("out.vcf", "x")):
        with pytest.raises(HaploomError, match="wanted"):
            write_panel(small_panel(), tmp_path / name, output_type=output_type, force=True)


def test_write_panel__nothing_half_written(tmp_path, monkeypatch):
    path = tmp_path / "out.vcf.gz"
    path.write_text("before")
    with pytest.raises(HaploomError, match="--force"):
        write_panel(small_panel(), path)
    monkeypatch.setattr(vcf_writer, "_records", lambda *a: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_panel(small_panel(), path, force=True)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_bgzf_blocks__hold_the_text_however_it_is_cut():
    rng = np.random.default_rng(1)
    text = rng.bytes(200_000) + b"0|0\t" * 50_000  # blocks that cannot shrink, and blocks that can
    whole = b"".join(bgzf_blocks([text]))
    assert whole == b"".join(bgzf_blocks([text[:1], b"", text[1:70_000], text[70_000:]]))
    assert gzip.decompress(whole) == text
    assert b"".join(bgzf_blocks([])) == BGZF_END


def test_bgzf_blocks__htslib_seeks_in_them(tmp_path):
    text = np.random.default_rng(2).bytes(300_000)
    (tmp_path / "x.gz").write_bytes(b"".join(bgzf_blocks([text])))
    with pysam.BGZFile(str(tmp_path / "x.gz"), "rb", None) as file:
        assert file.read(150_000) == text[:150_000]
        place = file.tell()
        rest = file.read(200_000)
        file.seek(place)
        assert file.read(200_000) == rest == text[150_000:]


def test_write_panel__no_sites(tmp_path):
    panel = read_panel(written(tmp_path, Vcf(["a"])))
    write_panel(panel, tmp_path / "out.vcf")
    assert read_panel(tmp_path / "out.vcf").n_sites == 0


def test_write_panel__long_alleles(tmp_path):
    records = [Record("22", 1, ".", "A" * 70_000, "C", ["0|1"])]
    write_panel(read_panel(written(tmp_path, Vcf(["a"], records))), tmp_path / "out.vcf")
    assert read_panel(tmp_path / "out.vcf").variants.ref.tolist() == ["A" * 70_000]


@pytest.mark.parametrize("name", ["x.vcf", "x.vcf.gz", "x.bcf"])
def test_write_panel__nobody_is_refused(tmp_path, name):
    nobody = small_panel().select_samples([])
    with pytest.raises(HaploomError, match="nobody to write"):
        write_panel(nobody, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
