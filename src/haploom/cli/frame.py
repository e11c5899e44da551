"""What every subcommand shares: exit codes, progress on stderr, `--json`, and the options that choose genotypes."""

import errno
import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import rich_click as click

from haploom import progress
from haploom.errors import HaploomError, SiteMismatchError

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
LINE_LENGTH = 100  # of printed objects; longer ones take several lines
LONG_LIST = 30  # of a printed list no more than these are shown; --json has all


def run(command: click.Command, arguments: list[str] | None = None) -> int:
    """Run a command and return the exit code of the contract.

    0 done, 2 wrong usage, 3 input that cannot be used, 4 a check failed, 130 on Ctrl-C. Anything else is
    a bug of ours: the exception goes on, so that Python prints its traceback and exits with 1.
    """
    try:
        with _warnings_as_notes():
            result = command.main(arguments, prog_name="haploom", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except HaploomError as error:
        note(str(error))
        return error.exit_code
    except click.UsageError as error:
        error.show()
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("haploom: interrupted; nothing was left half-written", err=True)
        return EXIT_INTERRUPTED
    except SystemExit as leaving:
        # click turns a closed pipe into exit code 1, but the reader (`| head`) has only seen enough.
        if not isinstance(leaving.__context__, BrokenPipeError):
            raise
        return _closed_pipe()
    except BrokenPipeError:
        return _closed_pipe()
    except OSError as error:
        if error.errno not in _OUTPUT_ERRORS:
            raise
        _silence_stdout()
        click.echo(f"haploom: cannot write the output: {error.strerror}", err=True)
        return HaploomError.exit_code


# A full disk, a full quota, a closed descriptor: the outputs that are files say so themselves (`io.output`).
_OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EBADF)


def _closed_pipe() -> int:
    """Done: the reader has seen enough."""
    _silence_stdout()
    return 0


def _silence_stdout() -> None:
    """Point stdout elsewhere, or Python complains as it exits of what it cannot flush."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the file descriptor of stdout


class _Notes(logging.Handler):
    """Shows what library code logs as a note: its warnings, and where progress is shown what it is waiting for.

    What is logged of every batch of people is shown once.
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if message not in self._shown:
            self._shown.add(message)
            note(message)


@contextmanager
def _warnings_as_notes() -> Iterator[None]:
    logger = logging.getLogger("haploom")
    handler = _Notes()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def input_file(name: str = "source", stdin: bool = True) -> Callable:
    """An argument that names a file to read. stdin: whether `-` is taken, which can be read only once."""
    return click.argument(name, type=click.Path(exists=True, dir_okay=False, allow_dash=stdin, path_type=Path))


def genotypes(name: str = "source", **settings: Any) -> Callable:
    """An argument that names genotypes to read, in a file or (VCF Zarr) a folder; `-` is stdin."""
    return click.argument(name, type=click.Path(exists=True, allow_dash=True, path_type=Path), **settings)


def output_option(help: str, stdout: bool = False) -> Callable:
    """`-o`, where the result goes. stdout: whether `-` is taken; else it is refused, not made a file of that name."""
    return click.option(
        "-o", "--output", required=True, type=click.Path(allow_dash=True, path_type=Path), help=help,
        callback=None if stdout else _refuse_stdout,
    )  # fmt: skip


def _refuse_stdout(context: click.Context, parameter: click.Parameter, output: Path) -> Path:
    if output == Path("-"):
        raise click.UsageError(f"{context.info_name}: -o must name a file, not stdout", context)
    return output


force_option = click.option("--force", is_flag=True, help="Replace outputs that exist.")
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="Seed of all chance."
)
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


optional_model_option = click.option(
    "-m", "--model", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A trained model, or the reference archive that an archive was stored beside.",
)  # fmt: skip
min_coverage_option = click.option(
    "--min-coverage", type=click.FloatRange(0, 1), default=0.5, show_default=True,
    help="Refuse genotypes with a smaller share of the model's sites; classify: people with fewer calls are unknown.",
)  # fmt: skip
threads_option = click.option("--threads", type=click.IntRange(1), help="Threads. [default: all cores]")
_WORKERS = (
    click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes at work."),
    click.option("--dask", metavar="ADDRESS", help="Work on this Dask scheduler's workers; local: start so many here."),
    click.option("--memory", metavar="SIZE", help="What each worker may hold, such as 2G."),
)


def workers_options(function: Callable) -> Callable:
    """Who does work that is cut in parts; the command gets `haploom.parallel.Workers` as the keyword `workers`."""

    @wraps(function)
    def wrapped(*args: Any, workers: int, dask: str | None, memory: str | None, **kwargs: Any) -> Any:
        from haploom.parallel import Workers

        threads = kwargs.get("threads") or 1
        where = Workers(count=workers, dask=dask, threads=threads, memory_bytes=_size(memory) if memory else None)
        return function(*args, workers=where, **kwargs)

    return _with_options(wrapped, _WORKERS)


