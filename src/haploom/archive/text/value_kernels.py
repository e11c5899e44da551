"""The coder of field values, in and out in one function.

A field is a list of elements (`value_spelling`); one that is a text is a single element, 0 where the text is new, else
1 + its place among the new ones. The kinds of its elements are the field's form, coded as one bit where it is that of
the last field of its key. A value is coded as the number of its bits, then the bits below the leading one, each under a
mix of contexts: the key, the element's place, the call of the cell, the elements and fields before it in the cell, the
same sample in the record before, the sample before.
"""

from typing import NamedTuple

import numpy as np

from haploom.archive.text.call_kernels import RAW
from haploom.archive.text.value_spelling import LF, MISSING, MOST_ELEMENTS, TEXT, read_field, write_field
from haploom.entropy_coding.contexts import Mixer, hashed
from haploom.entropy_coding.mixing import cell_logit, cell_probability, new_cells, squash, updated_cell
from haploom.entropy_coding.range_coder import code_bit, is_decoding
from haploom.kernels import int64, kernel

# Keys that are not in FORMAT: fields past its last key; GT that is kept as text. Then those of FORMAT follow.
OVERFLOW, RAW_GT = 0, 1
N_OWN_KEYS = 2
CALL = -1  # in place of the key GT, whose value follows from the calls
MANY = 255  # keys of FORMAT a cell lacks at its end; or the number of its fields is stored apart

_MOST_SLOTS = 16  # keys past the first few share what is learned
_HISTORY = 4  # elements of a field that have a history of their own
_N_INPUTS = 7
_SETS_PER_SLOT = 64
_MOST_EXPECTED_BITS = 18  # of contexts whose last value is remembered
_TRUSTED, _MOST_TIMES = 4, 15  # times in a row that a value was the same in its context
_N_FORM_INPUTS = 3
_MOST_CELL_BITS = 20  # of an input
_RATE, _LIMIT, _FIRST_WEIGHT = 14, 255, 1 << 14  # see `mixing`


class CellWalk(NamedTuple):
    """What tells the fields of each cell of some records.

    formats: int64 (n_records,), number of FORMAT; keys[key_starts[f] : key_starts[f + 1]]: int64, the keys of FORMAT
    number f. lacking: uint8 (n_records, n_samples), keys at its end that a cell has no field for; where it is MANY, the
    next of `others`, int64, is the number of its fields.
    shapes: uint8 (n_called, n_samples) and bits: uint8 (n_called, row bytes), as in `Calls`; shape_rows: int64
    (n_records,), the row of a record in them, -1 without GT.
    """

    formats: np.ndarray
    keys: np.ndarray
    key_starts: np.ndarray
    lacking: np.ndarray
    others: np.ndarray
    shapes: np.ndarray
    shape_rows: np.ndarray
    bits: np.ndarray


class Learned(NamedTuple):
    """What the coder remembers from field to field.

    before: int64 (n_slots, n_samples, _HISTORY), values of the sample's last field of a key; beside: the same of the
    last sample: int64 (n_slots, _HISTORY). lengths: int64 (n_slots,), kinds: int64 (n_slots, MOST_ELEMENTS), the form
    of the last field; same: int64 (n_slots,), whether the last three had the form before.
    recent: int64 (3, 3), first, last and sum of the fields before in the cell, -1 for none.
    field_kinds, field_values: int64 (MOST_ELEMENTS,), the field at hand.
    expected: int64 (a power of two, 2), the last value in a context, and how often in a row it was that value;
    trust: int64 (n_slots, _HISTORY, _MOST_TIMES + 1), cells of whether it is again, by how often it was.
    """

    before: np.ndarray
    beside: np.ndarray
    lengths: np.ndarray
    kinds: np.ndarray
    same: np.ndarray
    recent: np.ndarray
    field_kinds: np.ndarray
    field_values: np.ndarray
    expected: np.ndarray
    trust: np.ndarray


