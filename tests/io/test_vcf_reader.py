"""The VCF reader against a slow reader, bcftools, and every kind of file it must refuse."""

import gzip
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from small_vcfs import QUERY, Record, Vcf, as_rows, bcftools, needs_bcftools, slow_alleles, slow_dosages, vcfs, written

from haploom.errors import FormatError, HaploomError
from haploom.io import Selection, read_dosages, read_panel, read_samples, vcf_calls, vcf_text


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("vcf")


@settings(max_examples=150, deadline=None)
@given(vcf=vcfs(), zipped=st.booleans())
def test_read_panel__reads_what_a_slow_reader_reads(folder, vcf, zipped):
    text = vcf.bytes()
    path = written(folder, gzip.compress(text, mtime=0) if zipped else text)
    panel = read_panel(path)
    assert panel.samples == tuple(vcf.samples) == read_samples(path)
    assert panel.variants.contig_length_bp == {"22": 51304566}
    columns = ("chrom", "position_bp", "id", "ref", "alt")
    got = list(zip(*(getattr(panel.variants, column).tolist() for column in columns)))
    assert got == [(r.chrom, r.position, r.id, r.ref, r.alt) for r in vcf.records]
    assert panel.alleles().tolist() == slow_alleles(vcf)


@settings(max_examples=100, deadline=None)
@given(vcf=vcfs(phased=False))
def test_read_dosages__reads_what_a_slow_reader_reads(folder, vcf):
    panel = read_dosages(written(folder, vcf))
    assert panel.dosages.tolist() == slow_dosages(vcf)


@settings(max_examples=100, deadline=None)
@given(vcf=vcfs(), data=st.data())
def test_read_panel__selection_is_that_of_the_slow_reader(folder, vcf, data):
    path = written(folder, vcf)
    people = data.draw(st.lists(st.sampled_from(vcf.samples), min_size=1, unique=True))
    start, end = sorted(data.draw(st.tuples(st.integers(1, 64), st.integers(1, 64))))
    selection = Selection(samples=tuple(people), regions=(f"22:{start}-{end}", "1:3"))
    kept = [
        record for record in vcf.records
        if (record.chrom == "22" and record.position <= end and record.position + len(record.ref) > start)
        or (record.chrom == "1" and record.position <= 3 < record.position + len(record.ref))
    ]  # fmt: skip
    if not any(record.chrom == "1" for record in vcf.records):
        with pytest.raises(HaploomError, match="has no contig '1'"):
            read_panel(path, selection)
        return
    panel = read_panel(path, selection)
    order = [vcf.samples.index(name) for name in people]
    small = Vcf(people, [Record(**{**vars(r), "calls": [r.calls[i] for i in order]}) for r in kept])
    assert panel.variants.position_bp.tolist() == [record.position for record in kept]
    assert panel.alleles().tolist() == slow_alleles(small)


