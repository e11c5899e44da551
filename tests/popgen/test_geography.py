"""Places on the sphere, and people of a grid of demes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from haploom.errors import HaploomError
from haploom.popgen.geography import EARTH_RADIUS_KM, great_circle_km, pairwise_km, to_degrees, unit_vectors


@given(st.floats(-179.9, 179.9), st.floats(-89, 89))
def test_unit_vectors__there_and_back(longitude, latitude):
    vectors = unit_vectors(np.array([[longitude, latitude]]))
    assert_allclose(np.linalg.norm(vectors), 1)
    assert_allclose(to_degrees(3 * vectors), [[longitude, latitude]], atol=1e-9)


def test_great_circle__known_distances():
    # A quarter of the equator, pole to pole, across the date line, and the same place.
    a = np.array([[0.0, 0.0], [10.0, 90.0], [179.0, 0.0], [-120.5, 48.25]])
    b = np.array([[90.0, 0.0], [-70.0, -90.0], [-179.0, 0.0], [-120.5, 48.25]])
    around = 2 * np.pi * EARTH_RADIUS_KM
    assert_allclose(great_circle_km(a, b), [around / 4, around / 2, around / 180, 0], atol=1e-9)


def test_pairwise_km__known_distances():
    # Pole to equator is a quarter of a meridian; one degree of longitude at 60 degrees north is half of one at 0.
    d = pairwise_km(np.array([[0, 90], [0, 0], [0, 60], [1, 60], [0, 0], [1, 0.0]]))
    quarter = np.pi / 2 * EARTH_RADIUS_KM
    assert_allclose(d[[0, 2, 4, 4], [1, 3, 5, 1]], [quarter, quarter / 180, quarter / 90, 0], rtol=1e-4)
    assert_allclose(d, d.T)


def test_stepping_stones__neighbours_are_more_alike_and_demes_are_where_they_should():
    pytest.importorskip("msprime")
    from haploom.popgen.stepping_stones import SPACING_KM, simulate_stepping_stones

    panel, places = simulate_stepping_stones(rows=2, columns=4, people=4, sites=150, deme_size=50)
    assert (panel.n_samples, panel.n_sites) == (32, 150)
    assert panel.labels("deme")[[0, -1]].tolist() == ["r0c0", "r1c3"]
    steps = great_circle_km(places[[0, 0]], places[[4, 16]])  # the deme to the east, and to the north
    assert_allclose(steps, SPACING_KM, rtol=1e-3)
    p = np.stack([panel.alleles()[8 * deme : 8 * deme + 8].mean(axis=0) for deme in range(8)])
    near, far = ((p[0] - p[deme]) ** 2 for deme in (1, 3))
    assert near.mean() < far.mean()
    again, _ = simulate_stepping_stones(rows=2, columns=4, people=4, sites=150, deme_size=50)
    assert_array_equal(again.bits, panel.bits)
    with pytest.raises(HaploomError, match="people is 0"):
        simulate_stepping_stones(people=0)
