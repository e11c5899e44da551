"""What every subcommand shares: exit codes, progress on stderr, `--json`, and the options that choose genotypes."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from pathlib import Path
from typing import Any

import rich_click as click

from haploom import progress
from haploom.errors import HaploomError

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def run(command: click.Command, arguments: list[str] | None = None) -> int:
    """Run a command and return the exit code of the contract.

    0 done, 2 wrong usage, 3 input that cannot be used, 4 a check failed, 130 on Ctrl-C. Anything else is
    a bug of ours: the exception goes on, so that Python prints its traceback and exits with 1.
    """
    try:
        result = command.main(arguments, prog_name="haploom", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except HaploomError as error:
        click.echo(f"haploom: {error}", err=True)
        return error.exit_code
    except click.UsageError as error:
        error.show()
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("haploom: interrupted; nothing was left half-written", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. Point stdout elsewhere, or Python complains as it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def input_file(name: str = "source", **settings: Any) -> Callable:
    """An argument that names a file to read (`-` is stdin)."""
    return click.argument(
        name, type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path), **settings
    )


def output_option(help: str, required: bool = True) -> Callable:
    """`-o`, where the result goes."""
    return click.option(
        "-o", "--output", required=required, type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), help=help
    )


force_option = click.option("--force", is_flag=True, help="Replace outputs that exist.")
seed_option = click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of all chance.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
model_option = click.option(
    "-m",
    "--model",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A trained model.",
)
map_option = click.option(
    "--map", "genetic_map", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Genetic map with columns pos, chr, cM. Without it: 1 cM per Mb.",
)  # fmt: skip


def quiet_option(function: Callable) -> Callable:
    """`--quiet`, and progress bars on stderr where there is a terminal and it was not given."""

    @click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
    @wraps(function)
    def wrapped(*args: Any, quiet: bool, **kwargs: Any) -> Any:
        with _progress_bars(quiet):
            return function(*args, **kwargs)

    return wrapped


def _progress_bars(quiet: bool) -> AbstractContextManager[None]:
    if quiet or not sys.stderr.isatty():
        return nullcontext()
    return progress.show_with(_bar)


@contextmanager
def _bar(label: str, total: int | None) -> Iterator[progress.Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(label, total=total, figures="")

        def advance(steps: int = 1, **figures: float) -> None:
            shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
            bars.update(bar, advance=steps, figures=shown)

        yield advance


def note(message: str) -> None:
    """Tell the person something on stderr that is not an error."""
    click.echo(f"haploom: {message}", err=True)


def print_result(result: dict[str, Any], as_json: bool) -> None:
    """Print figures: a JSON object for machines, or one aligned `name: value` a line for people."""
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
        return
    width = max(map(len, result), default=0)
    for name, value in result.items():
        shown = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value
        click.echo(f"{name:<{width}}  {shown}")
