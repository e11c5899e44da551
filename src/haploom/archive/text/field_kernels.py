"""The hot loops between cells and their fields.

The fields of all cells but GT stand one after the other in one text, each with a line feed after it (cells hold none).
"""

import numpy as np

from haploom.archive.text.call_kernels import ABSENT, RAW, find_cell_end
from haploom.archive.text.value_kernels import CALL, MANY, CellWalk
from haploom.kernels import kernel

_TAB, _LF, _COLON, _ZERO = 9, 10, 58, 48


@kernel
def count_fields(
    text: np.ndarray, starts: np.ndarray, n_keys: np.ndarray, lacking: np.ndarray, others: np.ndarray
) -> int:
    """Fields of each cell, into `lacking` and `others` of a `CellWalk`; returns how many others there are.

    text, starts: the cells of each record. n_keys: int64 (n_records,), keys in FORMAT.
    """
    n_others = 0
    for record in range(n_keys.size):
        place, end = starts[record], starts[record + 1]
        for sample in range(lacking.shape[1]):
            n_fields = 1
            while place < end and text[place] != _TAB:
                n_fields += text[place] == _COLON
                place += 1
            place += 1
            lacks = n_keys[record] - n_fields
            if 0 <= lacks < MANY:
                lacking[record, sample] = lacks
            else:
                lacking[record, sample] = MANY
                others[n_others] = n_fields
                n_others += 1
    return n_others


@kernel
def split_fields(text: np.ndarray, starts: np.ndarray, walk: CellWalk, out: np.ndarray) -> int:
    """Copy the fields of cells, but GT unless its shape is RAW, to `out`; returns how many bytes."""
    target = 0
    for record in range(walk.formats.size):
        first, after = walk.key_starts[walk.formats[record]], walk.key_starts[walk.formats[record] + 1]
        place, end = starts[record], starts[record + 1]
        for sample in range(walk.lacking.shape[1]):
            cell_end = find_cell_end(text, place, end)
            key = first
            while place <= cell_end:
                is_call = key < after and walk.keys[key] == CALL
                if is_call:
                    is_call = walk.shapes[walk.shape_rows[record], sample] != RAW
                while place < cell_end and text[place] != _COLON:
                    if not is_call:
                        out[target] = text[place]
                        target += 1
                    place += 1
                if not is_call:
                    out[target] = _LF
                    target += 1
                place += 1
                key += 1
    return target


@kernel
def join_fields(
    fields: np.ndarray,
    walk: CellWalk,
    highest: np.ndarray,
    further: np.ndarray,
    further_starts: np.ndarray,
    shape_texts: np.ndarray,
    shape_sizes: np.ndarray,
    wanted_records: np.ndarray,
    wanted_samples: np.ndarray,
    out: np.ndarray,
    out_starts: np.ndarray,
    writing: bool,
) -> bool:
    """The cells of the wanted records and samples; not writing: only `out_starts`.

    fields: as `split_fields` makes them. highest, further, further_starts: as in `Calls`.
    shape_texts: uint8 (N_SHAPES, SHAPE_BYTES), shape_sizes: int64 (N_SHAPES,).
    wanted_records: bool (n_records,); wanted_samples: bool (n_samples,); out_starts: int64 (wanted records + 1,).
    Returns False when the fields are not as many as the cells should have.
    """
    target, n_done, n_others, place = 0, 0, 0, 0
    for record in range(walk.formats.size):
        first, after = walk.key_starts[walk.formats[record]], walk.key_starts[walk.formats[record] + 1]
        row = walk.shape_rows[record]
        next_further = further_starts[row] if row >= 0 else 0
        is_first = True
        for sample in range(walk.lacking.shape[1]):
            put = wanted_records[record] and wanted_samples[sample]
            if put:
                if not is_first:
                    if writing:
                        out[target] = _TAB
                    target += 1
                is_first = False
            n_fields = after - first - walk.lacking[record, sample]
            if walk.lacking[record, sample] == MANY:
                if n_others == walk.others.size:
                    return False
                n_fields = walk.others[n_others]
                n_others += 1
            called = False
            for field in range(n_fields):
                if put and field:
                    if writing:
                        out[target] = _COLON
                    target += 1
                if first + field < after and walk.keys[first + field] == CALL:
                    called = True
                    shape = walk.shapes[row, sample]
                    if shape != RAW:
                        target, next_further = _put_call(
                            shape_texts[shape], shape_sizes[shape], walk.bits[row], sample, highest[row], further,
                            next_further, out, target, put, writing,
                        )  # fmt: skip
                        continue
                while place < fields.size and fields[place] != _LF:
                    if put:
                        if writing:
                            out[target] = fields[place]
                        target += 1
                    place += 1
                if place == fields.size:
                    return False
                place += 1
            if row >= 0 and called == (walk.shapes[row, sample] == ABSENT):
                return False
        if wanted_records[record]:
            n_done += 1
            out_starts[n_done] = target
    return place == fields.size


@kernel
def _put_call(
    shape: np.ndarray,
    size: int,
    bits: np.ndarray,
    sample: int,
    highest: int,
    further: np.ndarray,
    next_further: int,
    out: np.ndarray,
    target: int,
    put: bool,
    writing: bool,
) -> tuple:
    """Write one call; returns the next place in `out`, and in `further`."""
    n_alleles = 0
    for place in range(size):
        if shape[place] != _ZERO:
            if put:
                if writing:
                    out[target] = shape[place]
                target += 1
            continue
        allele = np.int64(1)
        if n_alleles < 2:
            haplotype = 2 * sample + n_alleles
            allele = np.int64((bits[haplotype >> 3] >> np.uint8(7 - (haplotype & 7))) & 1)
        if n_alleles >= 2 or (allele and highest > 1):
            allele = further[next_further]
            next_further += 1
        n_alleles += 1
        if put:
            n_digits, above = 1, 10
            while above <= allele:
                n_digits += 1
                above *= 10
            if writing:
                for digit in range(n_digits):
                    out[target + n_digits - 1 - digit] = _ZERO + allele % 10
                    allele //= 10
            target += n_digits
    return target, next_further
