"""The spelling of field values: text to elements and back, exactly.

A field is a list of elements with commas between. An element is `.`, or a decimal number that is spelled as we would:
its kind tells the sign and how many decimals it has, its value is all its digits as one integer. A field with anything
else in it is a text.
"""

import numpy as np

from haploom.entropy_coding.contexts import hashed
from haploom.kernels import int64, kernel

MOST_ELEMENTS = 62  # a longer list is a text
FIELD_BYTES = MOST_ELEMENTS * 22  # at most, of a field that is not a text, even where the data is damaged
MISSING, NUMBER, TEXT = 0, 1, 21  # kinds: NUMBER + decimals, + 10 where negative
_MOST_DIGITS = 15
_MOST_DECIMALS = 9

LF = 10
_COMMA, _DOT, _MINUS, _ZERO = 44, 46, 45, 48


@kernel
def read_field(text: np.ndarray, place: int, end: int, kinds: np.ndarray, values: np.ndarray) -> int:
    """Elements of the field at `place`, which ends at `end`: how many, 0 if it is a text."""
    n = 0
    while True:
        if n == MOST_ELEMENTS:
            return 0
        if place < end and text[place] == _DOT and (place + 1 == end or text[place + 1] == _COMMA):
            kinds[n], values[n] = MISSING, 0
            place += 1
        else:
            negative = place < end and text[place] == _MINUS
            if negative:
                place += 1
            first, value, decimals, point = place, 0, 0, -1
            while place < end and text[place] != _COMMA:
                digit = int64(text[place]) - _ZERO
                if 0 <= digit <= 9:
                    value = 10 * value + digit
                elif text[place] == _DOT and point < 0:
                    point = place
                else:
                    return 0
                place += 1
                if place - first > _MOST_DIGITS:
                    return 0
            whole_end = point if point >= 0 else place
            if point >= 0:
                decimals = place - point - 1
                if decimals == 0 or decimals > _MOST_DECIMALS:
                    return 0
            if whole_end == first or (text[first] == _ZERO and whole_end - first > 1):
                return 0
            kinds[n] = NUMBER + decimals + (10 if negative else 0)
            values[n] = value
        n += 1
        if place == end:
            return n
        place += 1


@kernel
def write_field(n: int, kinds: np.ndarray, values: np.ndarray, out: np.ndarray, target: int) -> int:
    """The inverse; returns the place after it."""
    for i in range(n):
        if i:
            out[target] = _COMMA
            target += 1
        if kinds[i] == MISSING:
            out[target] = _DOT
            target += 1
            continue
        decimals = (kinds[i] - NUMBER) % 10
        if kinds[i] >= NUMBER + 10:
            out[target] = _MINUS
            target += 1
        n_digits, above = int64(1), int64(10)
        while above <= values[i] and n_digits < 18:
            n_digits += 1
            above *= 10
        n_digits = max(n_digits, decimals + 1)
        value = values[i]
        size = n_digits + (1 if decimals else 0)
        for digit in range(n_digits):
            spot = size - 1 - digit - (1 if decimals and digit >= decimals else 0)
            out[target + spot] = _ZERO + value % 10
            value //= 10
        if decimals:
            out[target + n_digits - decimals] = _DOT
        target += size
    return target


@kernel
def find_texts(
    fields: np.ndarray, indices: np.ndarray, new_texts: np.ndarray, slots: np.ndarray, starts: np.ndarray
) -> int:
    """The fields that are texts: those not seen before, and for each its number among them.

    fields: uint8, each with a line feed after it. indices: int64 (n_fields or more,) to fill: for each text, in order,
    0 where it is new, else 1 + its place among the new ones. new_texts: uint8 to fill, each with a line feed after it.
    slots: int64 (a power of two,), all -1; starts: int64 (half as many + 1,), 0: only so many new texts are looked up.
    Returns the bytes of new texts.
    """
    kinds, values = np.zeros(MOST_ELEMENTS, dtype=np.int64), np.zeros(MOST_ELEMENTS, dtype=np.int64)
    n_texts, n_new, used, start = 0, 0, 0, 0
    for place in range(fields.size):
        if fields[place] != LF:
            continue
        if read_field(fields, start, place, kinds, values) == 0:
            key = int64(0)
            for i in range(start, place):
                key = hashed(key, int64(fields[i]))
            slot = key & (slots.size - 1)
            while slots[slot] >= 0:
                known = starts[slots[slot]]
                size = starts[slots[slot] + 1] - known - 1
                if size == place - start and (new_texts[known : known + size] == fields[start:place]).all():
                    break
                slot = (slot + 1) & (slots.size - 1)
            indices[n_texts] = slots[slot] + 1
            if slots[slot] < 0:
                new_texts[used : used + place + 1 - start] = fields[start : place + 1]
                used += place + 1 - start
                if n_new < starts.size - 1:
                    slots[slot] = n_new
                    starts[n_new + 1] = used
                n_new += 1
            n_texts += 1
        start = place + 1
    return used
