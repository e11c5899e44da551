"""The hot loops over the text of a VCF, and back to text.

They say which line is wrong, not why: `vcf_errors` looks at that one line again and explains it.
"""

import numpy as np

from haploom.kernels import kernel

# Columns of the line index: where the line starts, its first nine tabs (-1 where absent), where it ends
# (before the line break), and which line of the text it is.
START, END, NUMBER = 0, 10, 11
N_INDEX = 12
MISSING_ALLELE = 255
POSITION_DIGITS = 18  # a POS of so many digits or more is refused

_TAB, _LF, _CR, _COLON, _COMMA, _PIPE, _SLASH, _DOT, _ZERO = 9, 10, 13, 58, 44, 124, 47, 46, 48
_G, _T = 71, 84


@kernel
def index_lines(text: np.ndarray, lines: np.ndarray, positions: np.ndarray, starts_contig: np.ndarray) -> tuple:
    """Find the lines of `text` and their fixed columns. Blank lines are passed over.

    lines: int64 (>= line breaks + 1, N_INDEX) to fill; positions: int64, POS or -1 where it is no number;
    starts_contig: bool, whether CHROM differs from that of the line before (True for the first).
    Returns (lines indexed, lines passed).
    """
    n_bytes = text.size
    count = 0
    number = 0
    start = 0
    while start < n_bytes:
        end = start
        tabs = 0
        while end < n_bytes and tabs < 9 and text[end] != _LF:
            if text[end] == _TAB:
                tabs += 1
                lines[count, tabs] = end
            end += 1
        while end < n_bytes and text[end] != _LF:
            end += 1
        stop = end - 1 if end > start and text[end - 1] == _CR else end
        if stop > start:
            for tab in range(tabs + 1, 10):
                lines[count, tab] = -1
            lines[count, START] = start
            lines[count, END] = stop
            lines[count, NUMBER] = number
            positions[count] = _number(text, lines[count, 1] + 1, lines[count, 2]) if tabs >= 2 else -1
            starts_contig[count] = count == 0 or not _same_contig(text, lines[count - 1], lines[count])
            count += 1
        start = end + 1
        number += 1
    return count, number


@kernel
def _number(text: np.ndarray, start: int, end: int) -> int:
    if not 0 < end - start < POSITION_DIGITS:
        return -1
    value = 0
    for place in range(start, end):
        digit = text[place] - _ZERO
        if digit < 0 or digit > 9:
            return -1
        value = 10 * value + digit
    return value


@kernel
def _same_contig(text: np.ndarray, before: np.ndarray, here: np.ndarray) -> bool:
    length = here[1] - here[START]
    if length != before[1] - before[START]:
        return False
    return bool((text[before[START] : before[1]] == text[here[START] : here[1]]).all())


