"""The estimators keep scikit-learn's contract, and say what the networks say."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("torch")
pytest.importorskip("sklearn")

import torch
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

import haploom as hl
from haploom.errors import HaploomError, SiteMismatchError
from haploom.training import estimators
from haploom.training.dataset import PanelDataset

QUICK = {"epochs": 2, "batch_size": 32, "random_state": 1}


class Squashed:
    """The logistic function of X, before anything else: scikit-learn's checks are made of any real numbers."""

    def _alleles(self, X, reset):
        least = 3 if reset else 1
        X = validate_data(self, X, reset=reset, ensure_all_finite="allow-nan", ensure_min_samples=least)
        return 1 / (1 + np.exp(-np.asarray(X, dtype=np.float64)))


class SquashedVAE(Squashed, hl.VAE): ...


class SquashedWindowVAE(Squashed, hl.WindowVAE): ...


class SquashedVQVAE(Squashed, hl.VQVAE): ...


# All of scikit-learn's checks, none left out.
@parametrize_with_checks([
    SquashedVAE(3, hidden=(8,), decoder_hidden=(8,), **QUICK),
    SquashedWindowVAE(2, n_latent=2, hidden=(4,), decoder_hidden=(4,), **QUICK),
    SquashedVQVAE(2, n_latent=2, heads=1, codes=3, hidden=(4,), decoder_hidden=(4,), **QUICK),
])  # fmt: skip
def test_estimators__scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def fitted(two_populations):
    return {
        "vae": hl.VAE(4, epochs=20, batch_size=24, random_state=1).fit(two_populations),
        "window-vae": hl.WindowVAE(50, n_latent=3, epochs=20, batch_size=24, random_state=1).fit(two_populations),
        "vqvae": hl.VQVAE(30, n_latent=8, heads=2, codes=4, epochs=20, batch_size=24).fit(two_populations),
    }


KINDS = ["vae", "window-vae", "vqvae"]


@pytest.mark.parametrize("kind", KINDS)
def test_estimators__transform_and_back(kind, fitted, two_populations):
    estimator, alleles = fitted[kind], two_populations.alleles()
    z = estimator.transform(two_populations)
    assert z.shape == (120, estimator.network_.n_latents) == (120, len(estimator.get_feature_names_out()))
    assert estimator.get_feature_names_out()[0] == f"{type(estimator).__name__.lower()}0"
    back = estimator.inverse_transform(z)
    assert back.shape == alleles.shape
    assert 0 <= back.min() <= back.max() <= 1
    guess = alleles.mean(axis=0) > 0.5
    assert ((back > 0.5) == alleles).mean() > 0.5 * (1 + (guess == alleles).mean())  # half the mistakes of a guess
    assert estimator.feature_names_in_[0] == two_populations.variants.site_keys()[0]


@pytest.mark.parametrize("kind", KINDS)
def test_estimators__score_is_below_the_log_likelihood_and_above_independent_sites(kind, fitted, two_populations):
    scores = fitted[kind].score_samples(two_populations)
    p = (two_populations.allele_counts() + 0.5) / 121
    x = two_populations.alleles()
    independent = (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1)
    assert scores.dtype == np.float64
    assert scores.shape == (120,)
    assert scores.mean() > 0.9 * independent.mean()
    assert fitted[kind].score(two_populations) == pytest.approx(scores.mean())
    one = fitted[kind].score_samples(two_populations.select_samples(["P33"]))
    assert_allclose(one, scores[66:68], rtol=1e-4)


def test_vae__score_is_below_the_likelihood_by_sampling():
    # One latent: the likelihood itself is an integral over z, worked out on a grid.
    alleles = np.random.default_rng(1).integers(0, 2, (60, 5))
    vae = hl.VAE(1, hidden=(8,), decoder_hidden=(8,), epochs=10, batch_size=16).fit(alleles)
    z = np.linspace(-8, 8, 4001)
    o = vae.inverse_transform(z[:, None]).astype(np.float64)
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    likelihood = np.exp(alleles @ np.log(o).T + (1 - alleles) @ np.log(1 - o).T) @ density
    gap = np.log(likelihood) - vae.score_samples(alleles)
    assert gap.min() > -0.1  # a bound on average over draws, of which there are 8
    assert 0 < gap.mean() < 1.5


@pytest.mark.parametrize("kind", KINDS)
def test_estimators__samples_look_like_the_people(kind, fitted, two_populations):
    made = fitted[kind].sample(500, random_state=1)
    assert (made.dtype, made.shape) == (np.uint8, (500, 300))
    assert set(np.unique(made)) == {0, 1}
    assert np.corrcoef(made.mean(axis=0), two_populations.alleles().mean(axis=0))[0, 1] > 0.9
    assert_array_equal(made, fitted[kind].sample(500, random_state=1))
    assert not np.array_equal(made, fitted[kind].sample(500, random_state=2))


