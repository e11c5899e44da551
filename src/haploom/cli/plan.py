"""`--dry-run`: what a command would read, do and write."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import rich_click as click

from haploom.cli.frame import print_result

dry_run_option = click.option("--dry-run", is_flag=True, help="Only say what would be read, done and written.")


def print_plan(
    reads: Iterable[Path | None], does: dict[str, Any], writes: Iterable[Path | None], as_json: bool
) -> None:
    """Print the files that would be read, with their bytes, what would be done, and the files that would be written.

    None, for a file that was not given, and stdin have no size. Also says how much disk is free for what is written.
    """
    import shutil

    made = [path for path in writes if path is not None]
    there = [path for path in made[0].absolute().parents if path.is_dir()]
    plan = {
        "dry_run": True,
        "reads": {str(path): _size(path) for path in reads if path is not None},
        **does,
        "writes": [str(path) for path in made],
        "free_bytes": shutil.disk_usage(there[0]).free,
    }
    print_result(plan, as_json)


def _size(path: Path) -> int | None:
    """Bytes of a file, or of all files of a folder (VCF Zarr); None of what is neither."""
    if path.is_dir():
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return path.stat().st_size if path.is_file() else None