@kernel
def pack_haplotypes(
    text: np.ndarray, lines: np.ndarray, wanted: np.ndarray, rows: np.ndarray, first_site: int, tile: np.ndarray
) -> int:
    """Phased calls of the lines into `tile`, eight sites a byte.

    lines: int64 (n, N_INDEX), with all nine tabs. wanted: bool (n_samples,).
    rows: int64 (2 * kept people,), haplotypes of the file in the order to keep them.
    first_site: place in the tile of the first line. tile: uint8 (sites / 8, 2 * kept people), zero to begin with.
    Returns -1, or the first line that is not biallelic, has no GT, or whose wanted calls are not all there and phased.
    """
    alleles = np.zeros(2 * wanted.size, dtype=np.uint8)
    in_file_order = rows.size == alleles.size and (rows == np.arange(alleles.size)).all()
    for line in range(lines.shape[0]):
        highest = _highest_allele(text, lines[line])
        regular = highest == 1 and _regular_calls(text, lines[line], alleles)
        if not regular and (highest < 0 or not _any_calls(text, lines[line], highest, wanted, True, alleles)):
            return line
        site = first_site + line
        shift = np.uint8(7 - site % 8)
        target = tile[site // 8]
        if in_file_order:
            for row in range(alleles.size):
                target[row] |= alleles[row] << shift
        else:
            for row in range(rows.size):
                target[row] |= alleles[rows[row]] << shift
    return -1


@kernel
def add_dosages(
    text: np.ndarray, lines: np.ndarray, wanted: np.ndarray, people: np.ndarray, first_site: int, tile: np.ndarray
) -> int:
    """Calls, phased or not, missing or not, into `tile`, int8 (sites, kept people): 0, 1, 2 or -1.

    people: int64 (kept people,), places in the file in the order to keep them; the rest as in `pack_haplotypes`.
    """
    alleles = np.zeros(2 * wanted.size, dtype=np.uint8)
    for line in range(lines.shape[0]):
        highest = _highest_allele(text, lines[line])
        if highest < 0 or not _any_calls(text, lines[line], highest, wanted, False, alleles):
            return line
        target = tile[first_site + line]
        for place in range(people.size):
            first, second = alleles[2 * people[place]], alleles[2 * people[place] + 1]
            missing = first == MISSING_ALLELE or second == MISSING_ALLELE
            target[place] = -1 if missing else first + second
    return -1


@kernel
def _highest_allele(text: np.ndarray, line: np.ndarray) -> int:
    """Greatest allele number a call may have: 1, or 0 where ALT is `.`; -1 if multi-allelic or FORMAT has no GT."""
    alt, alt_end = line[4] + 1, line[5]
    for place in range(alt, alt_end):
        if text[place] == _COMMA:
            return -1
    gt, gt_end = line[8] + 1, line[9]
    if gt_end - gt < 2 or text[gt] != _G or text[gt + 1] != _T or (gt_end - gt > 2 and text[gt + 2] != _COLON):
        return -1
    return 0 if alt_end - alt == 1 and text[alt] == _DOT else 1


@kernel
def phased_calls(calls: np.ndarray, alleles: np.ndarray) -> bool:
    """Whether `calls` are `0|0` to `1|1` with tabs between; fills `alleles`, uint8, with 0 and 1."""
    n_samples = (calls.size + 1) // 4
    wrong = np.uint8(0)
    for person in range(n_samples - 1):
        first, second = calls[4 * person] ^ np.uint8(_ZERO), calls[4 * person + 2] ^ np.uint8(_ZERO)
        wrong |= (first | second) & np.uint8(0xFE)
        wrong |= (calls[4 * person + 1] ^ np.uint8(_PIPE)) | (calls[4 * person + 3] ^ np.uint8(_TAB))
        alleles[2 * person] = first
        alleles[2 * person + 1] = second
    last = 4 * n_samples - 4
    first, second = calls[last] ^ np.uint8(_ZERO), calls[last + 2] ^ np.uint8(_ZERO)
    wrong |= ((first | second) & np.uint8(0xFE)) | (calls[last + 1] ^ np.uint8(_PIPE))
    alleles[last // 2] = first
    alleles[last // 2 + 1] = second
    return wrong == 0


@kernel
def _regular_calls(text: np.ndarray, line: np.ndarray, alleles: np.ndarray) -> bool:
    """Whether every call is `0|0` to `1|1` and nothing else: almost every line of a phased panel. Fills alleles."""
    start, end = line[9] + 1, line[END]
    return end - start == 2 * alleles.size - 1 and phased_calls(text[start:end], alleles)


@kernel
def _any_calls(
    text: np.ndarray, line: np.ndarray, highest: int, wanted: np.ndarray, phased: bool, alleles: np.ndarray
) -> bool:
    """The calls of one line, whatever follows GT in them. Fills alleles of the wanted people.

    False when there are not as many calls as people, or a wanted one is not diploid, has an allele above
    `highest`, or (phased) is unphased or missing.
    """
    n_samples = wanted.size
    place, end = line[9] + 1, line[END]
    for person in range(n_samples):
        if place > end:
            return False
        call_end = place
        while call_end < end and text[call_end] != _TAB and text[call_end] != _COLON:
            call_end += 1
        if wanted[person]:
            length = call_end - place
            if length == 1 and text[place] == _DOT and not phased:
                alleles[2 * person] = MISSING_ALLELE
            elif length == 3 and (text[place + 1] == _PIPE or (text[place + 1] == _SLASH and not phased)):
                for copy in range(2):
                    letter = text[place + 2 * copy]
                    if letter == _DOT and not phased:
                        alleles[2 * person + copy] = MISSING_ALLELE
                    elif _ZERO <= letter <= _ZERO + highest:
                        alleles[2 * person + copy] = letter - _ZERO
                    else:
                        return False
            else:
                return False
        while call_end < end and text[call_end] != _TAB:
            call_end += 1
        place = call_end + 1
    return place == end + 1


@kernel
def format_calls(packed: np.ndarray, n_sites: int, text: np.ndarray) -> None:
    """Write `a|b` calls, a tab between and a line break at the end.

    packed: uint8 (ceil(n_sites / 8), n_haplotypes), eight sites a byte; text: uint8 (n_sites, 2 * n_haplotypes).
    """
    n_samples = packed.shape[1] // 2
    for site in range(n_sites):
        source, target = packed[site // 8], text[site]
        shift = np.uint8(7 - site % 8)
        for person in range(n_samples):
            target[4 * person] = _ZERO + ((source[2 * person] >> shift) & 1)
            target[4 * person + 1] = _PIPE
            target[4 * person + 2] = _ZERO + ((source[2 * person + 1] >> shift) & 1)
            target[4 * person + 3] = _TAB
        target[4 * n_samples - 1] = _LF
