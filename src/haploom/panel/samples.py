"""People of a panel and the labels they carry: the checks both kinds of panel share."""

from collections.abc import Mapping, Sequence

import numpy as np

from haploom.errors import HaploomError
from haploom.panel.variants import STRING


def check_samples(samples: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple. Raises ValueError when a name stands twice."""
    names = tuple(samples)
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"sample {twice!r} stands more than once")
    return names


def label_columns(populations: Mapping[str, np.ndarray], n_samples: int) -> dict[str, np.ndarray]:
    """Label levels as read-only string columns. Raises ValueError when one has another length."""
    columns = {}
    for level, labels in populations.items():
        column = np.array(labels, dtype=STRING)
        if column.shape != (n_samples,):
            raise ValueError(f"label level {level!r} has shape {column.shape}, wanted ({n_samples},)")
        column.flags.writeable = False
        columns[level] = column
    return columns


def label_of(populations: Mapping[str, np.ndarray], level: str) -> np.ndarray:
    """The column of one level. Raises HaploomError naming the levels there are."""
    if level not in populations:
        have = ", ".join(sorted(populations)) or "none"
        raise HaploomError(f"no label level {level!r} (there is: {have}): give --populations and --label")
    return populations[level]


def sample_indices(samples: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """int64 places of the wanted people.

    Raises HaploomError for names that are not among `samples`, TypeError for one string instead of names.
    """
    return indices_of({name: i for i, name in enumerate(samples)}, wanted)


def indices_of(place: Mapping[str, int], wanted: Sequence[str]) -> np.ndarray:
    """`sample_indices`, where the place of each name is known."""
    if isinstance(wanted, str):
        raise TypeError(f"samples {wanted!r} are one string: wanted a list of names, such as [{wanted!r}]")
    absent = [name for name in wanted if name not in place]
    if absent:
        shown = ", ".join(absent[:3]) + (", ..." if len(absent) > 3 else "")
        raise HaploomError(
            f"{len(absent)} of {len(wanted)} wanted samples are not among the {len(place)} here: {shown}"
        )
    return np.array([place[name] for name in wanted], dtype=np.int64)
