"""Rows of a table as they are measured: a JSON line each, so that a stopped run goes on where it was."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from haploom.errors import HaploomError
from haploom.io.output import text_output

Row = dict[str, Any]


class RowFile:
    """Finished rows of one table. settings: what they were measured with; kept in the first line.

    Raises HaploomError where the file holds rows of other settings.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        self.rows: dict[str, list[Row]] = {}
        self._head = head = json.dumps({"settings": settings}, sort_keys=True)
        if not path.exists():
            path.write_text(head + "\n", encoding="utf-8")
            return
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines or lines[0] != head:
            raise HaploomError(f"{path} holds rows of other settings: choose another folder with -o, or delete it")
        for line in lines[1:]:
            try:
                found = json.loads(line)
            except json.JSONDecodeError:
                break  # the run was stopped while it wrote this line
            self.rows[found["key"]] = found["rows"]

    def measured(self, key: str, measure: Callable[[], list[Row]]) -> list[Row]:
        """The rows of this name: those of an earlier run, or measured now and kept."""
        if key not in self.rows:
            self.rows[key] = measure()
            kept = [{"key": name, "rows": rows} for name, rows in self.rows.items()]
            with text_output(self.path, True) as file:  # whole or not there: a run may be stopped at any time
                file.write(self._head + "\n")
                file.writelines(json.dumps(line) + "\n" for line in kept)
        return self.rows[key]
