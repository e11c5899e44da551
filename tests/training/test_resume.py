"""A training that was stopped goes on as if it had not been; what does not fit is refused."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from haploom.cli.frame import run  # noqa: E402
from haploom.cli.main import haploom  # noqa: E402
from haploom.errors import CorruptModelError, HaploomError  # noqa: E402
from haploom.io import write_panel, write_populations  # noqa: E402
from haploom.io.model_file import read_model  # noqa: E402
from haploom.models.network import KINDS  # noqa: E402
from haploom.panel import DosagePanel  # noqa: E402
from haploom.training import checkpoint as checkpoints  # noqa: E402
from haploom.training import loop  # noqa: E402
from haploom.training.config import TrainingConfig  # noqa: E402
from haploom.training.fit import train_model  # noqa: E402

DRAWS = {"hidden_share": 0.3, "crossovers_per_mb": 5.0, "average": 0.9, "warm_up": 3, "rate_warm_up": 2.0}
CONFIG = TrainingConfig(epochs=5, batch_size=24, **DRAWS)


class StoppedError(Exception):
    pass


@pytest.fixture
def small_panel(two_populations):
    return two_populations.select_sites(slice(0, 90))


@pytest.fixture(autouse=True)
def saved_after_every_epoch(monkeypatch):
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN", 0.0)


def stop_after(monkeypatch, epochs):
    """Stop training where a kill would: after so many evaluations of all networks together, before the next save."""
    evaluate, done = loop.evaluate, []

    def counted(*arguments):
        if len(done) == epochs:
            raise StoppedError
        done.append(1)
        return evaluate(*arguments)

    monkeypatch.setattr(loop, "evaluate", counted)


def assert_same(one, other):
    assert one.model.arrays.keys() == other.model.arrays.keys()
    for name, array in one.model.arrays.items():
        assert array.tobytes() == other.model.arrays[name].tobytes(), name
    assert one.model.card.history == other.model.card.history
    assert one.model.card.training == other.model.card.training


def resumed(panel, split, path, monkeypatch, stop=3, **settings):
    """(never stopped, stopped and resumed)"""
    whole = train_model(panel, split, "population", **settings)
    with monkeypatch.context() as patch:
        stop_after(patch, stop)
        with pytest.raises(StoppedError):
            train_model(panel, split, "population", checkpoint=path, **settings)
    assert list(path.parent.glob("*")), "nothing was saved before it was stopped"
    again = train_model(panel, split, "population", checkpoint=path, resume=True, **settings)
    assert all(each.exists() for each in again.checkpoints)
    return whole, again


SHAPES = {
    "vae": {"n_latent": 4, "hidden": (16,), "decoder_hidden": (16,), "dropout": 0.2},
    "cvae": {"n_latent": 4, "hidden": (16,), "decoder_hidden": (16,)},
    "window-ae": {"window": 40, "dropout": 0.2},
    "window-vae": {"window": 40, "couple": True, "share": True},
    "vqvae": {"window": 40, "n_latent": 8, "heads": 2, "codes": 4, "moving_average": True, "revive_below": 0.2},
}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "yvae"])
def test_resume__every_kind(kind, small_panel, two_populations_split, tmp_path, monkeypatch):
    shape = SHAPES.get(kind, {})
    assert_same(*resumed(
        small_panel, two_populations_split, tmp_path / "x", monkeypatch, kind=kind, shape=shape, config=CONFIG
    ))  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": "cosine"},
        {"schedule": "plateau", "plateau_patience": 1, "learning_rate": 0.2},
        {"optimizer": "adamw", "weight_decay": 0.1},
        {"patience": 2, "learning_rate": 0.5, "epochs": 30},
    ],
    ids=["cosine", "plateau", "adamw", "patience"],
)
def test_resume__every_schedule(changes, small_panel, two_populations_split, tmp_path, monkeypatch):
    settings = {"config": replace(CONFIG, **changes), "shape": SHAPES["vae"]}
    assert_same(*resumed(small_panel, two_populations_split, tmp_path / "x", monkeypatch, stop=2, **settings))


def test_resume__members_of_a_yvae(small_panel, two_populations_split, tmp_path, monkeypatch):
    # Stopped in the second of two members: the first is not trained again.
    settings = {"kind": "yvae", "config": CONFIG, "shape": SHAPES["cvae"], "processes": 1}
    whole, again = resumed(small_panel, two_populations_split, tmp_path / "x", monkeypatch, stop=8, **settings)
    assert_same(whole, again)
    monkeypatch.setattr(loop, "evaluate", None)  # nothing is left to do
    again = train_model(
        small_panel, two_populations_split, "population", checkpoint=tmp_path / "x", resume=True, **settings
    )
    assert_same(whole, again)


def test_resume__unphased_people(small_panel, two_populations_split, tmp_path, monkeypatch):
    settings = {"config": CONFIG, "shape": SHAPES["vae"]}
    people = DosagePanel.from_panel(small_panel)
    assert_same(*resumed(people, two_populations_split, tmp_path / "x", monkeypatch, **settings))


def test_resume__a_finished_training_is_not_repeated(small_panel, two_populations_split, tmp_path, monkeypatch):
    settings = {"config": CONFIG, "shape": SHAPES["vae"], "checkpoint": tmp_path / "x"}
    first = train_model(small_panel, two_populations_split, "population", **settings)
    monkeypatch.setattr(loop, "evaluate", None)
    assert_same(first, train_model(small_panel, two_populations_split, "population", resume=True, **settings))


@pytest.fixture
def stopped_training(small_panel, two_populations_split, tmp_path, monkeypatch):
    """A checkpoint, and a function that resumes it with other things than it was started with."""
    path = tmp_path / "x"
    given = {"panel": small_panel, "level": "population", "config": CONFIG, "shape": SHAPES["vae"], "checkpoint": path}
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(StoppedError):
            train_model(split=two_populations_split, **given)
    return SimpleNamespace(
        path=path, resume=lambda **other: train_model(split=two_populations_split, resume=True, **(given | other))
    )


def test_resume__other_settings_are_refused(stopped_training, small_panel):
    turned = type(small_panel).from_alleles(
        1 - small_panel.alleles(), small_panel.variants, small_panel.samples, small_panel.populations
    )
    for other, said in (
        ({"config": replace(CONFIG, epochs=6, seed=2)}, "training.epochs, training.seed"),
        ({"shape": SHAPES["cvae"]}, "settings.dropout"),
        ({"panel": turned}, "data.train, data.validation"),
        ({"kind": "window-vae", "shape": {"window": 40}}, "kind"),
    ):
        with pytest.raises(HaploomError, match="checkpoint of another training") as error:
            stopped_training.resume(**other)
        assert said in str(error.value)
    stopped_training.resume()


def test_resume__a_damaged_checkpoint_is_refused(stopped_training):
    whole = stopped_training.path.read_bytes()
    rng = np.random.default_rng(1)
    for place in rng.integers(0, len(whole), 20):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(8)
        stopped_training.path.write_bytes(damaged)
        with pytest.raises(CorruptModelError, match=r"delete it|Delete it"):
            stopped_training.resume()
    for length in (0, 7, 500, len(whole) - 1):
        stopped_training.path.write_bytes(whole[:length])
        with pytest.raises(CorruptModelError, match="delete it"):
            stopped_training.resume()


@pytest.fixture
def files(small_panel, tmp_path):
    write_panel(small_panel, tmp_path / "panel.h5")
    write_populations(tmp_path / "labels.tsv", small_panel.samples, small_panel.populations)
    return tmp_path


PROGRAM = (  # Ctrl-C counts, also where the tests run in a shell's background, which ignores it
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "import haploom.training.checkpoint as c; c.SECONDS_BETWEEN = 0\n"
    "from haploom.cli import main; main()\n"
)  # fmt: skip


TRAIN = (
    *("train", "panel.h5", "--populations", "labels.tsv", "-o", "m"),
    *("--latent", "2", "--epochs", "60", "--learning-rate", "1e-4"),
)  # fmt: skip


def start(files, *options):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *TRAIN, *options],
        cwd=files, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def end_when_saved(files, process, how):
    """Send a signal once it has saved its training; what it said."""
    since, deadline = time.time_ns(), time.monotonic() + 100
    saved = files / "m.checkpoint"
    while not (saved.exists() and saved.stat().st_mtime_ns > since):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(how)
    return process.communicate(timeout=60)[1]


def test_resume__after_kill_and_ctrl_c(files, monkeypatch, capsys):
    killed = start(files)
    end_when_saved(files, killed, signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL
    assert not (files / "m").exists()
    # Without --resume, what was trained is not thrown away.
    monkeypatch.chdir(files)
    assert run(haploom, list(TRAIN)) == 3
    assert "pass --resume to go on with it, or --force" in capsys.readouterr().err
    interrupted = start(files, "--resume")
    said = end_when_saved(files, interrupted, signal.SIGINT)
    assert interrupted.returncode == 130
    assert "m.checkpoint: the same command with --resume goes on from there" in said
    assert run(haploom, [*TRAIN, "--resume"]) == 0
    # Parts of files that a kill left half-written stay hidden; nothing else does.
    seen = sorted(path.name for path in files.iterdir() if not path.name.startswith("."))
    assert seen == ["labels.tsv", "m", "panel.h5"]
    (files / "m").rename(files / "resumed")
    assert run(haploom, list(TRAIN)) == 0
    resumed_model, whole = read_model(files / "resumed"), read_model(files / "m")
    assert resumed_model.card.history == whole.card.history
    for name, array in whole.arrays.items():
        assert array.tobytes() == resumed_model.arrays[name].tobytes(), name
