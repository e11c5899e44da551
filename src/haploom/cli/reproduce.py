"""`haploom reproduce`: the paper's tables and figures again."""

from pathlib import Path
from typing import Literal

import rich_click as click

from haploom.cli.frame import json_option, output_option, print_result, quiet_option, seed_option, threads_option
from haploom.cli.plan import dry_run_option, print_plan

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
# Spelt out, because the list behind them (report.reproduce.catalogue) is not loaded to print --help; a test compares.
RESULTS = (
    "table1", "table2", "table3", "table4", "table-s3", "fig1", "fig3", "fig4", "fig5", "fig6", "fig-s1", "fig-s2",
    "fig-s3", "fig-s4", "fig-s5", "fig-s6", "fig-s7", "fig-s8", "fig-s9", "fig-s10", "gmmn",
)  # fmt: skip


@click.command()
@click.argument("result", metavar="RESULT", type=click.Choice((*RESULTS, "all")))
@output_option("Folder for tables, figures and models; parts that an earlier run left there are kept.")
@click.option("--quick", "size", flag_value="quick", help="Small, in minutes.")
@click.option("--full", "size", flag_value="full", help="The paper's whole protocol: days on a CPU; it can be stopped.")
@click.option(
    "--genotypes",
    "--vcf",
    type=click.Path(exists=True, path_type=Path),
    help="Founders, in any format that is read. [default: simulated]",
)
@click.option("--populations", type=_FILE, help="Their labels.")
@click.option("--label", help="Column of the labels.")
@seed_option
@threads_option
@dry_run_option
@json_option
@quiet_option
def reproduce(
    result: str, output: Path, size: Literal["quick", "full"] | None, genotypes: Path | None, populations: Path | None,
    label: str | None, seed: int, threads: int | None, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make a table or figure of the paper again, or all of them, beside the paper's own numbers.

    RESULT: table1, table2, table3, table4, table-s3, fig1, fig3, fig4, fig5, fig6, fig-s1 to fig-s10, gmmn, or all.

    A stopped run goes on where it was: the same command takes finished parts and models from the folder.
    """
    if (genotypes is None) != (populations is None):
        raise click.UsageError("--genotypes and --populations go together")

    from haploom.io.output import make_folder
    from haploom.report.reproduce import catalogue
    from haploom.training.threads import use_threads

    request = catalogue.Request(
        name=result, size=size or "standard", genotypes=genotypes, populations=populations, label=label, seed=seed
    )
    if dry_run:
        names = RESULTS if result == "all" else (result,)
        does = {"size": request.size, "people": request.origin, "results": {n: catalogue.RESULTS[n][0] for n in names}}
        pages = [output / f"{name}.html" for name in ([*names, "all"] if result == "all" else names)]
        found = [path.name for path in pages if path.exists()]
        print_plan((genotypes, populations), {**does, "there_from_earlier": found}, pages, as_json)
        return
    use_threads(threads)
    make_folder(output)
    written = catalogue.reproduce(request, output)
    if not as_json:
        click.echo(written[0].read_text(encoding="utf-8"))
    print_result({"written": [str(path) for path in written]}, as_json)
