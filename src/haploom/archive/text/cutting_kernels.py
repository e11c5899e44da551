"""The hot loops that cut VCF text in lines and columns, and plain calls in bits."""

import numpy as np

from haploom.io.vcf_kernels import phased_calls
from haploom.kernels import kernel

# What a line is: no record; a record whose FORMAT is GT and whose every cell is `0|0` to `1|1`; any other record.
ODD, PLAIN, OTHER = 0, 1, 2
# How a line ends.
LF, CRLF, NO_END = 0, 1, 2
# Columns of the line index: where the line starts; where its fifth tab is; where its fixed columns end and its cells
# start; where it ends before and after the line break.
START, SITE_END, FIXED_END, CELLS, CONTENT_END, END = range(6)
N_INDEX = 6

_TAB, _LF, _CR, _HASH, _PIPE, _ZERO, _G, _T = 9, 10, 13, 35, 124, 48, 71, 84
_N_SITE_COLUMNS = 5


@kernel
def scan_lines(
    text: np.ndarray,
    place: int,
    n_fixed: int,
    n_samples: int,
    max_records: int,
    max_bytes: int,
    taken: int,
    index: np.ndarray,
    kinds: np.ndarray,
    ends: np.ndarray,
    bits: np.ndarray,
) -> tuple:
    """Index lines from `place` on, until `max_records` records, `max_bytes` of text, or the end of the text or `index`.

    text: uint8, whole lines. taken: bytes that count towards `max_bytes` already; if 0, the first line is taken
    whatever its length. n_fixed: columns before the cells, 8 or 9, or 0 where no line is a record.
    index: int64 (n, N_INDEX) to fill; kinds, ends: uint8 (n,) to fill; bits: uint8 (rows, ceil(2 * n_samples / 8)),
    zero, a row for each record to come: those of plain records are filled.
    Returns (lines indexed, records among them, place of the next line).
    """
    n_bytes = text.size
    alleles = np.zeros(8 * bits.shape[1], dtype=np.uint8)
    begin = place
    lines, records = 0, 0
    while place < n_bytes and lines < kinds.size and records < max_records:
        tabs = 0
        site_end, fixed_end, cells = -1, -1, -1
        end = place
        kind = ODD
        if n_fixed and text[place] != _HASH:
            while end < n_bytes and text[end] != _LF:
                if text[end] == _TAB:
                    tabs += 1
                    if tabs == _N_SITE_COLUMNS:
                        site_end = end
                    elif tabs == n_fixed:
                        fixed_end = end
                        break
                end += 1
            if fixed_end >= 0 and n_samples and _is_gt(text, fixed_end):
                cells = fixed_end + 1
                content_end = cells + 4 * n_samples - 1
                if _ends_line(text, content_end) and phased_calls(text[cells:content_end], alleles):
                    kind = PLAIN
                    end = content_end
                    tabs += n_samples - 1
        while end < n_bytes and text[end] != _LF:
            tabs += text[end] == _TAB and end != fixed_end
            end += 1
        content_end = end
        how = NO_END
        if end < n_bytes:
            end += 1
            how = LF
            if content_end > place and text[content_end - 1] == _CR:
                content_end -= 1
                how = CRLF
        if (lines or taken) and taken + end - begin > max_bytes:
            break
        # The first columns end at a tab only where cells follow.
        if n_fixed and text[place] != _HASH and tabs == n_fixed + n_samples - 1:
            if kind != PLAIN:
                kind = OTHER
            if n_samples == 0:
                fixed_end = content_end
            index[lines, SITE_END] = site_end
            index[lines, FIXED_END] = fixed_end
            index[lines, CELLS] = min(fixed_end + 1, content_end)
            if kind == PLAIN:
                _pack(alleles, bits[records])
            records += 1
        index[lines, START] = place
        index[lines, CONTENT_END] = content_end
        index[lines, END] = end
        kinds[lines] = kind
        ends[lines] = how
        lines += 1
        place = end
    return lines, records, place


@kernel
def _is_gt(text: np.ndarray, end: int) -> bool:
    """Whether the column that ends at `end` is `GT`."""
    return text[end - 1] == _T and text[end - 2] == _G and text[end - 3] == _TAB


@kernel
def _ends_line(text: np.ndarray, place: int) -> bool:
    if place >= text.size:
        return place == text.size
    return text[place] == _LF or (text[place] == _CR and place + 1 < text.size and text[place + 1] == _LF)


@kernel
def _pack(alleles: np.ndarray, row: np.ndarray) -> None:
    for byte in range(row.size):
        packed = np.uint8(0)
        for place in range(8):
            packed = (packed << np.uint8(1)) | alleles[8 * byte + place]
        row[byte] = packed


@kernel
def gather(text: np.ndarray, begins: np.ndarray, ends: np.ndarray, out: np.ndarray) -> None:
    """Copy text[begins[i]:ends[i]] to `out`, one after another."""
    place = 0
    for line in range(begins.size):
        for source in range(begins[line], ends[line]):
            out[place] = text[source]
            place += 1
