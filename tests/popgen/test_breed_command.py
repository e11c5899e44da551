"""`haploom breed` from file to file."""

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import haploom.cli.breed
from haploom.cli.frame import run
from haploom.cli.main import haploom as program
from haploom.io import Selection, read_panel, read_split, write_panel
from haploom.panel import Panel, Variants

N_SITES = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """founders.vcf.gz (12 people of A, 8 of B), labels.tsv, split.tsv and map.tsv."""
    rng = np.random.default_rng(1)
    positions = np.sort(rng.choice(80_000_000, N_SITES, replace=False)) + 1
    columns = np.full(N_SITES, "."), np.full(N_SITES, "A"), np.full(N_SITES, "C")
    samples = [f"A{i}" for i in range(12)] + [f"B{i}" for i in range(8)]
    alleles = rng.integers(0, 2, (40, N_SITES), dtype=np.uint8)
    panel = Panel.from_alleles(alleles, Variants(np.full(N_SITES, "22"), positions, *columns), samples)
    write_panel(panel, tmp_path / "founders.vcf.gz")
    (tmp_path / "labels.tsv").write_text("sample\tclade\n" + "".join(f"{name}\t{name[0]}\n" for name in samples))
    parts = ["train", "train", "validation", "test"]
    split = "".join(f"{name}\t{parts[i % 4]}\n" for i, name in enumerate(samples))
    (tmp_path / "split.tsv").write_text(f"sample\tpart\n{split}")
    (tmp_path / "map.tsv").write_text("pos chr cM\n1 22 0\n40000000 22 90\n90000000 22 100\n")
    return tmp_path


def breed(folder: Path, *arguments: str) -> int:
    paths = [str(folder / "founders.vcf.gz"), "--populations", str(folder / "labels.tsv")]
    return run(program, ["breed", *paths, *arguments])


def test_breed_command__tracks_table_reproduces_the_vcf(folder, capsys):
    out, tracks = folder / "out.vcf.gz", folder / "tracks.tsv.gz"
    settings = ["--map", str(folder / "map.tsv"), "--admix", "A=0.5,B=0.5@4", "--tracks", str(tracks), "--json"]
    assert breed(folder, "--generations", "9", "--size", "5", "--keep", "2,4,9", *settings, "-o", str(out)) == 0
    assert json.loads(capsys.readouterr().out) == {
        "people": 40, "haplotypes": 80, "sites": N_SITES, "populations": "A, B, A+B"
    }  # fmt: skip
    founders = read_panel(folder / "founders.vcf.gz")
    bred = read_panel(out, Selection(populations=folder / "out.populations.tsv"))
    labels, generations = bred.labels("clade").tolist(), bred.labels("generation").tolist()
    assert labels == ["A"] * 15 + ["B"] * 15 + ["A+B"] * 10
    assert generations == (["2"] * 5 + ["4"] * 5 + ["9"] * 5) * 2 + ["2"] * 5 + ["4"] * 5
    expected = np.full((80, N_SITES), 9, dtype=np.uint8)
    with gzip.open(tracks, "rt") as lines:
        for line in csv.DictReader(lines, delimiter="\t"):
            row = 2 * bred.samples.index(line["sample"]) + int(line["haplotype"]) - 1
            source = 2 * founders.samples.index(line["founder"]) + int(line["founder_haplotype"]) - 1
            start, end = int(line["start_bp"]), int(line["end_bp"])
            here = (bred.variants.position_bp >= start) & (bred.variants.position_bp <= end)
            expected[row, here] = founders.alleles()[source, here]
            assert line["chrom"] == "22"
            assert line["population"] == line["founder"][0]
            assert line["population"] in labels[row // 2]
    assert_array_equal(bred.alleles(), expected)
    with gzip.open(out, "rt") as text:
        assert any(line.startswith("##synthetic=") for line in text)


def test_breed_command__streamed_hdf5_equals_vcf(folder):
    for out in ("out.h5", "out.vcf"):
        assert breed(folder, "--generations", "3", "--size", "A=4", "--keep", "all", "-o", str(folder / out)) == 0
        table = (folder / "out.populations.tsv").read_text()
        (folder / "out.populations.tsv").rename(folder / f"{out}.labels")
        assert table.splitlines()[:2] == ["sample\tclade\tgeneration", "A_g1_0001\tA\t1"]
    streamed, written = read_panel(folder / "out.h5"), read_panel(folder / "out.vcf")
    assert streamed.samples == written.samples
    assert_array_equal(streamed.bits, written.bits)
    assert (folder / "out.h5.labels").read_text() == (folder / "out.vcf.labels").read_text()
    assert streamed.labels("generation").tolist() == ["1"] * 4 + ["2"] * 4 + ["3"] * 4


def test_breed_command__parts_use_their_own_founders_and_names(folder):
    used = {}
    for part in ("train", "test"):
        out, tracks = folder / f"{part}.h5", folder / f"{part}.tsv.gz"
        chosen = ["--split", str(folder / "split.tsv"), "--part", part, "--tracks", str(tracks)]
        assert breed(folder, "--generations", "2", "--size", "6", *chosen, "-o", str(out)) == 0
        with gzip.open(tracks, "rt") as lines:
            used[part] = {line["founder"] for line in csv.DictReader(lines, delimiter="\t")}
        assert all(name.startswith(f"{part}_") for name in read_panel(out).samples)
    assert used["train"] <= {f"{p}{i}" for p, n in (("A", 12), ("B", 8)) for i in range(n) if i % 4 < 2}
    assert used["test"] <= {f"{p}{i}" for p, n in (("A", 12), ("B", 8)) for i in range(n) if i % 4 == 3}


def test_breed_command__same_seed_same_bytes(folder):
    files = {}
    for run_number, seed in enumerate((5, 5, 6)):
        out, tracks = folder / f"{run_number}.vcf.gz", folder / f"{run_number}.tsv.gz"
        settings = ["--seed", str(seed), "--no-version", "--tracks", str(tracks)]
        assert breed(folder, "--generations", "3", "--size", "3", *settings, "-o", str(out)) == 0
        files[run_number] = out.read_bytes(), tracks.read_bytes()
    assert files[0] == files[1]
    assert files[0][0] != files[2][0]
    assert files[0][1] != files[2][1]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (["--generations", "2", "--size", "1"], 3, "two distinct parents"),
        (["--generations", "2", "--keep", "3"], 3, "from 1 to 2"),
        (["--size", "5"], 2, "nothing to breed"),
        (["--generations", "2", "--label", "breed"], 3, "clade"),
        (["--generations", "2", "--keep", "some"], 2, "last, all, or generations"),
        (["--generations", "2", "--admix", "A=0.5@2"], 2, "two or more populations"),
        (["--generations", "2", "--size", "A=2,A=3"], 2, "stands twice"),
    ],
)
def test_breed_command__what_cannot_be_done_leaves_no_file(folder, capsys, arguments, exit_code, message):
    before = set(folder.iterdir())
    tracks = folder / "tracks.tsv.gz"
    assert breed(folder, *arguments, "--tracks", str(tracks), "-o", str(folder / "out.vcf")) == exit_code
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert set(folder.iterdir()) == before


