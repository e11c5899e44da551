"""Several processes that share each batch do what one does; only the first writes and talks."""

import json
import os
import pickle
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

torch = pytest.importorskip("torch")

from haploom.errors import HaploomError  # noqa: E402
from haploom.io import write_panel, write_populations  # noqa: E402
from haploom.io.model_file import read_model  # noqa: E402
from haploom.models.network import CONDITIONED, KINDS  # noqa: E402
from haploom.training import processes  # noqa: E402
from haploom.training.config import TrainingConfig  # noqa: E402
from haploom.training.dataset import PanelDataset  # noqa: E402
from haploom.training.fit import train_model  # noqa: E402
from haploom.training.job import Job  # noqa: E402
from haploom.training.loop import BatchShares  # noqa: E402

CPU = torch.device("cpu")
SHAPES = {
    "vae": {"n_latent": 4, "hidden": (16,), "decoder_hidden": (16,)},
    "cvae": {"n_latent": 4, "hidden": (16,), "decoder_hidden": (16,)},
    "window-vae": {"window": 70, "n_latent": 2, "hidden": (8,), "decoder_hidden": (8,), "couple": True},
    "vqvae": {
        "window": 70,
        "n_latent": 8,
        "hidden": (16,),
        "decoder_hidden": (16,),
        "heads": 2,
        "codes": 4,
        "revive_below": 0.1,
    },
    "autoregressive": {},
    "denoiser": {},
    "gmmn": {},
}


class DoubleDataset(PanelDataset):
    """Rounding then does not hide a mistake, nor does Adam make large steps of it."""

    def batch(self, rows, device, columns=None):
        batch = super().batch(rows, device, columns)
        return batch._replace(counts=batch.counts.double())

    def frequencies(self):
        return super().frequencies().double()


def jobs(panel, split):
    """One of each kind, each of 20 steps or more, with all that is drawn for a batch."""
    train, validation = (
        DoubleDataset(panel.select_samples(split.samples(part, panel.samples)), "population")
        for part in ("train", "validation")
    )
    config = TrainingConfig(
        epochs=7, batch_size=24, learning_rate=1e-3, hidden_share=0.3, crossovers_per_mb=5.0, average=0.9
    )
    for kind, shape in SHAPES.items():
        labels = {"n_labels": 2} if kind in CONDITIONED else {}
        yield Job(kind, KINDS[kind][0](n_sites=train.n_sites, **shape, **labels), train, validation, config)


def run_all(fabric, panel, split, folder):
    torch.set_default_dtype(torch.float64)
    try:
        outcomes = [job.run(fabric) for job in jobs(panel, split)]
    finally:
        torch.set_default_dtype(torch.float32)
    (folder / f"{fabric.global_rank} of {fabric.world_size}").write_bytes(pickle.dumps(outcomes))


def test_processes__two_do_what_one_does(two_populations, two_populations_split, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "precision_for", lambda device: "64-true")
    panel, split = two_populations, two_populations_split
    run_all(processes.single_process(CPU), panel, split, tmp_path)
    fabric = processes._fabric(CPU, strategy="ddp_spawn", devices=2)
    fabric.launch(partial(run_all, panel=panel, split=split, folder=tmp_path))
    one, first, second = (pickle.loads((tmp_path / n).read_bytes()) for n in ("0 of 1", "0 of 2", "1 of 2"))
    for kind, alone, shared, other in zip(SHAPES, one, first, second, strict=True):
        for figures, wanted in zip(shared.history, alone.history, strict=True):
            assert_allclose(figures.validation_loss, wanted.validation_loss, rtol=1e-4, err_msg=kind)
            for name in figures.train.keys() - {"perplexity"}:  # that is of the rows of one process
                assert_allclose(figures.train[name], wanted.train[name], rtol=1e-6, err_msg=f"{kind} {name}")
        for name, array in shared.weights.items():
            assert np.array_equal(array, other.weights[name]), (kind, name)  # both processes hold the same bits
            # The gradient of mean.1.bias is 0 at its start: rounding gives the sign of its first step, and the running
            # mean of the layer after it, which takes that shift away, follows.
            if name != "mean.1.bias" and not name.endswith("running_mean"):
                difference = np.linalg.norm(array - alone.weights[name])
                assert difference <= 1e-4 * np.linalg.norm(alone.weights[name]), (kind, name)


def small(panel, split, **settings):
    return train_model(
        panel, split, "population", shape={"n_latent": 4, "hidden": (16,), "decoder_hidden": (16,)}, **settings
    )


def test_processes__a_damaged_checkpoint_is_told_by_all(two_populations, two_populations_split, tmp_path):
    path = tmp_path / "x.checkpoint"
    path.write_bytes(b"no checkpoint")
    config = TrainingConfig(epochs=1, batch_size=24)
    with pytest.raises(HaploomError, match="it is damaged: delete it"):
        small(two_populations, two_populations_split, config=config, processes=2, checkpoint=path, resume=True)


def test_processes__more_than_rows_of_a_batch(two_populations):
    three = SimpleNamespace(world_size=3, global_rank=0, device=CPU)
    with pytest.raises(HaploomError, match="3 processes share batches of 2 rows"):
        BatchShares(three, PanelDataset(two_populations), TrainingConfig(batch_size=2))


def test_processes__torchrun_writes_once(two_populations, tmp_path):
    write_panel(two_populations, tmp_path / "panel.h5")
    write_populations(tmp_path / "labels.tsv", two_populations.samples, two_populations.populations)
    program = tmp_path / "program.py"
    program.write_text("from haploom.cli import main\nmain()\n")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", str(program)]
    train = ["train", "panel.h5", "--populations", "labels.tsv", "--kind", "window-vae", "--epochs", "2", "-o", "m"]
    run = subprocess.run(
        [*torchrun, *train, "--json"],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["epochs_run"] == 2
    assert run.stderr.count("no --split") == 1
    assert read_model(tmp_path / "m").card.training["processes"] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.tsv", "m", "panel.h5", "program.py"]
