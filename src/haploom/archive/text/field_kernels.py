"""The hot loops between cells and the values of their fields.

The values of a key stand one after the other in one text, each with a line feed after it (a cell holds none).
"""

import numpy as np

from haploom.archive.text.call_kernels import ABSENT, RAW, find_cell_end
from haploom.kernels import kernel

# The first two texts of values: fields past the last key of FORMAT; GT that is kept as text.
OVERFLOW, RAW_GT = 0, 1
# A stream in place of that of GT: its value follows from the calls.
CALL = -1
# How many keys of FORMAT a cell lacks at its end; this value: the number of fields is stored apart.
MANY = 255

_TAB, _LF, _COLON, _ZERO = 9, 10, 58, 48


@kernel
def count_fields(
    text: np.ndarray, starts: np.ndarray, n_keys: np.ndarray, lacking: np.ndarray, others: np.ndarray
) -> int:
    """Fields of each cell.

    text, starts: the cells of each record. n_keys: int64 (n_records,), keys in FORMAT. lacking: uint8 (n_records,
    n_samples) to fill: keys at the end that a cell has no field for, or MANY, and then the number of its fields is
    the next of `others`, int64 (n_records * n_samples or more,). Returns how many others there are.
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
def split_fields(
    text: np.ndarray,
    starts: np.ndarray,
    formats: np.ndarray,
    streams: np.ndarray,
    stream_starts: np.ndarray,
    shapes: np.ndarray,
    shape_rows: np.ndarray,
    places: np.ndarray,
    out: np.ndarray,
    writing: bool,
) -> None:
    """Copy each field to the text of its key, or (not writing) only move `places`, where each text goes on.

    formats: int64 (n_records,), number of FORMAT. streams[stream_starts[f] : stream_starts[f + 1]]: the text each key
    of FORMAT number f goes to, or CALL. shapes: uint8 (n_called, n_samples); shape_rows: int64 (n_records,), the row of
    a record in it, -1 without GT. places: int64 (n_texts,). out: uint8.
    """
    for record in range(formats.size):
        first, after = stream_starts[formats[record]], stream_starts[formats[record] + 1]
        place, end = starts[record], starts[record + 1]
        sample = 0
        while place <= end and sample < shapes.shape[1]:
            cell_end = find_cell_end(text, place, end)
            key = first
            while place <= cell_end:
                stream = streams[key] if key < after else OVERFLOW
                if stream == CALL:
                    stream = RAW_GT if shapes[shape_rows[record], sample] == RAW else CALL
                while place < cell_end and text[place] != _COLON:
                    if stream != CALL:
                        if writing:
                            out[places[stream]] = text[place]
                        places[stream] += 1
                    place += 1
                if stream != CALL:
                    if writing:
                        out[places[stream]] = _LF
                    places[stream] += 1
                place += 1
                key += 1
            sample += 1


@kernel
def join_fields(
    values: np.ndarray,
    places: np.ndarray,
    ends: np.ndarray,
    formats: np.ndarray,
    streams: np.ndarray,
    stream_starts: np.ndarray,
    lacking: np.ndarray,
    others: np.ndarray,
    shapes: np.ndarray,
    shape_rows: np.ndarray,
    bits: np.ndarray,
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

    values: uint8, the texts of all keys; places, ends: int64 (n_texts,), where each starts and ends.
    bits: uint8 (n_called, row bytes); shape_texts: uint8 (N_SHAPES, SHAPE_BYTES), shape_sizes: int64 (N_SHAPES,).
    wanted_records: bool (n_records,); wanted_samples: bool (n_samples,); out_starts: int64 (wanted records + 1,).
    The rest as in `split_fields`, `count_fields` and `Calls`. Returns False when the values end too soon.
    """
    n_samples = lacking.shape[1]
    target, n_done, n_others = 0, 0, 0
    for record in range(formats.size):
        first, after = stream_starts[formats[record]], stream_starts[formats[record] + 1]
        row = shape_rows[record]
        next_further = further_starts[row] if row >= 0 else 0
        is_first = True
        for sample in range(n_samples):
            put = wanted_records[record] and wanted_samples[sample]
            if put:
                if not is_first:
                    if writing:
                        out[target] = _TAB
                    target += 1
                is_first = False
            n_fields = after - first - lacking[record, sample]
            if lacking[record, sample] == MANY:
                if n_others == others.size:
                    return False
                n_fields = others[n_others]
                n_others += 1
            called = False
            for field in range(n_fields):
                if put and field:
                    if writing:
                        out[target] = _COLON
                    target += 1
                stream = streams[first + field] if first + field < after else OVERFLOW
                if stream == CALL:
                    called = True
                    shape = shapes[row, sample]
                    if shape == RAW:
                        stream = RAW_GT
                    else:
                        target, next_further = _put_call(
                            shape_texts[shape], shape_sizes[shape], bits[row], sample, highest[row], further,
                            next_further, out, target, put, writing,
                        )  # fmt: skip
                if stream != CALL:
                    place, end = places[stream], ends[stream]
                    while place < end and values[place] != _LF:
                        if put:
                            if writing:
                                out[target] = values[place]
                            target += 1
                        place += 1
                    if place == end:
                        return False
                    places[stream] = place + 1
            if row >= 0 and called == (shapes[row, sample] == ABSENT):
                return False
        if wanted_records[record]:
            n_done += 1
            out_starts[n_done] = target
    return True


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
