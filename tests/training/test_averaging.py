import pytest

torch = pytest.importorskip("torch")

from haploom.models.vae import VAE, VAEConfig  # noqa: E402
from haploom.training.averaging import WeightAverage  # noqa: E402


def test_average__equals_the_sum_worked_out_by_hand():
    network = VAE(VAEConfig(n_sites=3, n_latent=1, hidden=(2,), decoder_hidden=(2,)))
    average = WeightAverage(network, 0.9)
    weight = network.output[1].bias
    wanted = weight.detach().clone()
    for step in range(1, 40):
        with torch.no_grad():
            weight += step
            network.frequency += 1
        average.follow(network, step)
        decay = min(0.9, step / (step + 10))
        wanted = decay * wanted + (1 - decay) * weight.detach()
    torch.testing.assert_close(average.network.output[1].bias, wanted)
    torch.testing.assert_close(average.network.frequency, network.frequency)


def test_average__without_decay_is_the_network_itself():
    network = VAE(VAEConfig(n_sites=3, n_latent=1))
    assert WeightAverage(network, 0.0).network is network
    assert all(parameter.requires_grad for parameter in network.parameters())
