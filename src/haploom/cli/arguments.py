"""Arguments and file names that commands which make people share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rich_click as click


class PeoplePerPopulation(click.ParamType):
    """`100` (people of every population) or `AFR=200,EUR=100` (of these only)."""

    name = "N|POP=N,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | Mapping[str, int]:
        try:
            if "=" not in value:
                return int(value)
            pairs = [item.rpartition("=") for item in value.split(",")]
            people = {label: int(number) for label, _, number in pairs}
        except ValueError:
            self.fail(f"{value!r}: wanted a number, or populations with theirs, such as AFR=100,EUR=50", param, ctx)
        if len(people) < len(pairs):
            self.fail(f"{value!r}: a population stands twice", param, ctx)
        return people


def populations_beside(panel: Path) -> Path:
    """Where the label table of a written panel goes: `out.vcf.gz` -> `out.populations.tsv`."""
    return panel.with_name(f"{_stem(panel)}.populations.tsv")


def split_beside(panel: Path) -> Path:
    """Where the parts of its people go: `out.vcf.gz` -> `out.split.tsv`."""
    return panel.with_name(f"{_stem(panel)}.split.tsv")


def _stem(panel: Path) -> str:
    name = panel.name
    for suffix in (".gz", ".bgz"):
        name = name.removesuffix(suffix)
    for suffix in (".vcf", ".h5", ".hdf5"):
        name = name.removesuffix(suffix)
    return name
