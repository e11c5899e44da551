import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from haploom.errors import HaploomError  # noqa: E402
from haploom.models.losses import elbo_terms  # noqa: E402
from haploom.models.vae import VAE, VAEConfig  # noqa: E402


def test_vae__parameters_of_the_paper():
    with torch.device("meta"):
        model = VAE(VAEConfig(n_sites=10_000))
    assert sum(parameter.numel() for parameter in model.parameters()) == 10_371_760


def test_vae__every_linear_layer_is_normalised():
    model = VAE(VAEConfig(n_sites=20, n_latent=3, n_hidden=7))
    kinds = [type(m).__name__ for m in model.modules() if type(m).__name__ in ("Linear", "BatchNorm1d")]
    assert kinds == ["Linear", "BatchNorm1d"] * 5


def test_elbo__bernoulli_term_equals_the_probability_of_the_alleles():
    # log-odds 0 is one bit a site, whatever the allele; log-odds ln 3 is probability 3/4.
    alleles = torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    logits = torch.tensor([[0.0, 0.0, np.log(3), np.log(3)]])
    terms = elbo_terms(alleles, logits, torch.zeros(1, 2), torch.zeros(1, 2))
    assert terms.reconstruction.item() == pytest.approx(-np.log([0.5, 0.5, 0.75, 0.25]).sum(), rel=1e-6)
    assert terms.kl.item() == 0


@given(st.floats(-3, 3), st.floats(-2, 2))
def test_elbo__kl_equals_torchs_own(mean, log_variance):
    mu, lv = torch.tensor([[mean]], dtype=torch.float64), torch.tensor([[log_variance]], dtype=torch.float64)
    posterior = torch.distributions.Normal(mu, (0.5 * lv).exp())
    wanted = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).item()
    alleles = torch.zeros(1, 1, dtype=torch.float64)
    assert elbo_terms(alleles, alleles, mu, lv).kl.item() == pytest.approx(wanted, abs=1e-9)


def test_elbo__large_log_odds_stay_finite():
    terms = elbo_terms(torch.ones(1, 1), torch.tensor([[-1e4]]), torch.zeros(1, 1), torch.zeros(1, 1))
    assert terms.reconstruction.item() == pytest.approx(1e4)


def test_elbo__weight_of_the_kl_term():
    terms = elbo_terms(torch.ones(1, 1), torch.zeros(1, 1), torch.full((1, 1), 2.0), torch.zeros(1, 1))
    assert terms.loss(beta=0.5).item() == pytest.approx(np.log(2) + 0.5 * 2.0)


def test_vae__forward_draws_around_the_mean():
    torch.manual_seed(1)
    model = VAE(VAEConfig(n_sites=6, n_latent=2, n_hidden=5)).eval()
    seen = {}
    model.decoder_hidden.register_forward_pre_hook(lambda _, args: seen.setdefault("z", []).append(args[0].detach()))
    alleles = torch.ones(4000, 6)
    _, mean, log_variance = model(alleles)
    errors = (seen["z"][0] - mean.detach()).numpy() / np.exp(0.5 * log_variance.detach().numpy())
    assert abs(errors.mean()) < 5 / np.sqrt(8000)
    assert abs(errors.std() - 1) < 5 / np.sqrt(2 * 8000)


@pytest.mark.parametrize("name", ["n_sites", "n_latent", "n_hidden"])
def test_vae_config__sizes_are_checked(name):
    with pytest.raises(HaploomError, match=f"{name}=0"):
        VAEConfig(**{"n_sites": 5, name: 0})


def test_vae_config__unknown_settings_are_refused():
    with pytest.raises(HaploomError, match="newer release"):
        VAEConfig.from_dict({"n_sites": 5, "depth": 3})
