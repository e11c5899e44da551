"""Packed rows that come one after another and are read by columns: more of them than memory holds.

A file lies on its side: the first byte of every row, then the second of every row, and so on. Rows that come are
gathered until a column's piece of them is a page of the file, and read back through the system's cache.
"""

from pathlib import Path
from types import TracebackType

import numpy as np

from haploom.io.scratch import ScratchFile
from haploom.panel.bits import row_bytes

MEMORY_BYTES = 1 << 28  # no more than these are kept in memory, and never go to disk
_PAGE_ROWS = 4096


def disk_bytes(n_rows: int, n_sites: int) -> int:
    """What TurnedRows takes on disk for rows of so many sites: 0 where they stay in memory."""
    n_bytes = n_rows * row_bytes(n_sites)
    return n_bytes if n_bytes > MEMORY_BYTES else 0


class TurnedRows:
    """`n_rows` rows of `n_bytes` bytes, in a nameless file in `folder`, or in memory where they are few."""

    def __init__(self, n_rows: int, n_bytes: int, folder: Path) -> None:
        self._shape = (n_rows, n_bytes)
        self._folder = folder
        self._filled = 0
        self._waiting: list[np.ndarray] = []

    def __enter__(self) -> "TurnedRows":
        in_memory = self._shape[0] * self._shape[1] <= MEMORY_BYTES
        self._array = np.empty(self._shape, dtype=np.uint8, order="F") if in_memory else None
        self._file = None if in_memory else ScratchFile(self._folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def append(self, rows: np.ndarray) -> None:
        """Add rows: uint8 (n, n_bytes)."""
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= _PAGE_ROWS:
            self._write()

    def bits(self) -> np.ndarray:
        """All rows: uint8 (n_rows, n_bytes), its columns contiguous. Raises ValueError while some have not come."""
        self._write()
        if self._filled != self._shape[0]:
            raise ValueError(f"{self._filled} rows have come, wanted {self._shape[0]}")
        if self._array is not None:
            return self._array
        assert self._file is not None
        return np.memmap(self._file.file, np.uint8, "r", shape=self._shape, order="F")

    def _write(self) -> None:
        if not self._waiting:
            return
        rows = np.concatenate(self._waiting)
        self._waiting = []
        if self._array is not None:
            self._array[self._filled : self._filled + len(rows)] = rows
        else:
            assert self._file is not None
            for column, piece in enumerate(np.ascontiguousarray(rows.T)):
                self._file.write(piece, column * self._shape[0] + self._filled)
        self._filled += len(rows)
