"""Table 4: every method on people bred in a moment, figures and claims that follow from rows."""

import math
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("msprime")
pytest.importorskip("matplotlib")

from haploom.report.reproduce import label_methods, table4
from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.label_methods import TRUSTED, Labeller
from haploom.report.reproduce.people import PROTOCOLS, bred_people, founders_of
from haploom.report.reproduce.table4 import SIZES, LabelSizes, accuracy_table, measure, row_of
from haploom.report.reproduce.table4_claims import PAPER, best_against_baselines, is_paper, table4_claims

TINY = LabelSizes(
    protocol=replace(
        PROTOCOLS["quick"], sites=60, founders=20, generations=4, train_haplotypes=140, test_haplotypes=56,
    ),
    seeds=1, epochs={"paper": 1, "sound": 1},
)  # fmt: skip


@pytest.fixture(scope="module")
def people():
    return bred_people(*founders_of(None, None, None, TINY.protocol, 1, 60), TINY.protocol, 1)


def test_row_of__counts_what_is_right(people):
    populations = people.populations()
    # A method that says the first label of everybody: right for that population's rows alone.
    first = Labeller(
        "first", lambda panel: np.full(panel.n_haplotypes, populations[0]),
        {"calibrated": lambda panel: np.full((panel.n_haplotypes, 7), 1 / 7)},
    )  # fmt: skip
    row = row_of(first, people)
    assert row["bred"] == row["balanced"] == pytest.approx(1 / 7)
    assert row[f"recall_{populations[0]}"] == 1
    assert row[f"recall_{populations[1]}"] == 0
    assert row["calibration_calibrated"] == pytest.approx(0)  # it says 1/7, and 1/7 is right


def test_table4__every_method_once(monkeypatch, tmp_path):
    monkeypatch.setitem(SIZES, "quick", TINY)
    monkeypatch.setattr(label_methods, "METHODS", label_methods.METHODS[2:3])  # the nearest neighbours alone
    request = Request(name="table4", size="quick")
    rows = measure(request, TINY, tmp_path)
    methods = [row["method"] for row in rows]
    assert len(set(methods)) == len(methods) == 1 + 1 + 1 + 1 + 2 * 5
    assert {is_paper(method) for method in methods} >= set(PAPER)
    assert all(0 <= row[part] <= 1 for row in rows for part in ("train", "bred", "unrelated"))
    written = table4.reproduce(request, tmp_path)  # measures nothing again
    assert "Y-VAE, L1, sound" in written[0].read_text()
    assert "The paper and this run" in written[1].read_text()


def _rows(accuracy, seed=1):
    return [{"seed": seed, "method": method, "bred": value} for method, value in accuracy.items()]


def test_claims__agree_with_figures_like_the_papers():
    accuracy = {"PCA, nearest centroid": 0.74, TRUSTED: 0.9, "logistic regression on SNPs": 0.88}
    for profile in label_methods.PROFILES:
        accuracy |= {f"{method}, {profile}": test for method, (_, test) in PAPER.items() if method[:3] != "PCA"}
    assert all(claim.agrees for claim in table4_claims(_rows(accuracy)))
    turned = {method: 1 - value for method, value in accuracy.items()}
    assert not any(claim.agrees for claim in table4_claims(_rows(turned)))


def test_best_against_baselines__is_paired_by_run():
    rows = _rows({TRUSTED: 0.9, "x": 0.8, "C-VAE, MAP, sound": 0.1}) + _rows({TRUSTED: 0.7, "x": 0.75}, seed=2)
    claim = best_against_baselines(rows)
    assert claim.agrees  # 0.8 against 0.775
    assert "better in 1 of 2 runs, by -0.050 to +0.100" in claim.ours


def test_accuracy_table__spread_is_over_runs():
    rows = _rows({"x": 0.8}) + _rows({"x": 0.6}, seed=2)
    for row in rows:
        row |= {"train": 1.0, "unrelated": 0.5}
    (cells,) = accuracy_table(rows).rows
    assert cells[:2] == ["x", 1.0]
    assert math.isclose(cells[2], 0.7)
    assert math.isclose(cells[3], 0.1)
    assert cells[4:] == [0.5, None, None]
