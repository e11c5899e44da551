"""Windowed layers and autoencoders, against loops of torch's own layers and against what windows mean."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

torch = pytest.importorskip("torch")

from haploom.io.model_kinds import NETWORKS, TRAINED, ModelKind  # noqa: E402
from haploom.models.model import Batch  # noqa: E402
from haploom.models.network import KINDS, load_network  # noqa: E402
from haploom.models.normalisation import WindowNorm  # noqa: E402
from haploom.models.window_vae import WindowAE, WindowConfig, WindowVAE  # noqa: E402
from haploom.models.windows import WindowLinear, Windows, with_neighbours  # noqa: E402
from haploom.training.config import TrainingConfig  # noqa: E402
from haploom.training.fit import train_model  # noqa: E402
from haploom.training.profiles import PROFILES  # noqa: E402

SHAPE = {"n_sites": 23, "window": 5, "n_latent": 2, "hidden": (7,), "decoder_hidden": (6,)}  # the last window has 3


def model_of(kind, seed=1, **changes):
    torch.manual_seed(seed)
    config_type, network_type = KINDS[kind]
    return network_type(config_type(**{**SHAPE, **changes}))


def rows(n=16, n_sites=23, seed=2):
    return torch.randint(0, 2, (n, n_sites), generator=torch.Generator().manual_seed(seed)).float()


def total(terms):
    return torch.stack([nats.mean() for nats in terms.losses.values()]).sum()


def test_kinds__are_named_in_one_place():
    assert tuple(KINDS) == NETWORKS
    assert tuple(PROFILES) == TRAINED
    assert set(TRAINED) <= set(get_args(ModelKind))


@given(st.integers(1, 30), st.integers(1, 12))
def test_windows__join_inverts_cut(n_sites, width):
    windows = Windows(n_sites, width)
    values = torch.arange(1.0, 1 + 3 * n_sites).reshape(3, n_sites)
    cut = windows.cut(values)
    assert cut.shape == (windows.n_windows, 3, width)
    assert_array_equal(windows.join(cut), values)
    assert_array_equal(cut[0, 0, : min(width, n_sites)], np.arange(1, 1 + min(width, n_sites)))
    assert int((cut == 0).sum()) == 3 * windows.n_padded
    assert windows.n_padded < width


@pytest.mark.parametrize("bias", [True, False])
def test_window_linear__equals_a_loop_of_torchs_linear_layers(bias):
    torch.manual_seed(1)
    layer = WindowLinear(4, 5, 3, bias=bias).double()
    values = torch.randn(4, 6, 5, dtype=torch.float64, requires_grad=True)
    ours = layer(values)
    wanted = []
    for window in range(4):
        linear = torch.nn.Linear(5, 3, bias=bias).double()
        linear.weight.data = layer.weight.data[window].t()
        if bias:
            linear.bias.data = layer.bias.data[window, 0]
        wanted.append(linear(values[window]))
    assert_allclose(ours.detach(), torch.stack(wanted).detach(), rtol=1e-12)
    gradients = [torch.autograd.grad((result**2).sum(), values)[0] for result in (ours, torch.stack(wanted))]
    assert_allclose(*gradients, rtol=1e-12)


def test_window_linear__shared_weights_are_one_layer_for_all_windows():
    shared = WindowLinear(4, 5, 3, share=True, bias=False)
    assert shared.weight.shape == (1, 5, 3)
    values = torch.randn(4, 6, 5)
    assert_allclose(shared(values).detach(), (values @ shared.weight[0]).detach(), rtol=1e-5)


def test_window_norm__equals_a_loop_of_torchs_batch_norm():
    torch.manual_seed(1)
    ours = WindowNorm(3, 4).double()
    theirs = [torch.nn.BatchNorm1d(4).double() for _ in range(3)]
    for window, norm in enumerate(theirs):
        norm.weight.data = ours.weight.data[window, 0] = torch.rand(4).double()
        norm.bias.data = ours.bias.data[window, 0] = torch.rand(4).double()
    for step in range(3):
        values = (5 + step * torch.randn(3, 8, 4, dtype=torch.float64)).requires_grad_()
        pull = torch.randn(3, 8, 4, dtype=torch.float64)
        result = ours(values)
        wanted = torch.stack([norm(values[window]) for window, norm in enumerate(theirs)])
        assert_allclose(result.detach(), wanted.detach(), rtol=1e-9, atol=1e-9)
        of_ours = torch.autograd.grad((result * pull).sum(), [values, ours.weight, ours.bias])
        of_theirs = torch.autograd.grad(
            (wanted * pull).sum(), [values, *(n.weight for n in theirs), *(n.bias for n in theirs)]
        )
        assert_allclose(of_ours[0], of_theirs[0], rtol=1e-8, atol=1e-8)
        assert_allclose(of_ours[1][:, 0], torch.stack(of_theirs[1:4]), rtol=1e-8, atol=1e-8)
        assert_allclose(of_ours[2][:, 0], torch.stack(of_theirs[4:]), rtol=1e-8, atol=1e-8)
    for window, norm in enumerate(theirs):
        assert_allclose(ours.running_mean[window, 0], norm.running_mean, rtol=1e-9)
        assert_allclose(ours.running_var[window, 0], norm.running_var, rtol=1e-9)
    values = torch.randn(3, 8, 4, dtype=torch.float64)
    wanted = torch.stack([norm.eval()(values[window]) for window, norm in enumerate(theirs)])
    assert_allclose(ours.eval()(values).detach(), wanted.detach(), rtol=1e-9)


def test_with_neighbours__zeros_beyond_the_ends():
    values = torch.tensor([1.0, 2.0, 3.0]).reshape(3, 1, 1)
    assert_array_equal(with_neighbours(values)[:, 0], [[0, 1, 2], [1, 2, 3], [2, 3, 0]])


@pytest.mark.parametrize("kind", ["window-ae", "window-vae", "vqvae"])
def test_window_models__padded_sites_get_no_gradient(kind):
    model = model_of(kind)
    total(model(Batch(rows()), torch.randn(16, 10) if model.noise_shape else None)).backward()
    first, last = model.encoder_hidden[0][0].weight.grad, model.output[0].weight.grad
    assert last.shape == (5, 6, 5)
    assert_array_equal(first[4, 3:], 0)
    assert_array_equal(last[4, :, 3:], 0)
    assert (first[4, :3] != 0).any(dim=1).all()
    assert (last[4, :, :3] != 0).any(dim=0).all()


@pytest.mark.parametrize("kind", ["window-ae", "window-vae", "vqvae"])
def test_window_models__masked_sites_get_no_gradient(kind):
    model = model_of(kind)
    model.start_at(torch.full((23,), 0.5))
    called = torch.ones(23, dtype=torch.bool)
    called[[3, 22]] = False
    counts = rows()
    noise = torch.randn(16, 10) if model.noise_shape else None
    terms = model(Batch(counts, called), noise)
    total(terms).backward()
    gradient = model.windows.join(model.output[1].bias.grad)[0]
    assert_array_equal(gradient != 0, called)
    # What is written where nothing was called does not matter.
    again = model(Batch(torch.where(called, counts, 1 - counts), called), noise)
    assert_array_equal(again.losses["reconstruction"].detach(), terms.losses["reconstruction"].detach())


@pytest.mark.parametrize(("couple", "reached"), [(False, [2]), (True, [1, 2, 3])])
@pytest.mark.parametrize("kind", ["window-ae", "window-vae", "vqvae"])
def test_window_models__coupling_reaches_the_neighbours_and_no_further(kind, couple, reached):
    model = model_of(kind, couple=couple).eval()
    z = torch.randn(4, 10)
    other = z.clone()
    other[:, 4:6] = -other[:, 4:6]  # the latents of window 2
    changed = (model.decode(z) != model.decode(other)).any(dim=0)
    assert sorted({site // 5 for site in torch.nonzero(changed)[:, 0].tolist()}) == reached


def test_window_vae__latents_are_of_their_own_window():
    model = model_of("window-vae").eval()
    x = rows()
    other = x.clone()
    other[:, 20:] = 1 - other[:, 20:]  # window 4
    for ours, theirs in zip(model.encode(Batch(x)), model.encode(Batch(other))):
        assert ours.shape == (16, model.n_latents) == (16, 10)
        assert_array_equal((ours != theirs).any(dim=0), [False] * 8 + [True] * 2)


def test_window_vae__sharing_makes_windows_with_equal_alleles_alike():
    model = model_of("window-vae", share=True, n_sites=20)
    tiled = rows(n_sites=5).repeat(1, 4)
    mean, _ = model.encode(Batch(tiled))
    assert_allclose(mean[:, :2].detach(), mean[:, 6:].detach(), rtol=1e-4, atol=1e-5)
    few, many = (
        sum(p.numel() for p in model_of("window-vae", share=share, n_sites=20).parameters()) for share in (True, False)
    )
    weights = 5 * 7 + 2 * 7 * 2 + 2 * 6 + 6 * 5
    assert many - few == 3 * weights


def test_window_vae__is_a_loop_of_small_vaes():
    # Window 1, taken out of the batched products, in torch's own layers.
    model = model_of("window-vae", dropout=0.0).double()
    x = rows().double()
    z = torch.randn(16, 10, dtype=torch.float64)

    def block(values, part, relu):
        weight, norm = part[0].weight[1], part[1]
        values = torch.nn.functional.batch_norm(
            values @ weight, None, None, norm.weight[1, 0], norm.bias[1, 0], training=True
        )
        return torch.relu(values) if relu else values

    hidden = block(x[:, 5:10], model.encoder_hidden[0], relu=True)
    mean, log_variance = model.encode(Batch(x))
    assert_allclose(mean[:, 2:4].detach(), block(hidden, model.mean, relu=False).detach(), atol=1e-9)
    assert_allclose(log_variance[:, 2:4].detach(), block(hidden, model.log_variance, relu=False).detach(), atol=1e-9)
    logits = block(block(z[:, 2:4], model.decoder_hidden[0], relu=True), model.output, relu=False)
    assert_allclose(model.decode(z)[:, 5:10].detach(), logits.detach(), atol=1e-9)


def test_window_vae__starts_at_the_training_frequencies():
    model = model_of("window-vae", seed=3)
    frequency = torch.linspace(0.05, 0.95, 23)
    model.start_at(frequency)
    for layer in model.output:
        if isinstance(layer, WindowLinear):
            layer.weight.data.zero_()
    assert_allclose(torch.sigmoid(model.decode(torch.randn(4, 10)))[0].detach(), frequency, rtol=1e-4)


def test_window_config__a_window_longer_than_the_panel_is_the_whole_panel():
    assert WindowConfig(n_sites=30, window=2500).windows == Windows(30, 30)
    assert WindowConfig(n_sites=30, window=7, n_latent=3).n_latents == 15


def test_window_ae__has_neither_noise_nor_kl():
    model = model_of("window-ae").eval()
    assert isinstance(model, WindowAE)
    assert not isinstance(model, WindowVAE)
    assert model.noise_shape is None
    batch = Batch(rows())
    assert set(model(batch).losses) == {"reconstruction"}
    z, log_variance = model.encode(batch)
    assert_array_equal(torch.exp(log_variance), 0)
    wanted = torch.nn.functional.binary_cross_entropy_with_logits(model.decode(z), batch.counts, reduction="none")
    assert_allclose(model(batch).losses["reconstruction"].detach(), wanted.sum(dim=1).detach(), rtol=1e-5)


@pytest.mark.parametrize("kind", ["window-ae", "window-vae", "vqvae"])
def test_window_models__take_dosages_with_missing_calls(kind):
    model = model_of(kind, ploidy=2)
    dosages = torch.randint(0, 3, (16, 23)).float()
    called = torch.rand(16, 23) < 0.8
    terms = model(Batch(dosages, called), torch.randn(16, 10) if model.noise_shape else None)
    assert all(torch.isfinite(nats).all() for nats in terms.losses.values())


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("window-ae", {}),
        ("window-vae", {"couple": True}),
        ("vqvae", {"n_latent": 16, "heads": 2, "codes": 16}),
    ],
)
def test_window_models__a_short_training_beats_independent_sites(kind, shape, two_populations, two_populations_split):
    train = two_populations.select_samples(two_populations_split.samples("train", two_populations.samples))
    held_out = two_populations.select_samples(two_populations_split.samples("validation", two_populations.samples))
    p = (train.allele_counts() + 0.5) / (train.n_haplotypes + 1)
    x = held_out.alleles()
    independent = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1).mean()
    trained = train_model(
        two_populations, two_populations_split, "population", kind=kind,
        config=TrainingConfig(epochs=30, batch_size=24, patience=30),
        shape={"window": 64, "n_latent": 4, "hidden": (32,), "decoder_hidden": (32,), **shape},
    )  # fmt: skip
    length = sum(trained.kept.validation[name] for name in ("reconstruction", "kl", "codes")
                 if name in trained.kept.validation)  # fmt: skip
    assert length < 0.9 * independent
    network = load_network(trained.model)
    assert not network.training
    assert network.decode(network.encode(Batch(torch.from_numpy(x).float()))[0]).shape == x.shape
