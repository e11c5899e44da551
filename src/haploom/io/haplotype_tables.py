"""Tables with a row for each haplotype of some people, or for each person: coordinates, labels."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from haploom.io.output import text_output


def write_haplotype_table(
    path: Path, samples: Sequence[str], parts: Sequence[str], columns: Sequence[str],
    rows: Iterable[Sequence[str]], force: bool = False, *, ploidy: int = 1,
) -> None:  # fmt: skip
    """A TSV: sample, haplotype, `columns`, and the part of a model's split the person is in.

    samples, parts: one per person. rows: the cells of `columns`; with ploidy 1 a row per haplotype (1 and 2), the two
    of a person together, with ploidy 2 a row per person, whose haplotype is ".".
    path: `-` is stdout. Raises HaploomError when it exists and not `force`.
    """
    with text_output(path, force) as file:
        file.write("\t".join(["sample", "haplotype", *columns, "part"]) + "\n")
        for place, cells in enumerate(rows):
            person, haplotype = divmod(place, 2) if ploidy == 1 else (place, None)
            name = "." if haplotype is None else str(haplotype + 1)
            file.write("\t".join([samples[person], name, *cells, parts[person]]) + "\n")