def new_learned(n_keys: int, n_samples: int, n_bytes: int) -> Learned:
    """n_keys: with OVERFLOW and RAW_GT; n_bytes: of all fields."""
    n_slots = min(n_keys, _MOST_SLOTS)
    return Learned(
        np.zeros((n_slots, n_samples, _HISTORY), dtype=np.int64), np.zeros((n_slots, _HISTORY), dtype=np.int64),
        np.zeros(n_slots, dtype=np.int64), np.zeros((n_slots, MOST_ELEMENTS), dtype=np.int64),
        np.zeros(n_slots, dtype=np.int64), np.zeros((3, 3), dtype=np.int64),
        np.zeros(MOST_ELEMENTS, dtype=np.int64), np.zeros(MOST_ELEMENTS, dtype=np.int64),
        np.zeros((_room(n_bytes, _MOST_EXPECTED_BITS), 2), dtype=np.int64),
        new_cells(n_slots * _HISTORY * (_MOST_TIMES + 1)).reshape(n_slots, _HISTORY, _MOST_TIMES + 1),
    )  # fmt: skip


def new_mixers(n_bytes: int) -> tuple[Mixer, Mixer]:
    """Mixers of values and of forms, for fields of so many bytes in all."""
    n_cells = _room(4 * n_bytes, _MOST_CELL_BITS)
    return _new_mixer(_N_INPUTS, n_cells, _MOST_SLOTS * _SETS_PER_SLOT), _new_mixer(_N_FORM_INPUTS, 1 << 14, 48)


def _room(n: int, most_bits: int) -> int:
    """A power of two, about `n`."""
    return 1 << min(max(n.bit_length(), 10), most_bits)


def _new_mixer(n_inputs: int, n_cells: int, n_sets: int) -> Mixer:
    scratch = np.zeros((3, n_inputs), dtype=np.int64)
    weights = np.full((n_sets, n_inputs), _FIRST_WEIGHT, dtype=np.int64)
    return Mixer(new_cells(n_inputs * n_cells).reshape(n_inputs, n_cells), weights, *scratch)


@kernel
def _bit_length(value: int) -> int:
    n = 0
    while value > 0:
        value >>= 1
        n += 1
    return n


@kernel
def _level(value: int) -> int:
    """A number's size in steps of about a fifth."""
    if value < 8:
        return value
    n = _bit_length(value)
    return 4 * n + (value >> (n - 3) & 3)


@kernel
def _find_rows(mixer: Mixer, salt: int) -> None:
    """Choose the 16 cells of each input for the next 4 bits or fewer: neighbours, so that memory is read once."""
    mask = mixer.cells.shape[1] - 16
    for i in range(mixer.hashes.size):
        mixer.chosen[i] = hashed(mixer.hashes[i], salt) >> 20 & mask


@kernel
def _code_bit(coder: np.ndarray, data: np.ndarray, mixer: Mixer, weight_set: int, node: int, bit: int) -> int:
    """Code one bit; node: 1 to 15, which of the 16 cells. As `contexts.code_in_contexts`, in one loop for speed."""
    cells, weights, chosen, logits = mixer.cells, mixer.weights, mixer.chosen, mixer.logits
    total = int64(0)
    for i in range(chosen.size):
        logits[i] = cell_logit(cells[i, chosen[i] + node])
        total += logits[i] * weights[weight_set, i]
    p = squash(total >> 16)
    bit = code_bit(coder, data, p, bit)
    error = (bit << 16) - p
    for i in range(chosen.size):
        weights[weight_set, i] += (logits[i] * error * _RATE + (1 << 17)) >> 18
        cells[i, chosen[i] + node] = updated_cell(cells[i, chosen[i] + node], bit, _LIMIT)
    return bit


@kernel
def _code_nibble(coder: np.ndarray, data: np.ndarray, mixer: Mixer, weight_set: int, n_bits: int, value: int) -> int:
    """At most 4 bits of a value from the highest, each knowing those before."""
    node = int64(1)
    for depth in range(n_bits - 1, -1, -1):
        node = 2 * node + _code_bit(coder, data, mixer, weight_set + node, node, value >> depth & 1)
    return node - (int64(1) << n_bits)


