"""The fields of cells beside GT, and from them and the calls the text of the cells.

How many fields a cell has is stored as how many keys of FORMAT it lacks at its end. Their values are coded cell after
cell (`value_kernels`), because the fields of a cell tell about each other: depth, quality and likelihoods do.
"""

import numpy as np

from haploom.archive.text import call_kernels, field_kernels, value_kernels
from haploom.archive.text.calls import CALLED, PLAIN, Calls, format_column
from haploom.archive.text.cutting import TextBlock
from haploom.archive.text.lines import LineTable
from haploom.archive.text.values import decode_values, encode_values
from haploom.entropy_coding.byte_packing import join_parts, pack_bytes, split_parts, unpack_bytes
from haploom.entropy_coding.symbol_grids import decode_grid, encode_grid


def encode_fields(block: TextBlock, calls: Calls) -> bytes:
    """The bytes of all fields beside GT. calls: those of the block."""
    cells = block.cells
    if not block.n_samples or not len(cells):
        return b""
    formats, keys, key_starts = _numbered_keys(format_column(block))
    lacking = np.empty((len(cells), block.n_samples), dtype=np.uint8)
    others = np.empty(lacking.size, dtype=np.int64)
    n_others = field_kernels.count_fields(cells.text, cells.starts, np.diff(key_starts)[formats], lacking, others)
    walk = _walk(calls, formats, keys, key_starts, lacking, others[:n_others])
    fields = np.empty(cells.text.size + len(cells), dtype=np.uint8)  # every cell ends in a mark
    fields = fields[: field_kernels.split_fields(cells.text, cells.starts, walk, fields)]
    stored_others = pack_bytes(walk.others.astype("<u4").tobytes())
    return join_parts([encode_grid(lacking, _sides(walk)), stored_others, encode_values(fields, walk)])


def decode_cells(
    data: bytes,
    calls: Calls,
    format_texts: list[bytes],
    max_text_bytes: int,
    records: np.ndarray | None = None,
    samples: np.ndarray | None = None,
) -> LineTable:
    """The cells of the records that are not plain, a line of text each.

    format_texts: FORMAT of those records. max_text_bytes: the length of the block's text.
    records: bool (n_records,), which of the block's records are wanted; samples: bool (n_samples,); None for all.
    Raises ValueError for damage that shows.
    """
    is_cells = calls.kinds != PLAIN
    n_records = int(np.count_nonzero(is_cells))
    wanted_records = np.ones(n_records, dtype=bool) if records is None else records[is_cells]
    wanted_samples = np.ones(calls.n_samples, dtype=bool) if samples is None else samples
    out = np.empty(0, dtype=np.uint8)
    out_starts = np.zeros(int(np.count_nonzero(wanted_records)) + 1, dtype=np.int64)
    if not calls.n_samples or not n_records:
        return LineTable(out, out_starts)
    formats, keys, key_starts = _numbered_keys(format_texts)
    have_gt = np.logical_or.reduceat(keys == value_kernels.CALL, key_starts[:-1])[formats]
    if len(format_texts) != n_records or (have_gt != (calls.kinds[is_cells] == CALLED)).any():
        raise ValueError("FORMAT does not fit the calls")

    stored_lacking, stored_others, stored_values = split_parts(data, 3)
    lacking = np.zeros((n_records, calls.n_samples), dtype=np.uint8)
    others = np.frombuffer(unpack_bytes(stored_others, 4 * lacking.size), dtype="<u4").astype(np.int64)
    walk = _walk(calls, formats, keys, key_starts, lacking, others)
    walk = walk._replace(lacking=decode_grid(stored_lacking, _sides(walk)))
    fields = decode_values(stored_values, walk, max_text_bytes + lacking.size)
    shape_texts, shape_sizes = _shape_arrays(calls)
    for writing in (False, True):
        whole = field_kernels.join_fields(
            fields, walk, calls.highest, calls.further, calls.further_starts, shape_texts, shape_sizes,
            wanted_records, wanted_samples, out, out_starts, writing,
        )  # fmt: skip
        if not whole or out_starts[-1] > max_text_bytes:
            raise ValueError("the fields do not fit the cells")
        if not writing:
            out = np.empty(int(out_starts[-1]), dtype=np.uint8)
    return LineTable(out, out_starts)


def _numbered_keys(format_texts: list[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first three arrays of a `CellWalk`. Keys are numbered in the order they come up."""
    formats: dict[bytes, int] = {}
    numbers: dict[bytes, int] = {}
    keys: list[int] = []
    key_starts = [0]
    for text in format_texts:
        if text in formats:
            continue
        formats[text] = len(formats)
        has_gt = False
        for key in text.split(b":"):
            if key == b"GT" and not has_gt:
                has_gt = True
                keys.append(value_kernels.CALL)
            else:
                keys.append(numbers.setdefault(key, len(numbers) + value_kernels.N_OWN_KEYS))
        key_starts.append(len(keys))
    of_records = np.array([formats[text] for text in format_texts], dtype=np.int64)
    return of_records, np.array(keys, dtype=np.int64), np.array(key_starts, dtype=np.int64)


def _walk(
    calls: Calls, formats: np.ndarray, keys: np.ndarray, key_starts: np.ndarray, lacking: np.ndarray, others: np.ndarray
) -> value_kernels.CellWalk:
    called = calls.kinds[calls.kinds != PLAIN] == CALLED
    rows = np.where(called, np.cumsum(called) - 1, -1).astype(np.int64)
    bits = calls.bits[calls.kinds == CALLED]
    return value_kernels.CellWalk(formats, keys, key_starts, lacking, others, calls.shapes, rows, bits)


def _sides(walk: value_kernels.CellWalk) -> np.ndarray:
    """What the calls tell about how many fields a cell has: uint8 (n_records, n_samples)."""
    sides = np.zeros(walk.lacking.shape, dtype=np.uint8)
    sides[walk.shape_rows >= 0] = walk.shapes
    return sides


def _shape_arrays(calls: Calls) -> tuple[np.ndarray, np.ndarray]:
    """The texts of the shapes: uint8 (N_SHAPES, SHAPE_BYTES) and their lengths int64 (N_SHAPES,)."""
    texts = np.zeros((call_kernels.N_SHAPES, call_kernels.SHAPE_BYTES), dtype=np.uint8)
    sizes = np.zeros(call_kernels.N_SHAPES, dtype=np.int64)
    for shape, text in enumerate(calls.shape_texts):
        texts[shape, : len(text)] = np.frombuffer(text, dtype=np.uint8)
        sizes[shape] = len(text)
    return texts, sizes
