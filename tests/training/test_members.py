"""The Y-VAE's members: each sees the people of its label alone, and comes out the same wherever it was trained."""

import logging
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from haploom.ancestry import classify_panel  # noqa: E402
from haploom.compression import compress  # noqa: E402
from haploom.embedding import embed_panel  # noqa: E402
from haploom.errors import HaploomError  # noqa: E402
from haploom.io import write_panel  # noqa: E402
from haploom.io.model_file import describe_model, read_model, write_model  # noqa: E402
from haploom.models.encoder import encode_batches, packed_batches  # noqa: E402
from haploom.models.network import load_network  # noqa: E402
from haploom.panel import Split  # noqa: E402
from haploom.training.config import TrainingConfig  # noqa: E402
from haploom.training.dataset import PanelDataset  # noqa: E402
from haploom.training.fit import train_model  # noqa: E402
from haploom.training.loop import evaluate  # noqa: E402

SHAPE = {"n_latent": 3, "hidden": (16,), "decoder_hidden": (16,)}
CONFIG = TrainingConfig(epochs=6, batch_size=16)


def train(panel, split, processes=1, **settings):
    return train_model(
        panel, split, "population", kind="yvae", shape=SHAPE, processes=processes, **({"config": CONFIG} | settings)
    )


@pytest.fixture(scope="module")
def trained(two_populations, two_populations_split):
    return train(two_populations, two_populations_split)


def test_members__one_and_two_workers_give_the_same_file(trained, two_populations, two_populations_split, tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(2)  # members are trained on one, whatever is set
    try:
        write_model(train(two_populations, two_populations_split, processes=2).model, tmp_path / "two")
    finally:
        torch.set_num_threads(before)
    write_model(trained.model, tmp_path / "one")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_members__see_their_own_people_only(trained, two_populations, two_populations_split):
    # With the alleles of the south turned round, the north's network is bit for bit what it was.
    alleles = two_populations.alleles().copy()
    alleles[two_populations.labels("population", per="haplotype") == "south"] ^= 1
    changed = type(two_populations).from_alleles(
        alleles, two_populations.variants, two_populations.samples, two_populations.populations
    )
    other = train(changed, two_populations_split).model
    for name, array in trained.model.group("weights.members.0").items():
        assert array.tobytes() == other.arrays[f"weights.members.0.{name}"].tobytes(), name
    assert np.any(trained.model.arrays["weights.members.1.frequency"] != other.arrays["weights.members.1.frequency"])


def test_members__the_history_names_labels(trained, two_populations, two_populations_split):
    labels = [row["label"] for row in trained.model.card.history]
    assert labels == ["north"] * 6 + ["south"] * 6
    training = trained.model.card.training
    assert training["epochs_run"] == {"north": 6, "south": 6}
    assert training["kept_epoch"].keys() == {"north", "south"}
    with pytest.raises(ValueError, match="too many values"):
        _ = trained.kept


def test_members__held_out_figures_are_those_of_the_whole(trained, two_populations, two_populations_split, tmp_path):
    # The noise of a member is drawn by its own seed: with the variance of the latents at its mean, they agree closely.
    held_out = two_populations.select_samples(two_populations_split.samples("validation", two_populations.samples))
    data = PanelDataset(held_out, "population", ("north", "south"))
    network = load_network(trained.model)
    terms = [evaluate(network, data, seed) for seed in range(20)]
    nats = np.mean([sum(each.values()) for each in terms])
    training = trained.model.card.training
    assert training["validation_loss"] == pytest.approx(nats, rel=0.03)
    bits = training["validation_loss"] / np.log(2) / two_populations.n_sites
    assert training["validation_bits_per_site"] == pytest.approx(bits)
    write_model(trained.model, tmp_path / "m")
    about = describe_model(tmp_path / "m")
    assert any("latent space of its own" in limit for limit in about["limits"])


def test_members__no_validation_people_of_a_label(two_populations, two_populations_split, caplog):
    north = set(np.array(two_populations.samples)[two_populations.labels("population") == "north"])
    parts = {
        name: "train" if part == "validation" and name in north else part
        for name, part in two_populations_split.part_of.items()
    }
    with caplog.at_level(logging.WARNING, "haploom"):
        trained = train(two_populations, Split(parts), config=replace(CONFIG, epochs=2))
    assert "north has no validation people: its epoch is chosen by its training people" in caplog.text
    # The held-out figure is of the south alone: there are no others.
    kept = min(f.validation_loss for f in trained.history if f.label == "south")
    assert trained.model.card.training["validation_loss"] == pytest.approx(kept)


def test_members__one_training_person_of_a_label(two_populations):
    parts = dict.fromkeys(two_populations.samples, "train")
    south = np.array(two_populations.samples)[two_populations.labels("population") == "south"]
    parts |= dict.fromkeys(south[1:].tolist(), "validation")
    with pytest.raises(HaploomError, match="label south has one training person"):
        train(two_populations, Split(parts))


def test_members__the_file_loads(trained, tmp_path):
    write_model(trained.model, tmp_path / "m")
    model = read_model(tmp_path / "m")
    assert model.n_parameters == sum(p.numel() for p in load_network(model).parameters())
    assert {name.split(".")[1] for name in model.arrays if name.startswith("exact.")} == {"0", "1"}


def test_members__do_not_store_haplotypes(trained, two_populations, tmp_path):
    write_panel(two_populations, tmp_path / "x.vcf")
    write_model(trained.model, tmp_path / "m")
    with pytest.raises(HaploomError, match="is a yvae of haplotypes, which does not store haplotypes"):
        compress(tmp_path / "x.vcf", tmp_path / "x.hlm", codec="vae+rle", model=tmp_path / "m")


def test_members__place_people_by_their_label(trained, two_populations):
    north = load_network(trained.model).members[0]
    chosen = two_populations.select_samples(["P03", "P41"])
    wanted = encode_batches(north, packed_batches(chosen.bits, chosen.n_sites))
    assert chosen.labels("population").tolist() == ["north", "south"]
    z = embed_panel(chosen, trained.model).z
    np.testing.assert_allclose(z[:2], wanted[:2], rtol=1e-5, atol=1e-6)
    assert np.abs(z[2:] - wanted[2:]).max() > 0.01
    with pytest.raises(HaploomError, match="no column 'population' of labels here"):
        embed_panel(chosen.with_populations({"country": chosen.labels("population")}), trained.model)
    # Without any, each row goes to the label that `classify` gives it.
    said = classify_panel(chosen, trained.model).labels
    south = load_network(trained.model).members[1]
    members = {"north": wanted, "south": encode_batches(south, packed_batches(chosen.bits, chosen.n_sites))}
    guessed = embed_panel(chosen.with_populations({}), trained.model).z
    np.testing.assert_allclose(guessed, [members[label][row] for row, label in enumerate(said)], rtol=1e-5, atol=1e-6)
    assert set(classify_panel(chosen, trained.model).labels.tolist()) <= {"north", "south"}  # by MAP, without theirs
