from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_array_equal

pytest.importorskip("torch")

from haploom.ancestry import classify_panel
from haploom.errors import CorruptModelError, HaploomError
from haploom.io.model_file import read_model
from haploom.synthesis import model_source, populations_of, synthesize, synthesize_panel
from haploom.synthesis.sources import ROWS


def test_synthesize__people_look_like_their_population(two_populations, small_model):
    model = read_model(small_model)
    made = synthesize_panel(model, ["north", "south"], 40)
    assert made.n_samples == 80
    got = classify_panel(made, model)
    assert (got.labels == made.labels("population", per="haplotype")).mean() > 0.9
    # Frequencies follow those of the own population's people, not the other's.
    real, synthetic = (
        {label: p.alleles()[p.labels("population", per="haplotype") == label].mean(axis=0) for label in model.labels}
        for p in (two_populations, made)
    )
    for label, other in (("north", "south"), ("south", "north")):
        own = np.corrcoef(real[label], synthetic[label])[0, 1]
        assert own > 0.6
        assert own > np.corrcoef(real[other], synthetic[label])[0, 1] + 0.3


def test_synthesize__same_seed_same_people_whoever_else_is_made(small_model):
    model = read_model(small_model)
    alone = synthesize_panel(model, ["south"], 10, seed=3)
    both = synthesize_panel(model, ["north", "south"], 10, seed=3)
    assert_array_equal(alone.bits, both.bits[20:])
    # A second block begins after ROWS haplotypes: the first ones stay, and threads change nothing.
    source = model_source(model)
    many = synthesize(source, ["south"], ROWS, seed=3, threads=3)
    assert_array_equal(many.bits[:20], alone.bits)
    assert_array_equal(synthesize(source, ["south"], ROWS, seed=3).bits, many.bits)
    assert not np.array_equal(many.bits[:ROWS], many.bits[ROWS:])
    assert not np.array_equal(synthesize_panel(model, ["south"], 10, seed=4).bits, alone.bits)


def test_synthesize__people_are_marked(small_model):
    made = synthesize_panel(read_model(small_model), ["south"], 2)
    assert made.samples == ("SYN_south_00001", "SYN_south_00002")


def test_synthesize__unknown_population(small_model):
    with pytest.raises(HaploomError, match="no population 'west': it has north, south"):
        synthesize_panel(read_model(small_model), ["west"], 2)


@pytest.fixture(scope="module")
def model_of(two_populations, two_populations_split):
    """A model of a kind, trained for a moment."""
    from haploom.training.config import TrainingConfig
    from haploom.training.fit import train_model

    @cache
    def trained(kind, **shape):
        config = TrainingConfig(epochs=25, batch_size=24, learning_rate=5e-3)
        return train_model(two_populations, two_populations_split, "population", kind=kind, config=config,
                           shape=shape, processes=1).model  # fmt: skip

    return trained


@pytest.mark.parametrize("kind", ["cvae", "yvae", "gmmn"])
def test_synthesize__conditional_kinds_follow_their_label(kind, model_of, two_populations):
    made = synthesize_panel(model_of(kind), ["north", "south"], 40)
    labels = made.labels("population", per="haplotype")
    frequency = {
        label: two_populations.alleles()[two_populations.labels("population", per="haplotype") == label].mean(axis=0)
        for label in ("north", "south")
    }
    for label, other in (("north", "south"), ("south", "north")):
        synthetic = made.alleles()[labels == label].mean(axis=0)
        own = np.corrcoef(frequency[label], synthetic)[0, 1]
        assert own > 0.6
        assert own > np.corrcoef(frequency[other], synthetic)[0, 1] + 0.1


