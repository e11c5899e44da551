"""Code lengths of models: what is said is what is stored."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

from haploom.bench.code_length import code_length
from haploom.bench.train import train_records
from haploom.errors import HaploomError
from haploom.io.model_file import read_model
from haploom.panel import Split


@pytest.fixture(scope="module")
def measured(two_populations, two_populations_split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    wanted = [("vae", "sound"), ("autoregressive", "sound"), ("autoregressive", "paper"), ("cvae", "sound")]
    settings = {"epochs": 6, "batch_size": 24, "seed": 1}
    records = train_records(
        "task", two_populations, two_populations_split, "population", wanted, maf=0.0, settings=settings, folder=folder
    )
    return folder, {record["method"]: record for record in records}


def test_records__a_line_a_model_and_the_baselines(measured):
    _, records = measured
    assert list(records) == [
        "vae, sound", "autoregressive, sound", "cvae, sound", "independent sites",
        "Li-Stephens, training people as reference",
    ]  # fmt: skip
    json.dumps(list(records.values()))


def test_records__what_is_stored_is_what_the_loss_says(measured):
    autoregressive, vae = (measured[1][method] for method in ("autoregressive, sound", "vae, sound"))
    assert autoregressive["stored_bits_per_site"] == pytest.approx(autoregressive["bits_per_site"], rel=0.005)
    # Bits-back coding pays once for a stack to draw from: at most a word of 32 bits for each of 64 latents. There are
    # 24 haplotypes of 300 sites.
    once = 64 * 32 / (24 * 300)
    assert vae["stored_bits_per_site"] / vae["bits_per_site"] > 0.97
    assert vae["stored_bits_per_site"] < 1.02 * vae["bits_per_site"] + once


def test_independent_sites__equal_the_entropy_worked_out_by_hand(measured, two_populations, two_populations_split):
    train, test = (
        two_populations.select_samples(two_populations_split.samples(part, two_populations.samples)).alleles()
        for part in ("train", "test")
    )
    p = (train.sum(axis=0) + 1) / (len(train) + 2)
    wanted = -(test * np.log2(p) + (1 - test) * np.log2(1 - p)).mean()
    assert measured[1]["independent sites"]["bits_per_site"] == pytest.approx(wanted, abs=2e-5)


def test_code_length__of_a_label_conditioned_model_is_a_bound_alone(measured, two_populations):
    length = code_length(read_model(measured[0] / "cvae-sound.model"), two_populations)
    assert length.stored is None
    assert length.total == pytest.approx(length.bound["reconstruction"] + length.bound["kl"])


def test_code_length__of_a_model_that_is_no_code_is_refused(two_populations, two_populations_split):
    from haploom.training.config import TrainingConfig
    from haploom.training.fit import train_model

    config = TrainingConfig(epochs=1, batch_size=24)
    trained = train_model(two_populations, two_populations_split, "population", kind="window-ae", config=config)
    with pytest.raises(HaploomError, match="no code length"):
        code_length(trained.model, two_populations)


def test_records__nothing_is_trained_for_a_loss_that_is_no_code(two_populations, two_populations_split, monkeypatch):
    monkeypatch.setattr("haploom.bench.train.train_model", lambda *_, **__: pytest.fail("trained"))
    for wanted in ([("vae", "sound"), ("denoiser", "sound")], [("window-ae", "sound")], [("gmmn", "sound")]):
        with pytest.raises(HaploomError, match="no code length"):
            next(train_records(
                "task", two_populations, two_populations_split, "population", wanted, maf=0.0, settings={}
            ))  # fmt: skip
    without_test = Split({name: part for name, part in two_populations_split.part_of.items() if part != "test"})
    with pytest.raises(HaploomError, match="part 'test'"):
        next(
            train_records("task", two_populations, without_test, "population", [("vae", "sound")], maf=0.0, settings={})
        )
