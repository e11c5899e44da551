"""The training loop: it learns, it is repeatable, it leaves modes and random states as they were."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

torch = pytest.importorskip("torch")

from haploom.errors import HaploomError  # noqa: E402
from haploom.models.encoder import encode_batches, packed_batches, rows_at_once  # noqa: E402
from haploom.models.network import load_network  # noqa: E402
from haploom.models.vae import VAE, VAEConfig  # noqa: E402
from haploom.panel import Split  # noqa: E402
from haploom.training.config import TrainingConfig  # noqa: E402
from haploom.training.dataset import PanelDataset, batches  # noqa: E402
from haploom.training.devices import choose_device  # noqa: E402
from haploom.training.fit import train_model  # noqa: E402
from haploom.training.loop import evaluate, train_network  # noqa: E402
from haploom.training.processes import single_process  # noqa: E402
from haploom.training.profiles import PROFILES  # noqa: E402

CPU = torch.device("cpu")


def train_small(panel, split, **settings):
    return train_model(panel, split, "population", shape={"n_latent": 4}, **settings)


@pytest.fixture(scope="module")
def trained(two_populations, two_populations_split):
    config = TrainingConfig(epochs=40, batch_size=24, patience=40)
    return train_small(two_populations, two_populations_split, config=config)


def test_training__beats_independent_sites(trained, two_populations, two_populations_split):
    # Code length of the validation people under the training people's allele frequencies, in nats.
    train = two_populations.select_samples(two_populations_split.samples("train", two_populations.samples))
    held_out = two_populations.select_samples(two_populations_split.samples("validation", two_populations.samples))
    p = (train.allele_counts() + 0.5) / (train.n_haplotypes + 1)
    x = held_out.alleles()
    independent = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1).mean()
    assert trained.kept.validation_loss < 0.9 * independent


def test_training__keeps_the_best_epoch(trained, two_populations, two_populations_split):
    held_out = two_populations.select_samples(two_populations_split.samples("validation", two_populations.samples))
    seed = int(trained.model.card.training["seed"])
    terms = evaluate(load_network(trained.model), PanelDataset(held_out), seed)
    assert sum(terms.values()) == pytest.approx(trained.kept.validation_loss)
    assert trained.kept.validation_loss == min(figures.validation_loss for figures in trained.history)


def test_training__the_epoch_is_chosen_by_what_is_trained_for(two_populations, two_populations_split, monkeypatch):
    # The second is better at beta 1, the first at beta 10.
    figures = iter([{"reconstruction": 100.0, "kl": 1.0}, {"reconstruction": 10.0, "kl": 20.0}])
    monkeypatch.setattr("haploom.training.loop.evaluate", lambda *_: next(figures))
    config = TrainingConfig(epochs=2, batch_size=24, beta=10.0)
    trained = train_small(two_populations, two_populations_split, config=config)
    assert [each.validation_loss for each in trained.history] == [110, 210]
    assert trained.kept.epoch == trained.model.card.training["kept_epoch"] == 1


def test_training__same_seed_same_weights(two_populations, two_populations_split):
    def weights(seed, threads):
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        torch.rand(seed + 3)  # whatever was drawn before must not matter
        config = TrainingConfig(epochs=2, batch_size=24, seed=seed)
        trained = train_model(
            two_populations, two_populations_split, "population", config=config, shape={"n_latent": 4}
        )
        torch.set_num_threads(before)
        return trained.model.arrays

    first, again, other = weights(1, 1), weights(1, 1), weights(2, 1)
    for name, array in first.items():
        assert_array_equal(array, again[name], err_msg=name)
    assert not np.array_equal(first["weights.output.0.weight"], other["weights.output.0.weight"])


def test_training__random_state_is_left_alone(two_populations, two_populations_split):
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    config = TrainingConfig(epochs=1, batch_size=24)
    train_small(two_populations, two_populations_split, config=config)
    assert_array_equal(torch.rand(3).numpy(), wanted.numpy())


def test_training__patience_ends_it(two_populations, two_populations_split):
    config = TrainingConfig(epochs=300, batch_size=24, learning_rate=0.2, patience=3)
    trained = train_small(two_populations, two_populations_split, config=config)
    assert len(trained.history) == trained.kept.epoch + 3 < 300


def test_training__test_people_are_not_looked_at(two_populations, two_populations_split):
    # With the test people's alleles turned round, nothing changes.
    alleles = two_populations.alleles().copy()
    test = set(two_populations_split.samples("test", two_populations.samples))
    rows = np.repeat([name in test for name in two_populations.samples], 2)
    alleles[rows] ^= 1
    changed = type(two_populations).from_alleles(
        alleles, two_populations.variants, two_populations.samples, two_populations.populations
    )
    config = TrainingConfig(epochs=2, batch_size=24)
    a, b = (
        train_small(panel, two_populations_split, config=config, maf=0.05).model for panel in (two_populations, changed)
    )
    assert a.card.site_fingerprint == b.card.site_fingerprint
    for name, array in a.arrays.items():
        assert_array_equal(array, b.arrays[name], err_msg=name)


def test_training__common_sites_are_those_of_training_people(two_populations, two_populations_split):
    config = TrainingConfig(epochs=1, batch_size=24)
    model = train_model(
        two_populations, two_populations_split, "population", config=config, shape={"n_latent": 2}, maf=0.2
    ).model
    train = two_populations.select_samples(two_populations_split.samples("train", two_populations.samples))
    wanted = two_populations.variants.select(train.minor_allele_frequencies() > 0.2)
    assert model.variants.fingerprint() == wanted.fingerprint()


def test_training__latents_of_the_labels(trained, two_populations, two_populations_split):
    train = two_populations.select_samples(two_populations_split.samples("train", two_populations.samples))
    means = encode_batches(load_network(trained.model), packed_batches(train.bits, train.n_sites))
    labels = train.labels("population", per="haplotype")
    for place, name in enumerate(trained.model.labels):
        chosen = means[labels == name]
        np.testing.assert_allclose(
            trained.model.arrays["labels.mean"][place], chosen.mean(axis=0), rtol=1e-4, atol=1e-5
        )
        np.testing.assert_allclose(trained.model.arrays["labels.variance"][place], chosen.var(axis=0), rtol=1e-3)


def test_training__people_without_parts(two_populations):
    with pytest.raises(HaploomError, match="none of these 60 samples in part 'train'"):
        train_model(two_populations, Split({"somebody": "train"}), "population")
    one = {name: "train" if name == "P00" else "validation" for name in two_populations.samples}
    with pytest.raises(HaploomError, match="two people or more"):
        train_model(two_populations, Split(one), "population")


def test_training__maf_that_leaves_nothing(two_populations, two_populations_split):
    fixed = two_populations.select_sites(two_populations.minor_allele_frequencies() < 0.3)
    with pytest.raises(HaploomError, match="no site of"):
        train_model(fixed, two_populations_split, "population", maf=0.49)


def test_evaluate__mode_is_restored_and_noise_is_the_same(two_populations):
    model = VAE(VAEConfig(n_sites=300, n_latent=4, hidden=(8,), decoder_hidden=(8,)))
    data = PanelDataset(two_populations)
    for training in (True, False):
        model.train(training)
        assert evaluate(model, data, 1) == evaluate(model, data, 1)
        assert model.training is training


def test_encode_batches__mode_is_restored_and_batches_do_not_mix(two_populations, monkeypatch):
    model = VAE(VAEConfig(n_sites=300, n_latent=4, hidden=(8,), decoder_hidden=(8,))).train()
    whole = encode_batches(model, packed_batches(two_populations.bits, 300))
    monkeypatch.setattr("haploom.models.encoder.MOST_ROWS_AT_ONCE", 7)
    np.testing.assert_allclose(encode_batches(model, packed_batches(two_populations.bits, 300)), whole, atol=1e-5)
    assert model.training


@pytest.mark.parametrize(("n_sites", "rows"), [(1, 1024), (10_000, 1024), (317_408, 105), (10**9, 2)])
def test_rows_at_once__memory_is_bounded_at_any_width(n_sites, rows):
    assert rows_at_once(n_sites) == rows


@pytest.mark.parametrize("batch_size", [2, 7, 24, 119, 120, 1000])
def test_batches__every_row_once_and_never_one_alone(batch_size):
    shuffled = list(batches(120, batch_size, np.random.default_rng(1)))
    assert sorted(np.concatenate(shuffled).tolist()) == list(range(120))
    assert min(len(rows) for rows in shuffled) > 1
    assert_array_equal(np.concatenate(list(batches(120, batch_size))), np.arange(120))
    for n_rows in range(2, 24):  # 3 and 7 rows by two: a batch fewer, not one of a single row
        assert min(len(rows) for rows in batches(n_rows, batch_size)) > 1


def test_profiles__paper_settings():
    paper = PROFILES["vae"]["paper"].training
    assert (paper.learning_rate, paper.batch_size, paper.beta) == (1e-4, 128, 1.0)


@pytest.mark.parametrize("bad", [{"epochs": 0}, {"learning_rate": -1.0}, {"beta": float("nan")}, {"patience": 0}])
def test_training_config__is_checked(bad):
    with pytest.raises(HaploomError, match="out of range"):
        replace(TrainingConfig(), **bad)


def test_device__that_is_not_there():
    with pytest.raises(HaploomError, match="unknown device"):
        choose_device("warp")
    with pytest.raises(HaploomError, match="not one that models are trained on"):
        choose_device("meta")
    if not torch.cuda.is_available():
        with pytest.raises(HaploomError, match="sees no CUDA"):
            choose_device("cuda")
        assert choose_device("auto") == CPU


def test_loop__loss_that_is_not_finite_is_told(two_populations):
    class Broken(VAE):
        def encode(self, batch):
            mean, log_variance = super().encode(batch)
            return mean * float("nan"), log_variance

    model = Broken(VAEConfig(n_sites=300, n_latent=2, hidden=(4,), decoder_hidden=(4,)))
    data = PanelDataset(two_populations)
    with pytest.raises(HaploomError, match="no finite loss"):
        train_network(model, data, data, TrainingConfig(epochs=1), single_process(CPU))


@pytest.mark.parametrize("bad", [{"schedule": "cosin"}, {"optimizer": "sgd"}])
def test_config__unknown_ways_are_refused(bad):
    with pytest.raises(HaploomError, match="is none of"):
        TrainingConfig(**bad)


def test_training__unknown_kind_is_refused(two_populations, two_populations_split):
    with pytest.raises(HaploomError, match="no kind of model 'vea': choose one of vae,"):
        train_model(two_populations, two_populations_split, "population", kind="vea")
