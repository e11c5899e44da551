"""Attacks on membership, and what chance allows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from haploom.audit.membership import area_under_curve, chance_area, chance_share, person_scores, worst_share

SCORES = arrays(np.int64, st.integers(1, 60), elements=st.integers(-5, 5))


@given(SCORES, SCORES)
def test_area_under_curve__is_scikit_learns(members, others):
    metrics = pytest.importorskip("sklearn.metrics")
    truth = np.repeat([1, 0], [len(members), len(others)])
    wanted = metrics.roc_auc_score(truth, np.concatenate([members, others]))
    np.testing.assert_allclose(area_under_curve(members, others), wanted, atol=1e-12)


def test_worst_share__known_values():
    others = np.arange(2000.0)  # 0.1 % of them: two may be above
    members = np.array([1996.5, 1997.0, 1997.5, 3000.0])
    assert worst_share(members, others) == 0.5  # above 1997: two of four
    assert worst_share(members, np.arange(10.0)) == 1.0
    assert worst_share(np.array([9.0]), np.arange(10.0)) == 0.0  # a tie tells nothing


def test_person_scores__are_the_higher_haplotype_less_the_populations_usual():
    scores = person_scores(
        np.array([1, 5, 2, 3, 10, 11, 14, 13]), np.array(["a", "a", "b", "b"]), np.array([False, True, True, False])
    )
    np.testing.assert_array_equal(scores, [5 - 3, 0, 0, 14 - 11])


def test_chance_share__is_what_the_beta_binomial_law_says():
    # Beyond the most extreme of n others: k or more of n with probability (1/2)^k or less, for as many of both.
    # By hand: n = 1000, once in 1,000 needs (1/2)^k <= 0.001, so k = 10 is too many and 9 is allowed.
    assert chance_share(1000, 1000, 1) == 9 / 1000
    assert chance_share(40, 30, 31) == 1  # nothing is beyond all of them
    rng = np.random.default_rng(1)
    others = np.sort(rng.random((4000, 300)), axis=1)
    beyond = (rng.random((4000, 200)) > others[:, 300 - 15, None]).sum(axis=1)  # beyond the 15th largest
    too_many = (beyond > round(200 * chance_share(200, 300, 15))).mean()
    assert too_many <= 0.001 + 4 * np.sqrt(0.001 / 4000)
    assert (beyond > round(100 * chance_share(200, 300, 15))).mean() > 0.002  # half of it would be too few


def test_chance_area__is_what_alike_scores_reach_once_in_1000():
    rng = np.random.default_rng(2)
    areas = np.array([area_under_curve(rng.random(90), rng.random(40)) for _ in range(6000)])
    assert (areas > chance_area(90, 40)).mean() <= 0.001 + 4 * np.sqrt(0.001 / 6000)
    tenth = 0.5 + (chance_area(90, 40) - 0.5) * 1.2816 / 3.0902  # the normal law's place of the largest tenth
    assert abs((areas > tenth).mean() - 0.1) < 4 * np.sqrt(0.09 / 6000)
