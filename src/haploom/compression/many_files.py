"""Several files, such as the chromosomes of a cohort, to a folder of archives and one report."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haploom.archive import Archive
from haploom.compression.writer import compress
from haploom.errors import HaploomError
from haploom.io import Selection
from haploom.io.byte_stream import STANDARD
from haploom.io.formats import stem
from haploom.io.output import check_folder, check_outputs, make_folder, remove_partials, text_output
from haploom.parallel import PartFiles, Workers, run_parts

SUFFIX = ".hlm"
REPORT = "archives.tsv"
REPORT_COLUMNS = (
    "source", "archive", "sites", "haplotypes", "total_bytes", "genotype_bytes", "variant_bytes", "model_bytes",
    "text_sha256", "verified",
)  # fmt: skip
_UNFINISHED = ".unfinished"


@dataclass(frozen=True)
class _File:
    """One file to store: a part of the work."""

    source: Path
    archive: Path
    selection: Selection
    settings: dict[str, Any]


def archive_names(sources: Sequence[Path]) -> list[str]:
    """`chr22.vcf.gz` becomes `chr22.hlm`. Raises HaploomError where two files would get one name."""
    names = [f"{stem(source)}{SUFFIX}" for source in sources]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise HaploomError(
                f"{sources[names.index(name)]} and {sources[place]} would both be stored as {name}: rename one "
                "of them, or store them in different folders"
            )
    return names


def compress_files(
    sources: Sequence[Path], folder: Path, *, selection: Selection, workers: Workers, force: bool = False,
    **settings: Any,
) -> list[dict[str, Any]]:  # fmt: skip
    """Store each file as an archive of its name in `folder`, and a table of all, `archives.tsv`, beside them.

    Returns a row of REPORT_COLUMNS for each. settings: the fields of `compression.writer.Storage`. The archives are
    the same for any workers. A run that was stopped goes on where it was: the same call redoes only what is missing.
    Archives of earlier runs stay in the folder and in its table; those of these files are replaced with `force`.
    On a cluster, its workers must find files and folder under the same names.

    Raises HaploomError as `plan_files`, where inputs have changed since a run that was stopped, or where the folder
    cannot be made; what `compress` raises.
    """
    archives = list(plan_files(sources, folder, selection=selection, force=force, **settings))
    unfinished = folder / _UNFINISHED
    if force:
        shutil.rmtree(unfinished, ignore_errors=True)
    make_folder(folder)
    # What is there may be replaced, or it had been refused: with `force`, or left by an earlier try of this very run.
    check_outputs(archives, _inputs(sources, selection, settings), force=True)
    kept = PartFiles(unfinished, _asked(sources, selection, settings))
    for place, archive in enumerate(archives):
        remove_partials(archive)
        if not archive.exists():
            kept.forget(place)
    parts = [_File(source, archive, selection, settings) for source, archive in zip(sources, archives)]
    done = run_parts(_store, parts, workers, label="Compressing files", total=len(parts), ordered=True, kept=kept)
    rows = [json.loads(row) for _, row in done]
    names = {archive.name for archive in archives}
    earlier = [row for row in _earlier_rows(folder) if row["archive"] not in names]
    with text_output(folder / REPORT, force=True) as file:
        file.write("\t".join(REPORT_COLUMNS) + "\n")
        file.writelines("\t".join(str(row[name]) for name in REPORT_COLUMNS) + "\n" for row in [*earlier, *rows])
    kept.remove()
    return rows


def plan_files(
    sources: Sequence[Path], folder: Path, *, selection: Selection, force: bool = False, **settings: Any
) -> dict[Path, bool]:
    """What `compress_files` would make: archive -> whether a run that was stopped has left it, so that it is kept.

    Writes nothing. Raises HaploomError where a source is stdin or its name cannot stand in a table, the folder is a
    file or named like an archive, two files would get one name, an archive is in the folder and not `force`, the folder
    holds parts of another run that was stopped, or its table is not one of ours.
    """
    if STANDARD in sources:
        raise HaploomError("- is stored alone, into one file: name files where several are stored")
    if (odd := next((source for source in sources if not _fits_a_table(str(source))), None)) is not None:
        raise HaploomError(
            f"{str(odd)!r} has a tab, a new line or bytes that are not UTF-8 in its name, which {REPORT} cannot hold: "
            "rename it, or store it alone, into one file"
        )
    if folder.suffix == SUFFIX:
        raise HaploomError(
            f"{folder} is named like an archive, and several files are stored in a folder, one archive each: name a "
            "folder with -o, or store each file by a command of its own"
        )
    check_folder(folder)
    archives = [folder / name for name in archive_names(sources)]
    stopped = not force and PartFiles.are_there(folder / _UNFINISHED, _asked(sources, selection, settings))
    there = [archive for archive in archives if archive.exists()]
    if there and not (stopped or force):
        raise HaploomError(
            f"{there[0]} exists, of an earlier run: name only files that are not in {folder} yet, which are added to "
            f"it and to its {REPORT}, or store these again with --force"
        )
    if folder.is_dir():
        check_outputs(archives, _inputs(sources, selection, settings), force=True)
        _earlier_rows(folder)
    return {archive: stopped and archive in there for archive in archives}


def _inputs(sources: Sequence[Path], selection: Selection, settings: dict[str, Any]) -> list[Path | None]:
    reference = settings.get("reference")
    beside = reference.path if isinstance(reference, Archive) else reference
    return [*sources, settings.get("model"), beside, selection.populations, selection.sites, selection.split]


def _asked(sources: Sequence[Path], selection: Selection, settings: dict[str, Any]) -> dict[str, Any]:
    """All that the archives depend on, as JSON values: files by what they are now."""
    inputs = _inputs(sources, selection, settings)
    said = {name: value for name, value in settings.items() if name not in ("model", "reference", "threads")}
    asked = {**vars(selection), **said, "inputs": [path and _identity(path) for path in inputs]}
    return json.loads(json.dumps(asked, default=str))


def _fits_a_table(name: str) -> bool:
    is_utf8 = not any("\ud800" <= letter <= "\udfff" for letter in name)  # other bytes come as surrogates
    return is_utf8 and "\t" not in name and len(name.splitlines()) == 1


def _earlier_rows(folder: Path) -> list[dict[str, str]]:
    """Of the archives that earlier runs have put there and that still are."""
    path = folder / REPORT
    if not path.exists():
        return []
    text = path.read_bytes().decode(errors="replace") if path.is_file() else ""
    head, *lines = [tuple(line.split("\t")) for line in text.splitlines()] or [()]
    if head != REPORT_COLUMNS or any(len(line) != len(REPORT_COLUMNS) for line in lines):
        raise HaploomError(f"{path} is no table of archives of this release: move it away, or choose another folder")
    rows = [dict(zip(REPORT_COLUMNS, line)) for line in lines]
    return [row for row in rows if (folder / row["archive"]).exists()]


def _store(file: _File) -> bytes:
    """Store one file, and say what `REPORT_COLUMNS` does of it, as JSON."""
    # A try that was cut short after the archive had got its name leaves it there: the same one is made again.
    about = compress(file.source, file.archive, selection=file.selection, force=True, **file.settings)
    row = about | {"source": str(file.source), "archive": file.archive.name}
    return json.dumps({name: row[name] for name in REPORT_COLUMNS}).encode()


def _identity(source: Path) -> list[Any]:
    """A file that changes gets another."""
    about = source.stat()
    return [str(source.absolute()), about.st_size, about.st_mtime_ns]
