"""`haploom demo`: everything Haploom does, on people that it simulates."""

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

if TYPE_CHECKING:
    from haploom.report.demo import DemoSettings


@click.command()
@click.option(
    "-o", "--output", default="demo", show_default=True, type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the report and all it is made from.",
)  # fmt: skip
@seed_option
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True, help="Threads to use.")
@force_option
@json_option
@quiet_option
def demo(output: Path, seed: int, threads: int, force: bool, as_json: bool) -> None:
    """Simulate people, train a model on them, and store, map, classify and simulate with it.

    Takes a minute or two and no real genome; ends with a report, DIR/report.html. The commands it runs are printed,
    and are in the report: each can be repeated by hand in DIR.
    """
    from haploom.report.demo import REPORT, DemoSettings, prepare_folder

    start = time.perf_counter()
    prepare_folder(output, force)
    results = run_demo(output, DemoSettings(seed=seed, threads=threads))
    if as_json:
        click.echo(json.dumps({"report": str(output / REPORT), **results}))
        return
    held_out = next(iter(results["classification"].values()))
    stored = {row["codec"]: row["total_bytes"] for row in results["storage"]}
    shown: dict[str, object] = {
        f"balanced accuracy, {row['method']}": f"{row['balanced_accuracy']['value']:.3f}" for row in held_out
    }
    shown |= {f"bytes stored, {codec}": size for codec, size in stored.items()}
    print_result({**shown, "seconds": round(time.perf_counter() - start), "report": output / REPORT}, as_json=False)


def run_demo(folder: Path, settings: "DemoSettings") -> dict:
    """Run every command of the demo in `folder` and write its report; returns the report's figures."""
    from haploom.bench.records import read_records
    from haploom.report.demo import ACCURACIES, demo_steps
    from haploom.report.demo_report import write_report
    from haploom.training.threads import use_threads

    use_threads(settings.threads)

    steps = demo_steps(settings)
    with chdir(folder):
        for number, step in enumerate(steps.values(), start=1):
            click.echo(f"[{number}/{len(steps) + 1}] {step.name}", err=True)
            for command, line in zip(step.commands, step.shell.splitlines()):
                click.echo(f"      {line}", err=True)
                _run(command)
        click.echo(f"[{len(steps) + 1}/{len(steps) + 1}] Measure and write the report", err=True)
        return write_report(Path(), settings, read_records(Path(ACCURACIES)))


def _run(command: Sequence[str]) -> None:
    """Run one command of ours; what it would print is in the report."""
    from haploom.cli.main import haploom

    with redirect_stdout(StringIO()):
        haploom.main(list(command), prog_name="haploom", standalone_mode=False)
    sys.stderr.flush()