@kernel
def _code_number(coder: np.ndarray, data: np.ndarray, mixer: Mixer, weight_set: int, value: int) -> int:
    """How many bits it has, in one nibble to 14, else in two more; then those below the leading one, 4 at a time."""
    size = _bit_length(value)
    _find_rows(mixer, 0)
    short = _code_nibble(coder, data, mixer, weight_set, 4, min(size, 15))
    if short == 15:
        _find_rows(mixer, 1)
        high = _code_nibble(coder, data, mixer, weight_set, 2, size >> 4)
        _find_rows(mixer, 2 + high)
        size = (high << 4) + _code_nibble(coder, data, mixer, weight_set, 4, size & 15)
    else:
        size = short
    if size <= 1:
        return size
    prefix, left = int64(1), size - 1
    while left > 0:
        n_bits = min(left, 4)
        left -= n_bits
        _find_rows(mixer, (prefix << 6) + size + 16)
        sets = weight_set + (16 if size < 8 else 32) if left + n_bits == size - 1 else weight_set + 48
        prefix = (prefix << n_bits) + _code_nibble(coder, data, mixer, sets, n_bits, value >> left & 15)
    return prefix


@kernel
def _code_expected(
    coder: np.ndarray, data: np.ndarray, mixer: Mixer, learned: Learned, slot: int, j: int, context: int, value: int
) -> int:
    """A number; where it was the same several times in its context, first whether it is again."""
    spot = context >> 20 & (learned.expected.shape[0] - 1)
    known, times = learned.expected[spot, 0], learned.expected[spot, 1]
    if times >= _TRUSTED:
        trust = learned.trust[slot, j, times]
        same = code_bit(coder, data, cell_probability(trust), int64(value == known))
        learned.trust[slot, j, times] = updated_cell(trust, same, _LIMIT)
        if same:
            learned.expected[spot, 1] = min(times + 1, _MOST_TIMES)
            return known
    value = _code_number(coder, data, mixer, slot * _SETS_PER_SLOT, value)
    if value == known:
        learned.expected[spot, 1] = min(times + 1, _MOST_TIMES)
    else:
        learned.expected[spot, 0], learned.expected[spot, 1] = value, 0
    return value


@kernel
def _code_form(
    coder: np.ndarray, data: np.ndarray, mixer: Mixer, learned: Learned, slot: int, sample: int, call: int, n: int
) -> int:
    """Number and kinds of the elements in `learned.field_kinds`; returns how many, at least 1."""
    kinds, last = learned.field_kinds, learned.kinds[slot]
    same = int64(n == learned.lengths[slot])
    for i in range(n if same else 0):
        same &= int64(kinds[i] == last[i])
    hashes = mixer.hashes
    hashes[0] = hashed(slot, learned.same[slot])
    hashes[1] = hashed(hashed(slot, 1), call)
    hashes[2] = hashed(hashed(slot, 2), sample)
    _find_rows(mixer, 0)
    same = _code_bit(coder, data, mixer, 0, 1, same)
    learned.same[slot] = (2 * learned.same[slot] + same) & 7
    if same:
        n = max(learned.lengths[slot], 1)
        kinds[:n] = last[:n]
        return n
    _find_rows(mixer, 1)
    high = _code_nibble(coder, data, mixer, 16, 2, n >> 4)
    _find_rows(mixer, 2 + high)
    n = min(max((high << 4) + _code_nibble(coder, data, mixer, 16, 4, n & 15), 1), MOST_ELEMENTS)
    before = int64(0)
    for i in range(n):
        _find_rows(mixer, (before << 8) + (min(i, 3) << 1) + 8)
        high = _code_nibble(coder, data, mixer, 32, 1, kinds[i] >> 4)
        _find_rows(mixer, (before << 8) + (min(i, 3) << 1) + 16 + high)
        kinds[i] = min((high << 4) + _code_nibble(coder, data, mixer, 32, 4, kinds[i] & 15), TEXT)
        before = kinds[i]
        last[i] = kinds[i]
    learned.lengths[slot] = n
    return n


