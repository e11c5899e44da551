"""Training, validation and test people.

A split is by person, never by haplotype, because a person's two haplotypes are not independent; and by
founder for bred data, because relatives are not either.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from haploom.errors import HaploomError

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, repr=False)
class Split:
    """Which part each person belongs to: sample name -> one of PARTS."""

    part_of: Mapping[str, str]

    def __post_init__(self) -> None:
        for sample, part in self.part_of.items():
            if part not in PARTS:
                raise HaploomError(f"sample {sample!r} is in part {part!r}: wanted one of {', '.join(PARTS)}")

    def __repr__(self) -> str:
        counts = Counter(self.part_of.values())
        return f"Split({', '.join(f'{counts[part]:,} {part}' for part in PARTS)})"

    def samples(self, part: str, among: Sequence[str]) -> list[str]:
        """Those of `among` in a part, in the order of `among`. Raises HaploomError when there is none."""
        if part not in PARTS:
            raise HaploomError(f"unknown part {part!r}: wanted one of {', '.join(PARTS)}")
        chosen = [sample for sample in among if self.part_of.get(sample) == part]
        if not chosen:
            empty = part not in self.part_of.values()
            remedy = "nobody is in it; make a split with other --fractions" if empty else "is it of another file?"
            raise HaploomError(f"the split puts none of these {len(among)} samples in part {part!r}: {remedy}")
        return chosen


def split_people(
    samples: Sequence[str],
    labels: Sequence[str],
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
    seed: int = 1,
    groups: Sequence[str] | None = None,
) -> Split:
    """Split people at random into PARTS, within each label (stratified), by `fractions`.

    samples, labels, groups: (n_people,). People of one group (a family, a founder) stay together; a group
    counts under the label of its first member. Within a label, part sizes are rounded so that the parts
    hold everyone and a part with a fraction above 0 gets a group when there are enough groups to go round.

    The same seed gives the same split whatever the order of the samples. Raises HaploomError when the
    fractions are negative or do not sum to 1, ValueError when there is not one label and group for each sample.
    """
    for name, column in (("labels", labels), ("groups", groups)):
        if column is not None and len(column) != len(samples):
            raise ValueError(f"{len(column)} {name} for {len(samples)} samples: wanted one for each")
    if not (min(fractions) >= 0 and abs(sum(fractions) - 1) <= 1e-9):  # NaN is neither
        raise HaploomError(f"fractions {fractions} must be at least 0 and sum to 1")
    group_of = dict(zip(samples, groups if groups is not None else samples))
    strata: dict[str, set[str]] = {}
    label_of_group: dict[str, str] = {}
    for sample, label in sorted(zip(samples, labels)):
        group = group_of[sample]
        strata.setdefault(label_of_group.setdefault(group, label), set()).add(group)
    rng = np.random.default_rng(seed)
    part_of_group: dict[str, str] = {}
    for label in sorted(strata):
        members = sorted(strata[label])
        order = rng.permutation(len(members))
        sizes = _part_sizes(len(members), fractions)
        parts = np.repeat(PARTS, sizes)
        part_of_group.update((members[place], str(part)) for place, part in zip(order, parts))
    return Split({sample: part_of_group[group_of[sample]] for sample in samples})


def _part_sizes(n: int, fractions: tuple[float, float, float]) -> list[int]:
    """Whole sizes that sum to n: largest remainders, then one from the largest part to each empty wanted one."""
    exact = np.array(fractions) * n
    sizes = np.floor(exact).astype(int)
    for place in np.argsort(sizes - exact, kind="stable")[: n - sizes.sum()]:
        sizes[place] += 1
    for place in np.flatnonzero((sizes == 0) & (exact > 0)):
        if sizes.max() > 1:
            sizes[sizes.argmax()] -= 1
            sizes[place] += 1
    return sizes.tolist()
