"""Texts over the whole scope of VCF, through files: every byte comes back, whatever the level, blocks and threads."""

import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vcf_texts import vcf_texts
from well_formed_vcfs import HEADER, records

from haploom.archive import open_archive
from haploom.compression import compress, writer
from haploom.compression.checks import verify_against
from haploom.errors import CheckFailedError
from haploom.io import NOT_KEPT, read_panel, write_dosages, write_panel
from haploom.io.text_source import panel_text
from haploom.panel import DosagePanel, Variants

BCFTOOLS = shutil.which("bcftools")
needs_bcftools = pytest.mark.skipif(BCFTOOLS is None, reason="bcftools is not on PATH")


@contextmanager
def block_limits(records, text_bytes=1 << 20):
    """Blocks of every level hold so little."""
    limits = writer.BlockLimits(records, 1 << 20, text_bytes)
    with mock.patch.dict(writer.LEVELS, {level: limits for level in writer.LEVELS}):
        yield


def text_of(path, threads=1):
    return b"".join(open_archive(path).text(threads))


@settings(max_examples=100)
@given(
    vcf_texts(max_records=30), st.sampled_from(sorted(writer.LEVELS)), st.integers(1, 12),
    st.sampled_from([64, 1 << 20]),
)  # fmt: skip
def test_torture__every_byte_comes_back(text, level, block_records, text_bytes):
    with TemporaryDirectory() as folder, block_limits(block_records, text_bytes):
        source, one, two = (Path(folder) / name for name in ("a.vcf", "1.hlm", "2.hlm"))
        source.write_bytes(text)
        about = compress(source, one, level=level, threads=1)
        compress(source, two, level=level, threads=2, verify=False)
        assert one.read_bytes() == two.read_bytes()
        assert text_of(one) == text_of(one, threads=2) == text
        assert about["text_bytes"] == len(text)
        verify_against(open_archive(one), source)


@needs_bcftools
@settings(max_examples=25)
@given(st.lists(records(), max_size=20), st.sampled_from(sorted(writer.LEVELS)))
def test_torture__a_bcf_is_its_text(lines, level):
    with TemporaryDirectory() as folder, block_limits(7):
        raw, source, stored = (Path(folder) / name for name in ("a.vcf", "a.bcf", "a.hlm"))
        raw.write_text(HEADER + "".join(lines))
        subprocess.run([BCFTOOLS, "view", "--no-version", "-Ob", raw, "-o", source], check=True)
        shown = subprocess.run([BCFTOOLS, "view", "--no-version", source], check=True, capture_output=True).stdout
        assert compress(source, stored, level=level)["source_format"] == "BCF"
        assert text_of(stored) == shown
        verify_against(open_archive(stored), source)


@pytest.mark.parametrize("name", ["x.h5", "x.pgen", "x.vcz", "x.trees"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_torture__other_formats_are_the_text_of_our_writer(two_populations, tmp_path, name):
    for module in {"x.pgen": ["pgenlib"], "x.vcz": ["zarr"], "x.trees": ["tskit"]}.get(name, []):
        pytest.importorskip(module)
    counts = two_populations.allele_counts()
    panel = two_populations.select_sites((counts > 0) & (counts < two_populations.n_haplotypes))
    write_panel(panel, tmp_path / name)
    with block_limits(100):
        about = compress(tmp_path / name, tmp_path / "a.hlm")
    assert about["source_format"] != "VCF"
    assert about["not_kept"] == list(NOT_KEPT[about["source_format"]])
    with panel_text(read_panel(tmp_path / name)) as stream:
        assert text_of(tmp_path / "a.hlm") == stream.read()
    verify_against(open_archive(tmp_path / "a.hlm"), tmp_path / name)


def test_torture__plink_1_is_the_unphased_text_of_our_writer(tmp_path):
    pytest.importorskip("bed_reader")
    dosages = np.random.default_rng(3).integers(-1, 3, (9, 40)).astype(np.int8)
    variants = Variants(["7"] * 40, np.arange(1, 41), ["."] * 40, ["A"] * 40, ["C"] * 40)
    write_dosages(DosagePanel(dosages, variants, tuple(f"W{i}" for i in range(9))), tmp_path / "x.bed")
    about = compress(tmp_path / "x.bed", tmp_path / "a.hlm")
    assert about["source_format"] == "PLINK 1"
    cells = {-1: b"./.", 0: b"0/0", 1: b"0/1", 2: b"1/1"}
    records = [line for line in text_of(tmp_path / "a.hlm").splitlines() if not line.startswith(b"#")]
    assert [line.split(b"\t")[9:] for line in records] == [[cells[d] for d in row] for row in dosages.T.tolist()]
    verify_against(open_archive(tmp_path / "a.hlm"), tmp_path / "x.bed")
    dosages[2, 3] = 0 if dosages[2, 3] else 1
    write_dosages(DosagePanel(dosages, variants, tuple(f"W{i}" for i in range(9))), tmp_path / "y.bed")
    with pytest.raises(CheckFailedError, match="line"):
        verify_against(open_archive(tmp_path / "a.hlm"), tmp_path / "y.bed")


@pytest.mark.parametrize("columns", [0, 8, 9, 11])
@pytest.mark.parametrize("records", [0, 1])
def test_torture__no_samples_and_no_records(tmp_path, columns, records):
    names = b"#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT A B".split()[:columns]
    record = b"1 5 . A C . . DB GT 0|1 1|1".split()[:columns]
    text = b"##fileformat=VCFv4.2\n" + (b"\t".join(names) + b"\n" if columns else b"")
    text += (b"\t".join(record) + b"\n") * records if columns else b""
    (tmp_path / "a.vcf").write_bytes(text)
    compress(tmp_path / "a.vcf", tmp_path / "a.hlm")
    assert text_of(tmp_path / "a.hlm") == text
    assert b"".join(open_archive(tmp_path / "a.hlm").select_text()) == text


def test_torture__an_empty_file_is_kept(tmp_path):
    (tmp_path / "a.vcf").write_bytes(b"")
    compress(tmp_path / "a.vcf", tmp_path / "a.hlm")
    assert text_of(tmp_path / "a.hlm") == b""


def test_torture__long_lines(tmp_path):
    # A record of 3 MB in blocks of 64 kB, between ordinary ones; a long odd line; a cell of 100 kB.
    long = b"22\t7\t.\tA\t%s\t.\t.\tX=%s\tGT\t0|1\n" % (b"ACGT" * 400_000, b"y" * 1_400_000)
    short = b"22\t9\t.\tA\tC\t.\t.\t.\tGT:FT\t1|1:%s\n"
    text = b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n"
    text += short % b"a" + long + short % b"b" * 5 + b"#odd" * 50_000 + b"\n" + short % (b"c" * 100_000)
    (tmp_path / "a.vcf").write_bytes(text)
    with block_limits(1000, 1 << 16):
        compress(tmp_path / "a.vcf", tmp_path / "a.hlm")
    assert text_of(tmp_path / "a.hlm") == text
