"""VCF text cut into a header and blocks of records, so that joining them gives every byte back.

The header is the lines that begin with `#`, up to and including the `#CHROM` line, which says how many columns a
record has. After it, a line with exactly so many columns that does not begin with `#` is a record; every other line
is odd and kept as it is. Only one block, without the cells of its plain records, is in memory at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from haploom.archive.text import cutting_kernels as kernels
from haploom.archive.text.lines import LineTable
from haploom.io.vcf_text import all_lines
from haploom.panel.bits import row_bytes

RECORDS_PER_BLOCK = 8192
BLOCK_TEXT_BYTES = 256 << 20
BLOCK_ALLELES = 1 << 26
_FEWEST_RECORDS = 16
_MIN_COLUMNS = 8
_MAX_FIXED_COLUMNS = 9
_LINES_PER_SCAN = 1 << 16  # bounds what the index of one scan takes


@dataclass(frozen=True)
class TextHeader:
    """The lines before the records, as they are, and the columns that their last line says records have.

    n_columns is 0 where there is no `#CHROM` line of 8 columns or more: every line after the header is odd then.
    """

    text: bytes
    n_columns: int

    @property
    def n_fixed(self) -> int:
        """Columns before the cells: 8, 9 with FORMAT, 0 where no line is a record."""
        return min(self.n_columns, _MAX_FIXED_COLUMNS)

    @property
    def n_samples(self) -> int:
        return self.n_columns - self.n_fixed


@dataclass(frozen=True, eq=False)
class Layout:
    """What of a block's text is neither column nor cell.

    line_ends: uint8 (n_records,), LF, CRLF or NO_END of `cutting_kernels`.
    odd: texts of odd lines with their ends, neighbours joined; odd_places: int64 (len(odd),), rising: the records of
    the block before each.
    """

    line_ends: np.ndarray
    odd: LineTable
    odd_places: np.ndarray


@dataclass(frozen=True, eq=False)
class TextBlock:
    """Some records of a VCF and the odd lines between them.

    sites: CHROM POS ID REF ALT of each record; annotations: QUAL FILTER INFO and, where there is one, FORMAT.
    plain: bool (n_records,), the records whose FORMAT is GT and whose every cell is `0|0` to `1|1`.
    bits: uint8 (n_records, ceil(2 * n_samples / 8)), the alleles of plain records, packed as in `panel.bits`;
    rows of other records are zero.
    cells: the sample columns of the records that are not plain, in order.
    n_text_bytes: the length of all this in the text.
    """

    n_samples: int
    sites: LineTable
    annotations: LineTable
    plain: np.ndarray
    bits: np.ndarray
    cells: LineTable
    layout: Layout
    n_text_bytes: int

    @property
    def n_records(self) -> int:
        return len(self.plain)


def cut_text(
    stream: BinaryIO,
    max_records: int = RECORDS_PER_BLOCK,
    max_text_bytes: int = BLOCK_TEXT_BYTES,
    max_alleles: int = BLOCK_ALLELES,
) -> tuple[TextHeader, Iterator[TextBlock]]:
    """The header, read at once, and the blocks, read as they are asked for.

    A block holds at most `max_records` records, of at most `max_alleles` alleles (but 16 records are always
    allowed), and at most `max_text_bytes` of text, or one longer line. Where blocks
    end depends on the text alone, not on how the stream hands it out.
    """
    chunks = all_lines(stream)
    header, rest = _read_header(chunks)
    max_records = most_records(header.n_samples, max_records, max_alleles)
    return header, _blocks(header, rest, chunks, max_records, max_text_bytes)


def most_records(n_samples: int, max_records: int, max_alleles: int) -> int:
    """Records of a block of `n_samples` people, unless its text is too long first."""
    return min(max_records, max(max_alleles // max(2 * n_samples, 1), _FEWEST_RECORDS))


def _read_header(chunks: Iterator[np.ndarray]) -> tuple[TextHeader, np.ndarray]:
    """The header, and what follows it in the last chunk read."""
    kept: list[bytes] = []
    for chunk in chunks:
        text = chunk.tobytes()
        place = 0
        while place < len(text) and text.startswith(b"#", place):
            end = text.find(b"\n", place) + 1 or len(text)
            n_columns = text.count(b"\t", place, end) + 1
            if text.startswith(b"#CHROM\t", place) and n_columns >= _MIN_COLUMNS:
                return TextHeader(b"".join([*kept, text[:end]]), n_columns), chunk[end:]
            place = end
        kept.append(text[:place])
        if place < len(text):
            return TextHeader(b"".join(kept), 0), chunk[place:]
    return TextHeader(b"".join(kept), 0), np.empty(0, dtype=np.uint8)


def _blocks(
    header: TextHeader, rest: np.ndarray, chunks: Iterator[np.ndarray], max_records: int, max_text_bytes: int
) -> Iterator[TextBlock]:
    block = _BlockBuilder(header, max_records, max_text_bytes)
    text: np.ndarray | None = rest
    while text is not None:
        place = 0
        while place < text.size:
            place, full = block.add(text, place)
            if full:
                yield block.finish()
                block = _BlockBuilder(header, max_records, max_text_bytes)
        text = next(chunks, None)
    if block.n_bytes:
        yield block.finish()


class _BlockBuilder:
    """Gathers the lines of one block, scan by scan."""

    def __init__(self, header: TextHeader, max_records: int, max_text_bytes: int) -> None:
        self._header = header
        self._max_records = max_records
        self._max_text_bytes = max_text_bytes
        self._parts: list[tuple[LineTable, LineTable, LineTable]] = []
        self._plain = [np.empty(0, dtype=bool)]
        self._bits = [np.empty((0, row_bytes(2 * header.n_samples)), dtype=np.uint8)]
        self._line_ends = [np.empty(0, dtype=np.uint8)]
        self._odd: list[list[bytes]] = []
        self._odd_places: list[int] = []
        self._n_records = 0
        self.n_bytes = 0

    def add(self, text: np.ndarray, place: int) -> tuple[int, bool]:
        """Take lines from `place` on; returns the place of the next line, and whether the block is full."""
        n_fixed, n_samples = self._header.n_fixed, self._header.n_samples
        room = min(int(np.count_nonzero(text[place:] == ord("\n"))) + 1, _LINES_PER_SCAN)
        n_rows = (text.size - place) // max(self._header.n_columns, 1) + 1  # a record has at least its tabs
        index = np.empty((room, kernels.N_INDEX), dtype=np.int64)
        kinds = np.empty(room, dtype=np.uint8)
        ends = np.empty(room, dtype=np.uint8)
        bits = np.zeros((min(n_rows, room), row_bytes(2 * n_samples)), dtype=np.uint8)
        n_lines, n_records, after = kernels.scan_lines(
            text, place, n_fixed, n_samples, self._max_records - self._n_records, self._max_text_bytes, self.n_bytes,
            index, kinds, ends, bits,
        )  # fmt: skip
        index, kinds, ends = index[:n_lines], kinds[:n_lines], ends[:n_lines]
        is_record = kinds != kernels.ODD
        self._take_odd_lines(text, index, is_record)
        self._take_records(text, index[is_record], kinds[is_record])
        self._line_ends.append(ends[is_record])
        self._bits.append(bits[:n_records])
        self._n_records += n_records
        self.n_bytes += after - place
        # A scan that stops early, though it has room, stopped at the limit of bytes.
        cut_short = after < text.size and n_lines < room
        return after, self._n_records == self._max_records or n_lines == 0 or cut_short

    def _take_odd_lines(self, text: np.ndarray, index: np.ndarray, is_record: np.ndarray) -> None:
        bounds = np.flatnonzero(np.diff(~is_record, prepend=False, append=False)).tolist()
        records_before = np.cumsum(is_record)
        for first, after in zip(bounds[::2], bounds[1::2]):
            place = self._n_records + int(records_before[first])
            odd = text[index[first, kernels.START] : index[after - 1, kernels.END]].tobytes()
            if self._odd_places and self._odd_places[-1] == place:
                self._odd[-1].append(odd)
            else:
                self._odd.append([odd])
                self._odd_places.append(place)

    def _take_records(self, text: np.ndarray, index: np.ndarray, kinds: np.ndarray) -> None:
        site_ends = index[:, kernels.SITE_END]
        others = index[kinds == kernels.OTHER]
        self._plain.append(kinds == kernels.PLAIN)
        self._parts.append(
            (
                _gathered(text, index[:, kernels.START], site_ends),
                _gathered(text, site_ends + 1, index[:, kernels.FIXED_END]),
                _gathered(text, others[:, kernels.CELLS], others[:, kernels.CONTENT_END]),
            )
        )

    def finish(self) -> TextBlock:
        sites, annotations, cells = (_joined([part[i] for part in self._parts]) for i in range(3))
        odd = LineTable.from_list(b"".join(pieces) for pieces in self._odd)
        layout = Layout(np.concatenate(self._line_ends), odd, np.array(self._odd_places, dtype=np.int64))
        return TextBlock(
            self._header.n_samples, sites, annotations, np.concatenate(self._plain), np.concatenate(self._bits), cells,
            layout, self.n_bytes,
        )  # fmt: skip


def _gathered(text: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> LineTable:
    """text[begins[i]:ends[i]] as lines."""
    starts = np.zeros(len(begins) + 1, dtype=np.int64)
    np.cumsum(ends - begins, out=starts[1:])
    out = np.empty(int(starts[-1]), dtype=np.uint8)
    kernels.gather(text, begins, ends, out)
    return LineTable(out, starts)


def _joined(tables: list[LineTable]) -> LineTable:
    """One table of the lines of all."""
    offsets = np.cumsum([0] + [table.text.size for table in tables])
    starts = [table.starts[:-1] + offset for table, offset in zip(tables, offsets)]
    text = np.concatenate([np.empty(0, dtype=np.uint8), *(table.text for table in tables)])
    return LineTable(text, np.concatenate([*starts, offsets[-1:]]).astype(np.int64))
