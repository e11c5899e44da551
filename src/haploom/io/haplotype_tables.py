"""Tables with a row for each haplotype of some people: coordinates, labels."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from haploom.io.output import text_output


def write_haplotype_table(
    path: Path, samples: Sequence[str], parts: Sequence[str], columns: Sequence[str],
    rows: Iterable[Sequence[str]], force: bool = False,
) -> None:  # fmt: skip
    """A TSV: sample, haplotype (1 or 2), `columns`, and the part of a model's split the person is in.

    samples, parts: one per person. rows: the cells of `columns`, one row per haplotype, the two of a person together.
    path: `-` is stdout. Raises HaploomError when it exists and not `force`.
    """
    with text_output(path, force) as file:
        file.write("\t".join(["sample", "haplotype", *columns, "part"]) + "\n")
        for place, cells in enumerate(rows):
            person, haplotype = divmod(place, 2)
            file.write("\t".join([samples[person], str(haplotype + 1), *cells, parts[person]]) + "\n")