@pytest.mark.parametrize("latents", ["prior", "training", None])
@pytest.mark.parametrize("kind", ["cvae", "yvae"])
def test_synthesize__integer_decoders_decide_as_the_float_network(kind, latents, model_of, two_populations):
    torch = pytest.importorskip("torch")
    from haploom.models.encoder import panel_latents
    from haploom.models.network import load_network

    model = model_of(kind)
    network = load_network(model)
    rng = np.random.default_rng([1, 1, 0])  # what synthesize_panel draws first for the second label
    z = rng.standard_normal((80, network.n_latents))
    if latents != "prior":
        train = two_populations.select_samples(model.split.samples("train", two_populations.samples))
        rows = panel_latents(model, train)[train.labels("population", per="haplotype") == "south"]
        spread = model.arrays["labels.spread"][1]
        np.testing.assert_allclose(spread @ spread.T, np.cov(rows.T, bias=True), atol=1e-4 * rows.var(axis=0).max())
        z = rows.mean(axis=0) + z @ spread.T
    with torch.no_grad():
        wanted = network.decode(torch.from_numpy(z).float(), torch.ones(80, dtype=torch.int64)).numpy() > 0
    assert (synthesize_panel(model, ["south"], 40, latents=latents).alleles() == wanted).mean() > 0.995


def test_synthesize__gmmn_same_people_however_many_are_made(model_of):
    model = model_of("gmmn")
    alone = synthesize_panel(model, ["south"], 5, seed=3)
    many = synthesize_panel(model, ["north", "south"], 300, seed=3)
    assert_array_equal(many.bits[600:610], alone.bits)
    assert len(np.unique(many.bits, axis=0)) > 100


def test_synthesize__gmmn_without_labels_has_one_population(model_of):
    model = model_of("gmmn", n_labels=0)
    assert populations_of(model) == ["all"]
    made = synthesize_panel(model, ["all"], 3)
    assert made.samples[0] == "SYN_all_00001"
    assert made.populations["population"].tolist() == ["all"] * 3
    with pytest.raises(HaploomError, match="no population 'north': it has all"):
        synthesize_panel(model, ["north"], 2)


def test_synthesize__autoregressive_draws_what_it_has_learned(model_of, two_populations):
    model = model_of("autoregressive")
    assert populations_of(model) == ["all"]
    made = synthesize_panel(model, ["all"], 200, seed=3)
    assert_array_equal(synthesize_panel(model, ["all"], 20, seed=3).bits, made.bits[:40])
    assert len(np.unique(made.bits, axis=0)) == 400
    real, synthetic = two_populations.alleles(), made.alleles()
    assert np.corrcoef(real.mean(axis=0), synthetic.mean(axis=0))[0, 1] > 0.9
    # Drawn, not decided: as many differences between two haplotypes as between two people's.
    diversity = [(p * (1 - p)).sum() for p in (real.mean(axis=0), synthetic.mean(axis=0))]
    assert diversity[1] == pytest.approx(diversity[0], rel=0.15)


def test_synthesize__autoregressive_with_labels_follows_them(model_of, two_populations):
    made = synthesize_panel(model_of("autoregressive", n_labels=2), ["north", "south"], 100)
    of = {panel: panel.labels("population", per="haplotype") for panel in (made, two_populations)}
    real, synthetic = (
        {label: panel.alleles()[of[panel] == label].mean(axis=0) for label in ("north", "south")}
        for panel in (two_populations, made)
    )
    for label, other in (("north", "south"), ("south", "north")):
        own = np.corrcoef(real[label], synthetic[label])[0, 1]
        assert own > np.corrcoef(real[other], synthetic[label])[0, 1] + 0.1


def test_synthesize__kinds_that_make_nothing_are_told(model_of):
    with pytest.raises(HaploomError, match="kind window-ae makes no haplotypes: train one of vae, cvae"):
        synthesize_panel(model_of("window-ae"), ["north"], 2)


def test_synthesize__damaged_integer_decoder_is_told(small_model):
    model = read_model(small_model)
    absent = {name: array for name, array in model.arrays.items() if name != "exact.0.bias"}
    for arrays in (absent, {**model.arrays, "exact.0.bias": model.arrays["exact.0.bias"].astype(float)}):
        with pytest.raises(CorruptModelError, match="integer decoder"):
            synthesize_panel(replace(model, arrays=arrays), ["north"], 1)


