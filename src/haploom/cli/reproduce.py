"""`haploom reproduce`: the paper's tables again."""

from pathlib import Path

import rich_click as click

from haploom.cli.frame import json_option, output_option, print_result, quiet_option, seed_option, threads_option

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("table", type=click.Choice(["table1", "table2", "table-s3"]))
@output_option("Folder for the tables, figures and models; rows that an earlier run left there are kept.")
@click.option("--quick", "size", flag_value="quick", help="Small, in minutes.")
@click.option("--full", "size", flag_value="full", help="The paper's whole sweep: days on a CPU; it can be stopped.")
@click.option("--vcf", type=_FILE, help="Founders: phased genotypes. [default: simulated]")
@click.option("--populations", type=_FILE, help="Their labels.")
@click.option("--label", help="Column of the labels.")
@seed_option
@threads_option
@json_option
@quiet_option
def reproduce(
    table: str, output: Path, size: str | None, vcf: Path | None, populations: Path | None, label: str | None,
    seed: int, threads: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Make a table of the paper again: on people bred from founders, and on the unrelated founders beside.

    A stopped run goes on where it was: the same command takes finished rows and models from the folder.
    """
    if (vcf is None) != (populations is None):
        raise click.UsageError("--vcf and --populations go together")

    from haploom.errors import HaploomError
    from haploom.report.reproduce.people import PROTOCOLS
    from haploom.report.reproduce.tables import Reproduction, measure_table
    from haploom.report.reproduce.written import write_table
    from haploom.training.threads import use_threads

    use_threads(threads)
    if output.exists() and not output.is_dir():
        raise HaploomError(f"{output} is a file: name a folder with -o")
    output.mkdir(parents=True, exist_ok=True)
    wanted = Reproduction(
        table=table, protocol=PROTOCOLS[size or "standard"], vcf=vcf, populations=populations, label=label, seed=seed
    )
    rows = measure_table(wanted, output)
    written = write_table(rows, wanted, output)
    if not as_json:
        click.echo((output / f"{table}.txt").read_text(encoding="utf-8"))
    print_result({"rows": len(rows), "written": [str(path) for path in written]}, as_json)
