"""Genetic maps."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from haploom.panel import GeneticMap


def test_cm_at__linear_between_points_and_mean_rate_outside():
    # 3 cM over 300 bp: 0.01 cM a bp outside; 1 cM in the first 200 bp, 2 cM in the last 100.
    genetic_map = GeneticMap(np.array([100, 300, 400]), np.array([5.0, 6.0, 8.0]))
    assert_allclose(genetic_map.cm_at(np.array([50, 100, 200, 350, 400, 500])), [4.5, 5, 5.5, 7, 8, 9])


def test_uniform__one_cm_per_mb():
    genetic_map = GeneticMap.uniform(1_000_000, 3_000_000)
    assert_allclose(genetic_map.cm_at(np.array([1_000_000, 1_500_000, 4_000_000])), [0, 0.5, 3])


@pytest.mark.parametrize(
    ("position_bp", "cm"), [([1], [0.0]), ([1, 1], [0.0, 1.0]), ([1, 2], [1.0, 0.0]), ([1, 2, 3], [0.0, 1.0])]
)
def test_genetic_map__refuses_what_goes_back(position_bp, cm):
    with pytest.raises(ValueError, match="genetic map needs"):
        GeneticMap(np.array(position_bp), np.array(cm))
