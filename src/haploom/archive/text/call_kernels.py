"""The hot loops from the GT text of cells to shapes, bits and further alleles.

The shape of a call is its text with every allele number replaced by `0`: `0|1` and `2|0` have the shape `0|0`.
"""

import numpy as np

from haploom.kernels import kernel

# The first two shapes are none: a cell that ends before its GT, and a GT kept as text elsewhere.
ABSENT, RAW = 0, 1
N_SHAPES = 256
SHAPE_BYTES = 24  # a longer call is kept as text
MOST_ALLELES = 12
ALLELE_DIGITS = 9
_N_SLOTS = 1024  # of the hash table of shapes

_TAB, _COLON, _ZERO, _NINE = 9, 58, 48, 57


def new_shape_table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """No shapes yet: texts uint8 (N_SHAPES, SHAPE_BYTES), their lengths int64 (N_SHAPES,), and for each hash the shape
    int64 (_N_SLOTS,), -1 for none. The last length slot counts the shapes, so N_SHAPES - 1 is never a shape."""
    sizes = np.zeros(N_SHAPES, dtype=np.int64)
    sizes[-1] = RAW + 1
    return np.zeros((N_SHAPES, SHAPE_BYTES), dtype=np.uint8), sizes, np.full(_N_SLOTS, -1, dtype=np.int64)


@kernel
def find_cell_end(text: np.ndarray, place: int, end: int) -> int:
    """Where the cell at `place` ends: at a tab or at `end`."""
    while place < end and text[place] != _TAB:
        place += 1
    return place


@kernel
def find_field(text: np.ndarray, place: int, end: int, field: int) -> int:
    """Where field number `field` of the cell from `place` to `end` starts; -1 where the cell has fewer."""
    for _ in range(field):
        while place < end and text[place] != _COLON:
            place += 1
        if place == end:
            return -1
        place += 1
    return place


@kernel
def _read_call(text: np.ndarray, place: int, end: int, shape: np.ndarray, alleles: np.ndarray) -> tuple:
    """Shape and alleles of the field at `place`: (bytes of the shape, alleles), or (-1, 0) if it is kept as text."""
    size, n_alleles = 0, 0
    while place < end and text[place] != _COLON:
        byte = text[place]
        if size == SHAPE_BYTES:
            return -1, 0
        if _ZERO <= byte <= _NINE:
            first, value = place, 0
            while place < end and _ZERO <= text[place] <= _NINE and place - first <= ALLELE_DIGITS:
                value = 10 * value + (text[place] - _ZERO)
                place += 1
            digits = place - first
            if n_alleles == MOST_ALLELES or digits > ALLELE_DIGITS or (byte == _ZERO and digits > 1):
                return -1, 0
            alleles[n_alleles] = value
            n_alleles += 1
            shape[size] = _ZERO
        else:
            shape[size] = byte
            place += 1
        size += 1
    return size, n_alleles


@kernel
def _same(texts: np.ndarray, sizes: np.ndarray, known: int, shape: np.ndarray, size: int) -> bool:
    if sizes[known] != size:
        return False
    # Slices compared or assigned whole would take numba seconds to compile.
    for place in range(size):  # noqa: SIM110 - numba has no all()
        if texts[known, place] != shape[place]:
            return False
    return True


@kernel
def _find_shape(texts: np.ndarray, sizes: np.ndarray, slots: np.ndarray, shape: np.ndarray, size: int) -> int:
    """The number of a shape, a new one if it was not seen before; RAW when there is no number left."""
    key = np.uint32(2166136261)
    for place in range(size):
        key = (key ^ np.uint32(shape[place])) * np.uint32(16777619)
    slot = np.int64(key % np.uint32(slots.size))
    while slots[slot] >= 0:
        if _same(texts, sizes, slots[slot], shape, size):
            return slots[slot]
        slot = (slot + 1) % slots.size
    found = sizes[N_SHAPES - 1]
    if found == N_SHAPES - 1:
        return RAW
    slots[slot] = found
    for place in range(size):
        texts[found, place] = shape[place]
    sizes[found] = size
    sizes[N_SHAPES - 1] += 1
    return found


