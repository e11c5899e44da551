"""The genotypes of a block: everything in it that follows from GT, without the other fields.

Most of it is one bit an allele, which the genotype coder makes small. Here is the rest: which records are plain
or have no GT, the shape of each call of the others, and the alleles that one bit cannot tell. Other fields and FORMAT
are not needed to read it, so allele counts can be had before the annotations.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from haploom.archive.text import call_kernels as kernels
from haploom.archive.text.cutting import TextBlock
from haploom.archive.text.lines import LineTable
from haploom.entropy_coding.byte_packing import join_parts, pack_bytes, split_parts, unpack_bytes
from haploom.entropy_coding.symbol_grids import decode_grid, encode_grid
from haploom.entropy_coding.symbols import decode_integers, encode_integers
from haploom.panel.bits import unpack_rows

# What a record's calls are: no GT in FORMAT (or no FORMAT, or no samples); `0|0` to `1|1` alone; anything else.
NO_CALLS, PLAIN, CALLED = 0, 1, 2
_PACKED, _MODELLED = 0, 1
_MOST_MODELLED = 1 << 20
_MOST_ALLELE = 10**kernels.ALLELE_DIGITS - 1


@dataclass(frozen=True, eq=False)
class Calls:
    """Genotypes of a block of records.

    bits: uint8 (n_records, ceil(2 * n_samples / 8)), packed as in `panel.bits`: allele i (0 or 1) of a sample is REF
    (0) or not (1); 0 also where there is no such allele.
    kinds: uint8 (n_records,), NO_CALLS, PLAIN or CALLED. The rest is of the CALLED records, in order:
    shapes: uint8 (n_called, n_samples), the shape of each call; shape_texts: the text of each shape (see
    `call_kernels`), empty for ABSENT and RAW.
    highest: int64 (n_called,), the highest of the first two alleles of any sample.
    further: int64 (n,), alleles that bits do not tell (order: `call_kernels.count_further`);
    further_starts: int64 (n_called + 1,), where those of each record start.
    """

    n_samples: int
    bits: np.ndarray
    kinds: np.ndarray
    shapes: np.ndarray
    shape_texts: tuple[bytes, ...]
    highest: np.ndarray
    further: np.ndarray
    further_starts: np.ndarray

    @property
    def plain(self) -> np.ndarray:
        """bool (n_records,)."""
        return self.kinds == PLAIN

    @cached_property
    def ploidies(self) -> np.ndarray:
        """Alleles in a call of each shape: int64 (N_SHAPES,)."""
        return _ploidies(self.shape_texts)


def format_column(block: TextBlock) -> list[bytes]:
    """FORMAT of the records that are not plain; empty without samples."""
    if not block.n_samples:
        return []
    return [block.annotations.line(record).rsplit(b"\t", 1)[1] for record in np.flatnonzero(~block.plain).tolist()]


def parse_calls(block: TextBlock) -> Calls:
    """The genotypes of a block of text."""
    kinds = np.where(block.plain, PLAIN, NO_CALLS).astype(np.uint8)
    gt_fields = np.array([_gt_field(text) for text in format_column(block)], dtype=np.int64)
    has_gt = gt_fields >= 0
    if block.n_samples:
        kinds[~block.plain] = np.where(has_gt, CALLED, NO_CALLS)
    n_called = int(np.count_nonzero(has_gt))
    cells = block.cells if has_gt.all() else _rows(block.cells, has_gt)
    gt_fields = gt_fields[has_gt]

    texts, sizes, slots = kernels.new_shape_table()
    shapes = np.empty((n_called, block.n_samples), dtype=np.uint8)
    bits = np.zeros((n_called, block.bits.shape[1]), dtype=np.uint8)
    highest = np.zeros(n_called, dtype=np.int64)
    kernels.parse_calls(cells.text, cells.starts, gt_fields, texts, sizes, slots, shapes, bits, highest)
    n_shapes = int(sizes[-1])
    shapes, order = _by_frequency(shapes, n_shapes)
    shape_texts = tuple(texts[shape, : sizes[shape]].tobytes() if shape > kernels.RAW else b"" for shape in order)

    ploidies = _ploidies(shape_texts)
    further_starts = _further_starts(shapes, ploidies, bits, highest)
    further = np.empty(int(further_starts[-1]), dtype=np.int64)
    kernels.further_alleles(
        cells.text, cells.starts, gt_fields, shapes, ploidies, highest, further_starts, further
    )  # fmt: skip
    all_bits = block.bits
    if n_called:
        all_bits = all_bits.copy()
        all_bits[kinds == CALLED] = bits
    return Calls(block.n_samples, all_bits, kinds, shapes, shape_texts, highest, further, further_starts)


def encode_calls(calls: Calls) -> bytes:
    """The bytes of everything but the bits."""
    return join_parts(
        [
            pack_bytes(calls.kinds.tobytes()),
            pack_bytes(b"\n".join(calls.shape_texts)),
            encode_grid(calls.shapes, _allele_pairs(calls.bits[calls.kinds == CALLED], calls.n_samples)),
            encode_integers(calls.highest, False, np.zeros((len(calls.highest), 0), dtype=np.int64)),
            _encode_further(calls.further, calls.highest, calls.further_starts),
        ]
    )


def decode_calls(data: bytes, bits: np.ndarray, n_samples: int, max_text_bytes: int) -> Calls:
    """The inverse. Raises ValueError for damage that shows.

    bits: as in `Calls`. max_text_bytes: the length of the block's text, which bounds the memory taken.
    """
    n_records = len(bits)
    packed = split_parts(data, 5)
    kinds = np.frombuffer(unpack_bytes(packed[0], n_records), dtype=np.uint8)
    if len(kinds) != n_records or (kinds > CALLED).any():
        raise ValueError(f"the kinds of records are not those of {n_records} records")
    called = kinds == CALLED
    n_called = int(np.count_nonzero(called))
    shape_texts = tuple(unpack_bytes(packed[1], kernels.N_SHAPES * (kernels.SHAPE_BYTES + 1)).split(b"\n"))
    ploidies = _ploidies(shape_texts)
    shapes = decode_grid(packed[2], _allele_pairs(bits[called], n_samples))
    if shapes.max(initial=0) >= len(shape_texts):
        raise ValueError("a call has a shape that is not there")
    highest = decode_integers(packed[3], n_called, False, np.zeros((n_called, 0), dtype=np.int64))
    further_starts = _further_starts(shapes, ploidies, bits[called], highest)
    if further_starts[-1] > max_text_bytes:
        raise ValueError(f"{further_starts[-1]} alleles in a text of {max_text_bytes} bytes")
    further = _decode_further(packed[4], highest, further_starts)
    for alleles in (highest, further):
        if alleles.min(initial=0) < 0 or alleles.max(initial=0) > _MOST_ALLELE:
            raise ValueError(f"an allele outside 0 to {_MOST_ALLELE}")
    return Calls(n_samples, bits, kinds, shapes, shape_texts, highest, further, further_starts)


def _encode_further(further: np.ndarray, highest: np.ndarray, further_starts: np.ndarray) -> bytes:
    """Alleles as integers that know the record's highest; so many that this would take minutes are packed."""
    if len(further) > _MOST_MODELLED:
        return bytes([_PACKED]) + pack_bytes(further.astype("<u4").tobytes())
    return bytes([_MODELLED]) + encode_integers(further, False, _record_sides(highest, further_starts))


