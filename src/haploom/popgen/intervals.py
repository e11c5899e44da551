"""Means over sites with intervals that allow for linkage.

Neighbouring sites vary together, so they cannot be counted as independent: runs of neighbouring sites are.
"""

from typing import NamedTuple

import numpy as np

N_BLOCKS = 20
_STUDENT_T = 2.093  # 97.5th percentile at N_BLOCKS - 1 degrees of freedom


class Estimate(NamedTuple):
    """A mean and its 95 % interval; the ends are NaN where there are too few sites to tell."""

    value: float
    low: float
    high: float


def mean_over_sites(values: np.ndarray) -> Estimate:
    """Mean of a figure of each site (n_sites,), with a 95 % interval from a delete-one block jackknife.

    The sites are cut into N_BLOCKS runs of (nearly) the same number of sites. The interval says how far another stretch
    of the genome like this one could lie from it. It is too narrow where LD reaches further than a block; NaN ends with
    fewer than N_BLOCKS sites, a NaN value without any. Source: Busing et al. 1999, Stat Comput 9:3.
    """
    if len(values) < N_BLOCKS:
        return Estimate(float(np.mean(values)) if len(values) else float("nan"), float("nan"), float("nan"))
    blocks = np.array_split(values, N_BLOCKS)
    sums, sizes = np.array([block.sum() for block in blocks]), np.array([len(block) for block in blocks])
    mean = sums.sum() / sizes.sum()
    without = (sums.sum() - sums) / (sizes.sum() - sizes)
    error = np.sqrt((N_BLOCKS - 1) / N_BLOCKS * ((without - without.mean()) ** 2).sum())
    return Estimate(float(mean), float(mean - _STUDENT_T * error), float(mean + _STUDENT_T * error))
