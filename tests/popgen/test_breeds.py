"""The simulated dogs: breeds are near-families, clades differ little, the same seed gives the same dogs."""

import numpy as np
import pytest

pytest.importorskip("msprime")

from haploom.errors import HaploomError
from haploom.popgen import breeds
from haploom.popgen.breeds import BREED_LEVEL, CLADE_LEVEL, simulate_dogs


@pytest.fixture(scope="module")
def dogs():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(breeds, "CHROMOSOMES", 8)
        return simulate_dogs(sites=760, dogs=288)


def test_dogs__as_many_as_the_paper_has_of_clades_and_breeds(dogs):
    assert dogs.dosages.shape == (288, 760)
    clades, breeds = (np.unique(dogs.labels(level), return_counts=True) for level in (CLADE_LEVEL, BREED_LEVEL))
    assert len(clades[0]) == 16
    assert len(breeds[0]) == 144
    assert set(breeds[1].tolist()) == {2}
    assert dogs.alternate_frequencies().min() >= 10 / 576


def test_dogs__are_nearest_their_breed_then_their_clade(dogs):
    X = dogs.dosages.astype(float)
    distance = ((X[:, None, ::4] - X[None, :, ::4]) ** 2).mean(axis=2)
    breed, clade = dogs.labels(BREED_LEVEL), dogs.labels(CLADE_LEVEL)
    other = ~np.eye(len(X), dtype=bool)
    same_breed, same_clade = breed[:, None] == breed[None], clade[:, None] == clade[None]
    within_breed = distance[same_breed & other].mean()
    within_clade = distance[same_clade & ~same_breed].mean()
    assert within_breed < 0.8 * within_clade
    assert within_clade < 0.99 * distance[~same_clade].mean()


def test_dogs__same_seed_same_dogs_and_too_many_sites_are_refused(monkeypatch):
    monkeypatch.setattr(breeds, "CHROMOSOMES", 2)
    first, again = simulate_dogs(sites=50, dogs=144), simulate_dogs(sites=50, dogs=144)
    np.testing.assert_array_equal(again.dosages, first.dosages)
    assert again.variants.fingerprint() == first.variants.fingerprint()
    with pytest.raises(HaploomError, match="ask for fewer sites"):
        simulate_dogs(sites=10**7, dogs=144)
