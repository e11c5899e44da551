"""Unphased people with missing calls: rows of a Binomial(2, o) model."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from haploom.cli.frame import run  # noqa: E402
from haploom.cli.main import haploom  # noqa: E402
from haploom.io import write_dosages, write_panel, write_populations  # noqa: E402
from haploom.io.model_file import describe_model, read_model  # noqa: E402
from haploom.panel import DosagePanel  # noqa: E402
from haploom.panel.dosages import MISSING  # noqa: E402
from haploom.training.config import TrainingConfig  # noqa: E402
from haploom.training.fit import train_model  # noqa: E402

CONFIG = TrainingConfig(epochs=40, batch_size=12, learning_rate=5e-3, patience=40)
SHAPE = {"n_latent": 4, "hidden": (64,), "decoder_hidden": (64,)}


def with_gaps(panel, share=0.1):
    people = DosagePanel.from_panel(panel)
    dosages = people.dosages.copy()
    dosages[np.random.default_rng(1).random(dosages.shape) < share] = MISSING
    return DosagePanel(dosages, people.variants, people.samples, people.populations)


def test_unphased__beats_independent_sites(two_populations, two_populations_split):
    people = with_gaps(two_populations)
    trained = train_model(people, two_populations_split, "population", config=CONFIG, shape=SHAPE)
    train, held_out = (
        people.select_samples(two_populations_split.samples(part, people.samples)) for part in ("train", "validation")
    )
    # Binomial(2, p) with the training people's frequencies, over the calls that are there.
    p = (train.alternate_frequencies() * 2 * train.n_samples + 0.5) / (2 * train.n_samples + 1)
    x = held_out.dosages
    nats = -(x * np.log(p) + (2 - x) * np.log(1 - p) + np.log(2) * (x == 1))
    independent = np.where(x == MISSING, 0, nats).sum(axis=1).mean()
    figures = trained.model.card.training
    assert figures["validation_loss"] < 0.9 * independent
    bits = figures["validation_loss"] / np.log(2) / ((x != MISSING).sum() / len(x))
    assert figures["validation_bits_per_site"] == pytest.approx(bits)


def test_unphased__what_stands_where_a_call_is_missing_does_not_matter(two_populations, two_populations_split):
    # A site nobody has a call at changes no weight but its own.
    people = with_gaps(two_populations)
    dosages = people.dosages.copy()
    dosages[:, 7] = MISSING
    people = DosagePanel(dosages, people.variants, people.samples, people.populations)
    config = TrainingConfig(epochs=2, batch_size=12)
    model = train_model(people, two_populations_split, "population", config=config, shape=SHAPE).model
    assert model.arrays["weights.frequency"][7] == 0.5
    assert all(np.isfinite(array).all() for array in model.arrays.values())
    assert not any(name.startswith("exact.") for name in model.arrays)  # nothing to store haplotypes with


def test_unphased__from_files(two_populations, tmp_path, capsys):
    people = with_gaps(two_populations)
    write_populations(tmp_path / "labels.tsv", people.samples, people.populations)
    figures = []
    for name in ("people.vcf.gz", "people.bed"):
        write_dosages(people, tmp_path / name)
        train = ["train", tmp_path / name, "--populations", tmp_path / "labels.tsv", "--epochs", "2", "--latent", "2"]
        more = ["--history", tmp_path / f"{name}.jsonl", "--plot", tmp_path / f"{name}.png"]
        assert run(haploom, [*map(str, [*train, *more]), "--unphased", "--json", "-o", f"{tmp_path}/{name}.model"]) == 0
        figures.append(json.loads(capsys.readouterr().out))
    assert figures[0]["validation_loss"] == figures[1]["validation_loss"]
    about = describe_model(tmp_path / "people.bed.model")
    assert about["rows"] == "people"
    assert any("cannot store or make up haplotypes" in limit for limit in about["limits"])
    assert sum(about["labels"].values()) == about["people"]["train"]
    rows = [json.loads(line) for line in (tmp_path / "people.bed.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert {"train_reconstruction", "train_kl", "validation_loss", "seconds"} <= rows[0].keys()
    assert (tmp_path / "people.bed.png").read_bytes().startswith(b"\x89PNG")
    # Phased commands say what such a model is of.
    model = ["--model", f"{tmp_path}/people.bed.model"]
    assert run(haploom, ["synthesize", *model, "-n", "1", "-o", f"{tmp_path}/x.vcf"]) == 3
    assert "unphased people makes no haplotypes" in capsys.readouterr().err
    # The two formats place the same people at the same place; phased genotypes are taken as counts.
    write_panel(two_populations, tmp_path / "phased.h5")
    for name in ("people.vcf.gz", "people.bed", "phased.h5"):
        labels = ["--populations", f"{tmp_path}/labels.tsv"]
        picture = ["--plot", f"{tmp_path}/{name}.map.png"]
        assert (
            run(haploom, ["embed", f"{tmp_path}/{name}", *model, *labels, *picture, "-o", f"{tmp_path}/{name}.z"]) == 0
        )
        assert run(haploom, ["classify", f"{tmp_path}/{name}", *model, *labels, "-o", f"{tmp_path}/{name}.labels"]) == 0
    tables = [(tmp_path / f"{name}.z").read_text() for name in ("people.vcf.gz", "people.bed", "phased.h5")]
    assert tables[0] == tables[1]
    rows = [line.split("\t") for line in tables[2].splitlines()]
    assert [row[:2] for row in rows[1:]] == [[name, "."] for name in people.samples]
    assert len((tmp_path / "people.bed.labels").read_text().splitlines()) == 1 + people.n_samples


def test_unphased__wolves(real_data, tmp_path):
    lines = (real_data / "wolves.fam").read_text().splitlines()
    latitude = [float(line.split()[1]) for line in (real_data / "wolves.coord").read_text().splitlines()]
    names = [line.split()[1] for line in lines]
    north = np.array(latitude) > np.median(latitude)
    write_populations(tmp_path / "labels.tsv", names, {"half": np.where(north, "north", "south")})
    train = ["train", f"{real_data}/wolves.bed", "--populations", f"{tmp_path}/labels.tsv", "--label", "half"]
    train += ["--unphased", "--maf", "0.05", "--epochs", "2", "--latent", "2", "-o", f"{tmp_path}/m"]
    assert run(haploom, train) == 0
    model = read_model(tmp_path / "m")
    assert model.card.config["ploidy"] == 2
    assert np.isfinite(model.arrays["labels.mean"]).all()
