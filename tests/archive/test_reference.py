"""People stored beside a reference archive: every byte comes back, with that reference and no other."""

import numpy as np
import pytest

from haploom.archive import open_archive
from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.compression import compress, verify_against
from haploom.errors import CorruptArchiveError, HaploomError
from haploom.io import Selection

HEAD = "##fileformat=VCFv4.2\n##contig=<ID=22,length=51304566>\n##INFO=<ID=AC,Number=A,Type=Integer,Description=x>\n"
N_SITES, N_PEOPLE, N_REFERENCE = 260, 50, 40


@pytest.fixture(scope="module")
def lines() -> list[list[str]]:
    """Records of 50 people, a list of columns each."""
    rng = np.random.default_rng(5)
    ancestors = (rng.random((N_SITES, 6)) < rng.beta(0.4, 1.5, (N_SITES, 1))).astype(int)
    switches = np.cumsum(rng.random((N_SITES, 2 * N_PEOPLE)) < 0.02, axis=0) + rng.integers(0, 6, 2 * N_PEOPLE)
    alleles = np.take_along_axis(ancestors, switches % 6, axis=1) ^ (rng.random(switches.shape) < 0.004)
    records = []
    for site, row in enumerate(alleles):
        info = f"AC={row.sum()};DP={9000 + rng.integers(999)}" + (";DB" if site % 7 == 0 else "")
        calls = [f"{a}|{b}" for a, b in row.reshape(-1, 2)]
        fixed = ["22", str(1000 + 13 * site), f"rs{500 + 3 * site}", "A", "G", "100", "PASS", info, "GT"]
        records.append([*fixed, *calls])
    return records


def write(path, records, people, header=HEAD):
    names = [f"P{person}" for person in people]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    rows = [[*record[:9], *(record[9 + person] for person in people)] for record in records]
    path.write_text(header + "".join("\t".join(row) + "\n" for row in [columns + names, *rows]))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("reference")
    compress(write(folder / "panel.vcf", lines, range(N_REFERENCE)), folder / "panel.hlm")
    write(folder / "new.vcf", lines, range(N_REFERENCE, N_PEOPLE))
    compress(folder / "new.vcf", folder / "new.hlm", reference=folder / "panel.hlm")
    return folder


def text_of(path, reference):
    return b"".join(open_archive(path, reference).text())


def section_bytes(path, suffix):
    return sum(s.stored_bytes for name, s in open_archive(path).manifest.sections.items() if name.endswith(suffix))


@pytest.mark.parametrize("level", ["fast", "default", "max"])
def test_reference__every_byte_comes_back(folder, tmp_path, level):
    about = compress(folder / "new.vcf", tmp_path / "x.hlm", reference=folder / "panel.hlm", level=level)
    assert about["verified"]
    assert text_of(tmp_path / "x.hlm", folder / "panel.hlm") == (folder / "new.vcf").read_bytes()
    verify_against(open_archive(tmp_path / "x.hlm", folder / "panel.hlm"), folder / "new.vcf")


def test_reference__sites_and_annotations_are_told_by_it(folder, tmp_path):
    about = open_archive(folder / "new.hlm").describe()
    alone = compress(folder / "new.vcf", tmp_path / "alone.hlm")
    assert about["reference_sha256"] == open_archive(folder / "panel.hlm").as_reference.sha256
    assert about["reference_samples"] == N_REFERENCE
    assert about["reference_bytes"] == (folder / "panel.hlm").stat().st_size
    assert about["variant_bytes"] < 20 < alone["variant_bytes"]
    assert about["annotation_bytes"] < 0.1 * alone["annotation_bytes"]
    assert about["genotype_bytes"] < alone["genotype_bytes"]
    assert alone["reference_sha256"] is None


def edited(lines, how):
    """Records that differ from the reference's, and in what."""
    rng = np.random.default_rng(3)
    lines = [list(line) for line in lines]
    if how == "other INFO":
        for line in lines[::3]:
            line[7] = line[7].replace("AC=", "AC=1").replace(";DB", ";H3")
    elif how == "other names":
        for line in lines[5:9]:
            line[2] = "."
    elif how == "sites of its own":
        for line in lines[10:200:9]:
            line[1] = str(int(line[1]) + 1)
        lines[50][4] = "T"
    elif how == "sites missing":
        lines = [line for line in lines if rng.random() < 0.4]
    elif how == "one site":
        lines = lines[77:78]
    elif how == "out of order":
        lines = [lines[i] for i in rng.permutation(len(lines))]
    elif how == "twice":
        lines = [line for line in lines for _ in range(2)]
    elif how == "unphased and missing calls":
        for line in lines[::4]:
            line[9:] = [call.replace("|", "/").replace("1/1", "./.") for call in line[9:]]
    elif how == "more fields":
        for line in lines[::5]:
            line[8] = "GT:DP"
            line[9:] = [f"{call}:{i}" for i, call in enumerate(line[9:])]
    elif how == "another contig":
        for line in lines:
            line[0] = "21"
    elif how == "no records":
        lines = []
    return lines


