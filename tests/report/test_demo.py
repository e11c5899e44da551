"""The demo at a small size: what it leaves behind, and its figures worked out again from those files."""

import html
import json
import re
from pathlib import Path

import numpy as np
import pysam
import pytest
from numpy.testing import assert_allclose

pytest.importorskip("torch")
pytest.importorskip("msprime")
pytest.importorskip("sklearn")

from haploom.cli.demo import run_demo
from haploom.cli.frame import run
from haploom.cli.main import haploom as program
from haploom.io.model_file import read_model
from haploom.report import demo
from haploom.report.demo import DemoSettings, demo_steps, prepare_folder
from haploom.report.demo_report import build_report
from haploom.report.html import render_html

SMALL = DemoSettings(sites=160, people=20, offspring=12, epochs=4, threads=1)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    run_demo(folder, SMALL)
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
    assert {path.name for path in finished.iterdir()} == demo.FILES


def test_demo__decompressed_is_what_was_simulated(finished):
    panel = calls_of(finished / demo.PANEL)
    assert panel.shape == (280, 160)
    assert np.array_equal(panel, calls_of(finished / demo.DECODED))


def test_demo__parts_share_no_founder(finished):
    parts = dict(line.split("\t") for line in (finished / demo.OFFSPRING_SPLIT).read_text().splitlines()[1:])
    assert {sample.split("_")[0] for sample in parts} == {"train", "validation", "test"}
    assert all(sample.startswith(part) for sample, part in parts.items())
    known = read_model(finished / demo.MODEL).card.part_of
    assert known == parts, "the model learned from people the split does not name"


def test_demo__results_agree_with_the_files(finished):
    """Frequencies, accuracy and sizes again, from the files as other programs read them."""
    results = json.loads((finished / demo.RESULTS).read_text())
    for row in results["storage"]:
        assert row["total_bytes"] == (finished / demo.ARCHIVES[row["codec"]]).stat().st_size
    panel, synthetic = calls_of(finished / demo.PANEL), calls_of(finished / demo.SYNTHETIC)
    real_labels, made_labels = labels_of(finished / demo.PANEL_LABELS), labels_of(finished / demo.SYNTHETIC_LABELS)
    parts = np.repeat([line.split("\t")[1] for line in (finished / demo.SPLIT).read_text().splitlines()[1:]], 2)
    assert len(results["synthesis"]) == 7
    for row in results["synthesis"]:
        test = panel[(real_labels == row["population"]) & (parts == "test")].mean(axis=0)
        train = panel[(real_labels == row["population"]) & (parts == "train")].mean(axis=0)
        made = synthetic[made_labels == row["population"]].mean(axis=0)
        assert_allclose(row["frequency_correlation_real"], np.corrcoef(train, test)[0, 1])
        if row["frequency_correlation"] is not None:
            assert_allclose(row["frequency_correlation"], np.corrcoef(made, test)[0, 1])
    table = [line.split("\t") for line in (finished / demo.LABELS).read_text().splitlines()[1:]]
    truth = dict(line.split("\t") for line in (finished / demo.PANEL_LABELS).read_text().splitlines()[1:])
    vae = results["classification"][demo.FOUNDERS_TASK][0]
    assert vae["people"] == len(table) / 2 == 14
    assert_allclose(vae["accuracy"]["value"], np.mean([row[2] == truth[row[0]] for row in table]), atol=1e-6)


def test_demo__report_shows_the_figures_and_the_commands(finished):
    page = (finished / demo.REPORT).read_text()
    shown, results = text_of(page), json.loads((finished / demo.RESULTS).read_text())
    for rows in results["classification"].values():
        for row in rows:
            figures = row["accuracy"], row["balanced_accuracy"]
            cells = ["{value:.3f} ({low:.3f}–{high:.3f})".format_map(figure) for figure in figures]
            assert f"{row['method']} {' '.join(cells)}" in shown
    for row in results["storage"]:
        assert f"{row['codec']} {row['total_bytes']:,} {row['genotype_bytes']:,} {row['model_bytes']:,}" in shown
    for row in results["synthesis"]:
        assert f"{row['entropy_bits']:.3f} {row['entropy_bits_real']:.3f}" in shown
    for step in demo_steps(SMALL).values():
        assert " ".join(step.shell.split()) in shown.replace(" \\ ", " ")


def test_step__long_commands_are_broken_before_options():
    for step in demo_steps(DemoSettings()).values():
        assert step.shell_in_lines.replace(" \\\n    ", " ") == step.shell
        for line in step.shell_in_lines.splitlines():
            assert len(line) <= 92
            assert line.startswith(("haploom ", "    -"))


def test_demo__report_is_offline(finished):
    page = (finished / demo.REPORT).read_text()
    assert page.count("<img ") == page.count('src="data:image/svg+xml;base64,') == 4
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", page)
    assert "<script" not in page


def test_demo__words_follow_the_figures_and_names_are_escaped(finished):
    """The same files with other figures: the verdicts turn round, and a method's name stays text."""
    results = json.loads((finished / demo.RESULTS).read_text())
    model = read_model(finished / demo.MODEL)
    vae, *others = results["classification"][demo.FOUNDERS_TASK]
    vae["balanced_accuracy"] = {"value": 0.9, "low": 0.85, "high": 0.95}
    for row in others:
        row["balanced_accuracy"] = {"value": 0.5, "low": 0.4, "high": 0.6}
    others[0]["method"] = "<b>bold</b>"
    storage = {row["codec"]: row for row in results["storage"]}
    storage["vae+rle"] |= {"genotype_bytes": 60, "model_bytes": 40}
    storage["statistical"]["genotype_bytes"] = 200
    won = render_html(build_report(finished, SMALL, model, results))
    assert "VAE's labels are right most often (0.90)" in text_of(won)
    assert "By its interval the VAE is above <b>bold</b>" in text_of(won)
    assert "in 50% of the bytes of the statistical codec" in text_of(won)
    assert "<b>" not in won
    others[1]["balanced_accuracy"] = {"value": 0.99, "low": 0.97, "high": 1.0}
    storage["vae+rle"]["model_bytes"] = 440
    lost = text_of(render_html(build_report(finished, SMALL, model, results)))
    assert "PCA scaled to unit variance with nearest centroid labels best (0.99 balanced accuracy)" in lost
    assert f"the VAE comes second of {1 + len(others)}" in lost
    assert "the VAE loses: 2.5 times the bytes of the statistical codec with its model, 0.3 times without" in lost


def test_demo__same_seed_same_files(finished, tmp_path):
    run_demo(tmp_path, SMALL)
    for name in demo.FILES - {demo.ACCURACIES}:  # records hold seconds
        assert (tmp_path / name).read_bytes() == (finished / name).read_bytes(), name


def test_prepare_folder__keeps_what_is_not_its_own(tmp_path):
    folder = tmp_path / "demo"
    prepare_folder(folder, force=False)
    (folder / demo.PANEL).write_text("of a demo")
    with pytest.raises(demo.HaploomError, match="pass --force"):
        prepare_folder(folder, force=False)
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(demo.HaploomError, match=r"thesis\.tex"):
        prepare_folder(folder, force=True)
    assert (folder / demo.PANEL).exists()
    (folder / "thesis.tex").unlink()
    prepare_folder(folder, force=True)
    assert list(folder.iterdir()) == []


def test_demo__a_strange_folder_is_refused_at_once(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert run(program, ["demo", "-o", str(tmp_path), "--force"]) == 3
    assert "notes.txt" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
