"""`haploom split`: who is for training, validation and test."""

from pathlib import Path

import rich_click as click

from haploom.cli.frame import force_option, genotypes, json_option, output_option, print_result, seed_option


class Fractions(click.ParamType):
    """Three numbers, separated by commas."""

    name = "train,validation,test"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float, float]:
        try:
            train, validation, test = (float(number) for number in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not three numbers separated by commas, such as 0.8,0.1,0.1", param, ctx)
        return train, validation, test


@click.command()
@genotypes()
@output_option("Where to write the table: columns sample, part; - for stdout.", stdout=True)
@click.option(
    "--populations", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Labels: column `sample` and one for each kind of label. Without it, people are split at random.",
)  # fmt: skip
@click.option(
    "--label", metavar="COLUMN", help="Labels to spread evenly. Without it: superpopulation, else population."
)
@click.option("--fractions", type=Fractions(), default="0.8,0.1,0.1", show_default=True, help="Shares of the people.")
@click.option("--groups", metavar="COLUMN", help="People alike in this column (family, founder) stay together.")
@seed_option
@force_option
@json_option
def split(
    source: Path, output: Path, populations: Path | None, label: str | None, fractions: tuple[float, float, float],
    groups: str | None, seed: int, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Split the people of SOURCE into train, validation and test, within each label where there are labels.

    By person, never by haplotype. Only the names in SOURCE are read.
    """
    if populations is None and (label or groups):
        raise click.UsageError("--label and --groups name columns of a table: give it with --populations")

    from collections import Counter

    from haploom.io import check_outputs, read_populations, read_samples, write_split
    from haploom.panel import PARTS, split_people

    check_outputs((output,), (source, populations), force)
    samples = read_samples(source)
    level, labels, group_of = None, [""] * len(samples), None
    if populations is not None:
        table = read_populations(populations)
        level = table.label_level(label)
        columns = table.columns_for(samples)
        labels = columns[level].tolist()
        group_of = columns[table.label_level(groups)].tolist() if groups else None
    parts = split_people(samples, labels, fractions, seed, group_of)
    write_split(output, parts, samples, force)
    counts = Counter(parts.part_of.values())
    print_result({"label": level, **{part: counts[part] for part in PARTS}}, as_json, output)
