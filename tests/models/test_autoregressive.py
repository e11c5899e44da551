"""The autoregressive model: its probabilities sum to one, it never looks ahead, and it draws what it says."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose

torch = pytest.importorskip("torch")

from haploom.models.autoregressive import Autoregressive, AutoregressiveConfig  # noqa: E402
from haploom.models.model import Batch  # noqa: E402


def untrained(seed=1, **settings):
    """A model with weights that matter everywhere."""
    torch.manual_seed(seed)
    model = Autoregressive(AutoregressiveConfig(**settings))
    model.start_at(torch.rand(settings["n_sites"]) * 0.8 + 0.1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return model.eval()


@pytest.mark.parametrize(("window", "context", "hidden"), [(4, 3, 8), (1, 2, 3), (9, 1, 5), (20, 40, 6), (3, 9, 1)])
@pytest.mark.parametrize("n_labels", [0, 2])
def test_probabilities__sum_to_one_over_all_haplotypes(window, context, hidden, n_labels):
    model = untrained(n_sites=9, window=window, context=context, hidden=hidden, n_labels=n_labels)
    rows = torch.tensor(list(product([0.0, 1.0], repeat=9)))
    labels = torch.ones(len(rows), dtype=torch.int64) if n_labels else None
    nats = model(Batch(rows, None, labels)).losses["likelihood"]
    assert torch.exp(-nats.double()).sum().item() == pytest.approx(1, abs=1e-5)


def test_probabilities__sum_to_one_over_all_dosages():
    model = untrained(n_sites=6, window=4, context=3, hidden=8, ploidy=2)
    rows = torch.tensor(list(product([0.0, 1.0, 2.0], repeat=6)))
    assert torch.exp(-model(Batch(rows)).losses["likelihood"].double()).sum().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("window", "context"), [(5, 4), (8, 16), (3, 2)])
def test_log_odds__do_not_depend_on_what_comes_after(window, context):
    model = untrained(n_sites=17, window=window, context=context, hidden=16)
    rows = torch.randint(0, 2, (6, 17)).float()
    before = model.log_odds(Batch(rows)).detach()
    for site in range(17):
        changed = rows.clone()
        changed[:, site:] = 1 - changed[:, site:]
        assert_allclose(
            model.log_odds(Batch(changed)).detach()[:, : site + 1], before.detach()[:, : site + 1], atol=1e-5
        )


def test_log_odds__depend_on_every_site_before_within_the_context():
    model = untrained(n_sites=17, window=5, context=4, hidden=16)
    rows = torch.zeros(1, 17)
    for site in range(1, 17):
        window_start = site // 5 * 5
        for earlier in range(max(0, window_start - 4), site):
            changed = rows.clone()
            changed[0, earlier] = 1
            assert model.log_odds(Batch(changed))[0, site] != model.log_odds(Batch(rows))[0, site]


@pytest.mark.parametrize("ploidy", [1, 2])
def test_sample__haplotypes_come_as_often_as_the_model_says(ploidy):
    model = untrained(n_sites=4, window=3, context=2, hidden=6, n_labels=2, ploidy=ploidy)
    rows = torch.tensor(list(product(range(ploidy + 1), repeat=4))).float()
    labels = torch.zeros(40_000, dtype=torch.int64)
    probability = torch.exp(-model(Batch(rows, None, labels[: len(rows)])).losses["likelihood"]).detach().numpy()
    drawn = model.sample(len(labels), labels, torch.Generator().manual_seed(1))
    place = (drawn.numpy() @ (ploidy + 1) ** np.arange(3, -1, -1)).astype(int)
    share = np.bincount(place, minlength=len(rows)) / len(labels)
    assert np.abs(share - probability).max() < 5 * 0.5 / np.sqrt(len(labels))


def test_training__independent_sites_are_its_start():
    frequency = torch.tensor([0.1, 0.5, 0.9, 0.3])
    model = Autoregressive(AutoregressiveConfig(n_sites=4, window=3))
    model.start_at(frequency)
    rows = torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    wanted = -np.log([0.1, 0.5, 0.9, 0.7]).sum()
    assert model(Batch(rows)).losses["likelihood"].item() == pytest.approx(wanted, rel=1e-5)


def test_missing_calls__cost_nothing_and_have_no_gradient():
    model = untrained(n_sites=9, window=4, context=3, hidden=8)
    rows, called = torch.randint(0, 2, (5, 9)).float(), torch.rand(5, 9) < 0.6
    logits = model.log_odds(Batch(rows, called)).detach()
    nats = torch.nn.functional.binary_cross_entropy_with_logits(logits, rows, reduction="none")
    assert_allclose(model(Batch(rows, called)).losses["likelihood"].detach(), (nats * called).sum(1), rtol=1e-5)
    other = torch.where(called, rows, 1 - rows)
    assert_allclose(model.log_odds(Batch(other, called)).detach(), logits)
