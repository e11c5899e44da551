"""Bytes that wait to be read again in another order: in memory while they are few, then in a file that has no name."""

import os
import tempfile
from pathlib import Path
from types import TracebackType

import numpy as np

from haploom.errors import HaploomError


class ScratchFile:
    """A nameless file in a folder (None: the one for temporary files, which TMPDIR says), gone when it is closed.

    Raises HaploomError where it cannot be made, written or read back.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        try:
            self.file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 (`close` does)
        except OSError as error:
            raise self._refused("made", error) from error

    def __enter__(self) -> "ScratchFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """What it held is lost."""
        self.file.close()

    def write(self, array: np.ndarray, offset: int) -> None:
        """The bytes of an array, in C order."""
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        try:
            while data:
                written = os.pwrite(self.file.fileno(), data, offset)
                data, offset = data[written:], offset + written
        except OSError as error:
            raise self._refused(f"written to after {offset:,} bytes", error) from error

    def read(self, array: np.ndarray, offset: int) -> None:
        """Fill an array in C order."""
        data = array.reshape(-1).view(np.uint8).data
        try:
            while data:
                if not (n_read := os.preadv(self.file.fileno(), [data], offset)):
                    raise OSError(0, f"it ends at {offset:,} bytes")
                data, offset = data[n_read:], offset + n_read
        except OSError as error:
            raise self._refused("read", error) from error

    def _refused(self, what: str, error: OSError) -> HaploomError:
        where = self._folder or "the folder for temporary files (TMPDIR)"
        return HaploomError(
            f"what does not stay in memory waits in a temporary file in {where}, which cannot be {what} "
            f"({error.strerror}): make room there, or choose another folder"
        )
