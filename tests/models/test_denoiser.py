"""The denoiser against a plain loop over windows, and what it may not see."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("torch")

import torch
from torch.nn import functional

from haploom.imputation import impute_panel
from haploom.models.denoiser import Denoiser, DenoiserConfig
from haploom.models.model import Batch
from haploom.training.config import TrainingConfig
from haploom.training.fit import train_model

N_SITES = 23


@pytest.fixture
def network():
    torch.manual_seed(1)
    network = Denoiser(DenoiserConfig(n_sites=N_SITES, window=5, context=3, hidden=4))
    network.start_at(torch.rand(N_SITES))
    torch.nn.init.normal_(network.skip.weight)
    return network


@pytest.fixture
def alleles():
    return torch.randint(0, 2, (6, N_SITES), generator=torch.Generator().manual_seed(2)).float()


def test_denoiser__equals_a_loop_over_windows(network, alleles):
    known = torch.rand((6, N_SITES), generator=torch.Generator().manual_seed(3)) < 0.6
    with torch.no_grad():
        got = network.reconstruct(Batch(alleles, known))
        p = network.frequency
        centred = torch.where(known, (alleles - p) / (p * (1 - p)).clamp(min=1e-3).sqrt(), 0.0)
        centred, indicator = (functional.pad(each, (3, 5)) for each in (centred, known.float()))
        for window in range(5):
            sites = slice(5 * window, 5 * window + 11)  # of the padded rows: the window and 3 on both sides
            hidden = centred[:, sites] @ network.of_alleles.weight[window] + network.of_alleles.bias[window]
            hidden = functional.gelu(hidden + indicator[:, sites] @ network.of_knowing.weight[window])
            wanted = hidden @ network.output.weight[window] + network.output.bias[window]
            wanted = wanted + centred[:, sites] @ network.skip.weight[window]
            own = slice(5 * window, min(5 * window + 5, N_SITES))
            assert_allclose(got[:, own], wanted[:, : own.stop - own.start], atol=1e-5)


def test_denoiser__what_is_hidden_is_not_seen(network, alleles):
    shown = torch.arange(N_SITES) % 3 > 0
    other = torch.where(shown, alleles, 1 - alleles)
    with torch.no_grad():
        assert_array_equal(network.reconstruct(Batch(alleles, shown)), network.reconstruct(Batch(other, shown)))
        assert not torch.equal(
            network.reconstruct(Batch(alleles, shown)), network.reconstruct(Batch(1 - alleles, shown))
        )


def test_denoiser__the_loss_is_of_the_hidden_and_called(network, alleles):
    shown = (torch.arange(N_SITES) % 2 == 0).expand_as(alleles)
    called = (torch.arange(N_SITES) != 7).expand_as(alleles)
    losses = network(Batch(alleles, called, None, shown)).losses["reconstruction"]
    logits = network.reconstruct(Batch(alleles, called & shown))
    asked = ~shown[0] & called[0]
    wanted = functional.binary_cross_entropy_with_logits(logits[:, asked], alleles[:, asked], reduction="none").sum(1)
    assert_allclose(losses.detach(), wanted.detach(), rtol=1e-5)


def test_denoiser__validation_hides_every_site_once(network, alleles):
    odd = (torch.arange(N_SITES) % 2 == 1).expand_as(alleles)
    both = sum(network(Batch(alleles, shown=shown)).losses["reconstruction"] for shown in (odd, ~odd))
    assert_allclose(network(Batch(alleles)).losses["reconstruction"].detach(), both.detach(), rtol=1e-6)


def test_denoiser__trained_it_imputes_from_neighbours(two_populations, two_populations_split):
    """On 36 training people: far better than the allele frequency, and no latents to place people by."""
    config = TrainingConfig(
        epochs=25, batch_size=24, learning_rate=8e-3, optimizer="adamw", hidden_share=0.9, patience=25
    )
    shape = {"window": 50, "context": 50, "hidden": 32}
    model = train_model(
        two_populations, two_populations_split, "population", kind="denoiser", config=config, shape=shape
    ).model
    assert "labels.mean" not in model.arrays
    assert "validation_bits_per_site" not in model.card.training
    test = two_populations.select_samples(two_populations_split.samples("test", two_populations.samples))
    typed = np.arange(300) % 2 == 0
    imputed = impute_panel(test.select_sites(typed), model).probabilities(~typed)
    frequency = model.arrays["weights.frequency"][~typed]
    truth = test.alleles()[:, ~typed]
    assert ((imputed - truth) ** 2).mean() < 0.5 * ((frequency - truth) ** 2).mean()