def test_breed_command__outputs_are_checked_before_the_work(folder, capsys):
    (folder / "out.populations.tsv").write_text("mine")
    assert breed(folder, "--generations", "2", "-o", str(folder / "out.vcf")) == 3
    assert "out.populations.tsv exists" in capsys.readouterr().err
    assert breed(folder, "--generations", "2", "-o", str(folder / "out.bam")) == 3
    assert "cannot tell the format" in capsys.readouterr().err
    assert breed(folder, "--generations", "2", "-o", "-") == 2
    assert breed(folder, "--generations", "2", "--size", "3", "--force", "-o", str(folder / "out.vcf")) == 0


def test_breed_command__a_vcf_too_large_for_memory_is_refused(folder, capsys, monkeypatch):
    monkeypatch.setattr(haploom.cli.breed, "MAX_VCF_BYTES", 8 * N_SITES // 4)  # eight people
    assert breed(folder, "--generations", "4", "--size", "4", "--keep", "1,2", "-o", str(folder / "out.vcf")) == 3
    assert "OUT.h5" in capsys.readouterr().err
    assert not (folder / "out.vcf").exists()
    assert breed(folder, "--generations", "4", "--size", "4", "-o", str(folder / "out.vcf")) == 0


def test_breed_command__real_founders_and_map(tmp_path, real_data):
    # The HapMap map gives chr22 74.1 cM between its ends. A junction shows in a child of founders wherever one crosses
    # over, since founder haplotypes all count as different: 0.74 junctions a haplotype.
    out, tracks = tmp_path / "bred.h5", tmp_path / "tracks.tsv.gz"
    source = [str(real_data / "chr22-whole.vcf.gz"), "--populations", str(real_data / "populations.tsv")]
    settings = ["--label", "population", "--map", str(real_data / "chr22.b37.gmap.gz"), "--tracks", str(tracks)]
    size = ["--generations", "1", "--size", "CEU=1000"]
    assert run(program, ["breed", *source, *settings, *size, "-o", str(out)]) == 0
    with gzip.open(tracks, "rt") as lines:
        junctions = sum(1 for _ in lines) - 1 - 2000
    assert junctions / 2000 == pytest.approx(0.741, abs=4 * np.sqrt(0.741 / 2000))
    founders = read_panel(real_data / "chr22-whole.vcf.gz", Selection(populations=real_data / "populations.tsv"))
    ceu = founders.select_samples(np.array(founders.samples)[founders.labels("population") == "CEU"].tolist())
    bred = read_panel(out)
    fixed = ceu.minor_allele_frequencies() == 0
    assert fixed.sum() > 5000
    assert (bred.minor_allele_frequencies()[fixed] == 0).all()
    drift = bred.allele_counts() / 2000 - ceu.allele_counts() / (2 * ceu.n_samples)
    assert abs(drift.mean()) < 0.002


def test_breed_command__split_alone_breeds_each_part_apart_and_says_who_is_in_which(folder):
    """The same people as three runs with --part give, and a table of their parts."""
    settings = ["--split", str(folder / "split.tsv"), "--generations", "2", "--size", "3"]
    assert breed(folder, *settings, "-o", str(folder / "all.vcf.gz")) == 0
    together = read_panel(folder / "all.vcf.gz")
    parts = read_split(folder / "all.split.tsv")
    assert set(parts.part_of) == set(together.samples)
    for part in ("train", "validation", "test"):
        out = folder / f"{part}.vcf.gz"
        assert breed(folder, *settings, "--part", part, "-o", str(out)) == 0
        alone = read_panel(out)
        assert parts.samples(part, together.samples) == list(alone.samples)
        assert_array_equal(together.select_samples(alone.samples).bits, alone.bits)
    assert not (folder / "train.split.tsv").exists()
