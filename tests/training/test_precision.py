"""Mixed precision: products in half precision, weights and losses not."""

import math

import pytest

torch = pytest.importorskip("torch")

from haploom.models.network import KINDS  # noqa: E402
from haploom.training.config import TrainingConfig  # noqa: E402
from haploom.training.dataset import PanelDataset  # noqa: E402
from haploom.training.devices import precision_for  # noqa: E402
from haploom.training.job import Job  # noqa: E402
from haploom.training.processes import single_process  # noqa: E402


def test_precision__half_on_cuda_alone():
    assert precision_for(torch.device("cuda")) == "bf16-mixed"
    assert precision_for(torch.device("cpu")) == "32-true"


@pytest.mark.parametrize("kind", ["vae", "window-vae", "vqvae", "autoregressive", "denoiser"])
def test_precision__mixed_training_comes_close(kind, two_populations, two_populations_split, monkeypatch):
    # The way CUDA takes, on a CPU: bfloat16 has 8 bits, so the loss agrees within a percent or so.
    train, validation = (
        PanelDataset(two_populations.select_samples(two_populations_split.samples(part, two_populations.samples)))
        for part in ("train", "validation")
    )
    config = TrainingConfig(epochs=3, batch_size=24, learning_rate=1e-3)
    job = Job(kind, KINDS[kind][0](n_sites=300), train, validation, config)
    whole = job.run(single_process(torch.device("cpu")))
    monkeypatch.setattr("haploom.training.processes.precision_for", lambda device: "bf16-mixed")
    mixed = job.run(single_process(torch.device("cpu")))
    assert {array.dtype for array in mixed.weights.values()} == {array.dtype for array in whole.weights.values()}
    assert [f.validation_loss for f in mixed.history] != [f.validation_loss for f in whole.history]
    for one, other in zip(mixed.history, whole.history, strict=True):
        assert math.isclose(one.validation_loss, other.validation_loss, rel_tol=0.05)
