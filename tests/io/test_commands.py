"""`haploom split` and `haploom convert`, and the options that choose genotypes, through the command line's own door."""

import json
import subprocess
import sys

import pytest
from small_vcfs import Record, Vcf, written

from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.io import read_panel, read_split

PEOPLE = [f"p{i}" for i in range(40)]


@pytest.fixture
def source(tmp_path):
    records = [Record("22", p, ".", "A", "C", [f"{i % 2}|{int(i < p)}" for i in range(40)]) for p in (1, 10, 20)]
    rows = "".join(f"{name}\t{'AFR' if i < 20 else 'EUR'}\tf{i // 2}\n" for i, name in enumerate(PEOPLE))
    (tmp_path / "labels.tsv").write_text("sample\tpopulation\tfamily\n" + rows)
    return written(tmp_path, Vcf(PEOPLE, records))


def test_split__parts_are_stratified_and_keep_families(source, capsys):
    folder = source.parent
    table, out = folder / "labels.tsv", folder / "s.tsv"
    arguments = ["split", str(source), "--populations", str(table), "--fractions", "0.5,0.2,0.3", "-o", str(out)]
    assert run(haploom, [*arguments, "--groups", "family", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"label": "population", "train": 20, "validation": 8, "test": 12}
    split = read_split(out)
    assert list(split.part_of) == PEOPLE
    assert [split.part_of[name] for name in PEOPLE[::2]] == [split.part_of[name] for name in PEOPLE[1::2]]
    assert sum(split.part_of[name] == "train" for name in PEOPLE[:20]) == 10
    assert run(haploom, arguments) == 3
    assert "--force" in capsys.readouterr().err
    assert run(haploom, [*arguments, "--force", "--seed", "1"]) == 0
    first = out.read_bytes()
    assert run(haploom, [*arguments, "--force", "--seed", "2"]) == 0
    assert out.read_bytes() != first
    assert "train" in capsys.readouterr().out


def test_split__without_labels_at_random_by_person(source, capsys):
    arguments = ["split", str(source), "--fractions", "0.5,0.2,0.3", "-o", str(source.parent / "s.tsv")]
    assert run(haploom, [*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"label": None, "train": 20, "validation": 8, "test": 12}
    assert list(read_split(source.parent / "s.tsv").part_of) == PEOPLE
    for column in ("--label", "--groups"):
        assert run(haploom, [*arguments, "--force", column, "family"]) == 2
    assert "--populations" in capsys.readouterr().err


@pytest.mark.parametrize("fractions", ["0.5,0.5", "a,b,c", "0.5"])
def test_split__wrong_fractions_are_wrong_usage(source, fractions):
    table = str(source.parent / "labels.tsv")
    arguments = ["split", str(source), "--populations", table, "--fractions", fractions]
    assert run(haploom, [*arguments, "-o", str(source.parent / "s.tsv")]) == 2


def test_split__people_without_labels(source, capsys):
    table = source.parent / "labels.tsv"
    table.write_text("sample\tpopulation\np0\tAFR\n")
    assert run(haploom, ["split", str(source), "--populations", str(table), "-o", str(source.parent / "s.tsv")]) == 3
    assert "39 of 40 samples are not in" in capsys.readouterr().err
    assert not (source.parent / "s.tsv").exists()


def converted(source, *arguments):
    out = source.parent / "out.h5"
    assert run(haploom, ["convert", str(source), "-o", str(out), "--force", *map(str, arguments)]) == 0
    return read_panel(out)


def test_convert__options_choose_people_and_sites(source, capsys):
    folder = source.parent
    (folder / "names").write_text("p3\np1\n")
    (folder / "r.bed").write_text("22\t9\t10\n")
    assert converted(source).n_sites == 3
    assert converted(source, "-s", "p2,p1").samples == ("p2", "p1")
    assert converted(source, "-s", "^p2,p1").samples == (PEOPLE[0], *PEOPLE[3:])
    assert converted(source, "-S", folder / "names").samples == ("p3", "p1")
    assert converted(source, "-S", f"^{folder / 'names'}").n_samples == 38
    assert converted(source, "-R", folder / "r.bed").variants.position_bp.tolist() == [10]
    assert converted(source, "-r", "chr22:1-3,22:20").variants.position_bp.tolist() == [1, 20]
    assert "haploom: the region's contig chr22 is taken to mean 22" in capsys.readouterr().err
    # Frequencies are 21, 30 and 40 of 80 in everyone; 1, 1 and 1 of 2 in p1 alone.
    assert converted(source, "--maf", "0.37").variants.position_bp.tolist() == [10, 20]
    assert converted(source, "--maf", "0.4", "-s", "p39").variants.position_bp.tolist() == [1, 10, 20]
    with_labels = converted(source, "--populations", folder / "labels.tsv")
    assert with_labels.labels("population").tolist() == ["AFR"] * 20 + ["EUR"] * 20


def test_convert__says_what_is_lost(source, capsys):
    folder = source.parent
    converted(source, "--populations", folder / "labels.tsv")
    assert "QUAL, FILTER, INFO" in capsys.readouterr().err
    assert run(haploom, ["convert", str(folder / "out.h5"), "-o", str(folder / "out.vcf.gz")]) == 0
    assert "does not hold the labels (population, family)" in capsys.readouterr().err
    paper = ["convert", str(folder / "out.h5"), "-o", str(folder / "p.h5"), "--layout", "paper"]
    assert run(haploom, paper) == 0
    assert "does not hold the sites, the sample names, labels other than population" in capsys.readouterr().err
    assert (read_panel(folder / "p.h5").bits == read_panel(source).bits).all()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["-r", "22", "-R", "{labels}"], 2, "not both"),
        (["-s", "p1", "-S", "{labels}"], 2, "not both"),
        (["--part", "test"], 2, "go together"),
        (["--maf", "0.5"], 2, "0.5"),
        (["--layout", "paper", "-O", "v"], 2, "--layout paper needs"),
        (["-s", "nobody"], 3, "1 of 1 samples asked for are not among the 40 of the file: nobody"),
        (["-r", "22:5-4"], 3, "is empty"),
        (["--populations", "{labels}", "--label", "tribe"], 3, "no label column 'tribe'"),
    ],
)
def test_convert__refusals_leave_nothing(source, capsys, arguments, code, message):
    out = source.parent / "out.h5"
    given = [argument.format(labels=source.parent / "labels.tsv") for argument in arguments]
    assert run(haploom, ["convert", str(source), "-o", str(out), *given]) == code
    error = capsys.readouterr().err
    assert message in " ".join(error.split()).replace("│ ", "").replace(" │", "")
    assert not out.exists()


@pytest.mark.parametrize("output_type", ["v", "z"])
def test_convert__a_closed_pipe_ends_quietly(source, output_type):
    records = [Record("22", p, ".", "A", "C", [f"{p % 2}|{p * i % 7 % 2}" for i in range(40)]) for p in range(1, 9000)]
    written(source.parent, Vcf(PEOPLE, records))
    command = [
        sys.executable,
        "-c",
        "import haploom.cli as c; c.main()",
        "convert",
        str(source),
        "-o",
        "-",
        "-O",
        output_type,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert len(process.stdout.read(10)) == 10
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


def test_convert__an_unknown_suffix_is_told_before_reading(source, capsys):
    source.write_text("not read")
    assert run(haploom, ["convert", str(source), "-o", str(source.parent / "out.txt")]) == 3
    assert "cannot tell the format" in capsys.readouterr().err
