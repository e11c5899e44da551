"""PLINK 1: bytes by hand, bed-reader and both plinks as oracles, real files byte for byte."""

import numpy as np
import pytest
from small_panels import as_unphased_rows, assert_same, needs, random_dosages, random_panel, run
from small_vcfs import QUERY, bcftools, needs_bcftools

from haploom.errors import FormatError, HaploomError
from haploom.io import Selection, read_dosages, read_panel, read_samples, write_dosages, write_panel
from haploom.panel import DosagePanel, Variants

bed_reader = pytest.importorskip("bed_reader")


def small(chrom: str = "1") -> DosagePanel:
    variants = Variants([chrom] * 2, [5, 9], ["a", "b"], ["A", "G"], ["C", "."])
    dosages = np.array([[0, 2], [1, 2], [2, 2], [-1, -1], [1, 0]], dtype=np.int8)
    return DosagePanel(dosages, variants, ("p", "q", "r", "s", "t"))


def test_write_plink1__known_bytes(tmp_path):
    write_dosages(small(), tmp_path / "x.bed")
    # A1 (ALT) is coded 00 twice, 10 once, 11 never, 01 missing; the first person the lowest bits.
    assert (tmp_path / "x.bed").read_bytes() == bytes([0x6C, 0x1B, 1, 0b01_00_10_11, 0b10, 0b01_00_00_00, 0b11])
    assert (tmp_path / "x.bim").read_text() == "1\ta\t0\t5\tC\tA\n1\tb\t0\t9\t0\tG\n"
    assert (tmp_path / "x.fam").read_text().splitlines()[1] == "0\tq\t0\t0\t0\t-9"
    assert_same(read_dosages(tmp_path / "x.bed"), small())


@pytest.mark.parametrize("n_people", [1, 3, 4, 5, 64])
def test_write_plink1__bed_reader_reads_it(tmp_path, n_people):
    panel = random_dosages(n_people)
    write_dosages(panel, tmp_path / "x.bed")
    with bed_reader.open_bed(tmp_path / "x.bed") as bed:
        counts = bed.read(dtype="int8")
        assert bed.iid.tolist() == list(panel.samples)
        assert bed.allele_2.tolist() == panel.variants.ref.tolist()
    np.testing.assert_array_equal(np.where(counts == -127, -1, counts), panel.dosages)
    assert_same(read_dosages(tmp_path / "x.bed"), panel)


def test_read_plink1__what_bed_reader_wrote(tmp_path):
    panel = random_dosages()
    properties = {
        "iid": panel.samples, "fid": ["f"] * 5, "chromosome": panel.variants.chrom.tolist(),
        "sid": panel.variants.id.tolist(), "bp_position": panel.variants.position_bp,
        "allele_1": panel.variants.alt.tolist(), "allele_2": panel.variants.ref.tolist(),
    }  # fmt: skip
    values = np.where(panel.dosages < 0, -127, panel.dosages).astype(np.int8)
    bed_reader.to_bed(tmp_path / "x.bed", values, properties)
    assert_same(read_dosages(tmp_path / "x.bed"), panel)
    part = read_dosages(tmp_path / "x.bed", Selection(samples=("P4", "P1"), regions=("7:1000-6000",)))
    assert 0 < part.n_sites < panel.n_sites
    np.testing.assert_array_equal(
        part.dosages, panel.select_sites(panel.variants.indices_of(part.variants)).dosages[[4, 1]]
    )


@needs("plink2")
@needs_bcftools
def test_write_plink1__plink2_reads_it(tmp_path):
    panel = random_dosages()
    write_dosages(panel, tmp_path / "x.bed")
    run(tmp_path, "plink2", "--bfile", "x", "--export", "vcf", "--out", "y")
    assert bcftools("query", "-f", QUERY, tmp_path / "y.vcf") == as_unphased_rows(panel)


@needs("plink1.9")
@needs_bcftools
def test_read_plink1__what_plink_1_9_wrote(tmp_path):
    dosages = random_dosages()
    write_dosages(dosages, tmp_path / "x.vcf")
    run(tmp_path, "plink1.9", "--vcf", "x.vcf", "--keep-allele-order", "--make-bed", "--const-fid", "--out", "x")
    found = read_dosages(tmp_path / "x.bed")  # plink 1.9 has sorted the contigs, and writes an ALT nobody has as 0
    there = dosages.variants.indices_of(found.variants)
    assert (there >= 0).sum() > 150
    np.testing.assert_array_equal(found.dosages[:, there >= 0], dosages.dosages[:, there[there >= 0]])


def test_write_panel__a_bed_holds_the_sums(tmp_path):
    panel = random_panel()
    write_panel(panel, tmp_path / "x.bed")
    assert_same(read_dosages(tmp_path / "x.bed"), DosagePanel.from_panel(panel))
    with pytest.raises(FormatError, match="does not say which allele is on which haplotype"):
        read_panel(tmp_path / "x.bed")


