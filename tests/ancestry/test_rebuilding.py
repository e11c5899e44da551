"""Labels by the label a C-VAE or Y-VAE rebuilds a haplotype best under."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("torch")

import torch

from haploom.ancestry import classify_panel
from haploom.ancestry.rebuilding import classify_by_rebuilding
from haploom.errors import HaploomError
from haploom.io.model_file import read_model
from haploom.models.label_scores import fit_temperature, label_scores
from haploom.models.model import Batch
from haploom.models.network import load_network
from haploom.training.config import TrainingConfig
from haploom.training.fit import train_model


@pytest.fixture(scope="module", params=["cvae", "yvae"])
def conditioned(request, two_populations, two_populations_split):
    config = TrainingConfig(epochs=15, batch_size=24)
    return train_model(
        two_populations, two_populations_split, "population", kind=request.param, config=config, shape={"n_latent": 4},
        processes=1,
    ).model  # fmt: skip


def test_rebuilding__equations_by_hand(conditioned, two_populations):
    network = load_network(conditioned)
    alleles = two_populations.alleles()[:6]
    nats, differences = label_scores(network, [Batch(torch.from_numpy(alleles).float(), None, None)])
    for label in range(2):
        labels = torch.full((6,), label)
        batch = Batch(torch.from_numpy(alleles).float(), None, labels)
        with torch.no_grad():
            o = torch.sigmoid(network.decode(network.encode(batch)[0], labels)).double().numpy()
        wanted = np.maximum(np.log(np.where(alleles == 1, o, 1 - o)), -100).sum(axis=1)
        assert_allclose(nats[:, label], wanted, rtol=1e-4)
        assert_array_equal(differences[:, label], (alleles != (o > 0.5)).sum(axis=1))


@pytest.mark.parametrize("by", ["map", "l1"])
def test_rebuilding__labels_held_out_people(conditioned, two_populations, two_populations_split, by):
    test = two_populations.select_samples(two_populations_split.samples("test", two_populations.samples))
    got = classify_by_rebuilding(test, conditioned, by=by)
    assert (got.labels == test.labels("population", per="haplotype")).mean() > 0.9
    assert_allclose(got.scores.sum(axis=1), 1)
    if by == "map":
        assert_array_equal(classify_panel(test, conditioned).scores, got.scores)


def test_rebuilding__a_model_without_labels_is_refused(two_populations, small_model):
    with pytest.raises(HaploomError, match="does not rebuild people under a label"):
        classify_by_rebuilding(two_populations, read_model(small_model))


def test_temperature__found_again():
    # Labels are drawn from the softmax of 0.1 x the scores.
    rng = np.random.default_rng(1)
    nats = 20 * rng.normal(size=(20_000, 3))
    p = np.exp(0.1 * nats) / np.exp(0.1 * nats).sum(axis=1, keepdims=True)
    labels = (rng.random((20_000, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(max=2)
    assert 0.085 < fit_temperature(nats, labels) < 0.12
