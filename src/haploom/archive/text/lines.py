"""Lines of text in one array: how a block's columns travel between the modules of this folder."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class LineTable:
    """Lines without their ends: line i is text[starts[i]:starts[i + 1]].

    text: uint8 (n_bytes,). starts: int64 (n_lines + 1,), from 0 to n_bytes, never falling.
    """

    text: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Bytes of each line: int64 (n_lines,)."""
        return np.diff(self.starts)

    def line(self, index: int) -> bytes:
        return self.text[self.starts[index] : self.starts[index + 1]].tobytes()

    def to_list(self) -> list[bytes]:
        text = self.text.tobytes()
        bounds = self.starts.tolist()
        return [text[start:end] for start, end in itertools.pairwise(bounds)]

    @classmethod
    def from_list(cls, lines: Iterable[bytes]) -> "LineTable":
        kept = list(lines)
        return cls.from_lengths(b"".join(kept), np.array([len(line) for line in kept], dtype=np.int64))

    @classmethod
    def from_lengths(cls, text: bytes, lengths: np.ndarray) -> "LineTable":
        """Lines of these lengths, int64 (n_lines,), in `text`. Raises ValueError unless they fill it."""
        if lengths.size and lengths.min() < 0:
            raise ValueError("a line has a negative length")
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        if starts[-1] != len(text):
            raise ValueError(f"lines of {starts[-1]} bytes in a text of {len(text)}")
        return cls(np.frombuffer(text, dtype=np.uint8), starts)