def test_vqvae__codes_are_drawn_as_the_prior_says(fitted):
    # Shares of the codes of window 3 among rows whose window 2 has one code, against the prior's own figures.
    network = fitted["vqvae"].network_
    codes = network.draw_codes(20_000, torch.Generator().manual_seed(1))
    before = codes[:, 2].mode(dim=0).values
    rows = (codes[:, 2] == before).all(dim=1)
    vector = network.codebook.vectors[2, torch.arange(2), before].flatten()
    wanted = torch.softmax((vector @ network.prior.weight[3] + network.prior.bias[3]).view(2, 4), dim=1)
    for head in range(2):
        got = torch.bincount(codes[rows, 3, head], minlength=4) / rows.sum()
        assert_allclose(got, wanted[head].detach(), atol=5 * np.sqrt(0.25 / rows.sum().item()))


def test_estimators__a_panel_and_its_array_are_one(two_populations):
    settings = {"epochs": 2, "batch_size": 24, "random_state": 3}
    alleles = two_populations.alleles()
    vae = hl.VAE(3, **settings).fit(two_populations)
    assert_allclose(vae.transform(two_populations), _without_names(vae).transform(alleles), rtol=1e-5, atol=1e-6)
    of_bool, of_float = (hl.VAE(3, **settings).fit(alleles.astype(dtype)) for dtype in (bool, np.float64))
    assert_array_equal(of_bool.transform(alleles.astype(bool)), of_float.transform(alleles))


def _without_names(estimator):
    copy = pickle.loads(pickle.dumps(estimator))
    del copy.feature_names_in_
    return copy


def test_estimators__missing_calls(two_populations):
    alleles = two_populations.alleles().astype(np.float32)
    hidden = np.random.default_rng(1).random(alleles.shape) < 0.2
    holed = np.where(hidden, np.nan, alleles)
    vae = hl.VAE(4, epochs=20, batch_size=24, random_state=1).fit(holed)
    minus = np.where(hidden, -1, alleles).astype(np.int8)
    assert_array_equal(vae.transform(holed), vae.transform(minus))
    filled = vae.inverse_transform(vae.transform(holed)) > 0.5
    guess = np.broadcast_to(np.nanmean(holed, axis=0) > 0.5, alleles.shape)
    wrong, wrong_guess = ((each != alleles)[hidden].mean() for each in (filled, guess))
    assert wrong < 0.8 * wrong_guess
    assert vae.score_samples(np.full((1, 300), np.nan))[0] > -20  # nothing to tell: only what the latents cost


def test_estimators__people_without_phase(two_populations):
    people = hl.DosagePanel.from_panel(two_populations)
    vae = hl.VAE(3, epochs=5, batch_size=12).fit(people)
    assert vae.transform(people).shape == (60, 3)
    assert vae.sample(50, random_state=1).max() == 2
    with pytest.raises(SiteMismatchError, match="fitted on people"):
        vae.transform(two_populations)


def test_estimators__parameters_are_the_networks_and_the_trainings(two_populations):
    vae = hl.VAE(5, hidden=(7, 6), decoder_hidden=(9,), epochs=3, batch_size=20, learning_rate=1e-3, beta=0.5)
    vae.fit(two_populations)
    config = vae.network_.config
    assert (config.n_latent, config.hidden, config.decoder_hidden) == (5, (7, 6), (9,))
    assert len(vae.history_) == 3
    paper = hl.VAE(profile="paper", epochs=1).fit(two_populations)
    assert (paper.network_.config.n_latent, paper.history_[0]["learning_rate"]) == (64, 1e-4)
    assert clone(vae).get_params() == vae.get_params()


def test_estimators__a_persons_haplotypes_are_on_one_side(two_populations, monkeypatch):
    seen = []
    monkeypatch.setattr(estimators, "Job", lambda *args: seen.append(args) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        hl.VAE(3, validation_fraction=0.25).fit(two_populations)
    _, _, train, validation, _ = seen[0]
    assert (len(train), len(validation)) == (90, 30)
    assert not set(train.panel.samples) & set(validation.panel.samples)
    assert isinstance(train, PanelDataset)


def test_estimators__what_they_cannot_use_is_told(fitted, two_populations):
    with pytest.raises(ValueError, match="each 0 or 1 or a probability between"):
        hl.VAE(2).fit(np.array([[0, 1], [2, 1], [0, 0]]))
    with pytest.raises(ValueError, match="validation_fraction=1"):
        hl.VAE(2, validation_fraction=1.0).fit(two_populations)
    with pytest.raises(ValueError, match="3 people or more"):
        hl.VAE(2).fit(two_populations.select_samples(["P01", "P02"]))
    with pytest.raises(HaploomError, match="n_latent=0"):
        hl.VAE(0).fit(two_populations)
    with pytest.raises(HaploomError, match="no profile 'best'"):
        hl.VAE(profile="best").fit(two_populations)
    with pytest.raises(SiteMismatchError, match="other sites"):
        fitted["vae"].transform(two_populations.select_sites(slice(1, None)))


@pytest.mark.parametrize("kind", [hl.VAE, hl.WindowVAE, hl.VQVAE])
def test_estimators__latents_of_another_size_are_told(kind):
    alleles = np.random.default_rng(1).integers(0, 2, (12, 20))
    fitted = kind(epochs=1).fit(alleles)
    with pytest.raises(ValueError, match="Z has 3 latents, but"):
        fitted.inverse_transform(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="wanted 0 or more"):
        fitted.sample(-1)
