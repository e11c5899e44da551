"""PLINK 2: plink2 as the oracle both ways, phase, several alternates, labels, damage."""

import numpy as np
import pytest
import zstandard
from small_panels import as_unphased_rows, assert_same, needs, random_dosages, random_panel, run
from small_vcfs import QUERY, Record, Vcf, as_rows, bcftools, needs_bcftools, written

from haploom.errors import FormatError, HaploomError
from haploom.io import Selection, read_dosages, read_panel, read_samples, write_dosages, write_panel
from haploom.panel import DosagePanel, Panel

pytest.importorskip("pgenlib")
needs_plink2 = needs("plink2")


@needs_plink2
@needs_bcftools
def test_write_plink2__plink2_reads_it(tmp_path):
    panel, dosages = random_panel(), random_dosages()
    write_panel(panel, tmp_path / "x.pgen")
    run(tmp_path, "plink2", "--pfile", "x", "--validate")
    run(tmp_path, "plink2", "--pfile", "x", "--export", "vcf", "--out", "x")
    # plink2 knows no phase of two equal alleles, and takes the last phase seen for them.
    found = bcftools("query", "-f", QUERY, tmp_path / "x.vcf")
    assert [row.replace("/", "|") for row in found] == as_rows(panel)
    assert not any("0/1" in row or "1/0" in row for row in found)
    write_dosages(dosages, tmp_path / "y.pgen")
    run(tmp_path, "plink2", "--pfile", "y", "--export", "vcf", "--out", "y")
    assert bcftools("query", "-f", QUERY, tmp_path / "y.vcf") == as_unphased_rows(dosages)


@needs_plink2
@pytest.mark.parametrize("compressed", [[], ["vzs"]])
def test_read_plink2__what_plink2_wrote(tmp_path, compressed):
    panel, dosages = random_panel(), random_dosages()
    for name, each in (("x", panel), ("y", dosages)):
        (write_panel if isinstance(each, Panel) else write_dosages)(each, tmp_path / f"{name}.vcf")
        # Contigs in plink's order, not the file's.
        make = ["plink2", "--vcf", f"{name}.vcf", "--make-pgen", *compressed, "--sort-vars", "--out", name]
        run(tmp_path, *make)
    seven_first = np.argsort(panel.variants.chrom == "22", kind="stable")
    assert_same(read_panel(tmp_path / "x.pgen"), panel.select_sites(seven_first))
    assert_same(read_dosages(tmp_path / "x.pgen"), DosagePanel.from_panel(panel.select_sites(seven_first)))
    assert_same(read_dosages(tmp_path / "y.pgen"), dosages.select_sites(seven_first))
    with pytest.raises(FormatError, match=r"is missing or half missing|is unphased"):
        read_panel(tmp_path / "y.pgen")


def test_plink2__people_in_any_order_and_few_sites(tmp_path):
    panel = random_panel(9)
    write_panel(panel, tmp_path / "x.pgen")
    people, regions = ("P7", "P0", "P3"), ("22:3000-5000", "7:1-200")
    found = read_panel(tmp_path / "x.pgen", Selection(samples=people, regions=regions))
    assert 0 < found.n_sites < panel.n_sites
    wanted = panel.select_samples(people).select_sites(panel.variants.indices_of(found.variants))
    assert_same(found, wanted)
    dosages = read_dosages(tmp_path / "x.pgen", Selection(samples=people, regions=regions))
    assert_same(dosages, DosagePanel.from_panel(wanted))


@needs_plink2
def test_read_plink2__unphased_calls_and_several_alternates_are_named(tmp_path):
    records = [
        Record("22", 5, ".", "A", "C", ["0|1", "1|0"]),
        Record("22", 7, ".", "A", "C,G", ["0|2", "1|2"]),
        Record("22", 9, ".", "A", "C", ["1|1", "0/1"]),
        Record("22", 11, ".", "A", "T", ["1|0", "0/0"]),
    ]
    written(tmp_path, Vcf(["a", "b"], records))
    run(tmp_path, "plink2", "--vcf", "in.vcf", "--make-pgen", "--out", "x")
    with pytest.raises(FormatError, match=r"22:7 A>C,G has more than two alleles: split such sites"):
        read_panel(tmp_path / "x.pgen")
    with pytest.raises(FormatError, match=r"22:9 A>C sample b: call is unphased"):
        read_panel(tmp_path / "x.pgen", Selection(regions=("22:8-20",)))
    # Sites beside one with three alleles are found where they are; phase of two equal alleles does not matter.
    assert read_panel(tmp_path / "x.pgen", Selection(regions=("22:5", "22:11"))).alleles().tolist() == [
        [0, 1], [1, 0], [1, 0], [0, 0],
    ]  # fmt: skip
    assert read_dosages(tmp_path / "x.pgen", Selection(regions=("22:8-20",))).dosages.tolist() == [[2, 1], [1, 0]]


