import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

torch = pytest.importorskip("torch")

from haploom.errors import HaploomError  # noqa: E402
from haploom.models.losses import binomial_nats, gaussian_kl  # noqa: E402
from haploom.models.model import Batch  # noqa: E402
from haploom.models.network import KINDS  # noqa: E402
from haploom.models.vae import VAE, VAEConfig  # noqa: E402
from haploom.models.window_vae import WindowConfig  # noqa: E402


def test_vae__parameters_of_the_paper():
    with torch.device("meta"):
        model = VAE(VAEConfig(n_sites=10_000))
    assert sum(parameter.numel() for parameter in model.parameters()) == 10_371_760


def test_vae__known_calls_count_for_those_that_are_not():
    model = VAE(VAEConfig(n_sites=8, n_latent=2, hidden=(5,), decoder_hidden=(5,))).eval()
    model.frequency.copy_(torch.linspace(0.1, 0.8, 8))
    counts = torch.tensor([[1.0, 0, 1, 0, 1, 1, 0, 0]]).repeat(4, 1)
    called = torch.arange(8) < torch.tensor([[8], [4], [1], [0]])
    times = torch.tensor([[1.0], [2.0], [4.0], [0.0]])  # 8 of 8, 8 of 4; of 1 no more than four times; of none nothing
    given = model.frequency + (counts - model.frequency) * called * times
    wanted = model.encode(Batch(given))[0].detach()
    assert_allclose(model.encode(Batch(counts, called))[0].detach(), wanted, atol=1e-5)
    assert_allclose(model.encode(Batch(counts, None, None, called))[0].detach(), wanted, atol=1e-5)
    shown = torch.arange(8) % 2 == 0
    assert_allclose(
        model.encode(Batch(counts, called, None, shown.expand(4, 8)))[0].detach(),
        model.encode(Batch(counts, called & shown))[0].detach(),
    )


def test_vae__every_linear_layer_is_normalised():
    model = VAE(VAEConfig(n_sites=20, n_latent=3, hidden=(7,), decoder_hidden=(7,)))
    kinds = [type(m).__name__ for m in model.modules() if type(m).__name__ in ("Linear", "BatchNorm")]
    assert kinds == ["Linear", "BatchNorm"] * 5


def test_binomial_nats__equals_the_probability_of_the_alleles():
    # log-odds 0 is one bit a site, whatever the allele; log-odds ln 3 is probability 3/4.
    alleles = torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    logits = torch.tensor([[0.0, 0.0, np.log(3), np.log(3)]])
    wanted = -np.log([0.5, 0.5, 0.75, 0.25])
    assert binomial_nats(alleles, logits).item() == pytest.approx(wanted.sum(), rel=1e-6)
    called = torch.tensor([True, False, False, True])
    assert binomial_nats(alleles, logits, called=called).item() == pytest.approx(wanted[[0, 3]].sum(), rel=1e-6)


@given(st.integers(0, 2), st.floats(-8, 8))
def test_binomial_nats__equals_the_probability_of_the_dosage(count, logit):
    p = 1 / (1 + np.exp(-logit))
    wanted = -np.log([(1 - p) ** 2, 2 * p * (1 - p), p**2][count])
    counts, logits = torch.tensor([[float(count)]]).double(), torch.tensor([[logit]], dtype=torch.float64)
    assert binomial_nats(counts, logits, ploidy=2).item() == pytest.approx(wanted, abs=1e-7)


def test_binomial_nats__sites_that_are_not_called_get_no_gradient():
    logits = torch.zeros(2, 3, requires_grad=True)
    called = torch.tensor([[True, False, True], [True, True, False]])
    binomial_nats(torch.ones(2, 3), logits, called=called).sum().backward()
    assert_array_equal(logits.grad.numpy() != 0, called.numpy())


def test_binomial_nats__large_log_odds_stay_finite():
    assert binomial_nats(torch.ones(1, 1), torch.tensor([[-1e4]])).item() == pytest.approx(1e4)


