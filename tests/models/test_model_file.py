"""Model files: what was trained comes back; damage and other files are told; torch is not needed to inspect."""

import json
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

pytest.importorskip("torch")

from safetensors import SafetensorError

from haploom.errors import CorruptModelError, FormatError, HaploomError, SiteMismatchError
from haploom.io.model_file import (
    ModelCard,
    describe_model,
    is_model_file,
    model_columns,
    panel_at_sites,
    read_model,
    write_model,
)
from haploom.panel import Panel
from haploom.report.training_curves import loss_terms, save_loss_plot
from haploom.training.epochs import EpochFigures


def test_model_file__comes_back(small_model, tmp_path):
    model = read_model(small_model)
    write_model(model, tmp_path / "copy.model")
    again = read_model(tmp_path / "copy.model")
    assert again.card == model.card
    assert again.variants.fingerprint() == model.variants.fingerprint()
    assert again.arrays.keys() == model.arrays.keys()
    for name, array in model.arrays.items():
        assert_array_equal(again.arrays[name], array)
    assert (tmp_path / "copy.model").read_bytes() == small_model.read_bytes()


def test_model_file__says_what_it_is(small_model, two_populations, two_populations_split):
    about = describe_model(small_model)
    assert (about["kind"], about["sites"], about["label_level"]) == ("vae", 300, "population")
    # Eq of the paper's shape at d = 300, q = 4.
    d, h, q = 300, 512, 4
    linear = (d * h + h) + 2 * (h * q + q) + (q * h + h) + (h * d + d)
    assert about["parameters"] == linear + 2 * (h + 2 * q + h + d)
    parts = two_populations_split.part_of
    assert about["people"] == {part: sum(p == part for p in parts.values()) for part in about["people"]}
    assert sum(about["labels"].values()) == about["people"]["train"]


def test_model_file__inspected_without_torch(small_model):
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from haploom.cli import main; sys.argv = ['haploom', 'inspect', '--json', sys.argv[1]]; main()\n"
    )
    run = [sys.executable, "-c", program, str(small_model)]
    printed = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert json.loads(printed)["kind"] == "vae"


def test_model_file__holds_no_training_haplotype(small_model, two_populations):
    model = read_model(small_model)
    for name, array in model.arrays.items():
        assert two_populations.n_haplotypes not in array.shape, name


def test_model_file__damage_is_told(small_model, tmp_path):
    whole = small_model.read_bytes()
    rng = np.random.default_rng(1)
    path = tmp_path / "damaged.model"
    for place in [0, 9, *rng.integers(0, len(whole), 60)]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            assert read_model(path).card == read_model(small_model).card
        except FormatError:
            continue
        pytest.fail(f"a flipped bit at byte {place} was not told")
    for length in [0, 5, 1000, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(FormatError):
            read_model(path)


def test_model_file__other_safetensors_are_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"x": np.zeros(3)}, tmp_path / "x.safetensors")
    with pytest.raises(FormatError, match="not a Haploom model"):
        read_model(tmp_path / "x.safetensors")
    assert is_model_file(tmp_path / "x.safetensors")


def test_model_file__changed_sites_are_told(small_model, tmp_path):
    model = read_model(small_model)
    card = model.card.model_copy(update={"site_fingerprint": "0" * 64})
    write_model(type(model)(card, model.variants, model.arrays), tmp_path / "x.model")
    with pytest.raises(CorruptModelError, match="fingerprint"):
        read_model(tmp_path / "x.model")


def test_model_columns__found_wherever_they_are(small_model, two_populations):
    model = read_model(small_model)
    assert_array_equal(model_columns(two_populations.variants, model), np.arange(300))
    with pytest.raises(SiteMismatchError, match="300 sites and 50 of them"):
        model_columns(two_populations.variants.select(slice(50, None)), model)


def test_panel_at_sites__swapped_alleles_are_recoded_and_told(small_model, two_populations, caplog):
    model, variants = read_model(small_model), two_populations.variants
    swapped = np.arange(300) % 3 == 0
    ref, alt = np.where(swapped, variants.alt, variants.ref), np.where(swapped, variants.ref, variants.alt)
    # The fixture has A or C against G or T: A/T and C/G among them look alike swapped and on the other strand.
    other_way = Panel.from_alleles(
        two_populations.alleles() ^ swapped, replace(variants, ref=ref, alt=alt), two_populations.samples
    )
    assert_array_equal(panel_at_sites(two_populations, model).bits, two_populations.bits)
    assert not caplog.text
    assert_array_equal(panel_at_sites(other_way, model).bits, two_populations.bits)
    assert "200 as they are, 100 with reference and alternate swapped" in caplog.text
    with pytest.raises(SiteMismatchError, match=r"250 of the model's 300 sites .* Wanted all"):
        panel_at_sites(two_populations.select_sites(slice(50, None)), model)


def test_model_file__a_changed_card_is_told(small_model, tmp_path):
    # A label renamed and a training person moved in the card's text, every length as it was.
    whole = small_model.read_bytes()
    for before, after in ((b"north", b"nirth"), (b"P07", b"P70")):
        assert before in whole
        (tmp_path / "x.model").write_bytes(whole.replace(before, after, 1))
        with pytest.raises(FormatError):
            read_model(tmp_path / "x.model")


def test_model_file__names_as_text(small_model, tmp_path):
    model = read_model(str(small_model))
    write_model(model, str(tmp_path / "copy.model"))
    assert repr(model) == "ModelFile(vae, 300 sites, labels north, south)"
    with pytest.raises(HaploomError, match=r"cannot read .*absent\.model: No such file"):
        read_model(str(tmp_path / "absent.model"))


def test_model_file__epochs_without_a_finite_loss_are_kept(small_model, tmp_path):
    model = read_model(small_model)
    terms = ("reconstruction", "kl")
    figures = EpochFigures(
        2, dict.fromkeys(terms, math.nan), dict.fromkeys(terms, math.inf), math.inf, 0.1, 1.0
    ).record()
    assert figures["train_kl"] is figures["validation_kl"] is figures["validation_loss"] is None
    json.dumps(figures, allow_nan=False)
    card = {**model.card.model_dump(), "history": [*model.card.history, figures]}
    write_model(replace(model, card=ModelCard.model_validate(card)), tmp_path / "again.model")
    read = read_model(tmp_path / "again.model")
    assert read.card.history[-1] == figures
    losses = loss_terms(read.card.history, "train")["KL"]
    assert np.isnan(losses[-1])
    assert np.isfinite(losses[:-1]).all()
    save_loss_plot(read, tmp_path / "loss.svg")


def test_model_file__what_cannot_be_written_is_told(small_model, tmp_path, monkeypatch):
    def full_disk(*_, **__):
        raise SafetensorError("No space left on device")

    monkeypatch.setattr("safetensors.numpy.save_file", full_disk)
    with pytest.raises(HaploomError, match=r"cannot write .*No space left"):
        write_model(read_model(small_model), tmp_path / "x.model")
    assert list(tmp_path.iterdir()) == []


def test_model_file__labels_and_their_latents_agree(small_model, tmp_path):
    model = read_model(small_model)
    card = model.card.model_copy(update={"labels": {}})
    write_model(replace(model, card=card), tmp_path / "again.model")
    with pytest.raises(CorruptModelError, match="not a row for each of 0 labels"):
        read_model(tmp_path / "again.model")
