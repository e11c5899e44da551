"""The demo at a small size: what it leaves behind, and its figures worked out again from those files."""

import gzip
import html
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pysam
import pytest
from numpy.testing import assert_allclose

pytest.importorskip("torch")
pytest.importorskip("msprime")
pytest.importorskip("sklearn")

from haploom.audit import classifiers
from haploom.bench.records import read_records
from haploom.cli.demo import run_demo
from haploom.cli.frame import run
from haploom.cli.main import haploom as program
from haploom.errors import HaploomError
from haploom.io.model_file import read_model
from haploom.panel import Variants
from haploom.report.demo import files
from haploom.report.demo.cast import SIMULATED
from haploom.report.demo.files import cast_own_people, prepare_folder
from haploom.report.demo.measure import FOUNDERS_TASK
from haploom.report.demo.measure_ancestry import labels_at_sites
from haploom.report.demo.page import build_report, write_report
from haploom.report.demo.steps import DemoSettings, demo_steps
from haploom.report.html import render_html

SMALL = DemoSettings(
    sites=160, people=20, offspring=12, epochs=4, code_epochs=2, generator_epochs=2, made=8, chromosome_mb=0.5,
    reference=16, strangers=4, min_count=8, mixed=4, threads=1,
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def smaller_forests():
    """The audits' random forests take a third of the demo's time, and nothing here is about them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifiers, "_N_TREES", 20)
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    run_demo(folder, SMALL, SIMULATED)
    return folder


def text_of(page: str) -> str:
    """What a reader sees, without pictures and markup."""
    body = re.sub(r"<style>.*?</style>|<img[^>]*>", "", page, flags=re.S)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def calls_of(path: Path) -> np.ndarray:
    """uint8 (haplotypes, sites), read by htslib and not by our own reader."""
    with pysam.VariantFile(str(path)) as file:
        return np.array([[a for s in r.samples.values() for a in s["GT"]] for r in file], dtype=np.uint8).T


def labels_of(path: Path) -> np.ndarray:
    return np.repeat([line.split("\t")[1] for line in path.read_text().splitlines()[1:]], 2)


def test_demo__leaves_exactly_its_files(finished):
    assert {path.name for path in finished.iterdir()} == (files.FILES | files.FOLDERS) - {files.PEOPLE}


def test_demo__decompressed_is_what_was_simulated(finished):
    panel = calls_of(finished / files.PANEL)
    assert panel.shape == (280, 160)
    assert np.array_equal(panel, calls_of(finished / files.DECODED))


def test_demo__parts_share_no_founder(finished):
    parts = dict(line.split("\t") for line in (finished / files.OFFSPRING_SPLIT).read_text().splitlines()[1:])
    assert {sample.split("_")[0] for sample in parts} == {"train", "validation", "test"}
    assert all(sample.startswith(part) for sample, part in parts.items())
    known = read_model(finished / files.VAE).card.part_of
    assert known == parts, "the model learned from people the split does not name"


def test_demo__results_agree_with_the_files(finished):
    """Frequencies, accuracy and sizes again, from the files as other programs read them."""
    results = json.loads((finished / files.RESULTS).read_text())
    for row in results["storage"]["archives"]:
        assert row["total_bytes"] == (finished / files.ARCHIVES[row["codec"]]).stat().st_size
    panel, synthetic = calls_of(finished / files.PANEL), calls_of(finished / "synthetic.vcf.gz")
    real_labels, made_labels = (
        labels_of(finished / files.PANEL_LABELS),
        labels_of(finished / "synthetic.populations.tsv"),
    )
    parts = np.repeat([line.split("\t")[1] for line in (finished / files.SPLIT).read_text().splitlines()[1:]], 2)
    assert len(results["synthesis"]) == 7
    for row in results["synthesis"]:
        test = panel[(real_labels == row["population"]) & (parts == "test")].mean(axis=0)
        train = panel[(real_labels == row["population"]) & (parts == "train")].mean(axis=0)
        made = synthetic[made_labels == row["population"]].mean(axis=0)
        assert_allclose(row["frequency_correlation_real"], np.corrcoef(train, test)[0, 1])
        if row["frequency_correlation"] is not None:
            assert_allclose(row["frequency_correlation"], np.corrcoef(made, test)[0, 1])
    table = [line.split("\t") for line in (finished / files.LABELS).read_text().splitlines()[1:]]
    truth = dict(line.split("\t") for line in (finished / files.PANEL_LABELS).read_text().splitlines()[1:])
    vae = results["classification"][FOUNDERS_TASK][0]
    assert vae["people"] == len(table) / 2 == 42
    assert_allclose(vae["accuracy"]["value"], np.mean([row[2] == truth[row[0]] for row in table]), atol=1e-6)


def test_demo__report_shows_the_figures_and_the_commands(finished):
    page = (finished / files.REPORT).read_text()
    shown, results = text_of(page), json.loads((finished / files.RESULTS).read_text())
    for rows in results["classification"].values():
        for row in rows:
            figures = row["accuracy"], row["balanced_accuracy"]
            cells = ["{value:.3f} ({low:.3f}–{high:.3f})".format_map(figure) for figure in figures]
            assert f"{row['method']} {' '.join(cells)}" in shown
    for row in results["storage"]["archives"]:
        assert f"{row['codec']} {row['total_bytes']:,} {row['genotype_bytes']:,} {row['model_bytes']:,}" in shown
    for row in results["synthesis"]:
        assert f"{row['entropy_bits']:.3f} {row['entropy_bits_real']:.3f}" in shown
    for found in results["audits"].values():
        assert f"{'passed' if found['passed'] else 'FAILED'} {len(found['failed'])} of {found['of']}" in shown
    for step in demo_steps(SMALL, SIMULATED).values():
        assert " ".join(step.shell.split()) in shown.replace(" \\ ", " ")


def test_step__long_commands_are_broken_before_options():
    for step in demo_steps(DemoSettings(), SIMULATED).values():
        assert step.shell_in_lines.replace(" \\\n    ", " ") == step.shell
        for line in step.shell_in_lines.splitlines():
            assert len(line) <= 92
            assert line.startswith(("haploom ", "    -"))


def test_demo__report_is_offline_and_its_links_lead_to_its_own_files(finished):
    page = (finished / files.REPORT).read_text()
    assert page.count("<img ") == page.count('src="data:image/svg+xml;base64,') == 10
    links = re.findall(r"""href=["'](?!#)([^"']*)""", page)
    assert len(links) == 5
    assert all((finished / link).is_file() for link in links)
    assert not re.search(r"""src=["'](?!data:)""", page)
    assert "<script" not in page


def test_demo__painting_is_measured_as_by_hand(finished):
    """Site by site, with a plain loop over the two tables."""
    results = json.loads((finished / files.RESULTS).read_text())["painting"]
    with pysam.VariantFile(str(finished / files.MIXED)) as file:
        samples, positions = list(file.header.samples), [record.pos for record in file]

    def painted(text: str, column: int) -> dict:
        stretches = [line.split("\t") for line in text.splitlines()[1:]]
        return {
            (row[0], row[1], position): row[column]
            for row in stretches
            for position in positions
            if int(row[3]) <= position <= int(row[4])
        }

    told = painted((finished / files.STRETCHES).read_text(), 5)
    true = painted(gzip.decompress((finished / files.TRACKS).read_bytes()).decode(), 7)
    assert told.keys() == true.keys()
    assert len(true) == 2 * len(samples) * len(positions)
    assert_allclose(results["accuracy"], np.mean([told[key] == label for key, label in true.items()]))


def test_labels_at_sites__haplotypes_and_contigs_are_kept_apart(tmp_path):
    """Two contigs, two people; borders belong to the stretch that holds them."""
    table = tmp_path / "stretches.tsv"
    lines = ["sample haplotype chrom start_bp end_bp label"]
    for sample, haplotype, first, second in (
        ("a", 1, "X", "Y"),
        ("a", 2, "Y", "Y"),
        ("b", 1, "Z", "X"),
        ("b", 2, "X", "Z"),
    ):
        lines += [f"{sample} {haplotype} 1 10 20 {first}", f"{sample} {haplotype} 1 21 40 {second}"]
        lines += [f"{sample} {haplotype} 2 5 9 {second}"]
    table.write_text("\n".join(lines).replace(" ", "\t") + "\n")
    variants = Variants(["1", "1", "1", "2"], [10, 20, 21, 7], ["."] * 4, ["A"] * 4, ["C"] * 4)
    found = labels_at_sites(table, variants, ("b", "a"))
    assert found.tolist() == [list("ZZXX"), list("XXZZ"), list("XXYY"), list("YYYY")]


def test_demo__visitors_are_those_of_the_test_part_and_the_strangers(finished):
    labels = dict(line.split("\t") for line in (finished / files.CHROMOSOME_LABELS).read_text().splitlines()[1:])
    parts = dict(line.split("\t") for line in (finished / files.CHROMOSOME_SPLIT).read_text().splitlines()[1:])
    visitors = set((finished / files.VISITORS).read_text().split())
    assert visitors == {name for name in parts if labels[name] == "OCE" or parts[name] == "test"}
    known = read_model(finished / files.TRUSTED)
    assert list(known.labels) == ["AFR", "EAS", "EUR"]
    assert not visitors & {name for name, part in known.card.part_of.items() if part != "test"}
    results = json.loads((finished / files.RESULTS).read_text())["visitors"]
    rows = [line.split("\t") for line in (finished / files.VISITOR_LABELS).read_text().splitlines()[1:]]
    unknown = [row[2] == "unknown" for row in rows if labels[row[0]] == "OCE"]
    assert_allclose(results["unknown_strangers"]["all sites"], np.mean(unknown))
    assert len(unknown) == 8


def test_demo__words_follow_the_figures_and_names_are_escaped(finished):
    """The same files with other figures: the verdicts turn round, and a method's name stays text."""
    results = json.loads((finished / files.RESULTS).read_text())
    vae, *others = results["classification"][FOUNDERS_TASK]
    vae["balanced_accuracy"] = {"value": 0.9, "low": 0.85, "high": 0.95}
    for row in others:
        row["balanced_accuracy"] = {"value": 0.5, "low": 0.4, "high": 0.6}
    others[0]["method"] = "<b>bold</b>"
    storage = {row["codec"]: row for row in results["storage"]["archives"]}
    storage["vae+rle"] |= {"genotype_bytes": 60, "model_bytes": 40}
    storage["statistical"]["genotype_bytes"] = 200
    results["audits"]["VAE"] |= {"passed": True, "failed": []}
    results["audits"]["autoregressive model"] |= {"passed": False, "failed": ["fst"] * 3, "failed_privacy": 1, "of": 9}
    results["painting"] |= {"accuracy": 0.75, "guess": 0.25}
    results["visitors"]["unknown_strangers"]["all sites"] = 0.875
    won = render_html(build_report(finished, SMALL, SIMULATED, results))
    assert "VAE's labels are right most often (0.90)" in text_of(won)
    assert "By its interval the VAE is above <b>bold</b>" in text_of(won)
    assert "in 50% of the bytes of the statistical codec" in text_of(won)
    assert "<b>" not in won
    assert "People of the autoregressive model fail 3 of 9 (1 of privacy and 2 of likeness or use)" in text_of(won)
    assert "people of the VAE pass all" in text_of(won)
    assert "75% were painted with the right population, better than one colour for all (25%)" in text_of(won)
    assert "It had never seen OCE: of most of them (88%) it said unknown" in text_of(won)
    results["painting"]["accuracy"] = 0.2
    results["audits"]["VAE"] = None
    results["visitors"]["unknown_strangers"]["all sites"] = 0.0
    others[1]["balanced_accuracy"] = {"value": 0.99, "low": 0.97, "high": 1.0}
    storage["vae+rle"]["model_bytes"] = 440
    lost = text_of(render_html(build_report(finished, SMALL, SIMULATED, results)))
    assert "PCA scaled to unit variance with nearest centroid labels best (0.99 balanced accuracy)" in lost
    assert "painted with the right population, no better than one colour" in lost
    assert "of none of them (0%) it said unknown" in lost
    assert "people of the VAE could not be audited" in lost
    assert f"the VAE comes second of {1 + len(others)}" in lost
    assert "the VAE loses: 2.5 times the bytes of the statistical codec with its model, 0.3 times without" in lost


def test_write_report__same_files_same_bytes(finished, tmp_path):
    """The commands' own tests say that they make the same files again; here, that the same is measured on them."""
    again = tmp_path / "again"
    shutil.copytree(finished, again)
    for name in (files.RESULTS, files.REPORT):
        (again / name).unlink()
    write_report(again, SMALL, SIMULATED, read_records(again / files.ACCURACIES))
    for name in (files.RESULTS, files.REPORT):
        assert (again / name).read_bytes() == (finished / name).read_bytes(), name


def test_prepare_folder__keeps_what_is_not_its_own(tmp_path):
    folder = tmp_path / "demo"
    prepare_folder(folder, force=False)
    (folder / files.PANEL).write_text("of a demo")
    with pytest.raises(HaploomError, match="pass --force"):
        prepare_folder(folder, force=False)
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(HaploomError, match=r"thesis\.tex"):
        prepare_folder(folder, force=True)
    assert (folder / files.PANEL).exists()
    (folder / "thesis.tex").unlink()
    prepare_folder(folder, force=True)
    assert list(folder.iterdir()) == []


def test_demo__a_strange_folder_is_refused_at_once(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert run(program, ["demo", "-o", str(tmp_path), "--force"]) == 3
    assert "notes.txt" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def own_people(folder: Path, finished: Path) -> Path:
    """A table of labels for the demo's panel as a user might have it: two columns, one small population, gaps."""
    lines = ["sample\tpopulation\tcoast"]
    for line in (finished / files.PANEL_LABELS).read_text().splitlines()[1:]:
        sample, label = line.split("\t")
        coast = {"AFR": "south", "WAS": "south", "EUR": "north", "SAS": "north", "OCE": "east", "AMR": "rare"}.get(
            label
        )
        if coast and not (coast == "rare" and int(sample[3:]) > 5):
            lines.append(f"{sample}\t{label}\t{coast}")
    table = folder / "coasts.tsv"
    table.write_text("\n".join(lines) + "\n")
    return table


def test_cast_own_people__small_populations_and_unlabelled_people_stay_out(finished, tmp_path):
    cast = cast_own_people(tmp_path, finished / files.PANEL, own_people(tmp_path, finished), "coast")
    assert cast.stranger == "east"
    assert cast.mixed == (), "17 kb are too short to paint"
    taken = (tmp_path / files.PEOPLE).read_text().split()
    assert len(taken) == 40 + 40 + 20
    table = dict(line.split("\t") for line in (tmp_path / files.PANEL_LABELS).read_text().splitlines()[1:])
    assert set(table) == set(taken)
    assert set(table.values()) == {"south", "north", "east"}


def test_cast_own_people__too_few_people_are_refused(finished, tmp_path):
    table = tmp_path / "labels.tsv"
    table.write_text("sample\tpopulation\nAFR001\tAFR\nEUR001\tEUR\n")
    with pytest.raises(HaploomError, match="two populations or more of 20 people"):
        cast_own_people(tmp_path, finished / files.PANEL, table, None)


def test_demo__own_people(finished, tmp_path):
    """The same on a file of one's own: nobody is simulated, and what cannot be is left out and said."""
    table = own_people(tmp_path, finished)
    folder = tmp_path / "own"
    prepare_folder(folder, force=False)
    cast = cast_own_people(folder, finished / files.PANEL, table, "coast")
    results = run_demo(folder, SMALL, cast)
    assert "paint" not in demo_steps(SMALL, cast)
    assert results["painting"] == {}
    assert set(results["people"]["entropy_bits"]) == {"south", "north", "east"}
    assert results["visitors"]["labels"] == ["north", "south"]
    shown = text_of((folder / files.REPORT).read_text())
    assert "100 people of 3 populations were taken from panel.vcf.gz" in shown
    assert "Left out: painting chromosomes" in shown
    assert "simulated" not in shown
    prepare_folder(folder, force=True)
    assert list(folder.iterdir()) == []


def test_demo__own_people_need_labels(tmp_path, capsys, finished):
    assert run(program, ["demo", "-o", str(tmp_path / "own"), "--vcf", str(finished / files.PANEL)]) == 2
    assert "--populations" in capsys.readouterr().err
    assert run(program, ["demo", "-o", str(tmp_path / "own"), "--label", "coast"]) == 2
