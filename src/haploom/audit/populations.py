"""Labels of synthetic, training and held-out people, from tables or from their own files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from haploom.io.populations import label_level, read_population_tables
from haploom.panel import Panel

EVERYBODY = "everybody"


def labelled(panels: Sequence[Panel], tables: Sequence[Path], label: str | None) -> tuple[list[Panel], str]:
    """The panels with labels, and the label level to use.

    tables: of populations; together they know everybody. Without any, the labels that came with the files count; where
    there are none and none are asked for, everybody is of one population. Raises HaploomError for people or a level
    that the tables do not know.
    """
    if tables:
        table = read_population_tables(tables)
        return [panel.with_populations(table.columns_for(panel.samples)) for panel in panels], table.label_level(label)
    levels = [name for name in panels[0].populations if all(name in panel.populations for panel in panels)]
    if levels or label is not None:
        return list(panels), label_level(levels, label, "the files together")
    together = [panel.with_populations({EVERYBODY: np.full(panel.n_samples, EVERYBODY)}) for panel in panels]
    return together, EVERYBODY
