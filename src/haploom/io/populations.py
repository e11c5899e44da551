"""Tables of labels: which population each person is from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haploom.errors import FormatError, HaploomError
from haploom.io.output import atomic_output
from haploom.io.tables import read_table
from haploom.panel.variants import STRING

SAMPLE = "sample"
# The levels a command uses when none is named, the first there is.
USUAL_LEVELS = ("superpopulation", "population")


@dataclass(frozen=True)
class PopulationTable:
    """Labels of people: sample name -> {level: label}. source names the file in messages."""

    source: Path
    levels: tuple[str, ...]
    labels: Mapping[str, Mapping[str, str]]

    def label_level(self, label: str | None = None) -> str:
        """The level to use: see `label_level`."""
        return label_level(self.levels, label, str(self.source))

    def columns_for(self, samples: Sequence[str]) -> dict[str, np.ndarray]:
        """Level -> strings (n_samples,), in the order of `samples`.

        Raises HaploomError for people the table does not know.
        """
        unknown = [sample for sample in samples if sample not in self.labels]
        if unknown:
            shown = ", ".join(unknown[:3]) + (", ..." if len(unknown) > 3 else "")
            raise HaploomError(
                f"{len(unknown)} of {len(samples)} samples are not in {self.source}, which has {len(self.labels)} "
                f"({shown}): add them to the table, or leave them out"
            )
        return {
            level: np.array([self.labels[sample][level] for sample in samples], dtype=STRING) for level in self.levels
        }


def label_level(levels: Iterable[str], label: str | None = None, source: str = "the panel") -> str:
    """The label level to use: `label`, else "superpopulation", else "population", else the only one there is.

    Raises HaploomError that lists the levels when `label` is not among them or there is no telling.
    """
    levels = tuple(levels)
    have = ", ".join(levels) or "none"
    if label is not None:
        if label not in levels:
            raise HaploomError(f"{source} has no label column {label!r} (there is: {have}): choose one with --label")
        return label
    for usual in USUAL_LEVELS:
        if usual in levels:
            return usual
    if len(levels) == 1:
        return levels[0]
    if not levels:
        raise HaploomError(f"{source} has no labels: give a table with --populations")
    raise HaploomError(f"{source} has several label columns ({have}): choose one with --label")


def read_populations(path: Path | str) -> PopulationTable:
    """A tab-separated table with a header: column `sample`, and a column for each label level.

    Raises FormatError when there is no such column, no level, a level named like a path, an empty label, or two
    different rows for a person.
    """
    path = Path(path)
    names, rows = read_table(path)
    if SAMPLE not in names or len(names) < 2:
        raise FormatError(f"{path}: {_header_problem(names)}")
    for name in names:
        if problem := level_problem(name):
            raise FormatError(f"{path}: {problem}: rename the column")
    labels: dict[str, dict[str, str]] = {}
    for number, fields in rows:
        row = dict(zip(names, fields))
        sample = row.pop(SAMPLE)
        if empty := [level for level, label in row.items() if not label.strip()]:
            raise FormatError(f"{path}, line {number}: sample {sample!r} has no {empty[0]}: fill it in or drop the row")
        if labels.setdefault(sample, row) != row:
            raise FormatError(f"{path}, line {number}: sample {sample!r} stands twice, with other labels")
    return PopulationTable(path, tuple(name for name in names if name != SAMPLE), labels)


def read_population_tables(paths: Sequence[Path]) -> PopulationTable:
    """Several tables as one, with the label levels that all have. One table or more.

    Raises HaploomError when they have no level in common or say different things of a person; FormatError as
    `read_populations` does.
    """
    tables = [read_populations(path) for path in paths]
    levels = tuple(name for name in tables[0].levels if all(name in table.levels for table in tables))
    if not levels:
        have = "; ".join(f"{table.source}: {', '.join(table.levels)}" for table in tables)
        raise HaploomError(f"the tables of populations have no column of labels in common ({have}): rename one")
    labels: dict[str, dict[str, str]] = {}
    for table in tables:
        for sample, row in table.labels.items():
            own = {level: row[level] for level in levels}
            if labels.setdefault(sample, own) != own:
                raise HaploomError(f"{table.source}: sample {sample!r} has other labels in a table before: which hold?")
    return PopulationTable(tables[0].source if len(tables) == 1 else Path(" + ".join(map(str, paths))), levels, labels)


def level_problem(name: str) -> str | None:
    """Why a label level may not be named so, or None: an HDF5 panel keeps each level under its name, as a path."""
    if name.strip() in ("", ".", "..") or "/" in name:
        return f"a column of labels is named {name!r}, wanted a name that is not empty, `.` or `..` and has no `/`"
    return None


def _header_problem(names: list[str]) -> str:
    """What is wrong with a header that lacks `sample` or any label, and what to do."""
    wanted = f"wanted tab-separated `{SAMPLE}` and at least one more"
    if len(names) == 1 and "," in names[0]:
        return f"the columns are separated by commas ({names[0][:60]}); {wanted}: replace the commas by tabs"
    found = f"the header has columns {', '.join(names)}; {wanted}"
    alike = [name for name in names if name.strip().lower() in (SAMPLE, "samples", "sample_id", "iid")]
    return f"{found}: rename {alike[0]!r} to {SAMPLE!r}" if alike else found


def write_populations(
    path: Path, samples: Sequence[str], labels: Mapping[str, Sequence[str] | np.ndarray], force: bool = False
) -> None:
    """Labels of people as a table `read_populations` reads. labels: level -> strings, one per sample.

    Raises HaploomError without labels, ValueError when a level has not one for each sample.
    """
    if not labels:
        raise HaploomError(f"cannot write {path}: there are no labels")
    with atomic_output(path, force) as partial:
        rows = ["\t".join([SAMPLE, *labels]), *("\t".join(row) for row in zip(samples, *labels.values(), strict=True))]
        partial.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
