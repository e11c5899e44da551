"""The fields of cells beside GT, and from them and the calls the text of the cells.

Each key of FORMAT has its values, record after record, sample after sample, in one text. How many fields a cell has is
stored as how many keys of FORMAT it lacks at its end.
"""

from dataclasses import dataclass

import numpy as np

from haploom.archive.text import call_kernels, field_kernels
from haploom.archive.text.byte_packing import join_parts, pack_bytes, split_parts, unpack_bytes
from haploom.archive.text.calls import CALLED, PLAIN, Calls, format_column
from haploom.archive.text.cutting import TextBlock
from haploom.archive.text.lines import LineTable

_N_OWN_TEXTS = 2  # OVERFLOW and RAW_GT


@dataclass(frozen=True, eq=False)
class _Formats:
    """FORMAT of some records, and which text holds the values of each key.

    numbers: int64 (n_records,), which FORMAT each record has. streams, stream_starts: as in `split_fields`.
    n_texts: texts of values, with those of OVERFLOW and RAW_GT.
    """

    numbers: np.ndarray
    streams: np.ndarray
    stream_starts: np.ndarray
    n_texts: int

    @classmethod
    def of(cls, column: list[bytes]) -> "_Formats":
        """Texts are numbered in the order their keys come up."""
        numbers: dict[bytes, int] = {}
        texts: dict[bytes, int] = {}
        streams: list[int] = []
        stream_starts = [0]
        for text in column:
            if text in numbers:
                continue
            numbers[text] = len(numbers)
            for key in text.split(b":"):
                if key == b"GT" and field_kernels.CALL not in streams[stream_starts[-1] :]:
                    streams.append(field_kernels.CALL)
                else:
                    streams.append(texts.setdefault(key, len(texts) + _N_OWN_TEXTS))
            stream_starts.append(len(streams))
        return cls(
            np.array([numbers[text] for text in column], dtype=np.int64),
            np.array(streams, dtype=np.int64), np.array(stream_starts, dtype=np.int64), len(texts) + _N_OWN_TEXTS,
        )  # fmt: skip

    @property
    def n_keys(self) -> np.ndarray:
        """Keys in FORMAT of each record: int64 (n_records,)."""
        return np.diff(self.stream_starts)[self.numbers]

    @property
    def have_gt(self) -> np.ndarray:
        """Whether FORMAT of each record has GT: bool (n_records,)."""
        of_format = np.add.reduceat(self.streams == field_kernels.CALL, self.stream_starts[:-1])
        return of_format[self.numbers] > 0


def encode_fields(block: TextBlock, calls: Calls) -> bytes:
    """The bytes of all fields beside GT. calls: those of the block."""
    if not block.n_samples:
        return b""
    formats = _Formats.of(format_column(block))
    cells = block.cells
    lacking = np.empty((len(cells), block.n_samples), dtype=np.uint8)
    others = np.empty(lacking.size, dtype=np.int64)
    n_others = field_kernels.count_fields(cells.text, cells.starts, formats.n_keys, lacking, others)

    split = (cells.text, cells.starts, formats.numbers, formats.streams, formats.stream_starts)
    places = np.zeros(formats.n_texts, dtype=np.int64)
    rows = _shape_rows(calls)
    field_kernels.split_fields(*split, calls.shapes, rows, places, np.empty(0, dtype=np.uint8), False)
    ends = np.cumsum(places)
    starts = ends - places
    values = np.empty(int(ends[-1]), dtype=np.uint8)
    field_kernels.split_fields(*split, calls.shapes, rows, starts.copy(), values, True)
    texts = [values[start:end].tobytes() for start, end in zip(starts.tolist(), ends.tolist())]
    return join_parts(
        [
            pack_bytes(lacking.tobytes()),
            pack_bytes(others[:n_others].astype("<u4").tobytes()),
            *(pack_bytes(text) for text in texts),
        ]
    )


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
    if not calls.n_samples:
        return LineTable(np.empty(0, dtype=np.uint8), np.zeros(n_records + 1, dtype=np.int64))
    formats = _Formats.of(format_texts)
    if len(format_texts) != n_records or (formats.have_gt != (calls.kinds[is_cells] == CALLED)).any():
        raise ValueError("FORMAT does not fit the calls")
    packed = split_parts(data, formats.n_texts + 2)
    n_cells = n_records * calls.n_samples
    lacking = np.frombuffer(unpack_bytes(packed[0], n_cells), dtype=np.uint8)
    others = np.frombuffer(unpack_bytes(packed[1], 4 * n_cells), dtype="<u4").astype(np.int64)
    if len(lacking) != n_cells:
        raise ValueError(f"{len(lacking)} cells where {n_cells} were wanted")
    values, ends = _unpack_values(packed[2:], max_text_bytes + n_cells)

    shape_texts = np.zeros((call_kernels.N_SHAPES, call_kernels.SHAPE_BYTES), dtype=np.uint8)
    shape_sizes = np.zeros(call_kernels.N_SHAPES, dtype=np.int64)
    for shape, text in enumerate(calls.shape_texts):
        shape_texts[shape, : len(text)] = np.frombuffer(text, dtype=np.uint8)
        shape_sizes[shape] = len(text)
    wanted_records = np.ones(n_records, dtype=bool) if records is None else records[is_cells]
    wanted_samples = np.ones(calls.n_samples, dtype=bool) if samples is None else samples
    out_starts = np.zeros(int(np.count_nonzero(wanted_records)) + 1, dtype=np.int64)
    out = np.empty(0, dtype=np.uint8)
    for writing in (False, True):
        whole = field_kernels.join_fields(
            values, np.concatenate([[0], ends[:-1]]), ends, formats.numbers, formats.streams, formats.stream_starts,
            lacking.reshape(n_records, calls.n_samples), others, calls.shapes, _shape_rows(calls),
            calls.bits[calls.kinds == CALLED], calls.highest, calls.further, calls.further_starts,
            shape_texts, shape_sizes, wanted_records, wanted_samples, out, out_starts, writing,
        )  # fmt: skip
        if not whole or out_starts[-1] > max_text_bytes:
            raise ValueError("the values do not fit the cells")
        if not writing:
            out = np.empty(int(out_starts[-1]), dtype=np.uint8)
    return LineTable(out, out_starts)


def _shape_rows(calls: Calls) -> np.ndarray:
    """For each record that is not plain, its row among the records with calls; -1 for none: int64."""
    called = calls.kinds[calls.kinds != PLAIN] == CALLED
    return np.where(called, np.cumsum(called) - 1, -1).astype(np.int64)


def _unpack_values(packed: list[bytes], max_bytes: int) -> tuple[np.ndarray, np.ndarray]:
    """The texts of all keys, one after another: uint8, and where each ends: int64."""
    texts = []
    left = max_bytes
    for text in packed:
        texts.append(unpack_bytes(text, left))
        left -= len(texts[-1])
    ends = np.cumsum([len(text) for text in texts]).astype(np.int64)
    return np.frombuffer(b"".join(texts), dtype=np.uint8), ends