_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def _size(text: str) -> int:
    """Bytes of `2G`, `512M`, `1048576`."""
    found = re.fullmatch(r"(\d+)([KMGT]?)I?B?", text.strip().upper())
    if not found:
        raise click.UsageError(f"--memory {text}: wanted a number of bytes, or one with K, M, G or T, such as 2G")
    return int(found[1]) * _UNITS[found[2]]


output_type_option = click.option(
    "-O", "--output-type", type=click.Choice(["v", "z", "u", "b"]),
    help="v: VCF, z: VCF in BGZF, u: plain BCF, b: BCF. Without it, the suffix of the output tells.",
)  # fmt: skip
no_version_option = click.option(
    "--no-version", is_flag=True, help="Leave version and command out of the header: same panel, same bytes."
)

_TABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _selection_option(*names: str, **settings: Any) -> Callable:
    return click.option(*names, panel="Which people and sites", **settings)


_SELECTION_OPTIONS = {
    "regions": _selection_option(
        "-r", "--regions", metavar="REGION[,...]", help="Sites that overlap 22, 22:100-200, 22:100 or 22:100-."
    ),
    "regions_file": _selection_option(
        "-R", "--regions-file", type=_TABLE, help="Regions, a line each: contig, start, end (BED where so named)."
    ),
    "samples": _selection_option(
        "-s", "--samples", metavar="[^]NAME[,...]", help="People to take, in this order; ^: to leave out."
    ),
    "samples_file": _selection_option(
        "-S", "--samples-file", metavar="[^]FILE", help="People to take, one a line; ^: to leave out."
    ),
    "maf": _selection_option(
        "--maf", type=click.FloatRange(0, 0.5, max_open=True), help="Sites with a minor-allele frequency above this."
    ),
    "sites": _selection_option("--sites", type=_TABLE, help="Sites to take: columns chrom pos [ref alt], or a VCF."),
    "split": _selection_option("--split", type=_TABLE, help="Parts of the people, from `haploom split`, or a model."),
    "part": _selection_option(
        "--part", type=click.Choice(["train", "validation", "test"]), help="Part of the split to take."
    ),
    "populations": _selection_option(
        "--populations", type=_TABLE, help="Labels: column `sample` and one for each kind of label."
    ),
    "label": _selection_option(
        "--label", metavar="COLUMN", help="Which labels to use. Without it: superpopulation, else population."
    ),
}


def selection_options(function: Callable) -> Callable:
    """The options that choose people and sites; the command gets them as one keyword, `selection`.

    For commands that read genotypes. The type is `haploom.io.Selection`, loaded when the command runs.
    """

    @wraps(function)
    def wrapped(*args: Any, split: Path | None, part: str | None, **kwargs: Any) -> Any:
        if part is not None and split is None and "source" in kwargs:  # people are chosen from genotypes
            split = _split_of_model(kwargs.get("model"))
        if (split is None) != (part is None):
            raise click.UsageError("--split and --part go together; in place of a --split, a --model has its own")
        selection = _take_selection(kwargs, split=split, part=part)
        return function(*args, selection=selection, **kwargs)

    return _with_options(wrapped, _SELECTION_OPTIONS.values())


def _split_of_model(model: Path | None) -> Path | None:
    """A model knows whom it was trained on. An archive, which some commands take as their --model, does not."""
    from haploom.io.model_file import is_model_file

    return model if model is not None and is_model_file(model) else None


def training_selection_options(function: Callable) -> Callable:
    """`selection_options` for commands that take every part of a split: no --part, `split` a keyword of its own."""

    @wraps(function)
    def wrapped(*args: Any, split: Path | None, **kwargs: Any) -> Any:
        return function(*args, selection=_take_selection(kwargs), split=split, **kwargs)

    return _with_options(wrapped, [option for name, option in _SELECTION_OPTIONS.items() if name != "part"])


def site_selection_options(function: Callable) -> Callable:
    """The options that choose sites by place, for commands that read several files of people; keyword `selection`."""

    @wraps(function)
    def wrapped(*args: Any, sites: Path | None, **kwargs: Any) -> Any:
        others = dict.fromkeys(("samples", "samples_file", "maf", "populations", "label"))
        places = {name: kwargs.pop(name) for name in ("regions", "regions_file")}
        return function(*args, selection=_take_selection({**others, **places, "sites": sites}), **kwargs)

    return _with_options(wrapped, [_SELECTION_OPTIONS[name] for name in ("regions", "regions_file", "sites")])


