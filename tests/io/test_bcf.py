"""BCF: what bcftools makes of ours, what we make of bcftools', and damage."""

import contextlib
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_panels import as_unphased_rows, assert_same, random_dosages, random_panel
from small_vcfs import QUERY, Record, Vcf, as_rows, bcftools, needs_bcftools, slow_dosages, vcfs, written

from haploom.errors import FormatError, HaploomError
from haploom.io import (
    Selection,
    iterate_blocks,
    read_dosages,
    read_panel,
    read_samples,
    source_format,
    write_dosages,
    write_panel,
)
from haploom.io.bcf_reader import bcf_text
from haploom.panel import Panel, Variants

pytestmark = needs_bcftools

# bcftools writes no BCF of what its header does not declare.
DECLARED = b"".join(
    [
        *(b"##contig=<ID=%s>\n" % name for name in (b"1", b"chrX", b"HLA-A*01:01")),
        *(b'##FORMAT=<ID=%s,Number=.,Type=Integer,Description="x">\n' % name for name in (b"DP", b"PL")),
        b'##FORMAT=<ID=GT,Number=1,Type=String,Description="x">\n',
        b'##INFO=<ID=AC,Number=1,Type=Integer,Description="x">\n',
    ]
)


def bcf_by_bcftools(folder, vcf: Vcf):
    """The VCF, and the BCF bcftools makes of it."""
    vcf.line_end = "\n"
    text = vcf.bytes().replace(b'Description="a,b"', b'Number=.,Type=String,Description="a,b"')
    source = written(folder, text.replace(b"#CHROM", DECLARED + b"#CHROM"))
    bcftools("view", "-Ob", "-o", folder / "x.bcf", source)
    return source, folder / "x.bcf"


def test_write_bcf__bcftools_reads_what_was_written(tmp_path):
    panel, dosages = random_panel(), random_dosages()
    for output_type in ("b", "u"):
        path = tmp_path / f"{output_type}.bcf"
        write_panel(panel, path, output_type=output_type)
        assert bcftools("query", "-f", QUERY, path) == as_rows(panel)
        write_dosages(dosages, path, output_type=output_type, force=True)
        assert bcftools("query", "-f", QUERY, path) == as_unphased_rows(dosages)
        assert_same(read_dosages(path), dosages)
    write_panel(panel, tmp_path / "x.vcf", no_version=True)
    write_panel(panel, tmp_path / "x.bcf", no_version=True)
    of_bcf = [line for line in bcftools("view", "--no-version", tmp_path / "x.bcf") if "ID=PASS" not in line]
    assert of_bcf == (tmp_path / "x.vcf").read_text().splitlines()


def test_write_bcf__long_texts_and_sites_without_alternate(tmp_path):
    lengths = [1, 14, 15, 127, 128, 32767, 32768, 70_000]
    alt = ["." if n == 15 else "C" * n for n in lengths]
    variants = Variants(["1"] * 8, range(1, 9), [f"{'i' * n}" for n in lengths], ["A" * n for n in lengths], alt)
    panel = Panel.from_alleles(np.eye(2, 8, dtype=np.uint8), variants, ["one"])
    write_panel(panel, tmp_path / "x.bcf")
    assert bcftools("query", "-f", QUERY, tmp_path / "x.bcf") == as_rows(panel)
    assert_same(read_panel(tmp_path / "x.bcf"), panel)


def test_write_bcf__no_sites(tmp_path):
    write_panel(random_panel().select_sites(slice(0)), tmp_path / "x.bcf")
    assert bcftools("view", "-H", tmp_path / "x.bcf") == []
    assert read_panel(tmp_path / "x.bcf").n_sites == 0