@pytest.mark.parametrize("block_bytes", [64, 300, 1000])
def test_read_panel__does_not_depend_on_block_and_tile_sizes(tmp_path, monkeypatch, block_bytes):
    # Lines longer than a block, tiles that end inside a block, and a last line without a break.
    rng = np.random.default_rng(3)
    alleles = rng.integers(0, 2, (1100, 8))
    records = [
        Record("22", i + 1, ".", "A", "C", [f"{a}|{b}" for a, b in row.reshape(-1, 2)]) for i, row in enumerate(alleles)
    ]
    vcf = Vcf(["a", "b", "c", "d"], records, final_line_end=False)
    monkeypatch.setattr(vcf_text, "BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(vcf_calls, "_TILE_BYTES", 1)
    path = written(tmp_path, gzip.compress(vcf.bytes(), mtime=0))
    assert_array_equal(read_panel(path).alleles(), alleles.T)
    assert_array_equal(read_dosages(path).dosages, (alleles[:, ::2] + alleles[:, 1::2]).T)


def test_read_panel__people_left_out_may_be_unphased(tmp_path):
    path = written(tmp_path, Vcf(["a", "b"], [Record("22", 5, ".", "A", "C", ["0/1", "1|0"])]))
    assert read_panel(path, Selection(samples=("b",))).alleles().tolist() == [[1], [0]]
    with pytest.raises(FormatError, match="unphased"):
        read_panel(path)


def test_read_panel__site_without_alternate(tmp_path):
    path = written(tmp_path, Vcf(["a"], [Record("22", 5, ".", "A", ".", ["0|0"])]))
    assert read_panel(path).variants.alt.tolist() == ["."]
    path = written(tmp_path, Vcf(["a"], [Record("22", 5, ".", "A", ".", ["0|1"])]))
    with pytest.raises(FormatError, match="the site has no ALT"):
        read_panel(path)


def test_read_panel__no_records_is_a_panel_without_sites(tmp_path):
    panel = read_panel(written(tmp_path, Vcf(["a", "b"])))
    assert (panel.n_sites, panel.n_haplotypes) == (0, 4)


def test_read_panel__blank_lines_are_passed_over_and_counted(tmp_path):
    vcf = Vcf(["a"], [Record("22", 5, ".", "A", "C", ["0|1"]), Record("22", 6, ".", "A", "C", ["0/1"])])
    path = written(tmp_path, vcf.bytes().replace(b"\n22\t6", b"\n\n\r\n22\t6") + b"\n\n")
    with pytest.raises(FormatError, match=r"line 8, 22:6, sample a: call '0/1' is unphased"):
        read_panel(path)


def test_read_panel__stdin(monkeypatch):
    vcf = Vcf(["a", "b"], [Record("22", 5, ".", "A", "C", ["0|1", "1|1"])])
    for text in (vcf.bytes(), gzip.compress(vcf.bytes(), mtime=0)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
        assert read_panel(Path("-")).alleles().tolist() == slow_alleles(vcf)


GOOD = Record("22", 7, ".", "A", "C", ["0|0", "1|0"])
LONG = "phase and impute"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"calls": ["0|0", "0/1"]}, f"line 6, 22:7, sample b: call '0/1' is unphased; haplotypes need .*{LONG}"),
        ({"calls": ["./.", "0|1"]}, f"sample a: call './.' is missing or half missing.*{LONG}"),
        ({"calls": [".", "0|1"]}, "sample a: call '.' is missing"),
        ({"calls": ["0|0", "1|."]}, "sample b: call '1|.' is missing or half missing"),
        ({"calls": ["0|0", "1"]}, "sample b: call '1' is haploid"),
        ({"calls": ["0|0", "1|0|0"]}, "sample b: call '1|0|0' has 3 alleles"),
        ({"calls": ["0|0", "0|2"]}, "sample b: call '0|2' has allele '2', wanted 0 or 1"),
        ({"calls": ["0|0", "0|10"]}, "has allele '10'"),
        ({"calls": ["0|0", "a|0"]}, "has allele 'a'"),
        ({"calls": ["0|0", ""]}, "sample b: call '' is haploid"),
        ({"calls": ["0|0"]}, r"10 columns, wanted 11 \(9 and 2 samples\)"),
        ({"calls": ["0|0", "0|0", "0|0"]}, "12 columns, wanted 11"),
        ({"alt": "C,G"}, "22:7: A>C,G has more than two alleles: split such sites with `bcftools norm -m-`"),
        ({"format": "DP:GT"}, "FORMAT is 'DP:GT', which does not begin with GT"),
        ({"format": "GTX"}, "FORMAT is 'GTX'"),
        ({"format": "G"}, "FORMAT is 'G'"),
        ({"position": 4}, "line 6, 22:4: comes after 22:5: sort the file"),
        ({"chrom": "21"}, "line 7, 22:9: comes after contig 21, though contig 22 had ended"),
        ({"position": "7x"}, "POS '7x' is not a whole number"),
        ({"position": "٧"}, "POS '٧' is not a whole number"),
        ({"position": 10**18}, "POS '10+' is not a whole number of a possible size"),
        ({"calls": ["0|0", "0|1\r\r"]}, "sample b: call '0.1..?r' has allele"),
    ],
    ids=lambda value: None if isinstance(value, str) else str(value),
)  # fmt: skip
def test_read_panel__unusable_records(tmp_path, change, message):
    bad = Record(**{**vars(GOOD), **change})
    vcf = Vcf(
        ["a", "b"], [Record("22", 5, ".", "A", "C", ["0|1", "0|1"]), bad, Record("22", 9, ".", "A", "C", ["0|1"] * 2)]
    )
    with pytest.raises(FormatError, match=message.replace("|", r"\|")) as error:
        read_panel(written(tmp_path, vcf))
    assert "in.vcf" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("calls", [["0/1", "1"], ["0/1", "0/1/1"], ["0/1", "0/2"], ["0/1", "-/1"]])
def test_read_dosages__unusable_calls(tmp_path, calls):
    with pytest.raises(FormatError, match="22:7, sample b: call"):
        read_dosages(written(tmp_path, Vcf(["a", "b"], [Record("22", 7, ".", "A", "C", calls)])))