HOWS = [
    "other INFO", "other names", "sites of its own", "sites missing", "one site", "out of order", "twice",
    "unphased and missing calls", "more fields", "another contig", "no records",
]  # fmt: skip


@pytest.mark.parametrize("how", HOWS)
def test_reference__what_differs_comes_back(folder, lines, tmp_path, how):
    source = write(tmp_path / "x.vcf", edited(lines, how), range(N_REFERENCE, N_PEOPLE), HEAD + "##more=1\n")
    compress(source, tmp_path / "x.hlm", reference=folder / "panel.hlm")
    assert text_of(tmp_path / "x.hlm", folder / "panel.hlm") == source.read_bytes()


def test_reference__a_person_s_own_sites_follow_from_the_genotypes(folder, lines, tmp_path):
    carried = [line for line in lines if "1" in line[9 + 45]]
    source = write(tmp_path / "own.vcf", carried, [45])
    compress(source, tmp_path / "own.hlm", reference=folder / "panel.hlm")
    assert 50 < len(carried) < N_SITES - 50
    assert text_of(tmp_path / "own.hlm", folder / "panel.hlm") == source.read_bytes()
    # Which of 260 sites are there would take about 30 bytes.
    assert section_bytes(tmp_path / "own.hlm", "/sites") < 20


def test_reference__no_people_and_no_samples_columns(folder, lines, tmp_path):
    source = tmp_path / "sites.vcf"
    header = HEAD + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    source.write_text(header + "".join("\t".join(line[:8]) + "\n" for line in lines))
    compress(source, tmp_path / "sites.hlm", reference=folder / "panel.hlm")
    assert text_of(tmp_path / "sites.hlm", folder / "panel.hlm") == source.read_bytes()


def test_reference__small_blocks_of_both_need_not_meet(folder, lines, tmp_path, monkeypatch):
    from haploom.compression import writer

    def blocks_of(n_records):
        monkeypatch.setitem(writer.LEVELS, "default", writer.BlockLimits(n_records, 1 << 26, 1 << 28))

    blocks_of(60)
    compress(folder / "panel.vcf", tmp_path / "panel.hlm")
    blocks_of(47)
    for how in ("sites missing", "sites of its own"):
        source = write(tmp_path / "x.vcf", edited(lines, how), range(N_REFERENCE, N_PEOPLE))
        compress(source, tmp_path / "x.hlm", reference=tmp_path / "panel.hlm", force=True)
        assert text_of(tmp_path / "x.hlm", tmp_path / "panel.hlm") == source.read_bytes()


def test_reference__threads_do_not_change_a_byte(folder, tmp_path, monkeypatch):
    from haploom.compression import writer

    monkeypatch.setitem(writer.LEVELS, "default", writer.BlockLimits(50, 1 << 26, 1 << 28))
    files = []
    for threads in (1, 2):
        path = tmp_path / f"{threads}.hlm"
        compress(folder / "new.vcf", path, reference=folder / "panel.hlm", threads=threads)
        files.append(path.read_bytes())
    assert files[0] == files[1]
    archive = open_archive(tmp_path / "1.hlm", folder / "panel.hlm")
    assert b"".join(archive.text(threads=2)) == (folder / "new.vcf").read_bytes()


def test_reference__regions_and_people_as_of_any_archive(folder, tmp_path):
    beside = open_archive(folder / "new.hlm", folder / "panel.hlm")
    compress(folder / "new.vcf", tmp_path / "alone.hlm")
    alone = open_archive(tmp_path / "alone.hlm")
    wanted = (["22:1500-2200"], ["P47", "P41"])
    assert b"".join(beside.select_text(*wanted)) == b"".join(alone.select_text(*wanted))
    np.testing.assert_array_equal(beside.read(*wanted).bits, alone.read(*wanted).bits)
    assert beside.variants.fingerprint() == alone.variants.fingerprint()


