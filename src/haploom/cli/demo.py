"""`haploom demo`: everything Haploom does, on people that it simulates or on the user's own."""

import json
import sys
import time
from collections.abc import Sequence
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from haploom.cli.frame import (
    force_option,
    json_option,
    print_result,
    quiet_option,
    seed_option,
)
from haploom.cli.plan import dry_run_option, print_plan

if TYPE_CHECKING:
    from haploom.report.demo.cast import Cast
    from haploom.report.demo.steps import DemoSettings


@click.command()
@click.option(
    "-o", "--output", default="demo", show_default=True, type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the report and all it is made from.",
)  # fmt: skip
@click.option(
    "--vcf", type=click.Path(exists=True, path_type=Path),
    help="Phased genotypes of your own people, in place of simulated ones; any format that is read.",
)  # fmt: skip
@click.option(
    "--populations", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Their labels: column `sample` and one for each kind of label.",
)  # fmt: skip
@click.option("--label", metavar="COLUMN", help="Which labels. Without it: superpopulation, else population.")
@seed_option
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True, help="Threads to use.")
@force_option
@dry_run_option
@json_option
@quiet_option
def demo(
    output: Path, vcf: Path | None, populations: Path | None, label: str | None, seed: int, threads: int, force: bool,
    dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Simulate people, train models on them, and store, map, label, paint, make up and audit people with them.

    Takes some minutes and no real genome; ends with a report, DIR/report.html, that needs no network. The commands it
    runs are printed, and are in the report: each can be repeated by hand in DIR.

    With --vcf and --populations the same is done with your own people, at most 10,000 sites of them; what cannot be
    done with them is left out, and the report says so. Their genotypes stay in DIR: share it as you would share them.
    """
    if (vcf is None) != (populations is None):
        raise click.UsageError("--vcf GENOTYPES and --populations TABLE go together")
    if label is not None and vcf is None:
        raise click.UsageError("--label is a column of --populations, which goes with --vcf")

    from haploom.report.demo.cast import SIMULATED
    from haploom.report.demo.files import REPORT, cast_own_people, earlier_demo, prepare_folder
    from haploom.report.demo.steps import DemoSettings

    if dry_run:
        earlier_demo(output, force)
        _print_steps(output, vcf, populations, label, DemoSettings(seed=seed, threads=threads), as_json)
        return
    start = time.perf_counter()
    prepare_folder(output, force)
    cast = SIMULATED
    if vcf is not None and populations is not None:
        cast = cast_own_people(output, vcf.resolve(), populations, label)
    results = run_demo(output, DemoSettings(seed=seed, threads=threads), cast)
    if as_json:
        click.echo(json.dumps({"report": str(output / REPORT), **results}))
        return
    held_out = next(iter(results["classification"].values()))
    shown: dict[str, object] = {
        f"balanced accuracy, {row['method']}": f"{row['balanced_accuracy']['value']:.3f}" for row in held_out
    }
    shown |= {f"bytes stored, {row['codec']}": row["total_bytes"] for row in results["storage"]["archives"]}
    if results["painting"]:
        shown["painted right"] = f"{results['painting']['accuracy']:.3f}"
    shown |= {
        f"audit, {source}": "passed" if found["passed"] else f"{len(found['failed'])} of {found['of']} failed"
        for source, found in results["audits"].items()
        if found
    }
    print_result({**shown, "seconds": round(time.perf_counter() - start), "report": output / REPORT}, as_json=False)


def _print_steps(
    output: Path, vcf: Path | None, populations: Path | None, label: str | None, settings: "DemoSettings", as_json: bool
) -> None:
    """The commands of each step. Own people are read, because what is done with them depends on them."""
    from tempfile import TemporaryDirectory

    from haploom.report.demo.cast import SIMULATED
    from haploom.report.demo.files import REPORT, cast_own_people
    from haploom.report.demo.steps import demo_steps

    cast = SIMULATED
    if vcf is not None and populations is not None:
        with TemporaryDirectory() as folder:  # for the lists that are written of them
            cast = cast_own_people(Path(folder), vcf.resolve(), populations, label)
    steps = {step.name: step.shell.splitlines() for step in demo_steps(settings, cast).values()}
    does = {"steps": steps} if as_json else steps
    print_plan((vcf, populations), {"threads": settings.threads, **does}, (output, output / REPORT), as_json)


def run_demo(folder: Path, settings: "DemoSettings", cast: "Cast") -> dict:
    """Run every command of the demo in `folder` and write its report; returns the report's figures."""
    from haploom.bench.records import read_records
    from haploom.report.demo.files import ACCURACIES, write_lists
    from haploom.report.demo.page import write_report
    from haploom.report.demo.steps import demo_steps
    from haploom.training.threads import use_threads

    use_threads(settings.threads)

    steps = demo_steps(settings, cast)
    with chdir(folder):
        for number, (name, step) in enumerate(steps.items(), start=1):
            click.echo(f"[{number}/{len(steps) + 1}] {step.name}", err=True)
            for command, line in zip(step.commands, step.shell.splitlines()):
                click.echo(f"      {line}", err=True)
                _run(command)
            if name == "people":
                write_lists(Path(), cast)
        click.echo(f"[{len(steps) + 1}/{len(steps) + 1}] Measure and write the report", err=True)
        return write_report(Path(), settings, cast, read_records(Path(ACCURACIES)))


def _run(command: Sequence[str]) -> None:
    """Run one command of ours; what it would print is in the report."""
    from haploom.cli.main import haploom
    from haploom.errors import HaploomError

    with redirect_stdout(StringIO()):
        try:
            haploom.main(list(command), prog_name="haploom", standalone_mode=False)
        except HaploomError as error:
            # That made-up people fail, or are all alike and cannot be audited, is a finding and not the end.
            if command[0] != "audit":
                raise
            click.echo(f"      exit {error.exit_code}, and the demo goes on: {error}", err=True)
    sys.stderr.flush()