@pytest.mark.parametrize("kind", ["cvae", "yvae"])
def test_synthesize__sampled_alleles_have_the_decoders_probabilities(kind, model_of):
    torch = pytest.importorskip("torch")
    from haploom.models.network import load_network

    model = model_of(kind)
    network = load_network(model)
    z = torch.from_numpy(np.random.default_rng([1, 1, 0]).standard_normal((ROWS, network.n_latents))).float()
    with torch.no_grad():
        p = torch.sigmoid(network.decode(z, torch.ones(ROWS, dtype=torch.int64))).numpy()
    drawn = synthesize_panel(model, ["south"], ROWS // 2, sampled=True, latents="prior").alleles()
    error = np.sqrt((p * (1 - p)).sum(axis=0))
    assert (np.abs(drawn.sum(axis=0) - p.sum(axis=0)) < 5 * error + 0.01 * ROWS).all()
    decided = synthesize_panel(model, ["south"], ROWS // 2, latents="prior").alleles()
    assert (drawn != decided).mean() == pytest.approx(np.minimum(p, 1 - p).mean(), rel=0.05)


@pytest.mark.parametrize(("kind", "says"), [("gmmn", "has no probabilities"), ("autoregressive", "draws every allele")])
def test_synthesize__sampled_is_refused_where_there_is_no_choice(kind, says, model_of):
    with pytest.raises(HaploomError, match=says):
        synthesize_panel(model_of(kind), ["all"], 2, sampled=True)


def test_synthesize__latents_of_a_vae_are_spread_by_variances_alone(model_of):
    """As in the paper; so are those of a C-VAE whose file says no more, from a release before."""
    model = model_of("cvae")
    spread = np.stack([np.diag(np.sqrt(each)) for each in model.arrays["labels.variance"]])
    without = {name: array for name, array in model.arrays.items() if name != "labels.spread"}
    one, other = (
        synthesize_panel(replace(model, arrays=arrays), ["south"], 20).alleles()
        for arrays in (without, {**without, "labels.spread": spread})
    )
    np.testing.assert_array_equal(one, other)
    assert "labels.spread" not in model_of("vae").arrays


@pytest.mark.parametrize("name", ["labels.mean", "labels.spread"])
def test_synthesize__latents_that_do_not_fit_the_decoder_are_refused(model_of, name):
    model = model_of("cvae")
    arrays = {**model.arrays, name: model.arrays[name][..., :-1]}
    with pytest.raises(CorruptModelError, match="do not fit its decoder"):
        synthesize_panel(replace(model, arrays=arrays), ["south"], 1)


@pytest.mark.parametrize(("kind", "says"), [("gmmn", "has no latents"), ("vae", "around training people")])
@pytest.mark.parametrize("latents", ["prior", "training"])
def test_synthesize__latents_are_refused_where_there_is_no_choice(kind, says, latents, model_of):
    with pytest.raises(HaploomError, match=says):
        synthesize_panel(model_of(kind), ["all"], 2, latents=latents)


def test_train__by_label_makes_a_generator_of_each_population(two_populations, two_populations_split):
    from haploom.training.fit import train_model

    model = train_model(
        two_populations, two_populations_split, "population", kind="autoregressive", by_label=True,
        settings={"epochs": 1},
    ).model  # fmt: skip
    assert populations_of(model) == ["north", "south"]


def test_train__by_label_is_refused_where_the_kind_decides(tmp_path):
    from haploom.cli.frame import run
    from haploom.cli.main import haploom

    (tmp_path / "p.tsv").write_text("sample\tpopulation\n")
    arguments = ["train", str(tmp_path / "p.tsv"), "--populations", str(tmp_path / "p.tsv"), "--kind", "vae"]
    assert run(haploom, [*arguments, "--by-label", "-o", str(tmp_path / "m")]) == 2