def test_reference__labels_predict_and_come_back(folder, lines, tmp_path):
    table = tmp_path / "labels.tsv"
    names = [f"P{person}" for person in range(N_REFERENCE, N_PEOPLE)]
    table.write_text("sample\tpopulation\n" + "".join(f"{name}\t{'XY'[i % 2]}\n" for i, name in enumerate(names)))
    selection = Selection(populations=table)
    compress(folder / "new.vcf", tmp_path / "x.hlm", selection=selection, reference=folder / "panel.hlm")
    archive = open_archive(tmp_path / "x.hlm", folder / "panel.hlm")
    assert archive.populations["population"].tolist() == [*"XY"] * 5
    assert b"".join(archive.text()) == (folder / "new.vcf").read_bytes()


def test_reference__missing_wrong_or_altered_is_refused(folder, lines, tmp_path):
    with pytest.raises(HaploomError, match=r"needs its reference, an archive of 40 people, SHA-256 .*--model"):
        text_of(folder / "new.hlm", None)
    compress(write(tmp_path / "p.vcf", lines, range(N_REFERENCE - 1)), tmp_path / "people.hlm")
    with pytest.raises(HaploomError, match=r"not the reference of .*SHA-256 is .*wanted .*its sites are the same"):
        text_of(folder / "new.hlm", tmp_path / "people.hlm")
    compress(write(tmp_path / "s.vcf", lines[1:], range(N_REFERENCE)), tmp_path / "sites.hlm")
    with pytest.raises(HaploomError, match="its sites differ"):
        text_of(folder / "new.hlm", tmp_path / "sites.hlm")
    altered = bytearray((folder / "panel.hlm").read_bytes())
    altered[100] ^= 1
    (tmp_path / "altered.hlm").write_bytes(altered)
    with pytest.raises(HaploomError, match=r"damaged|not the reference"):
        text_of(folder / "new.hlm", tmp_path / "altered.hlm")


def test_reference__one_that_cannot_be_read_alone_is_refused(folder, tmp_path):
    with pytest.raises(HaploomError, match="cannot be a reference: it needs"):
        compress(folder / "new.vcf", tmp_path / "x.hlm", reference=folder / "new.hlm")
    (tmp_path / "empty.vcf").write_text(HEAD + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
    compress(tmp_path / "empty.vcf", tmp_path / "empty.hlm")
    with pytest.raises(HaploomError, match="cannot be a reference: it holds no people"):
        compress(folder / "new.vcf", tmp_path / "x.hlm", reference=tmp_path / "empty.hlm")
    with pytest.raises(HaploomError, match="need no model"):
        compress(folder / "new.vcf", tmp_path / "x.hlm", reference=folder / "panel.hlm", model=folder / "new.vcf")
    assert not (tmp_path / "x.hlm").exists()


def test_reference__damage_is_told(folder, tmp_path):
    good = (folder / "new.hlm").read_bytes()
    sections = open_archive(folder / "new.hlm").manifest.sections
    for name, section in sections.items():
        if section.stored_bytes:
            bad = bytearray(good)
            bad[section.offset + section.stored_bytes // 2] ^= 4
            (tmp_path / "bad.hlm").write_bytes(bad)
            with pytest.raises(CorruptArchiveError, match=name):
                text_of(tmp_path / "bad.hlm", folder / "panel.hlm")


def test_reference__commands(folder, tmp_path, capsysbinary):
    def call(*arguments):
        return run(haploom, [str(argument) for argument in arguments])

    output, panel = tmp_path / "x.hlm", folder / "panel.hlm"
    assert call("compress", folder / "new.vcf", "--reference", panel, "-o", output, "--quiet") == 0
    assert call("decompress", output, "--model", panel, "-o", tmp_path / "x.vcf") == 0
    assert (tmp_path / "x.vcf").read_bytes() == (folder / "new.vcf").read_bytes()
    assert call("verify", output, "--model", panel, "--against", folder / "new.vcf") == 0
    capsysbinary.readouterr()
    assert call("view", output, "--model", panel) == 0
    assert capsysbinary.readouterr().out == (folder / "new.vcf").read_bytes()
    assert call("inspect", output, "--json") == 0
    assert b"reference_sha256" in capsysbinary.readouterr().out
    assert call("view", output) == 3