def _with_options(function: Callable, options: Iterable[Callable]) -> Callable:
    for option in reversed(tuple(options)):
        function = option(function)
    return function


def _take_selection(given: dict[str, Any], **people: Any) -> Any:
    """The Selection that the options ask for; they are taken out of `given`."""
    from haploom.io import Selection

    regions, regions_file = given.pop("regions"), given.pop("regions_file")
    samples, samples_file = given.pop("samples"), given.pop("samples_file")
    if regions is not None and regions_file:
        raise click.UsageError("give regions with -r or with -R, not both")
    if samples is not None and samples_file is not None:
        raise click.UsageError("give samples with -s or with -S, not both")
    return Selection(
        regions=_regions(regions, regions_file), samples=_sample_names(samples, samples_file),
        exclude_samples=(samples or samples_file or "").startswith("^"),
        **{name: given.pop(name) for name in ("maf", "sites", "populations", "label")}, **people,
    )  # fmt: skip


@contextmanager
def chosen_sites_explained(selection: Any) -> Iterator[None]:
    """Say so where a model refuses genotypes of which the Selection took only some sites."""
    try:
        yield
    except SiteMismatchError as error:
        if not (selection.regions or selection.chooses_sites_by_content):
            raise
        raise SiteMismatchError(
            f"{error} Sites that -r, -R, --maf and --sites leave out count as absent: enough must remain."
        ) from error


def _regions(listed: str | None, file: Path | None) -> tuple[str, ...]:
    if file is None:
        return tuple(listed.split(",")) if listed is not None else ()
    from haploom.io.regions import read_regions

    return read_regions(file)


def _sample_names(listed: str | None, file: str | None) -> tuple[str, ...] | None:
    if listed is not None:
        return tuple(listed.removeprefix("^").split(","))
    if file is None:
        return None
    from haploom.io.tables import text_lines

    return tuple(text.split()[0] for _, text in text_lines(Path(file.removeprefix("^"))))


def quiet_option(function: Callable) -> Callable:
    """`--quiet`, and progress bars on stderr where there is a terminal and it was not given."""

    @click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
    @wraps(function)
    def wrapped(*args: Any, quiet: bool, **kwargs: Any) -> Any:
        with _progress_bars(quiet):
            return function(*args, **kwargs)

    return wrapped


@contextmanager
def _progress_bars(quiet: bool) -> Iterator[None]:
    if quiet or not sys.stderr.isatty():
        yield
        return
    logger = logging.getLogger("haploom")
    before = logger.level
    logger.setLevel(logging.INFO)
    try:
        with progress.show_with(_bar):
            yield
    finally:
        logger.setLevel(before)


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


def default_threads() -> int:
    """Threads where --threads does not say: the cores this process may use, at most 8."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, 8)


def note(message: str) -> None:
    """Tell the person something on stderr; what a terminal would not show but obey is spelt out (\\x00, \\x1b)."""
    shown = "".join(
        letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode()
        for letter in message
    )
    click.echo(f"haploom: {shown}", err=True)


def print_result(result: dict[str, Any], as_json: bool, output: Path | None = None) -> None:
    """Print figures: a JSON object for machines, or one aligned `name  value` a line for people, and
    objects that take more than a line in several.

    output: where the command's table went; where that is stdout, figures go to stderr.
    """
    err = output == Path("-")
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False), err=err)
        return
    width = max(map(len, result), default=0)
    for name, value in result.items():
        shown = _shown(value)
        too_long = width + 2 + len(shown) > LINE_LENGTH
        if isinstance(value, list) and too_long:
            for line in (name, *(f"  {_shown(each)}" for each in value)):
                click.echo(line, err=err)
        elif isinstance(value, dict) and too_long:
            click.echo(name, err=err)
            of_names = max(map(len, value))
            for part, each in value.items():
                click.echo(f"  {part:<{of_names}}  {_shown(each)}", err=err)
        else:
            click.echo(f"{name:<{width}}  {shown}", err=err)


def _shown(value: Any) -> str:
    """A figure for people: thousands apart, lists and objects without Python's brackets and quotes."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.5g}"
        case dict():
            return (
                ", ".join(
                    f"{name} ({_shown(each)})" if isinstance(each, dict) else f"{name} {_shown(each)}"
                    for name, each in value.items()
                )
                or "none"
            )
        case list() if len(value) > LONG_LIST:
            return f"{', '.join(map(_shown, value[:LONG_LIST]))} and {len(value) - LONG_LIST:,} more"
        case list():
            return ", ".join(map(_shown, value)) or "none"
    return str(value)
