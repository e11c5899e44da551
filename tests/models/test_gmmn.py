"""Moment matching: the discrepancy is that of the kernels, processes share it, and it learns."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose

torch = pytest.importorskip("torch")

from haploom.errors import HaploomError  # noqa: E402
from haploom.models import gmmn as gmmn_module  # noqa: E402
from haploom.models.gmmn import GMMN, GMMNConfig  # noqa: E402
from haploom.models.model import Batch  # noqa: E402
from haploom.models.network import load_network  # noqa: E402
from haploom.training.config import TrainingConfig  # noqa: E402
from haploom.training.fit import train_model  # noqa: E402


def network(n_sites=12, n_labels=0, n_features=1024, seed=1, **settings):
    torch.manual_seed(seed)
    config = GMMNConfig(n_sites=n_sites, n_labels=n_labels, n_noise=6, hidden=(16,), n_features=n_features, **settings)
    return GMMN(config)


def rows(n, n_sites=12, seed=2):
    return torch.randint(0, 2, (n, n_sites), generator=torch.Generator().manual_seed(seed)).float()


def kernel_discrepancy(a, b, widths):
    """The unbiased estimate of Gretton et al. 2012, from all pairs of rows, with exact Gaussian kernels."""
    total = 0.0
    for width in widths:
        kernel = lambda x, y, w=width: np.exp(-((x[:, None] - y[None]) ** 2).sum(-1) / (2 * w * w))  # noqa: E731
        within = [(kernel(x, x).sum() - len(x)) / (len(x) * (len(x) - 1)) for x in (a, b)]
        total += sum(within) - 2 * kernel(a, b).mean()
    return total


def test_discrepancy__is_that_of_the_kernels():
    model = network(n_features=40_000).eval()
    model.start_at(torch.full((12,), 0.5))
    batch, noise = Batch(rows(30)), torch.randn(30, 6, generator=torch.Generator().manual_seed(3))
    made = model.sample(noise).numpy().astype(float)
    widths = [share * np.sqrt(12 / 2) for share in model.config.bandwidths]  # sum of 2 p (1 - p) is 6
    wanted = kernel_discrepancy(batch.counts.numpy(), made, widths)
    assert wanted > 0.1
    assert model(batch, noise).losses["discrepancy"].item() == pytest.approx(wanted, abs=0.03)


def test_discrepancy__with_labels_is_the_mean_over_labels():
    model = network(n_labels=3).eval()
    counts, noise, labels = rows(24), torch.randn(24, 6), torch.tensor([0, 1] * 11 + [2, 1])
    got = model(Batch(counts, labels=labels), noise).losses["discrepancy"].item()
    alone = network(n_labels=3).eval()
    apart = [
        alone(Batch(counts[labels == k], labels=labels[labels == k]), noise[labels == k]).losses["discrepancy"].item()
        for k in (0, 1)
    ]
    assert got == pytest.approx((11 * apart[0] + 12 * apart[1]) / 23, rel=1e-4)  # the one row of label 2 says nothing
    model.train()(Batch(counts, labels=labels), noise).losses["discrepancy"].backward()
    assert all(bool(p.grad.isfinite().all()) for p in model.parameters())


def test_discrepancy__of_one_distribution_is_nought_on_average():
    model = network(n_features=2000)
    features = partial(gmmn_module._means, groups=torch.ones(50, 1))
    generator = torch.Generator().manual_seed(1)
    seen = []
    for _ in range(60):
        a, b = ((torch.rand(50, 12, generator=generator) < 0.3).float() for _ in range(2))
        (x, n), (y, _) = (features(model._features(each)) for each in (a, b))
        within = [(n * m.square().sum(dim=1) - 3) / (n - 1) for m in (x, y)]
        seen.append((within[0] + within[1] - 2 * (x * y).sum(dim=1)).item())
    assert abs(np.mean(seen)) < 4 * np.std(seen) / np.sqrt(60)
    assert np.std(seen) < 0.05


def test_gmmn__the_gradient_goes_through_the_decision():
    model = network()
    model(Batch(rows(16)), torch.randn(16, 6)).losses["discrepancy"].backward()
    assert all(float(p.grad.abs().sum()) > 0 for name, p in model.named_parameters() if name != "generator.0.0.bias")


def test_means__shares_of_a_batch_add_up_to_its_gradient(monkeypatch):
    # Two processes with 5 and 3 rows, played one after the other: the loop averages their gradients, weighted.
    values, groups = rows(8), torch.nn.functional.one_hot(torch.tensor([0, 1, 0, 1, 1, 0, 1, 1]), 2).float()
    target = torch.randn(2, 12, generator=torch.Generator().manual_seed(1))

    def gradient(part):
        own = values[part].clone().requires_grad_()
        means, counts = gmmn_module._means(own, groups[part])
        ((means - target) ** 2 * counts[:, None]).sum().backward()
        return means.detach(), own.grad

    whole_means, whole = gradient(slice(0, 8))

    def pretend(part):
        """All-reduce as if the other rows were in another process."""

        def add(*tensors):
            for tensor, total in zip(tensors, (groups.T @ values, groups.sum(dim=0))):
                tensor.copy_(total)

        monkeypatch.setattr(gmmn_module, "sum_over_processes", add)
        return gradient(part)

    for part, n_own in ((slice(0, 5), 5), (slice(5, 8), 3)):
        means, own = pretend(part)
        assert_allclose(means, whole_means, rtol=1e-6)
        share, processes = n_own * 2 / 8, 2
        assert_allclose(own * share / processes, whole[part], rtol=1e-5)


def test_gmmn__learns_frequencies_and_linkage_and_comes_back(two_populations, two_populations_split):
    config = TrainingConfig(epochs=80, batch_size=36, learning_rate=5e-3, patience=80, schedule="constant")
    trained = train_model(
        two_populations.select_sites(slice(0, 80)), two_populations_split, "population", kind="gmmn", config=config,
        shape={"n_labels": 0, "n_features": 256, "hidden": (64, 64), "n_noise": 16},
    )  # fmt: skip
    model = load_network(trained.model)
    again = load_network(trained.model)
    noise = torch.randn(400, 16, generator=torch.Generator().manual_seed(3))
    made = model.sample(noise).numpy()
    assert np.array_equal(made, again.sample(noise).numpy())
    real = two_populations.select_sites(slice(0, 80)).alleles()
    assert np.corrcoef(real.mean(axis=0), made.mean(axis=0))[0, 1] > 0.95
    varies = (real.std(axis=0) > 0.3) & (made.std(axis=0) > 0.1)
    linkage = [np.corrcoef(each[:, varies].T)[np.triu_indices(varies.sum(), 1)] for each in (real, made)]
    assert np.corrcoef(*linkage)[0, 1] > 0.7  # independent sites would give 0
    figures = trained.model.card.training
    assert "validation_loss" in figures
    assert "validation_bits_per_site" not in figures
    assert "labels.mean" not in trained.model.arrays


def test_gmmn__features_are_those_of_the_file():
    model = network(seed=4)
    other = network(seed=5)
    other.load_state_dict(model.state_dict())
    batch, noise = Batch(rows(16)), torch.randn(16, 6)
    assert model.eval()(batch, noise).losses["discrepancy"] == other.eval()(batch, noise).losses["discrepancy"]


def test_gmmn__settings_it_cannot_use(two_populations, two_populations_split):
    with pytest.raises(HaploomError, match="kind gmmn has no n_latent"):
        train_model(two_populations, two_populations_split, "population", kind="gmmn", shape={"n_latent": 3})
    with pytest.raises(HaploomError, match="phased genotypes"):
        GMMNConfig(n_sites=5, ploidy=2)
    for bandwidths in ((), (1.0, 0.0)):
        with pytest.raises(HaploomError, match="bandwidths"):
            GMMNConfig(n_sites=5, bandwidths=bandwidths)
    with pytest.raises(ValueError, match="none was given"):
        network()(Batch(rows(4)))
