"""The text of a block from its parts, piece by piece."""

from collections.abc import Iterator

import numpy as np

from haploom.archive.text.cutting import Layout
from haploom.archive.text.cutting_kernels import CRLF
from haploom.archive.text.lines import LineTable
from haploom.kernels import kernel

_PIECE_BYTES = 4 << 20
_TAB, _LF, _CR = 9, 10, 13


def _byte_cells() -> np.ndarray:
    """The text of the four calls, each with a tab after it, that a byte of bits stands for: uint8 (256, 16)."""
    bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    text = np.empty((256, 16), dtype=np.uint8)
    text[:, 0::4] = ord("0") + bits[:, 0::2]
    text[:, 1::4] = ord("|")
    text[:, 2::4] = ord("0") + bits[:, 1::2]
    text[:, 3::4] = _TAB
    return text


_BYTE_CELLS = _byte_cells()


def assemble_text(
    n_samples: int,
    sites: LineTable,
    annotations: LineTable,
    plain: np.ndarray,
    bits: np.ndarray,
    cells: LineTable,
    layout: Layout,
) -> Iterator[np.ndarray]:
    """The text of a block, uint8, in pieces of about 4 MiB or one longer record. Parts as in `TextBlock`.

    It joins what it is given: the sites, bits and cells may be of some samples only.
    """
    n_records = len(plain)
    odd_before = np.zeros(n_records + 1, dtype=np.int64)
    odd_before[layout.odd_places] = layout.odd.lengths
    odd_starts = np.concatenate([[0], np.cumsum(odd_before)]).astype(np.int64)
    cell_lengths = np.zeros(n_records, dtype=np.int64)
    if n_samples:
        cell_lengths[plain] = 4 * n_samples
        cell_lengths[~plain] = cells.lengths + 1  # with the tab before
    lengths = sites.lengths + 1 + annotations.lengths + cell_lengths
    lengths += np.array([1, 2, 0])[layout.line_ends]
    record_starts = np.concatenate([[0], np.cumsum(lengths + odd_before[:-1])]).astype(np.int64)
    cell_rows = np.where(plain, -1, np.cumsum(~plain) - 1).astype(np.int64)

    first = 0
    while first < n_records:
        after = int(np.searchsorted(record_starts, record_starts[first] + _PIECE_BYTES, side="right")) - 1
        after = min(max(after, first + 1), n_records)
        size = int(record_starts[after] - record_starts[first])
        piece = np.empty(size + 1, dtype=np.uint8)  # one more: a tab is written after the last call, and overwritten
        _write_records(
            first, after, n_samples, sites.text, sites.starts, annotations.text, annotations.starts, bits,
            cells.text, cells.starts, cell_rows, layout.line_ends, layout.odd.text, odd_starts, piece,
        )  # fmt: skip
        yield piece[:size]
        first = after
    if odd_before[n_records]:
        yield layout.odd.text[odd_starts[n_records] : odd_starts[n_records + 1]]


@kernel
def _copy(text: np.ndarray, start: int, end: int, out: np.ndarray, target: int) -> int:
    for place in range(start, end):
        out[target] = text[place]
        target += 1
    return target


@kernel
def _write_records(
    first: int,
    after: int,
    n_samples: int,
    site_text: np.ndarray,
    site_starts: np.ndarray,
    annotation_text: np.ndarray,
    annotation_starts: np.ndarray,
    bits: np.ndarray,
    cell_text: np.ndarray,
    cell_starts: np.ndarray,
    cell_rows: np.ndarray,
    line_ends: np.ndarray,
    odd_text: np.ndarray,
    odd_starts: np.ndarray,
    out: np.ndarray,
) -> None:
    """Records first to after - 1, each with the odd lines before it; cell_rows: row in the cells, -1 if plain."""
    target = 0
    for record in range(first, after):
        target = _copy(odd_text, odd_starts[record], odd_starts[record + 1], out, target)
        target = _copy(site_text, site_starts[record], site_starts[record + 1], out, target)
        out[target] = _TAB
        target += 1
        target = _copy(annotation_text, annotation_starts[record], annotation_starts[record + 1], out, target)
        row = cell_rows[record]
        if n_samples and row >= 0:
            out[target] = _TAB
            target = _copy(cell_text, cell_starts[row], cell_starts[row + 1], out, target + 1)
        elif n_samples:
            out[target] = _TAB
            target += 1
            for byte in range(n_samples // 4):
                calls = _BYTE_CELLS[bits[record, byte]]
                for place in range(16):
                    out[target + place] = calls[place]
                target += 16
            last = _BYTE_CELLS[bits[record, bits.shape[1] - 1]]
            for place in range(4 * (n_samples % 4)):
                out[target] = last[place]
                target += 1
            target -= 1  # the last tab
        if line_ends[record] == CRLF:
            out[target] = _CR
            target += 1
        if line_ends[record] <= CRLF:
            out[target] = _LF
            target += 1
