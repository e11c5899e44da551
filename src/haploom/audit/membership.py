"""Whether somebody who holds a person's genotypes can tell from synthetic ones that the person was learned from.

The attacker has a score of each person, higher the more the synthetic haplotypes look like theirs. People the
synthetic ones were learned from (members) are compared with held-out people.
"""

import numpy as np

FALSE_POSITIVES = 0.001
_ONCE_IN = 1000


def person_scores(of_haplotypes: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """The higher score of a person's two haplotypes, less what is usual in the population: float64 (n_people,).

    of_haplotypes: (2 n_people,). labels: populations (n_people,). held_out: bool (n_people,): their median is what is
    usual, so that members and held-out people need not be as many of each population. A population without held-out
    people keeps its scores.
    """
    scores = of_haplotypes.reshape(-1, 2).max(axis=1).astype(np.float64)
    for label in np.unique(labels):
        here = labels == label
        if (usual := scores[here & held_out]).size:
            scores[here] -= np.median(usual)
    return scores


def area_under_curve(members: np.ndarray, others: np.ndarray) -> float:
    """Chance that a member's score is above another's, ties counting half: 0.5 where scores tell nothing."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, members, side="left") + np.searchsorted(ordered, members, side="right")
    return float(below.mean() / (2 * len(others)))


def worst_share(members: np.ndarray, others: np.ndarray, share: float = FALSE_POSITIVES) -> float:
    """Share of members whose score is above all but `share` of the others': true positives at that rate of false ones.

    With fewer than 1 / share others none of them may be above. Source: Carlini et al. 2022, IEEE Symp Secur Priv 1897.
    """
    allowed = int(share * len(others))
    return float((members > np.sort(others)[len(others) - 1 - allowed]).mean())


def chance_area(n: int, n_others: int) -> float:
    """The area under the curve that n members and n_others reach once in 1,000 when their scores are alike.

    By the normal law of Mann & Whitney's U, whose standard deviation is sqrt((n + n_others + 1) / (12 n n_others)) as a
    share of all pairs. Source: Mann & Whitney 1947, Ann Math Stat 18:50.
    """
    from scipy.stats import norm

    return 0.5 + float(norm.ppf(1 - 1 / _ONCE_IN)) * ((n + n_others + 1) / (12 * n * n_others)) ** 0.5


def chance_share(n: int, n_others: int, n_beyond: int) -> float:
    """The share of n that may lie beyond the n_beyond-th most extreme of n_others when all are alike, once in 1,000.

    What is beyond of one sample is a beta-binomial number of another (Thompson 1936, Ann Math Stat 7:122). All of them
    where n_beyond is more than n_others.
    """
    from scipy.stats import betabinom

    beyond = max(n_beyond, 1)
    if beyond > n_others:
        return 1.0
    return float(betabinom.ppf(1 - 1 / _ONCE_IN, n, beyond, n_others - beyond + 1)) / n
