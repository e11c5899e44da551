"""A folder of tables and figures: each file is whole or not there, none is replaced unasked."""

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from haploom.errors import HaploomError, MissingExtraError
from haploom.io.output import atomic_output, check_outputs, make_folder, text_output
from haploom.report import figures

PICTURES = {".png": figures.png, ".pdf": figures.pdf}
ABSENT = "NA"
_FEW_LABELS = 9  # more need a larger figure


class ResultFolder:
    """Where a command's tables (TSV) and figures (PNG and PDF) go.

    tables: file names. drawings: names without suffix; none to draw nothing. inputs: files the command reads, which no
    output may be. The folder is made when the first file is written.

    Raises HaploomError, before any work, when `path` is no folder, a file exists and not `force`, or could not be
    written; MissingExtraError without matplotlib where there is something to draw.
    """

    def __init__(
        self, path: Path, tables: Sequence[str], drawings: Sequence[str], inputs: Iterable[Path | None], force: bool
    ) -> None:
        if path.exists() and not path.is_dir():
            raise HaploomError(f"{path} is a file: name a folder for the results with -o")
        if drawings and find_spec("matplotlib") is None:
            raise MissingExtraError("matplotlib", "plots", "drawing figures (--no-plots goes without)")
        files = [*tables, *(f"{name}{suffix}" for name in drawings for suffix in PICTURES)]
        if path.exists():
            check_outputs([path / name for name in files], inputs, force)
        elif not path.absolute().parent.is_dir():
            raise HaploomError(f"cannot write {path}: there is no folder {path.absolute().parent}")
        self.path, self._drawings, self._force = path, tuple(drawings), force

    def write_table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Tab-separated rows under a header; numbers to 6 figures, NaN as NA."""
        self.write_lines(name, chain(["\t".join(columns)], ("\t".join(map(cell, row)) for row in rows)))

    def write_lines(self, name: str, lines: Iterable[str]) -> None:
        """Lines of text, without their line ends."""
        with text_output(self._made() / name, self._force) as file:
            file.writelines(f"{line}\n" for line in lines)

    def draw(self, name: str, draw: figures.Draw, n_labels: int) -> None:
        """A figure in every picture format, unless this folder is without. n_labels: populations it must hold."""
        if name not in self._drawings:
            return
        for suffix, drawn in PICTURES.items():
            with atomic_output(self._made() / f"{name}{suffix}", self._force) as partial:
                partial.write_bytes(drawn(draw, _size_in(n_labels)))

    def _made(self) -> Path:
        """The folder, which is there from now on."""
        make_folder(self.path)
        return self.path


def _size_in(n_labels: int) -> tuple[float, float]:
    """Width and height: room for a second column in the legend, for more names under an axis, for more rows."""
    width, height = figures.SIZE_IN
    return (width, height) if n_labels <= _FEW_LABELS else (1.5 * width, max(1.3 * height, 0.25 * n_labels))


def cell(value: Any) -> str:
    """A value as a table holds it."""
    if isinstance(value, float | np.floating):
        return ABSENT if np.isnan(value) else f"{value:.6g}"
    return str(value)