@given(st.floats(-3, 3), st.floats(-2, 2))
def test_gaussian_kl__equals_torchs_own(mean, log_variance):
    mu, lv = torch.tensor([[mean]], dtype=torch.float64), torch.tensor([[log_variance]], dtype=torch.float64)
    posterior = torch.distributions.Normal(mu, (0.5 * lv).exp())
    wanted = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).item()
    assert gaussian_kl(mu, lv).item() == pytest.approx(wanted, abs=1e-9)


def test_vae__forward_draws_around_the_mean():
    model = VAE(VAEConfig(n_sites=6, n_latent=2, hidden=(5,), decoder_hidden=(5,))).eval()
    seen = []
    model.decoder_hidden.register_forward_pre_hook(lambda _, args: seen.append(args[0].detach()))
    batch = Batch(torch.ones(7, 6))
    noise = torch.randn(7, 2)
    model(batch, noise)
    mean, log_variance = model.encode(batch)
    assert_allclose(seen[0], (mean + torch.exp(log_variance / 2) * noise).detach(), rtol=1e-5)


@pytest.mark.parametrize(("kind", "parameters"), [("cvae", 10_378_928), ("yvae", 72_602_320)])
def test_conditional_models__parameters_of_the_paper(kind, parameters):
    config_type, network_type = KINDS[kind]
    with torch.device("meta"):
        model = network_type(config_type(n_sites=10_000, n_labels=7))
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


@pytest.mark.parametrize(("n_sites", "parameters"), [(839_629, 862_368_371), (198_473, 203_901_159)])
def test_vae__parameters_of_the_papers_maps(n_sites, parameters):
    with torch.device("meta"):
        model = VAE(VAEConfig(n_sites=n_sites, n_latent=2, hidden=(512, 64), decoder_hidden=(64, 512)))
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


def test_conditional_models__the_label_matters():
    torch.manual_seed(1)
    rows = torch.randint(0, 2, (8, 20)).float()
    for kind in ("cvae", "yvae"):
        config_type, network_type = KINDS[kind]
        model = network_type(config_type(n_sites=20, n_latent=3, n_labels=2)).eval()
        first, second = (model(Batch(rows, labels=torch.full((8,), label))) for label in (0, 1))
        assert not torch.allclose(first.losses["reconstruction"], second.losses["reconstruction"])
        mixed = model(Batch(rows, labels=torch.tensor([0, 1] * 4))).losses["reconstruction"]
        wanted = torch.where(torch.tensor([True, False] * 4), first.losses["reconstruction"],
                             second.losses["reconstruction"])  # fmt: skip
        assert_allclose(mixed.detach(), wanted.detach(), rtol=1e-5)
        with pytest.raises(ValueError, match="labels"):
            model(Batch(rows))


def test_inputs__missing_and_hidden_calls_are_the_training_frequency():
    model = VAE(VAEConfig(n_sites=3, n_latent=1, ploidy=2))
    model.start_at(torch.tensor([0.1, 0.2, 0.3]))
    batch = Batch(
        torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([True, False, True]), None, torch.tensor([[1, 1, 0]]) > 0
    )
    assert_allclose(model.inputs(batch), [[1.0, 0.2, 0.3]])


@pytest.mark.parametrize("name", ["n_sites", "n_latent", "ploidy"])
def test_vae_config__sizes_are_checked(name):
    with pytest.raises(HaploomError, match=f"{name}=0"):
        VAEConfig(**{"n_sites": 5, name: 0})


def test_vae_config__unknown_settings_are_refused():
    with pytest.raises(HaploomError, match="newer release"):
        VAEConfig.from_dict({"n_sites": 5, "depth": 3})


@pytest.mark.parametrize(
    ("bad", "told"),
    [({"dropout": 1.0}, "below 1"), ({"dropout": -0.1}, "at least 0"), ({"hidden": ()}, "hidden"),
     ({"decoder_hidden": (4, 0)}, "decoder_hidden"), ({"n_latent": 0}, "n_latent")],
)  # fmt: skip
def test_config__shapes_that_cannot_be(bad, told):
    for config in (VAEConfig, WindowConfig):
        with pytest.raises(HaploomError, match=told):
            config(n_sites=10, **bad)
