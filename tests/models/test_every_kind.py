"""Every kind of network as a file: what was trained comes back, what is damaged or does not fit is refused."""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from haploom.errors import CorruptModelError, FormatError, HaploomError  # noqa: E402
from haploom.io.model_file import read_model, write_model  # noqa: E402
from haploom.models.network import CONDITIONED, KINDS, load_network  # noqa: E402
from haploom.training.config import TrainingConfig  # noqa: E402
from haploom.training.dataset import PanelDataset  # noqa: E402
from haploom.training.fit import train_model  # noqa: E402
from haploom.training.loop import evaluate  # noqa: E402


@pytest.fixture(scope="module", params=KINDS)
def trained(request, two_populations, two_populations_split, tmp_path_factory):
    """(model, its file) of one epoch of each kind."""
    panel, config = two_populations.select_sites(slice(0, 60)), TrainingConfig(epochs=1, batch_size=24)
    model = train_model(panel, two_populations_split, "population", kind=request.param, config=config).model
    path = tmp_path_factory.mktemp("kinds") / request.param
    write_model(model, path)
    return model, path


def test_every_kind__comes_back_and_gives_the_same_loss(trained, two_populations, two_populations_split):
    model, path = trained
    loaded = load_network(read_model(path))
    assert not loaded.training
    held_out = two_populations.select_samples(two_populations_split.samples("validation", two_populations.samples))
    labels = ("population", tuple(model.labels)) if model.card.kind in CONDITIONED else ()
    data = PanelDataset(held_out.select_sites(slice(0, 60)), *labels)
    seed = 1  # of the noise on validation people, which is the training's
    terms = evaluate(loaded, data, seed)
    if model.card.kind != "yvae":  # its members draw by seeds of their own
        wanted = {name: model.card.history[0][f"validation_{name}"] for name in terms}
        assert terms == pytest.approx(wanted, rel=1e-5)


def test_every_kind__damage_is_told(trained, tmp_path):
    whole = trained[1].read_bytes()
    rng = np.random.default_rng(2)
    path = tmp_path / "damaged"
    for place in rng.integers(0, len(whole), 12):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        with pytest.raises(FormatError):
            read_model(path)


def test_every_kind__arrays_that_do_not_fit_are_told(trained):
    model, _ = trained
    name = max((name for name in model.arrays if name.startswith("weights.")), key=lambda each: model.arrays[each].size)
    absent = {each: array for each, array in model.arrays.items() if each != name}
    for arrays in (absent, {**absent, name: model.arrays[name][1:]}, {**model.arrays, "weights.more": np.zeros(3)}):
        with pytest.raises(CorruptModelError, match="do not fit its settings"):
            load_network(replace(model, arrays=arrays))


def test_every_kind__settings_that_do_not_fit_are_told(trained):
    model, _ = trained
    for changes in ({"n_sites": 59}, {"colour": 1}):
        card = model.card.model_copy(update={"config": {**model.card.config, **changes}})
        with pytest.raises(HaploomError, match=r"do not fit its settings|unknown settings \['colour'\]"):
            load_network(replace(model, card=card))
    others = [kind for kind in KINDS if KINDS[kind][1] is not KINDS[model.card.kind][1]]
    for kind in others:
        with pytest.raises(HaploomError):
            load_network(replace(model, card=model.card.model_copy(update={"kind": kind})))


def test_every_kind__huge_settings_take_no_memory(trained):
    model, _ = trained
    sizes = {name: 10**9 for name, value in model.card.config.items() if isinstance(value, int) and name != "ploidy"}
    shapes = {name: [10**9] for name, value in model.card.config.items() if isinstance(value, list | tuple)}
    for name, value in {**sizes, **shapes, "n_sites": "many"}.items():
        card = model.card.model_copy(update={"config": {**model.card.config, name: value}})
        with suppress(HaploomError):  # a setting of training alone does no harm
            load_network(replace(model, card=card))
