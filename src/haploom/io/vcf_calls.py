"""Calls as they are read, site after site, kept in tiles and turned into rows of people at the end.

A tile is site-major, so that a line is written to memory that lies together; turning it happens once,
when the number of sites is known. Each tile goes back to the system as soon as it is turned: at the peak there is the
result and little more.
"""

import mmap
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from haploom.io import vcf_kernels

_TILE_BYTES = 1 << 20
# A tile turned into columns writes at least a cache line a row, however many rows there are.
_TILE_ROWS = 64
# Shared pages, which mmap gives where it is not asked, are not counted by a limit on memory. Windows has no such flags.
_PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}


def _zeros(n_rows: int, n_columns: int, dtype: type) -> np.ndarray:
    """Zeros in pages of their own, taken as they are written and given back when they are let go.

    The allocator keeps what was freed of its heap, and NumPy asks for huge pages: tiles and result would both be there.
    """
    n_bytes = max(n_rows * n_columns * np.dtype(dtype).itemsize, 1)
    try:
        pages = mmap.mmap(-1, n_bytes, **_PRIVATE)
    except OSError as error:
        raise MemoryError(f"no memory for {n_bytes:,} bytes of calls: {error.strerror}") from error
    return np.frombuffer(pages, dtype=dtype, count=n_rows * n_columns).reshape(n_rows, n_columns)


class CallTiles:
    """What haplotypes and dosages share: people chosen, and lines added to the tile at hand.

    Subclasses say how many sites a tile row holds, how wide it is, and which kernel fills it.
    """

    sites_per_row: ClassVar[int]
    dtype: ClassVar[type]
    phased: ClassVar[bool]

    def __init__(self, samples: Sequence[str], people: Sequence[str]) -> None:
        """samples: the file's people; people: those to keep, in the order to keep them."""
        place_of = {name: place for place, name in enumerate(samples)}
        kept = np.array([place_of[name] for name in people], dtype=np.int64)
        self.wanted = np.zeros(len(samples), dtype=bool)
        self.wanted[kept] = True
        self._kept = self._columns(kept)
        self._tile_rows = max(_TILE_ROWS, _TILE_BYTES // len(self._kept))
        self._tiles: list[np.ndarray] = []
        self._n_sites = 0

    @property
    def n_sites(self) -> int:
        """Sites added so far."""
        return self._n_sites

    def add(self, text: np.ndarray, lines: np.ndarray) -> int:
        """Read the calls of indexed lines. Returns -1, or which line is wrong (and is not to be read on)."""
        done = 0
        tile_sites = self._tile_rows * self.sites_per_row
        while done < len(lines):
            place = self._n_sites % tile_sites
            if place == 0:
                self._tiles.append(_zeros(self._tile_rows, len(self._kept), self.dtype))
            part = lines[done : done + tile_sites - place]
            wrong = self._fill(text, part, place)
            if wrong >= 0:
                return done + wrong
            done += len(part)
            self._n_sites += len(part)
        return -1

    def finish(self) -> np.ndarray:
        """All that was added, a row for each kept column of the tiles, which are given up for lines still to come."""
        n_columns = -(-self._n_sites // self.sites_per_row)
        rows = _zeros(len(self._kept), n_columns, self.dtype)
        for start in range(0, n_columns, self._tile_rows):
            target = rows[:, start : start + self._tile_rows]
            target[:] = self._tiles.pop(0)[: target.shape[1]].T
        self._n_sites = 0
        return rows

    def _columns(self, kept: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _fill(self, text: np.ndarray, lines: np.ndarray, place: int) -> int:
        raise NotImplementedError


class HaplotypeTiles(CallTiles):
    """Phased alleles; `finish` gives uint8 (2 * people, ceil(sites / 8)) in `panel.bits`' order."""

    sites_per_row = 8
    dtype = np.uint8
    phased = True

    def _columns(self, kept: np.ndarray) -> np.ndarray:
        return np.stack([2 * kept, 2 * kept + 1], axis=1).ravel()

    def _fill(self, text: np.ndarray, lines: np.ndarray, place: int) -> int:
        return vcf_kernels.pack_haplotypes(text, lines, self.wanted, self._kept, place, self._tiles[-1])


class DosageTiles(CallTiles):
    """Alternate-allele counts; `finish` gives int8 (people, sites)."""

    sites_per_row = 1
    dtype = np.int8
    phased = False

    def _columns(self, kept: np.ndarray) -> np.ndarray:
        return kept

    def _fill(self, text: np.ndarray, lines: np.ndarray, place: int) -> int:
        return vcf_kernels.add_dosages(text, lines, self.wanted, self._kept, place, self._tiles[-1])