def test_plink2__labels_are_kept(tmp_path):
    panel = random_panel(3).with_populations({"population": ["YRI", "CEU", "YRI"], "super": ["AFR", "EUR", "AFR"]})
    write_panel(panel, tmp_path / "x.pgen")
    assert (tmp_path / "x.psam").read_text().splitlines()[:2] == ["#IID\tSEX\tpopulation\tsuper", "P0\tNA\tYRI\tAFR"]
    found = read_panel(tmp_path / "x.pgen", Selection(samples=("P1", "P0")))
    assert {level: labels.tolist() for level, labels in found.populations.items()} == {
        "population": ["CEU", "YRI"], "super": ["EUR", "AFR"],
    }  # fmt: skip
    for label in ("two words", "7", "NA", ""):
        with pytest.raises(HaploomError, match="cannot hold label"):
            write_panel(panel.with_populations({"p": ["a", "b", label]}), tmp_path / "x.pgen", force=True)


def test_read_plink2__people_and_sites_in_older_files(tmp_path):
    panel = random_panel(2, 10, one_contig=True)
    write_panel(panel, tmp_path / "x.pgen")
    (tmp_path / "x.psam").unlink()
    (tmp_path / "x.fam").write_text("f P0 0 0 1 2\nf P1 0 0 2 1.5\n")
    assert read_samples(tmp_path / "x.pgen") == ("P0", "P1")
    assert read_panel(tmp_path / "x.pgen").populations == {}  # numbers are no labels
    lines = [line.split("\t") for line in (tmp_path / "x.pvar").read_text().splitlines() if line[0] != "#"]
    bim = "".join(f"{chrom}\t{id_}\t0\t{pos}\t{alt}\t{ref}\n" for chrom, pos, id_, ref, alt in lines)
    (tmp_path / "x.pvar").write_text(bim)
    assert_same(read_panel(tmp_path / "x.pgen"), panel)
    (tmp_path / "x.pvar").unlink()
    (tmp_path / "x.bim").write_text(bim)
    assert_same(read_panel(tmp_path / "x.pgen"), panel)


def test_read_plink2__unusable(tmp_path):
    panel = random_panel(2, 40)
    write_panel(panel, tmp_path / "x.pgen")
    whole = {name: (tmp_path / name).read_bytes() for name in ("x.pgen", "x.pvar", "x.psam")}

    def refused(name: str, data: bytes, message: str) -> None:
        (tmp_path / name).write_bytes(data)
        with pytest.raises(FormatError, match=message):
            read_panel(tmp_path / "x.pgen")
        (tmp_path / name).write_bytes(whole[name])

    refused("x.pgen", whole["x.pgen"][:-20], "pgenlib cannot read it")
    refused("x.pvar", whole["x.pvar"].replace(b"#CHROM\tPOS", b"#CHROM\tBP"), "wanted CHROM POS ID REF ALT")
    refused("x.pvar", whole["x.pvar"][: whole["x.pvar"].rindex(b"\n", 0, -1) + 1], "pgenlib cannot read it")
    refused("x.pvar", whole["x.pvar"].replace(b"\n7\t", b"\nX\t"), "on a chromosome of which some people have one copy")
    refused("x.pvar", whole["x.pvar"] + b"7\t4", "2 columns, wanted 5")
    refused("x.psam", whole["x.psam"] + b"P2\tNA\n", "pgenlib cannot read it")
    refused("x.psam", whole["x.psam"] + b"P2\n", "line 4: 1 columns, wanted 2")
    refused("x.psam", b"#ID\tSEX\nP0\t1\nP1\t1\n", "wanted #FID IID or #IID first")
    (tmp_path / "x.pvar").unlink()
    (tmp_path / "x.pvar.zst").write_bytes(zstandard.compress(whole["x.pvar"]))
    assert_same(read_panel(tmp_path / "x.pgen"), panel)
    (tmp_path / "x.pvar.zst").write_bytes(whole["x.pvar"])
    with pytest.raises(FormatError, match="damaged"):
        read_panel(tmp_path / "x.pgen")


def test_write_plink2__what_it_cannot_hold(tmp_path):
    panel = random_panel()
    with pytest.raises(HaploomError, match="has one site at least"):
        write_panel(panel.select_sites(slice(0)), tmp_path / "x.pgen")
    assert list(tmp_path.iterdir()) == []


@needs_plink2
def test_plink2__real_wolves_and_people(tmp_path, real_data):
    """plink2's own copies of real files, and its count of what is missing."""
    for name, chromosomes in (("wolves", ["--chr-set", "38"]), ("exome23k", [])):
        run(tmp_path, "plink2", "--bfile", real_data / name, *chromosomes, "--make-pgen", "--out", name)
        found, wanted = read_dosages(tmp_path / f"{name}.pgen"), read_dosages(real_data / f"{name}.bed")
        np.testing.assert_array_equal(found.dosages, wanted.dosages)
        assert found.variants.site_keys() == wanted.variants.site_keys()