def rewritten(folder, old: str, new: str, suffix: str):
    text = (folder / f"x{suffix}").read_text()
    assert old in text
    (folder / f"x{suffix}").write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("suffix", "old", "new", "message"),
    [
        (".bim", "1\tb\t0\t9", "1\tb\t0\t-9", "line 2: position '-9'"),
        (".bim", "1\tb\t0\t9", "1\tb\t0\t4", "goes back.*sort"),
        (".bim", "1\tb\t0\t9\t0\tG\n", "", "do the three files belong together"),
        (".bim", "\t0\tG", "", "line 2: 4 columns, wanted 6"),
        (".fam", "0\tq", "0\tp", "the same FID and IID stand twice"),
        (".fam", "0\tq\t0\t0\t0\t-9\n", "", "do the three files belong together"),
        (".bim", "1\tb", "23\tb", "1:5|23:9 G>. is on a chromosome of which some people have one copy"),
        (".bim", "1\tb", "X\tb", "X:9 G>. is on a chromosome"),
        (".bim", "1\tb", "chrM\tb", "chrM:9 G>. is on a chromosome"),
    ],
)
def test_read_plink1__unusable(tmp_path, suffix, old, new, message):
    write_dosages(small(), tmp_path / "x.bed")
    rewritten(tmp_path, old, new, suffix)
    with pytest.raises(FormatError, match=message):
        read_dosages(tmp_path / "x.bed")


def test_read_plink1__women_have_two_x(tmp_path):
    write_dosages(small(), tmp_path / "x.bed")
    rewritten(tmp_path, "1\tb", "X\tb", ".bim")
    rewritten(tmp_path, "0\t-9", "2\t-9", ".fam")
    rewritten(tmp_path, "0\tt\t0\t0\t2", "0\tt\t0\t0\t1", ".fam")
    women = ("p", "q", "r", "s")
    assert read_dosages(tmp_path / "x.bed", Selection(samples=women)).n_sites == 2
    assert read_dosages(tmp_path / "x.bed", Selection(regions=("1",))).n_samples == 5
    with pytest.raises(FormatError, match="X:9"):
        read_dosages(tmp_path / "x.bed")


def test_read_plink1__numbers_of_a_species_with_more_chromosomes(tmp_path):
    write_dosages(small(), tmp_path / "x.bed")
    rewritten(tmp_path, "1\ta", "23\ta", ".bim")
    rewritten(tmp_path, "1\tb", "38\tb", ".bim")
    assert read_dosages(tmp_path / "x.bed").variants.chrom.tolist() == ["23", "38"]


def test_read_plink1__repeated_iids_take_their_families(tmp_path):
    write_dosages(small(), tmp_path / "x.bed")
    rewritten(tmp_path, "0\tq", "f\tp", ".fam")
    assert read_samples(tmp_path / "x.bed") == ("0_p", "f_p", "0_r", "0_s", "0_t")


def test_read_plink1__other_files(tmp_path):
    write_dosages(small(), tmp_path / "x.bed")
    whole = (tmp_path / "x.bed").read_bytes()
    (tmp_path / "x.bed").write_bytes(whole[:2] + b"\0" + whole[3:])
    with pytest.raises(FormatError, match="person-major"):
        read_dosages(tmp_path / "x.bed")
    (tmp_path / "x.bed").write_bytes(whole)
    (tmp_path / "x.fam").unlink()
    with pytest.raises(HaploomError, match=r"needs x\.fam beside it"):
        read_dosages(tmp_path / "x.bed")


def test_write_plink1__what_it_cannot_hold(tmp_path):
    panel = small()
    with pytest.raises(HaploomError, match="no sample name like 'p q'"):
        write_dosages(DosagePanel(panel.dosages, panel.variants, ("p q", *"qrst")), tmp_path / "x.bed")
    for chrom in ("X", "chrY", "23", "MT"):
        with pytest.raises(HaploomError, match="whose copies PLINK counts by sex"):
            write_dosages(small(chrom), tmp_path / "x.bed")
    assert list(tmp_path.iterdir()) == []
    write_dosages(panel, tmp_path / "x.bed")
    (tmp_path / "x.bed").unlink()
    with pytest.raises(HaploomError, match=r"x\.bim exists"):
        write_dosages(panel, tmp_path / "x.bed")


@pytest.mark.parametrize("name", ["wolves", "exome23k"])
def test_plink1__real_files_are_given_back(tmp_path, real_data, name):
    source = real_data / f"{name}.bed"
    panel = read_dosages(source)
    write_dosages(panel, tmp_path / "x.bed")
    assert (tmp_path / "x.bed").read_bytes() == source.read_bytes()
    if name == "wolves":
        assert panel.missing_rate().mean() == pytest.approx(0.02135, abs=1e-5)
        assert set(panel.variants.ref.tolist()) == {"1", "2"}
        assert len(panel.variants.contigs()) == 38
