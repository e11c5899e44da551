"""`haploom entropy` and `haploom ld`: what stands in their tables, worked out again from the panel."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.io import write_panel, write_populations

ENTROPY_FILES = {
    "differences.tsv", "entropy.bedgraph", "entropy.tsv", "fst.tsv", "site_entropy.tsv", "spectrum.tsv",
    "spectrum_folded.tsv", "spectrum_percent.tsv", "windows.tsv",
}  # fmt: skip
ENTROPY_PICTURES = {"entropy", "entropy_density", "windows", "spectrum"}
LD_FILES = {"decay.tsv", "information.tsv", "profile.tsv"}


@pytest.fixture
def source(two_populations, tmp_path):
    """A VCF and the options that label its people."""
    write_panel(two_populations, tmp_path / "panel.vcf.gz")
    write_populations(tmp_path / "labels.tsv", two_populations.samples, two_populations.populations)
    return [tmp_path / "panel.vcf.gz", "--populations", tmp_path / "labels.tsv", "--threads", 1]


def call(*arguments):
    return run(haploom, [str(argument) for argument in arguments])


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_entropy__tables_are_those_of_the_panel(source, two_populations, tmp_path, capsys):
    out = tmp_path / "out"
    assert call("entropy", *source, "--no-plots", "--windows", "20,100,4000", "--json", "-o", out) == 0
    assert set(contents(out)) == ENTROPY_FILES
    alleles, labels = two_populations.alleles(), two_populations.labels("population", per="haplotype")

    rows = {row["population"]: row for row in table(out / "entropy.tsv")}
    sites = table(out / "site_entropy.tsv")
    assert set(rows) == {"north", "south"}
    for label, row in rows.items():
        of = alleles[labels == label]
        assert int(row["haplotypes"]) == len(of) == 60
        assert int(row["variable_sites"]) == (of.min(axis=0) < of.max(axis=0)).sum()
        p = of.mean(axis=0)
        assert float(row["expected_heterozygosity"]) == pytest.approx((2 * p * (1 - p)).mean() * 60 / 59, rel=1e-4)
        assert float(row["observed_heterozygosity"]) == pytest.approx((of[::2] != of[1::2]).mean(), rel=1e-4)
        mean = np.mean([float(site[label]) for site in sites])
        assert float(row["entropy_bits"]) == pytest.approx(mean, abs=1e-4)
        assert float(row["entropy_bits_low"]) < mean < float(row["entropy_bits_high"])
        # The plug-in entropy of all 60, which 32 of them underestimate by 0.02 bits a site or so.
        q = np.stack([p, 1 - p])
        full = -(q * np.log2(np.where(q > 0, q, 1))).sum(axis=0).mean()
        assert full - 0.06 < mean < full

    printed = json.loads(capsys.readouterr().out)
    assert list(printed["mean_entropy_bits"]) == list(rows)
    assert printed["chosen_window"] == 100
    assert [(row["population"], row["width_sites"], row["windows"]) for row in table(out / "windows.tsv")] == [
        (label, width, windows)
        for label in ("(all)", "north", "south")
        for width, windows in (("20", "15"), ("100", "3"))
    ]
    (difference,) = table(out / "differences.tsv")
    assert [difference["more"], difference["less"]] == list(rows)
    north = [int(row["sites"]) for row in table(out / "spectrum.tsv") if row["population"] == "north"]
    assert north == np.bincount(alleles[labels == "north"].sum(axis=0), minlength=61).tolist()


def test_entropy__track_has_each_position_once(source, two_populations, tmp_path):
    out = tmp_path / "out"
    assert call("entropy", *source, "--no-plots", "-o", out) == 0
    lines = (out / "entropy.bedgraph").read_text().splitlines()
    starts = [place for place, line in enumerate(lines) if line.startswith("track type=bedGraph")]
    assert len(starts) == 2
    assert 'name="north"' in lines[0]
    rows = [line.split("\t") for line in lines[1 : starts[1]]]
    assert [int(row[2]) for row in rows] == np.unique(two_populations.variants.position_bp).tolist()
    assert all(int(end) == int(start) + 1 for _, start, end, _ in rows)
    sites = table(out / "site_entropy.tsv")
    assert [row[3] for row in rows] == [site["north"] for site in sites]


def test_entropy__sites_that_share_a_position_share_a_line(tmp_path, two_populations):
    position = two_populations.variants.position_bp.copy()
    position[1] = position[0]
    variants = replace(two_populations.variants, position_bp=position)
    write_panel(replace(two_populations, variants=variants), tmp_path / "p.vcf")
    write_populations(tmp_path / "labels.tsv", two_populations.samples, two_populations.populations)
    out = tmp_path / "out"
    assert call("entropy", tmp_path / "p.vcf", "--populations", tmp_path / "labels.tsv", "--no-plots", "-o", out) == 0
    first, second = (float(site["north"]) for site in table(out / "site_entropy.tsv")[:2])
    lines = (out / "entropy.bedgraph").read_text().splitlines()
    assert len(lines) == 2 * 300
    assert float(lines[1].split("\t")[3]) == pytest.approx((first + second) / 2, abs=1e-4)


def test_entropy__same_bytes_whatever_the_threads(source, tmp_path):
    for name, threads in (("one", 1), ("two", 2)):
        assert call("entropy", *source, "--threads", threads, "-o", tmp_path / name) == 0
    one = contents(tmp_path / "one")
    assert one == contents(tmp_path / "two")
    pictures = {f"{name}.{suffix}" for name in ENTROPY_PICTURES for suffix in ("png", "pdf")}
    assert set(one) == ENTROPY_FILES | pictures
    assert all(one[name].startswith((b"\x89PNG", b"%PDF")) for name in pictures)


def test_ld__same_tables_whatever_the_threads(source, tmp_path):
    for name, threads in (("one", 1), ("two", 2)):
        assert call("ld", *source, "--threads", threads, "--no-plots", "-o", tmp_path / name) == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_entropy__orders_and_corrections(source, tmp_path, capsys):
    means = {}
    for name, options in (("plain", []), ("corrected", ["--bias-correction"]), ("tsallis", ["--order", 2])):
        assert call("entropy", *source, *options, "--no-plots", "--json", "-o", tmp_path / name) == 0
        (means[name],) = (value for key, value in json.loads(capsys.readouterr().out).items() if key.startswith("mean"))
    rows = {row["population"]: row for row in table(tmp_path / "tsallis" / "entropy.tsv")}
    for label in ("north", "south"):
        plain, corrected = means["plain"][label]["value"], means["corrected"][label]["value"]
        assert plain < corrected < plain + 1 / (64 * np.log(2))
        # Two draws of 32 that are different draws: heterozygosity, less 1 in 32 and less 1 in 60.
        expected = float(rows[label]["expected_heterozygosity"]) * 31 / 32 * 59 / 60
        assert float(rows[label]["tsallis_2"]) == pytest.approx(expected, rel=0.02)
    assert call("entropy", *source, "--bias-correction", "--order", 2, "-o", tmp_path / "no") == 2


def test_ld__tables_are_those_of_the_panel(source, two_populations, tmp_path, capsys):
    out, site = tmp_path / "out", 40
    position = two_populations.variants.position_bp
    command = ["ld", *source, "--no-plots", "--json", "--site", f"chr22:{position[site]}", "--max-bp", 50_000]
    assert call(*command, "-o", out) == 0
    assert set(contents(out)) == LD_FILES
    printed = json.loads(capsys.readouterr().out)
    alleles, labels = two_populations.alleles(), two_populations.labels("population", per="haplotype")
    decay = [row for row in table(out / "decay.tsv") if row["unit"] == "bp"]
    for label in ("north", "south"):
        of = alleles[labels == label].astype(float)
        copies = of.sum(axis=0)
        common = np.flatnonzero((copies > 3) & (copies < 57))  # of 60: above 5 %
        near = np.abs(np.subtract.outer(position[common], position[common])) < 50_000
        r = np.corrcoef(of[:, common], rowvar=False)[np.triu(near, 1)]
        rows = [row for row in decay if row["population"] == label and int(row["pairs"])]
        pairs = np.array([int(row["pairs"]) for row in rows])
        assert printed["pairs"][label] == pairs.sum() == len(r)
        mean = (pairs * [float(row["mean_r2"]) for row in rows]).sum() / pairs.sum()
        assert mean == pytest.approx((r**2).mean(), rel=1e-4)

    profile = table(out / "profile.tsv")
    keys = two_populations.variants.site_keys()
    assert [row["other"] for row in profile] == keys[site + 1 :]
    north = alleles[labels == "north"].astype(float)
    for place, row in enumerate(profile, site + 1):
        if north[:, [site, place]].std(axis=0).min() == 0:
            assert row["r_north"] == "NA"
        else:
            assert float(row["r_north"]) == pytest.approx(np.corrcoef(north[:, site], north[:, place])[0, 1], abs=1e-5)
    information = [row for row in table(out / "information.tsv") if row["population"] == "south"]
    assert {int(row["stride"]) * int(row["step"]) for row in information} == {
        int(row["distance_sites"]) for row in information
    }


def test_ld__distance_by_a_genetic_map(source, two_populations, tmp_path):
    (tmp_path / "map.tsv").write_text("pos\tchr\tcM\n0\t22\t0\n1000000\t22\t5\n")
    for name, options in (("flat", []), ("map", ["--map", tmp_path / "map.tsv"])):
        assert call("ld", *source, *options, "--max-cm", 10, "--no-plots", "-o", tmp_path / name) == 0
    totals = {}
    for name in ("flat", "map"):
        rows = [row for row in table(tmp_path / name / "decay.tsv") if row["unit"] == "cm" and int(row["pairs"])]
        totals[name] = sum(int(row["pairs"]) * float(row["mean_distance"]) for row in rows)
    assert totals["map"] == pytest.approx(5 * totals["flat"], rel=1e-4)


def test_ld__stays_on_a_contig(two_populations, tmp_path):
    chrom = np.repeat(["1", "2"], [120, 180])
    variants = replace(two_populations.variants, chrom=chrom, contig_length_bp={})
    write_panel(replace(two_populations, variants=variants), tmp_path / "two.vcf")
    write_populations(tmp_path / "labels.tsv", two_populations.samples, two_populations.populations)
    command = ["ld", tmp_path / "two.vcf", "--populations", tmp_path / "labels.tsv", "--no-plots"]
    assert call(*command, "--site", f"1:{variants.position_bp[100]}", "-o", tmp_path / "out") == 0
    assert [row["other"].split(":")[0] for row in table(tmp_path / "out" / "profile.tsv")] == ["1"] * 19
    sites = [row for row in table(tmp_path / "out" / "decay.tsv") if row["unit"] == "sites"]
    assert max(float(row["mean_distance"]) for row in sites if row["pairs"] != "0") < 180


@pytest.mark.parametrize("command", ["entropy", "ld"])
def test_statistics__bad_requests_leave_nothing(source, tmp_path, capsys, command):
    out = tmp_path / "out"
    file = tmp_path / "file"
    file.write_text("mine")
    for arguments, code, says in (
        ([source[0], "-o", out], 3, "has no labels: give a table with --populations"),
        ([*source, "-r", "22:1-2", "-o", out], 3, "nothing to measure"),
        ([*source, "--label", "height", "-o", out], 3, "no label column 'height'"),
        ([*source, "-o", file], 3, "is a file: name a folder"),
        ([*source, "-o", tmp_path / "no" / "out"], 3, "there is no folder"),
        ([*source, "-o", "-"], 2, "not stdout"),
    ):
        assert call(command, *arguments) == code
        assert says in " ".join(capsys.readouterr().err.split())
    assert not out.exists()
    assert file.read_text() == "mine"


def test_ld__a_site_that_is_not_there(source, tmp_path, capsys):
    assert call("ld", *source, "--site", "22:1", "-o", tmp_path / "out") == 3
    assert "there is no site at 22:1 among the 300 sites" in capsys.readouterr().err
    assert call("ld", *source, "--site", "here", "-o", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()


def test_statistics__existing_files_are_kept(source, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "fst.tsv").write_text("mine")
    (out / "notes.txt").write_text("mine too")
    assert call("entropy", *source, "--no-plots", "-o", out) == 3
    assert "--force" in capsys.readouterr().err
    assert set(contents(out)) == {"fst.tsv", "notes.txt"}
    assert call("entropy", *source, "--no-plots", "--force", "-o", out) == 0
    assert (out / "fst.tsv").read_text().startswith("population\tnorth\tsouth\n")
    assert (out / "notes.txt").read_text() == "mine too"


def test_statistics__labels_may_not_be_replaced_by_a_table(two_populations, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    write_panel(two_populations, tmp_path / "panel.vcf")
    write_populations(out / "entropy.tsv", two_populations.samples, two_populations.populations)
    command = ["entropy", tmp_path / "panel.vcf", "--populations", out / "entropy.tsv", "--force", "-o", out]
    assert call(*command) == 3
    assert "is read by this command" in capsys.readouterr().err


def test_statistics__without_matplotlib_tables_are_written(source, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("haploom.report.result_folder.find_spec", lambda name: None)
    assert call("ld", *source, "-o", tmp_path / "out") == 3
    assert "pip install 'haploom[plots]'" in capsys.readouterr().err
    assert call("ld", *source, "--no-plots", "-o", tmp_path / "out") == 0


def test_statistics__a_handful_of_sites_and_people(two_populations, tmp_path, capsys):
    """Nothing to average, no interval, no window that fits: NA and empty pictures, no error."""
    few = two_populations.select_sites(slice(0, 3)).select_samples(two_populations.samples[28:32])
    write_panel(few, tmp_path / "few.vcf")
    write_populations(tmp_path / "few.tsv", few.samples, few.populations)
    source = [tmp_path / "few.vcf", "--populations", tmp_path / "few.tsv", "--json"]
    assert call("entropy", *source, "-o", tmp_path / "e") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["chosen_window"] is None
    assert printed["mean_entropy_bits"]["north"]["low"] is None
    assert table(tmp_path / "e" / "entropy.tsv")[0]["entropy_bits_low"] == "NA"
    assert call("ld", *source, "-o", tmp_path / "l") == 0
    pictures = {path.stem for path in (tmp_path / "l").iterdir() if path.suffix in (".png", ".pdf")}
    assert pictures == {"decay_sites", "decay_bp", "decay_cm", "profile", "information"}


def test_entropy__african_people_vary_most(real_data, tmp_path, capsys):
    source, labels = real_data / "chr22-dense.vcf.gz", real_data / "populations.tsv"
    command = ["entropy", source, "--populations", labels, "--no-plots", "--windows", "100", "--json"]
    assert call(*command, "-o", tmp_path / "out") == 0
    means = json.loads(capsys.readouterr().out)["mean_entropy_bits"]
    assert next(iter(means)) == "AFR"
    # Not by chance: each difference's interval lies above 0.
    rows = [row for row in table(tmp_path / "out" / "differences.tsv") if row["more"] == "AFR"]
    assert len(rows) == 4
    assert min(float(row["low"]) for row in rows) > 0