@kernel
def parse_calls(
    text: np.ndarray,
    starts: np.ndarray,
    gt_fields: np.ndarray,
    texts: np.ndarray,
    sizes: np.ndarray,
    slots: np.ndarray,
    shapes: np.ndarray,
    bits: np.ndarray,
    highest: np.ndarray,
) -> None:
    """Shapes, bits and the highest allele of records with GT.

    text, starts: the cells of each record, n_samples of them with tabs between. gt_fields: int64 (n,), which field of
    a cell is GT. texts, sizes, slots: from `new_shape_table`, new shapes are added. shapes: uint8 (n, n_samples) to
    fill. bits: uint8 (n, row bytes), zero; bit 2 s + i is set where allele i (0 or 1) of sample s is not 0.
    highest: int64 (n,) to fill, the highest of the first two alleles of any sample.
    """
    shape = np.zeros(SHAPE_BYTES, dtype=np.uint8)
    alleles = np.zeros(MOST_ALLELES, dtype=np.int64)
    for record in range(gt_fields.size):
        place, end = starts[record], starts[record + 1]
        last, top = ABSENT, 0
        for sample in range(shapes.shape[1]):
            cell_end = find_cell_end(text, place, end)
            field = find_field(text, place, cell_end, gt_fields[record])
            found = ABSENT
            if field >= 0:
                size, n_alleles = _read_call(text, field, cell_end, shape, alleles)
                if size < 0:
                    found = RAW
                elif last > RAW and _same(texts, sizes, last, shape, size):
                    found = last
                else:
                    found = _find_shape(texts, sizes, slots, shape, size)
                if found != RAW:
                    for i in range(min(n_alleles, 2)):
                        if alleles[i]:
                            haplotype = 2 * sample + i
                            bits[record, haplotype >> 3] |= np.uint8(0x80 >> (haplotype & 7))
                            top = max(top, alleles[i])
            shapes[record, sample] = found
            last = found
            place = cell_end + 1
        highest[record] = top


@kernel
def further_alleles(
    text: np.ndarray,
    starts: np.ndarray,
    gt_fields: np.ndarray,
    shapes: np.ndarray,
    ploidies: np.ndarray,
    highest: np.ndarray,
    further_starts: np.ndarray,
    further: np.ndarray,
) -> None:
    """The alleles that bits do not tell, in the order of `count_further`, whose sums are `further_starts`."""
    shape = np.zeros(SHAPE_BYTES, dtype=np.uint8)
    alleles = np.zeros(MOST_ALLELES, dtype=np.int64)
    for record in range(gt_fields.size):
        target = further_starts[record]
        if further_starts[record + 1] == target:
            continue
        place, end = starts[record], starts[record + 1]
        for sample in range(shapes.shape[1]):
            cell_end = find_cell_end(text, place, end)
            if ploidies[shapes[record, sample]]:
                field = find_field(text, place, cell_end, gt_fields[record])
                _, n_alleles = _read_call(text, field, cell_end, shape, alleles)
                for i in range(n_alleles):
                    if i >= 2 or (alleles[i] and highest[record] > 1):
                        further[target] = alleles[i]
                        target += 1
            place = cell_end + 1


@kernel
def count_further(
    shapes: np.ndarray, ploidies: np.ndarray, bits: np.ndarray, highest: np.ndarray, counts: np.ndarray
) -> None:
    """How many alleles of each record bits do not tell: in order of sample and place in the call, the first two where
    they are not 0 and the record's `highest` is above 1, and all after the second.

    shapes: uint8 (n, n_samples); ploidies: int64 (N_SHAPES,), alleles of a shape; bits: uint8 (n, row bytes);
    highest: int64 (n,); counts: int64 (n,) to fill.
    """
    for record in range(shapes.shape[0]):
        count = 0
        for sample in range(shapes.shape[1]):
            ploidy = ploidies[shapes[record, sample]]
            if ploidy > 2:
                count += ploidy - 2
            if highest[record] > 1:
                for i in range(min(ploidy, 2)):
                    haplotype = 2 * sample + i
                    count += (bits[record, haplotype >> 3] >> np.uint8(7 - (haplotype & 7))) & 1
        counts[record] = count