PLAIN = Vcf(["a", "b"], [GOOD]).bytes()
HEADER = PLAIN[: PLAIN.index(b"22\t7")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is empty"),
        (b"sample\tx\n", "neither a VCF"),
        (b"BCF\2\2", "htslib cannot read it"),
        (b"##fileformat=VCFv4.2\n##a\n", "ends without a #CHROM line"),
        (PLAIN.replace(b"\ta\tb", b"\ta\ta"), "line 4: sample 'a' stands twice"),
        (PLAIN.replace(b"\ta\tb", b"\ta\t"), "a sample has no name"),
        (PLAIN.replace(b"\tFORMAT\ta\tb", b""), "has no samples"),
        (PLAIN.replace(b"\tFORMAT\ta\tb", b"\tFORMAT"), "has no samples"),
        (PLAIN.replace(b"#CHROM\tPOS", b"#CHROM POS"), "wanted #CHROM POS ID"),
        (PLAIN.replace(b"\ta\tb", b"\ta\t\xff"), "not UTF-8"),
        (PLAIN[:-15], "wanted 11"),
        (gzip.compress(PLAIN, mtime=0)[:-9], "cut short"),
        (gzip.compress(PLAIN * 50, mtime=0)[:60], "cut short"),
        (gzip.compress(PLAIN, mtime=0)[:-8] + bytes(8), "damaged"),
        (gzip.compress(PLAIN, mtime=0)[:20] + b"\xff\xff\xff\xff" + gzip.compress(PLAIN, mtime=0)[24:], "damaged"),
    ],
)  # fmt: skip
def test_read_panel__unusable_files(tmp_path, text, message):
    with pytest.raises(FormatError, match=message):
        read_panel(written(tmp_path, text))


def test_read_panel__columns_that_are_not_utf8(tmp_path):
    with pytest.raises(FormatError, match=r"lines from 5 on: b'\\xff\\xfe' is not UTF-8"):
        read_panel(written(tmp_path, PLAIN.replace(b"7\t.", b"7\t\xff\xfe")))


