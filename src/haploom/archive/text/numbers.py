"""Numbers as they are spelled: an integer at a common scale, and how many decimals were written.

With a scale of 4, `0.5` is 5000 with 1 decimal and `0.500` is 5000 with 3. A value is taken only when these two
numbers spell it again byte for byte; all others (`1e-05`, `007`, `+5`, `-0`, `.5`) are left to the caller.
"""

import re
from typing import NamedTuple

import numpy as np

from haploom.entropy_coding.symbols import LARGEST

MOST_DECIMALS = 9
_SPELLING = re.compile(rb"(-?(?:0|[1-9][0-9]{0,17}))(?:\.([0-9]{1,9}))?")
_COVERED = 0.98  # of the values must keep all decimals; a few long ones must not stretch all others


class Numbers(NamedTuple):
    """The values of a column that are numbers.

    is_number: bool (n_values,). scaled: int64 (n_numbers,), value * 10**scale. decimals: int64 (n_numbers,).
    """

    is_number: np.ndarray
    scale: int
    scaled: np.ndarray
    decimals: np.ndarray


def parse_numbers(values: list[bytes]) -> Numbers:
    matches = [_SPELLING.fullmatch(value) for value in values]
    lengths = np.array([len(m[2] or b"") for m in matches if m], dtype=np.int64)
    scale = 0
    if lengths.size:
        scale = int(np.sort(lengths)[int(np.ceil(_COVERED * (lengths.size - 1)))])
    is_number = np.zeros(len(values), dtype=bool)
    scaled, decimals = [], []
    for i, match in enumerate(matches):
        if not match:
            continue
        whole, fraction = match[1], match[2] or b""
        if len(fraction) > scale:
            continue
        number = int(whole + fraction) * 10 ** (scale - len(fraction))
        # "-0" and "-0.00" lose their sign as integers.
        if abs(number) <= LARGEST and not (number == 0 and whole[:1] == b"-"):
            is_number[i] = True
            scaled.append(number)
            decimals.append(len(fraction))
    return Numbers(is_number, scale, np.array(scaled, dtype=np.int64), np.array(decimals, dtype=np.int64))


def spell_numbers(scaled: np.ndarray, decimals: np.ndarray, scale: int) -> list[bytes]:
    """The texts again. Digits below the last decimal written are dropped; `parse_numbers` leaves none there."""
    if not scale:
        return [b"%d" % number for number in scaled.tolist()]
    texts = []
    for number, written in zip(scaled.tolist(), decimals.tolist()):
        whole, fraction = divmod(abs(number), 10**scale)
        sign = b"-" if number < 0 else b""
        point = b"." + (b"%0*d" % (scale, fraction))[:written] if written else b""
        texts.append(sign + b"%d" % whole + point)
    return texts


def needed_decimals(scaled: np.ndarray, scale: int) -> np.ndarray:
    """Decimals of each number when no zeros are written at its end: int64 (n,)."""
    needed = np.zeros(scaled.shape, dtype=np.int64)
    for written in range(scale, 0, -1):
        # Needed as soon as the digit at this place, or a later one, is not zero.
        needed[(needed == 0) & (scaled % 10 ** (scale - written + 1) != 0)] = written
    return needed
