"""Files that say which part (train, validation, test) each person is in."""

from collections.abc import Sequence
from pathlib import Path

from haploom.errors import FormatError
from haploom.io.output import text_output
from haploom.io.tables import read_table
from haploom.panel import PARTS, Split

COLUMNS = ("sample", "part")


def read_split(path: Path) -> Split:
    """A tab-separated table with columns `sample` and `part`; others are left aside. Of a model, the split it has.

    Raises FormatError when a column is absent, a part is not one of PARTS, or a person stands twice; CorruptModelError
    for a damaged model.
    """
    from haploom.io.model_file import is_model_file, read_model_once  # pydantic takes a while, and tables need none

    if path.is_file() and is_model_file(path):  # a pipe can be read once
        return Split(dict(read_model_once(path).card.part_of))
    names, rows = read_table(path)
    if not set(COLUMNS) <= set(names):
        raise FormatError(
            f"{path}: the header has columns {', '.join(names)}; wanted tab-separated `sample` and `part` "
            "(make the file with `haploom split`)"
        )
    sample_place, part_place = (names.index(column) for column in COLUMNS)
    part_of: dict[str, str] = {}
    for number, fields in rows:
        sample, part = fields[sample_place], fields[part_place]
        if part not in PARTS:
            raise FormatError(f"{path}, line {number}: part {part!r} is not one of {', '.join(PARTS)}")
        if sample in part_of:
            raise FormatError(f"{path}, line {number}: sample {sample!r} stands twice")
        part_of[sample] = part
    return Split(part_of)


def write_split(path: Path, split: Split, samples: Sequence[str], force: bool = False) -> None:
    """The parts of `samples`, in that order, as a table `read_split` reads. path: `-` is stdout."""
    with text_output(path, force) as file:
        rows = ["\t".join(COLUMNS), *(f"{sample}\t{split.part_of[sample]}" for sample in samples)]
        file.writelines(f"{row}\n" for row in rows)