def test_io__is_cheap_to_import():
    code = (
        "import sys; from haploom.io import Selection, read_panel, read_split, write_panel; Selection();"
        "sys.exit(', '.join({'numba', 'pysam', 'h5py', 'torch'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_read_panel__bgzf_cut_between_blocks(tmp_path):
    path = tmp_path / "in.vcf.gz"
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write(PLAIN)
    assert read_panel(path).n_sites == 1
    path.write_bytes(path.read_bytes()[:-28])
    with pytest.raises(FormatError, match="cut short"):
        read_panel(path)


def test_read_panel__several_gzip_members(tmp_path):
    half = len(PLAIN) - 12
    path = written(tmp_path, gzip.compress(PLAIN[:half], mtime=0) + gzip.compress(PLAIN[half:]), "in.vcf.gz")
    assert read_panel(path).alleles().tolist() == [[0], [0], [1], [0]]


def test_read_panel__absent_file_and_unknown_samples(tmp_path):
    with pytest.raises(HaploomError, match="cannot read"):
        read_panel(tmp_path / "none.vcf")
    with pytest.raises(HaploomError, match="2 of 3 samples asked for are not among the 2 of the file: x, y"):
        read_panel(written(tmp_path, PLAIN), Selection(samples=("x", "a", "y")))
    with pytest.raises(HaploomError, match="no sample is left"):
        read_panel(written(tmp_path, PLAIN), Selection(samples=("a", "b"), exclude_samples=True))


@needs_bcftools
@pytest.mark.parametrize(
    ("regions", "arguments"),
    [
        (("22:50250000-50251000",), []),
        (("22:50244251",), []),
        (("22:51240000-",), []),
        (("22:50260000-50261000", "22:50250000-50250500", "22:50250400-50250700"), []),
        (("22:50250000-50251000",), ["-s", "HG00100,HG00096"]),
        (("22:50250000-50251000",), ["-s", "^HG00100,HG00096"]),
    ],
)
def test_read_panel__as_bcftools_selects(real_data, tmp_path, regions, arguments):
    source = real_data / "chr22-dense.vcf.gz"
    narrow = tmp_path / "narrow.vcf.gz"
    bcftools("view", "-Oz", "-o", narrow, "-r", ",".join(regions), *arguments, source)
    samples = arguments[1] if arguments else ""
    selection = Selection(
        regions=regions,
        samples=tuple(samples.lstrip("^").split(",")) if samples else None,
        exclude_samples="^" in samples,
    )
    wanted = bcftools("query", "-f", QUERY, narrow)
    assert len(wanted) > 0
    panel = read_panel(source, selection)
    assert as_rows(panel) == wanted
    assert panel.samples == tuple(bcftools("query", "-l", narrow))


def test_read_panel__the_index_changes_nothing(tmp_path, monkeypatch):
    # Deletions that reach over the borders of regions, two contigs, a region with a chr before the name.
    rng = np.random.default_rng(5)
    records = [
        Record(chrom, position, ".", "A" * int(rng.integers(1, 30)), "A", ["0|1", f"{rng.integers(2)}|0"])
        for chrom in ("21", "22") for position in range(1, 400, 3)
    ]  # fmt: skip
    plain = written(tmp_path, Vcf(["a", "b"], records))
    pysam.tabix_compress(str(plain), str(tmp_path / "in.vcf.gz"))
    pysam.tabix_index(str(tmp_path / "in.vcf.gz"), preset="vcf")
    regions = ("22:100-120", "22:130-131", "22:125-126", "21:50", "22:390-")
    read = []
    monkeypatch.setattr(vcf_text, "BLOCK_BYTES", 500)
    original = vcf_text.lines_near
    monkeypatch.setattr("haploom.io.vcf_reader.lines_near", lambda *a: read.append(a) or original(*a))
    indexed = read_panel(tmp_path / "in.vcf.gz", Selection(regions=regions))
    assert len(read) == 1
    scanned = read_panel(plain, Selection(regions=regions))
    assert len(read) == 1
    assert 0 < scanned.n_sites < len(records)
    assert_array_equal(indexed.variants.position_bp, scanned.variants.position_bp)
    assert_array_equal(indexed.bits, scanned.bits)


def test_read_panel__an_index_older_than_its_file_is_not_trusted(tmp_path):
    path = tmp_path / "in.vcf.gz"
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write(PLAIN)
    index = tmp_path / "in.vcf.gz.tbi"
    index.write_bytes(b"damaged")
    os.utime(index, (1, 1))
    assert read_panel(path, Selection(regions=("22:7",))).n_sites == 1
    os.utime(index)
    with pytest.raises(FormatError, match=r"cannot read through its index in\.vcf\.gz\.tbi.*tabix -f"):
        read_panel(path, Selection(regions=("22:7",)))


def test_read_panel__contigs_with_and_without_chr(tmp_path, caplog):
    path = written(tmp_path, PLAIN)
    assert read_panel(path, Selection(regions=("chr22:1-10",))).n_sites == 1
    assert "chr22 is taken to mean 22" in caplog.text
    with pytest.raises(HaploomError, match="has no contig '23'"):
        read_panel(path, Selection(regions=("23",)))


@needs_bcftools
def test_read_panel__whole_real_file_is_what_bcftools_prints(real_data):
    source = real_data / "chr22-whole.vcf.gz"
    panel = read_panel(source)
    names = tuple(bcftools("query", "-l", source))
    assert panel.samples == names
    assert (panel.n_sites, panel.n_haplotypes) == (19_012, 2_184)
    wanted = bcftools("query", "-f", QUERY, "-r", "22:30000000-31000000", source)
    inside = panel.select_sites(Selection(regions=("22:30000000-31000000",)).site_filter().mask(panel.variants))
    assert as_rows(inside) == wanted


@settings(max_examples=300, deadline=None)
@given(vcf=vcfs(), data=st.data())
def test_read_panel__damage_is_an_error_or_another_valid_file(folder, vcf, data):
    # Kernels do not check bounds: bytes put in, taken out or changed must never lead them astray.
    text = bytearray(vcf.bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text) - 1))
        text[place : place + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from([b"\t", b"\n", b"|", b"\r", b"0", b"", b"\xff", b",", b":", b"\t\t\t"])
        )
    path = written(folder, bytes(text))
    try:
        panel, message = read_panel(path), ""
    except HaploomError as error:
        panel, message = None, str(error)
    assert "\n" not in message
    assert "in.vcf" in message if panel is None else panel.alleles().max(initial=0) <= 1


def test_calls__no_memory_for_them_is_not_a_damaged_file(monkeypatch):
    def refused(*_, **__):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(vcf_calls.mmap, "mmap", refused)
    with pytest.raises(MemoryError, match="8 bytes"):
        vcf_calls._zeros(2, 4, np.int8)
