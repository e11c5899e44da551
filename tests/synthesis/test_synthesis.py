import numpy as np
import pytest
from numpy.testing import assert_array_equal

pytest.importorskip("torch")

from haploom.ancestry import classify_panel
from haploom.errors import HaploomError
from haploom.io.model_file import read_model
from haploom.synthesis import synthesize_panel


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


def test_synthesize__same_seed_same_people_whoever_else_is_made(small_model, monkeypatch):
    model = read_model(small_model)
    alone = synthesize_panel(model, ["south"], 10, seed=3)
    both = synthesize_panel(model, ["north", "south"], 10, seed=3)
    assert_array_equal(alone.bits, both.bits[20:])
    monkeypatch.setattr("haploom.synthesis.latents.BLOCK_BYTES", 300 * 4)
    assert_array_equal(synthesize_panel(model, ["south"], 10, seed=3).bits, alone.bits)
    assert not np.array_equal(synthesize_panel(model, ["south"], 10, seed=4).bits, alone.bits)


def test_synthesize__people_are_marked(small_model):
    made = synthesize_panel(read_model(small_model), ["south"], 2)
    assert made.samples == ("SYN_south_00001", "SYN_south_00002")


def test_synthesize__unknown_population(small_model):
    with pytest.raises(HaploomError, match="no population 'west': it has north, south"):
        synthesize_panel(read_model(small_model), ["west"], 2)