@kernel
def _code_values(
    coder: np.ndarray, data: np.ndarray, mixer: Mixer, learned: Learned, slot: int, sample: int, call: int, n: int
) -> None:
    """The values of the elements, in `learned.field_values`."""
    hashes, recent = mixer.hashes, learned.recent
    kinds, values = learned.field_kinds, learned.field_values
    one, two, total = recent[0, 1], recent[1, 1], int64(0)
    for i in range(n):
        if kinds[i] != MISSING:
            j = min(i, _HISTORY - 1)
            own = (slot << 40) + (j << 36) + (kinds[i] << 30)
            with_call = hashed(own, call)
            up, left = learned.before[slot, sample, j], learned.beside[slot, j]
            last_field = hashed(hashed(with_call, 1), hashed(recent[0, 0], hashed(recent[0, 2], one)))
            hashes[0] = with_call
            hashes[1] = hashed(hashed(with_call, 2), hashed(one, two))
            hashes[2] = last_field
            hashes[3] = hashed(hashed(with_call, 4), (_level(up) << 8) + _level(left))
            hashes[4] = hashed(hashed(own, 5), sample)
            hashes[5] = hashed(hashed(with_call, 7), hashed(recent[2, 0], recent[2, 1]))
            hashes[6] = hashed(hashed(own, 8), hashed(up, i))
            values[i] = _code_expected(coder, data, mixer, learned, slot, j, last_field, values[i])
        else:
            values[i] = 0
        if i < _HISTORY:
            learned.before[slot, sample, i] = values[i]
            learned.beside[slot, i] = values[i]
        two, one = one, values[i]
        total += values[i]
    recent[2] = recent[1]
    recent[1] = recent[0]
    recent[0, 0], recent[0, 1], recent[0, 2] = values[0], values[n - 1], total


@kernel
def _call_context(walk: CellWalk, row: int, sample: int) -> int:
    """What the call of a cell is, for use as a context."""
    if row < 0:
        return int64(0)
    haplotype = 2 * sample
    alleles = walk.bits[row, haplotype >> 3] >> np.uint8(6 - (haplotype & 7)) & 3
    return 1 + 4 * int64(walk.shapes[row, sample]) + int64(alleles)


@kernel
def code_fields(
    coder: np.ndarray,
    data: np.ndarray,
    mixer: Mixer,
    form_mixer: Mixer,
    learned: Learned,
    walk: CellWalk,
    fields: np.ndarray,
    n_bytes: int,
    text_starts: np.ndarray,
    dictionary: np.ndarray,
) -> int:
    """Code the fields of all cells; returns how many bytes of `fields` they take.

    fields: uint8, each with a line feed after it; read when encoding, written when decoding. A decoder stops once it
    has written `n_bytes`; `fields` has room for one field more.
    Encoding: dictionary: int64, for each field that is a text, in order: 0 where it is new, else 1 + its place among
    the new ones. Decoding: dictionary: uint8, the new texts; text_starts: int64 (n + 1,), where each starts.
    """
    decoding = is_decoding(coder)
    place, n_others, n_texts = 0, 0, 0
    for record in range(walk.formats.size):
        first, after = walk.key_starts[walk.formats[record]], walk.key_starts[walk.formats[record] + 1]
        row = walk.shape_rows[record]
        for sample in range(walk.lacking.shape[1]):
            n_fields = after - first - int64(walk.lacking[record, sample])
            if walk.lacking[record, sample] == MANY:
                n_fields = walk.others[n_others] if n_others < walk.others.size else int64(0)
                n_others += 1
            call = _call_context(walk, row, sample)
            learned.recent[:] = -1
            for field in range(n_fields):
                key = walk.keys[first + field] if first + field < after else int64(OVERFLOW)
                if key == CALL:
                    if row < 0 or walk.shapes[row, sample] != RAW:
                        continue
                    key = int64(RAW_GT)
                if place >= n_bytes:  # only damaged data has more fields than bytes
                    return place + 1
                slot = min(key, learned.lengths.size - 1)
                n, end = int64(0), place
                if not decoding:
                    while fields[end] != LF:
                        end += 1
                    n = read_field(fields, place, end, learned.field_kinds, learned.field_values)
                    if n == 0:
                        n = int64(1)
                        learned.field_kinds[0], learned.field_values[0] = TEXT, dictionary[n_texts]
                n = _code_form(coder, data, form_mixer, learned, slot, sample, call, n)
                _code_values(coder, data, mixer, learned, slot, sample, call, n)
                is_text = learned.field_kinds[0] == TEXT
                if not decoding:
                    n_texts += is_text
                    place = end + 1
                    continue
                if is_text:
                    known = learned.field_values[0] - 1
                    if known < 0:
                        known = n_texts
                        n_texts += 1
                    if known < text_starts.size - 1:
                        for source in range(text_starts[known], text_starts[known + 1] - 1):
                            fields[place] = dictionary[source]
                            place += 1
                else:
                    place = write_field(n, learned.field_kinds, learned.field_values, fields, place)
                fields[place] = LF
                place += 1
    return place
