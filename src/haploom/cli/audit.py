"""`haploom audit`: whether synthetic people are like real ones, and give nobody away."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from haploom.cli.frame import (
    default_threads,
    force_option,
    genotypes,
    json_option,
    map_option,
    output_option,
    print_result,
    quiet_option,
    seed_option,
    site_selection_options,
    threads_option,
    workers_options,
)

if TYPE_CHECKING:
    from haploom.io import Selection
    from haploom.parallel import Workers

_GENOTYPES = click.Path(exists=True, path_type=Path)
_TABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Threshold(click.ParamType):
    """A measure and what it may be."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        name, equals, bound = str(value).partition("=")
        try:
            numbers = [float(each) for each in bound.split(":")] if bound != "none" else [None]
        except ValueError:
            numbers = []
        finite = all(number is None or math.isfinite(number) for number in numbers)
        if not equals or len(numbers) not in (1, 2) or not finite:
            self.fail(f"{value!r}: wanted NAME=NUMBER, NAME=LEAST:MOST or NAME=none", param, ctx)
        return name, numbers[0] if len(numbers) == 1 else numbers


@click.command()
@genotypes("synthetic")
@click.option(
    "--train", required=True, type=_GENOTYPES, help="The people that were learned from. With --split: its part train."
)
@click.option(
    "--holdout", required=True, type=_GENOTYPES, help="Others, not learned from. With --split: its part test."
)
@output_option("Folder for audit.html, audit.json and measures.tsv; it may exist.")
@click.option(
    "--populations", multiple=True, type=_TABLE,
    help="Labels: column `sample` and one for each kind of label; may be given again for other people.",
)  # fmt: skip
@click.option(
    "--label", metavar="COLUMN", help="Which labels to use. Without it: superpopulation, else population."
)  # fmt: skip
@click.option("--split", type=_TABLE, help="Parts of the people, from `haploom split`.")
@site_selection_options
@click.option(
    "--maf", type=click.FloatRange(0, 0.5, max_open=True),
    help="Sites with a minor-allele frequency above this among the training people.",
)  # fmt: skip
@click.option(
    "--window", type=click.IntRange(2), default=500, show_default=True,
    help="Width of windows, in sites of SYNTHETIC: LD is measured across their borders too.",
)  # fmt: skip
@click.option(
    "--thresholds", type=_TABLE, help="JSON: measures and what they may be: a number, [least, most], or null."
)
@click.option(
    "--threshold", "single", multiple=True, type=Threshold(), help="One of them: a number, LEAST:MOST, or none."
)
@map_option
@seed_option
@workers_options
@threads_option
@force_option
@json_option
@quiet_option
def audit(
    synthetic: Path, train: Path, holdout: Path, output: Path, populations: tuple[Path, ...], label: str | None,
    split: Path | None, selection: "Selection", maf: float | None, window: int, thresholds: Path | None,
    single: tuple[tuple[str, Any], ...], genetic_map: Path | None, seed: int, workers: "Workers",
    threads: int | None, force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Compare SYNTHETIC people, whoever made them, with held-out real people, both against the training people.

    Fidelity, utility and privacy, each figure beside the same figure of real people. Exit code 4 if one is outside its
    gate.
    """
    from dataclasses import replace

    from haploom.audit import AuditSettings, audit_panels
    from haploom.audit.catalogue import checked_thresholds
    from haploom.audit.populations import labelled
    from haploom.audit.thresholds import read_thresholds
    from haploom.errors import CheckFailedError
    from haploom.io import read_genetic_map, read_panel
    from haploom.report.audit_report import FILES, audit_record, shown_measures, to_mend, write_audit
    from haploom.report.result_folder import ResultFolder

    inputs = (synthetic, train, holdout, *populations, split, selection.sites, thresholds, genetic_map)
    folder = ResultFolder(output, FILES, (), inputs, force)
    gates = checked_thresholds((read_thresholds(thresholds) if thresholds else {}) | dict(single))
    parts = ("train", "test") if split else (None, None)
    panels = [
        read_panel(synthetic),  # at all its sites, which say where windows begin
        *(read_panel(path, replace(selection, split=split, part=part)) for path, part in zip((train, holdout), parts)),
    ]
    (made, learned, new), level = labelled(panels, populations, label)
    contigs = learned.variants.contigs()
    maps = {contig: read_genetic_map(genetic_map, contig) for contig in contigs} if genetic_map else None
    threads = threads or (default_threads() if workers.here else 1)
    settings = AuditSettings(maf=maf, window=window, thresholds=gates, seed=seed, threads=threads)
    found = audit_panels(made, learned, new, level, settings, maps, workers)
    write_audit(found, folder)
    if as_json:
        click.echo(json.dumps(audit_record(found)))
    else:
        print_result({**shown_measures(found), "report": output / "audit.html"}, as_json=False)
    for advice, names in to_mend(found).items():
        click.echo(f"{', '.join(names)}: {advice}", err=True)
    if found.failed:
        raise CheckFailedError(
            f"{len(found.failed)} of {len(found.measures)} measures are outside their gates: "
            f"{', '.join(found.failed)}; see {output / 'audit.html'}"
        )
