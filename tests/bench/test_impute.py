"""`haploom bench impute`: its figures by hand, and in the order theory wants them."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

from haploom.bench.impute import r2_by_frequency, typed_sites
from haploom.bench.records import read_records
from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.errors import HaploomError
from haploom.io import write_panel, write_populations


def test_r2_by_frequency__by_hand():
    truth = np.array([[0, 0, 2, 1], [1, 0, 0, 1], [2, 0, 1, 1], [1, 1, 1, 1]], dtype=np.float32)
    imputed = np.array([[0.1, 0, 0.4, 1], [0.9, 0, 0.4, 0], [1.7, 0, 0.4, 1], [1.3, 1, 0.4, 1]], dtype=np.float32)
    maf = np.array([0.5, 0.04, 0.4, 0.3])
    rare, common = r2_by_frequency(truth, imputed, maf)
    assert rare == {"maf": [0.02, 0.05], "sites": 1, "mean_r2": 1.0, "pooled_r2": 1.0}
    # Of the three common sites one does not vary, and one is imputed as a constant: r2 = 0.
    assert (common["maf"], common["sites"]) == ([0.2, 0.5], 2)
    assert common["mean_r2"] == pytest.approx(np.corrcoef(truth[:, 0], imputed[:, 0])[0, 1] ** 2 / 2, abs=1e-4)


def test_typed_sites__tenth_and_half():
    half, tenth = typed_sites(1001, 7).values()
    assert (half.sum(), tenth.sum()) == (501, 100)
    assert (tenth == typed_sites(1001, 7)["90 % of the sites"]).all()
    assert (tenth != typed_sites(1001, 8)["90 % of the sites"]).any()


def test_bench_impute__model_and_baselines(two_populations, small_model, tmp_path, capsys):
    write_panel(two_populations, tmp_path / "panel.vcf")
    write_populations(tmp_path / "labels.tsv", two_populations.samples, two_populations.populations)
    command = [
        "bench", "impute", str(tmp_path / "panel.vcf"), "--populations", str(tmp_path / "labels.tsv"),
        "--model", str(small_model), "-o", str(tmp_path / "r.jsonl"), "--threads", "1",
    ]  # fmt: skip
    assert run(haploom, command) == 0
    shown = capsys.readouterr().out
    assert "hidden: every second site" in shown
    records = read_records(tmp_path / "r.jsonl")
    assert len(records) == 8
    r2 = {(each["hidden"], each["method"]): each["imputation"][-1]["mean_r2"] for each in records}
    for hidden in ("every second site", "90 % of the sites"):
        assert r2[hidden, "allele frequency"] == 0
        assert 0.1 < r2[hidden, "allele frequency of the label"] < r2[hidden, "Li-Stephens"] < 1
        assert r2[hidden, "vae"] > 0.1
    assert r2["every second site", "Li-Stephens"] > r2["90 % of the sites", "Li-Stephens"]
    assert run(haploom, [*command, "--json", "--no-baselines"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert [each["imputation"] for each in again] == [e["imputation"] for e in records if e["method"] == "vae"]


def test_bench_impute__needs_the_models_people(two_populations, small_model):
    from haploom.bench.impute import impute_records

    strangers = type(two_populations)(
        two_populations.bits, two_populations.variants, tuple(f"x{i}" for i in range(60)), two_populations.populations
    )
    with pytest.raises(HaploomError, match="in part 'train'"):
        next(impute_records("x", strangers, small_model))