def _decode_further(data: bytes, highest: np.ndarray, further_starts: np.ndarray) -> np.ndarray:
    n = int(further_starts[-1])
    if data[:1] == bytes([_PACKED]):
        further = np.frombuffer(unpack_bytes(data[1:], 4 * n), dtype=np.uint8)
        if len(further) != 4 * n:
            raise ValueError(f"{len(further)} bytes of alleles where {4 * n} were wanted")
        return further.view("<u4").astype(np.int64)
    if data[:1] != bytes([_MODELLED]) or n > _MOST_MODELLED:
        raise ValueError(f"alleles coded in an unknown way {data[:1].hex()}")
    return decode_integers(data[1:], n, False, _record_sides(highest, further_starts))


def _record_sides(highest: np.ndarray, further_starts: np.ndarray) -> np.ndarray:
    """The highest allele of the record of each further allele: int64 (n, 1)."""
    return np.repeat(highest, np.diff(further_starts))[:, None]


def _allele_pairs(bits: np.ndarray, n_samples: int) -> np.ndarray:
    """The two bits of each sample as one number: uint8 (n_records, n_samples)."""
    alleles = unpack_rows(bits, 2 * n_samples)
    return 2 * alleles[:, ::2] + alleles[:, 1::2]


def _gt_field(text: bytes) -> int:
    """Which field of FORMAT is GT; -1 for none."""
    keys = text.split(b":")
    return keys.index(b"GT") if b"GT" in keys else -1


def _rows(lines: LineTable, chosen: np.ndarray) -> LineTable:
    return LineTable.from_list(lines.line(row) for row in np.flatnonzero(chosen).tolist())


def _by_frequency(shapes: np.ndarray, n_shapes: int) -> tuple[np.ndarray, list[int]]:
    """Shapes renumbered so that frequent ones come first, and the old number of each new one."""
    counts = np.bincount(shapes.ravel(), minlength=n_shapes)
    fixed = kernels.RAW + 1
    order = [*range(fixed), *(fixed + np.argsort(-counts[fixed:], kind="stable")).tolist()]
    renumbered = np.zeros(kernels.N_SHAPES, dtype=np.uint8)
    renumbered[order] = np.arange(len(order))
    return renumbered[shapes], order


def _ploidies(shape_texts: tuple[bytes, ...]) -> np.ndarray:
    if len(shape_texts) >= kernels.N_SHAPES or max(map(len, shape_texts)) > kernels.SHAPE_BYTES:
        raise ValueError("more or longer shapes of calls than there can be")
    ploidies = np.zeros(kernels.N_SHAPES, dtype=np.int64)
    ploidies[: len(shape_texts)] = [text.count(b"0") for text in shape_texts]
    return ploidies


def _further_starts(shapes: np.ndarray, ploidies: np.ndarray, bits: np.ndarray, highest: np.ndarray) -> np.ndarray:
    counts = np.zeros(len(shapes), dtype=np.int64)
    kernels.count_further(shapes, ploidies, bits, highest, counts)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