@settings(max_examples=25, deadline=None)
@given(vcf=vcfs(phased=False))
def test_read_bcf__calls_of_any_kind(tmp_path_factory, vcf):
    folder = tmp_path_factory.mktemp("bcf")
    source, bcf = bcf_by_bcftools(folder, vcf)
    dosages = read_dosages(bcf)
    assert dosages.dosages.tolist() == slow_dosages(vcf)
    assert_same(dosages, read_dosages(source))
    assert read_samples(bcf) == tuple(vcf.samples)
    # The text as bcftools prints it, of whatever columns.
    printed = subprocess.run(["bcftools", "view", "--no-version", bcf], check=True, capture_output=True).stdout
    assert b"".join(bcf_text(bcf)) == printed


def test_read_bcf__regions_with_and_without_index(tmp_path):
    panel = random_panel()
    write_panel(panel, tmp_path / "plain.bcf")
    shutil.copy(tmp_path / "plain.bcf", tmp_path / "indexed.bcf")
    bcftools("index", tmp_path / "indexed.bcf")
    for regions in (("22:2000-4000", "22:3900-5000"), ("chr7:1-3000",), ("22",), ("22:1-1", "7")):
        wanted = bcftools("query", "-f", QUERY, "-r", ",".join(regions).replace("chr", ""), tmp_path / "indexed.bcf")
        for name in ("plain.bcf", "indexed.bcf"):
            assert as_rows(read_panel(tmp_path / name, Selection(regions=regions))) == wanted
    with pytest.raises(HaploomError, match="has no contig '5'"):
        read_panel(tmp_path / "indexed.bcf", Selection(regions=("5",)))


def test_read_bcf__a_long_reference_allele_is_taken_once(tmp_path):
    records = [Record("22", p, ".", "A" * n, "C", ["0|1"]) for p, n in ((5, 40), (20, 1), (30, 30), (41, 1))]
    _, bcf = bcf_by_bcftools(tmp_path, Vcf(["a"], records))
    bcftools("index", bcf)
    panel = read_panel(bcf, Selection(regions=("22:10-12", "22:25-27", "22:35-50")))
    assert panel.variants.position_bp.tolist() == [5, 30, 41]


def test_read_bcf__a_call_it_cannot_hold_is_named(tmp_path):
    bcf_by_bcftools(tmp_path, Vcf(["a", "b"], [Record("22", 7, ".", "A", "C", ["0|1", "0/1"])]))
    with pytest.raises(FormatError, match=r"22:7, sample b: call '0/1' is unphased"):
        read_panel(tmp_path / "x.bcf")
    assert next(iterate_blocks(tmp_path / "x.bcf", Selection(samples=("a",)))).alleles().tolist() == [[0], [1]]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_read_bcf__damage_is_an_error_or_another_valid_file(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damage")
    write_panel(random_panel(3, 40), folder / "x.bcf", output_type=data.draw(st.sampled_from("ub")), no_version=True)
    whole = bytearray((folder / "x.bcf").read_bytes())
    if data.draw(st.booleans()):
        del whole[data.draw(st.integers(20, len(whole) - 1)) :]
    else:
        whole[data.draw(st.integers(16, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (folder / "x.bcf").write_bytes(whole)
    with contextlib.suppress(HaploomError):
        read_panel(folder / "x.bcf")


def test_read_bcf__cut_short(tmp_path):
    write_panel(random_panel(200, 2000), tmp_path / "x.bcf")
    whole = (tmp_path / "x.bcf").read_bytes()
    for n in (len(whole) - 28, len(whole) // 2):
        (tmp_path / "x.bcf").write_bytes(whole[:n])
        with pytest.raises(FormatError, match="cut short"):
            read_panel(tmp_path / "x.bcf")


def test_read_bcf__whole_real_file(tmp_path, real_data):
    source = real_data / "chr22-whole.vcf.gz"
    bcftools("view", "-Ob", "-r", "22:20000000-24000000", "-o", tmp_path / "x.bcf", source)
    assert source_format(tmp_path / "x.bcf") == "BCF"
    assert_same(read_panel(tmp_path / "x.bcf"), read_panel(source, Selection(regions=("22:20000000-24000000",))))
