"""Small tables: labels, splits, genetic maps, lists of regions and sites."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from haploom.errors import FormatError, HaploomError
from haploom.io import (
    label_level,
    read_genetic_map,
    read_populations,
    read_split,
    write_populations,
    write_split,
)
from haploom.io.output import refuse_to_replace
from haploom.io.regions import Regions, parse_region, read_regions
from haploom.io.site_lists import read_site_list
from haploom.panel import DosagePanel, Split, Variants

TABLE = "sample\tpopulation\tsuperpopulation\nHG1\tGBR\tEUR\nHG2\tYRI\tAFR\n"


@pytest.fixture
def file(tmp_path):
    def make(text: str | bytes, name: str = "table.tsv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return make


def test_read_populations__columns_follow_the_samples(file):
    for text in (TABLE.encode(), gzip.compress(TABLE.encode(), mtime=0), TABLE.replace("\n", "\r\n").encode()):
        table = read_populations(file(text))
        columns = table.columns_for(["HG2", "HG1"])
        assert columns["population"].tolist() == ["YRI", "GBR"]
        assert columns["superpopulation"].tolist() == ["AFR", "EUR"]


def test_read_populations__unknown_samples_are_named_and_counted(file):
    with pytest.raises(HaploomError, match=r"4 of 5 samples are not in .*table.tsv, which has 2 \(a, b, c, \.\.\.\)"):
        read_populations(file(TABLE)).columns_for(["a", "HG1", "b", "c", "d"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("sample population\na b\n", "wanted tab-separated `sample`"),
        ("person\tpopulation\n", "wanted tab-separated `sample`"),
        ("Sample\tpopulation\na\tb\n", "rename 'Sample' to 'sample'"),
        ("sample,population\na,b\n", "replace the commas by tabs"),
        ("sample\n", "at least one more"),
        ("sample\tx\tx\n", "stands twice"),
        ("sample\tx\na\tb\tc\n", "line 2: 3 columns, but the header has 2"),
        ("sample\tx\na\t\n", "line 2: sample 'a' has no x"),
        ("sample\tx\na\tb\n\na\tc\n", "line 4: sample 'a' stands twice, with other labels"),
        (b"sample\tx\na\t\xff\n", "line 2: not UTF-8"),
        (gzip.compress(TABLE.encode(), mtime=0)[:-10], "cut short"),
    ],
)
def test_read_populations__unusable_tables(file, text, message):
    with pytest.raises(FormatError, match=message):
        read_populations(file(text))


def test_label_level__the_usual_one():
    assert label_level(["population", "superpopulation"]) == "superpopulation"
    assert label_level(["x", "population"]) == "population"
    assert label_level(["x"]) == "x"
    assert label_level(["x", "population"], "x") == "x"
    with pytest.raises(HaploomError, match=r"several label columns \(x, y\).*--label"):
        label_level(["x", "y"])
    with pytest.raises(HaploomError, match=r"no label column 'z' \(there is: x, y\)"):
        label_level(["x", "y"], "z")
    with pytest.raises(HaploomError, match=r"has no labels.*--populations"):
        label_level([])


def test_write_populations__reads_back(tmp_path):
    variants = Variants(["1"], [1], ["."], ["A"], ["C"])
    labels = {"population": np.array(["x", "y z"]), "family": np.array(["f", "g"])}
    panel = DosagePanel(np.zeros((2, 1), np.int8), variants, ("é", "b"), labels)
    write_populations(tmp_path / "out.tsv", panel.samples, panel.populations)
    table = read_populations(tmp_path / "out.tsv")
    assert table.levels == ("population", "family")
    assert table.labels == {"é": {"population": "x", "family": "f"}, "b": {"population": "y z", "family": "g"}}
    with pytest.raises(HaploomError, match="no labels"):
        write_populations(tmp_path / "none.tsv", panel.samples, {})


def test_split_files__read_back_and_refuse(tmp_path, file):
    split = Split({"a": "train", "b": "test", "c": "validation"})
    write_split(tmp_path / "s.tsv", split, ["c", "a", "b"])
    assert (tmp_path / "s.tsv").read_text() == "sample\tpart\nc\tvalidation\na\ttrain\nb\ttest\n"
    assert read_split(tmp_path / "s.tsv") == split
    for text, message in (
        ("sample\tx\n", "wanted tab-separated `sample` and `part`"),
        ("sample\tpart\na\tholdout\n", "line 2: part 'holdout' is not one of train, validation, test"),
        ("sample\tpart\na\ttest\na\ttest\n", "line 3: sample 'a' stands twice"),
    ):
        with pytest.raises(FormatError, match=message):
            read_split(file(text))


def test_split_files__from_a_pipe():
    reading, writing = os.pipe()
    os.write(writing, b"sample\tpart\na\ttrain\n")
    os.close(writing)
    try:
        assert read_split(Path(f"/dev/fd/{reading}")) == Split({"a": "train"})
    finally:
        os.close(reading)


MAP = "pos chr cM\n100 22 0\n200 22 0.5\n200 22 0.7\n400 22 0.5\n"


def test_read_genetic_map__keeps_the_first_of_equal_positions(file):
    for text in (MAP, gzip.compress(MAP.encode(), mtime=0), MAP.replace(" ", "\t")):
        for chrom in (None, "22", "chr22"):
            genetic_map = read_genetic_map(file(text), chrom)
            assert_array_equal(genetic_map.position_bp, [100, 200, 400])
            assert_allclose(genetic_map.cm, [0, 0.5, 0.5])


@pytest.mark.parametrize(
    ("text", "chrom", "message"),
    [
        ("pos cM\n1 2\n", None, "wanted pos, chr, cM"),
        (MAP, "21", "wanted the map of contig 21, the file has: 22"),
        (MAP + "1 X 0\n", None, r"\(none was named\), the file has: 22, X"),
        (MAP + "300 22 0.6\n", None, "line 6: 300 bp, 0.6 cM goes back"),
        (MAP + "500 22 0.4\n", None, "line 6: 500 bp, 0.4 cM goes back"),
        (MAP + "500 22 nan\n", None, "line 6"),
        (MAP + "x 22 1\n", None, "must be numbers"),
        ("pos chr cM\n1 22 0\n1 22 3\n", None, "1 point for contig 22"),
    ],
)
def test_read_genetic_map__unusable_maps(file, text, chrom, message):
    with pytest.raises(FormatError, match=message):
        read_genetic_map(file(text), chrom)


def test_read_genetic_map__real_map(real_data):
    genetic_map = read_genetic_map(real_data / "chr22.b37.gmap.gz", "chr22")
    assert genetic_map.position_bp[0] == 16_051_347
    assert genetic_map.cm[0] == 0
    assert 60 < genetic_map.cm[-1] < 90  # chr22 is about 74 cM long (HapMap)


def test_parse_region__forms():
    assert parse_region("22:100-200") == ("22", 100, 200)
    assert parse_region("22:100") == ("22", 100, 100)
    assert parse_region("22:1,000-2,000") == ("22", 1000, 2000)
    assert parse_region("22")[:2] == ("22", 1)
    assert parse_region("22:7-")[2] > 2**40
    assert parse_region("HLA-A*01:01:5-6") == ("HLA-A*01:01", 5, 6)
    for text in ("", "22:", "22:-5", "22:9-8", "22:0-3"):
        with pytest.raises(HaploomError, match="region"):
            parse_region(text)


def test_regions__numbers_past_every_contig_are_its_end():
    for digits in ("9" * 25, "9" * 5000):
        assert len(Regions([f"1:1-{digits}"]).intervals("1")) == 1
        assert not Regions([f"1:{digits}"]).overlapping("1", np.array([1]), np.array([2**31])).any()


def test_read_regions__a_file_without_regions_does_not_mean_everything(file):
    for text in ("", "# nothing\n"):
        with pytest.raises(FormatError, match="no region"):
            read_regions(file(text))


def test_regions__overlap_as_a_loop_over_them_says():
    rng = np.random.default_rng(4)
    starts = rng.integers(1, 200, 12)
    spans = [(start, start + length) for start, length in zip(starts.tolist(), rng.integers(0, 9, 12).tolist())]
    regions = Regions([f"1:{start}-{end}" for start, end in spans])
    first = rng.integers(1, 220, 500)
    last = first + rng.integers(0, 15, 500)
    slow = [any(s <= b and e >= a for s, e in spans) for a, b in zip(first, last)]
    assert_array_equal(regions.overlapping("1", first, last), slow)
    assert 0 < sum(slow) < 500
    assert not regions.overlapping("2", first, last).any()


def test_read_regions__one_and_zero_based(file):
    assert read_regions(file("#c\n22\t5\t9\n22\t7\n")) == ("22:5-9", "22:7-7")
    assert read_regions(file("track x\n22\t4\t9\tname\n", "r.bed")) == ("22:5-9",)
    for text in ("22\n", "22\tx\t5\n", "22\t9\t5\n"):
        with pytest.raises(FormatError, match="line 1"):
            read_regions(file(text))


def test_read_site_list__positions_and_alleles(file):
    chrom, position, ref, alt = ["22", "22", "22", "X"], [5, 5, 6, 5], ["A", "A", "G", "A"], ["C", "G", "T", "C"]
    vcf = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\n22\t5\trs\tA\tG\n22\t6\t.\tG\tT\t.\t.\tX=1\n"
    for text, wanted in (
        ("22\t5\nX\t6\n", [1, 1, 0, 0]),
        ("22 5 A C\n", [1, 0, 0, 0]),
        ("chrom pos ref alt\nchr22 5 A C\nX 5 A C\n", [1, 0, 0, 1]),
        ("22 5 A C\n22 5 A G\n", [1, 1, 0, 0]),
        (vcf, [0, 1, 1, 0]),
        (gzip.compress(vcf.encode(), mtime=0), [0, 1, 1, 0]),
    ):
        assert read_site_list(file(text)).mask(chrom, position, ref, alt).tolist() == [bool(w) for w in wanted]
    for text in ("22\n", "22 5 A\n", "22 5\n22 x\n"):
        with pytest.raises(FormatError, match=r"wanted chrom and pos|chrom and pos"):
            read_site_list(file(text))


def test_refuse_to_replace__only_a_file_can_be_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / ("x" * 300)):
        with pytest.raises(HaploomError, match="cannot write"):
            refuse_to_replace(path, force=True)
