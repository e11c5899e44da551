"""Refined latents: uphill, alike for new and trained rows, and exact where the answer is known."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from haploom.io.model_file import read_model  # noqa: E402
from haploom.models.encoder import panel_latents  # noqa: E402
from haploom.models.model import Batch  # noqa: E402
from haploom.models.network import load_network  # noqa: E402
from haploom.models.refining import negative_log_posterior, refined, refined_latents  # noqa: E402
from haploom.models.vae import VAE, VAEConfig  # noqa: E402


def test_refined__uphill_for_every_row_or_nearly(two_populations, small_model):
    model = read_model(small_model)
    network = load_network(model)
    counts = torch.from_numpy(two_populations.alleles()).float()
    before, after = panel_latents(model, two_populations), refined_latents(model, two_populations)
    with torch.no_grad():
        nats = [negative_log_posterior(network, Batch(counts), torch.from_numpy(z)) for z in (before, after)]
    assert (nats[1] <= nats[0] + 0.05).float().mean() > 0.98
    assert float(nats[1].mean()) < float(nats[0].mean())
    assert network.training is False


def test_refined__finds_the_optimum_on_a_grid():
    torch.manual_seed(1)
    network = VAE(VAEConfig(n_sites=40, n_latent=1, hidden=(8,), decoder_hidden=(8,))).eval().requires_grad_(False)
    batch = Batch((torch.rand(5, 40) < 0.5).float())
    z = refined(network, batch, steps=400)
    grid = torch.linspace(-4, 4, 1601)
    for row in range(5):
        counts = batch.counts[row : row + 1].expand(len(grid), -1)
        nats = negative_log_posterior(network, Batch(counts), grid[:, None])
        own = negative_log_posterior(network, Batch(batch.counts[row : row + 1]), z[row : row + 1])
        # A local optimum: nothing better within a step of the grid, and no worse than the grid nearby.
        near = (grid - z[row, 0]).abs() < 0.3
        assert float(own) <= float(nats[near].min()) + 1e-3


def test_refined_latents__sites_not_called_say_nothing(two_populations, small_model):
    model = read_model(small_model)
    kept = np.arange(two_populations.n_sites) % 3 > 0
    some = refined_latents(model, two_populations.select_sites(kept))
    batch = Batch(torch.from_numpy(two_populations.alleles()).float(), torch.from_numpy(kept))
    network = load_network(model).eval().requires_grad_(False)
    np.testing.assert_allclose(some, refined(network, batch).numpy(), atol=1e-4)


def test_refined_latents__another_kind_is_refused(small_model):
    model = read_model(small_model)
    network = VAE(VAEConfig(n_sites=4, n_latent=1, n_labels=2))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("haploom.models.refining.network_of", lambda _: network)
        with pytest.raises(ValueError, match="cannot be refined"):
            refined_latents(model, None)
