"""People to compare: as many of each population from each panel, in the same number of groups.

Most figures of variation depend on how many people they are taken from, and on how many of each population. So
synthetic, training and held-out people are compared at the same numbers, and intervals come from leaving out one group
of people after another (a delete-one-group jackknife: Busing et al. 1999, Stat Comput 9:3). A bootstrap would not do
for them: it draws people twice, which looks like linkage and like copies.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from haploom.baselines.accuracy import Interval
from haploom.errors import HaploomError
from haploom.panel import Panel

N_GROUPS = 10
_STUDENT_T = 2.262  # 97.5th percentile at N_GROUPS - 1 degrees of freedom
N_RESAMPLES = 200


@dataclass(frozen=True, eq=False)
class Sample:
    """Some people of a panel, by population.

    people: label -> int64, places of people in the panel, in an order drawn at random. The groups of a population are
    its people taken in turn: person i is in group i % N_GROUPS.
    """

    panel: Panel
    people: Mapping[str, np.ndarray]

    @property
    def labels(self) -> list[str]:
        return list(self.people)

    @property
    def rows(self) -> np.ndarray:
        """Haplotypes, population after population; both of a person side by side: int64 (n_haplotypes,)."""
        return _both(np.concatenate(list(self.people.values())))

    @property
    def groups(self) -> np.ndarray:
        """The group of each of `rows`: int64 (n_haplotypes,)."""
        return np.concatenate([np.repeat(np.arange(len(each)) % N_GROUPS, 2) for each in self.people.values()])

    @property
    def haplotype_labels(self) -> np.ndarray:
        """The population of each of `rows`: strings (n_haplotypes,)."""
        return np.repeat(np.array(self.labels), [2 * len(each) for each in self.people.values()])

    def cells(self) -> list[list[np.ndarray]]:
        """Haplotypes of each population by group: lists of int64."""
        return [[_both(each[group::N_GROUPS]) for group in range(N_GROUPS)] for each in self.people.values()]


def _both(people: np.ndarray) -> np.ndarray:
    return np.stack([2 * people, 2 * people + 1], axis=1).ravel()


def shared_populations(panels: Sequence[Panel], level: str) -> list[str]:
    """The populations that all panels have, in the order of the first. Raises HaploomError when there is none."""
    labels = [panel.labels(level).tolist() for panel in panels]
    shared = [name for name in dict.fromkeys(labels[0]) if all(name in each for each in labels)]
    if not shared:
        found = "; ".join(", ".join(sorted(set(each))[:5]) for each in labels)
        raise HaploomError(f"the panels have no population of column {level!r} in common: they have {found}")
    return shared


def matched_samples(
    panels: Sequence[Panel], level: str, populations: Sequence[str], most_people: int, seed: int
) -> list[Sample]:
    """As many people of each population from each panel, at random: all there are in the panel that has fewest.

    populations: of those all panels have. most_people: of all populations together; where there are more, each is cut
    to the same share.
    """
    labels = [np.array(panel.labels(level).tolist()) for panel in panels]
    numbers = np.array([min(int((each == name).sum()) for each in labels) for name in populations])
    if (total := int(numbers.sum())) > most_people:
        numbers = np.maximum(numbers * most_people // total, 1)
    rng = np.random.default_rng(seed)
    return [
        Sample(
            panel,
            {name: rng.permutation(np.flatnonzero(each == name))[:n] for name, n in zip(populations, numbers)},
        )
        for panel, each in zip(panels, labels)
    ]


def jackknife(figures: Callable[[int | None], Mapping[str, float]]) -> dict[str, Interval]:
    """Figures of everybody, with 95 % intervals from leaving out each group of people in turn.

    figures: of everybody (None), or of all but one group. Ends are NaN where a figure is NaN without some group.
    """
    everybody = figures(None)
    without = [figures(group) for group in range(N_GROUPS)]
    out = {}
    for name, value in everybody.items():
        left = np.array([each[name] for each in without])
        error = np.sqrt((N_GROUPS - 1) / N_GROUPS * ((left - left.mean()) ** 2).sum())
        out[name] = Interval(float(value), float(value - _STUDENT_T * error), float(value + _STUDENT_T * error))
    return out


def bootstrap(figure: Callable[..., float], *scores: np.ndarray, seed: int, n_resamples: int = N_RESAMPLES) -> Interval:
    """A figure of scores of people, with a percentile interval over resamples of the people (Efron 1979).

    scores: arrays whose first axis is people, each resampled on its own; what `figure` takes.
    """
    rng = np.random.default_rng(seed)
    draws = [figure(*(each[rng.integers(len(each), size=len(each))] for each in scores)) for _ in range(n_resamples)]
    return Interval(float(figure(*scores)), *(float(end) for end in np.quantile(draws, [0.025, 0.975])))
