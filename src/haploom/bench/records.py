"""Benchmark records: JSON lines that are only ever added to. Tables and reports are made from these lines."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from haploom.errors import FormatError, HaploomError


def append_records(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Add one line a record, all in one write.

    Raises HaploomError when the file cannot be written, or holds anything but records, such as the genotypes measured.
    """
    lines = "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records)
    try:
        with path.open("ab+") as file:
            file.seek(0)
            if file.read(1) not in (b"", b"{"):
                raise HaploomError(f"{path} holds no records, so none are added to it: choose another -o")
            file.write(lines.encode())
    except OSError as error:
        raise HaploomError(f"cannot write {path}: {error.strerror or error}") from error


def read_records(path: Path) -> list[dict[str, Any]]:
    """All records of a file, in order. Raises FormatError, with the line, for one that is not a JSON object."""
    records = []
    with path.open(encoding="utf-8", newline="\n") as file:  # no other character ends a line: JSON may hold them
        for number, line in enumerate(file, start=1):
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise FormatError(f"{path}, line {number}: not JSON ({error.msg}): remove the line") from error
            if not isinstance(record, dict):
                raise FormatError(f"{path}, line {number}: wanted a JSON object, found {type(record).__name__}")
            records.append(record)
    return records
