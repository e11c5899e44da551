"""docs/spec/entropy-coding-1.md, sections 1 to 6, and section 3 of archive-1.md, written anew from their words.

Plain Python integers throughout, so nothing of the package's arithmetic is used.
"""

import lzma
import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable

import zstandard

MOST_LOGIT = 2839
ABOVE_EVEN = [min(round(65536 / (1 + math.exp(-x / 256))), 65535) for x in range(MOST_LOGIT + 1)]
SQUASH = [65536 - p for p in ABOVE_EVEN[:0:-1]] + ABOVE_EVEN
STRETCH = [
    max((bisect_left(SQUASH, p) + bisect_right(SQUASH, p) - 1) // 2 - MOST_LOGIT, -MOST_LOGIT) for p in range(65536)
]


def squash(logit: int) -> int:
    return SQUASH[min(max(logit, -MOST_LOGIT), MOST_LOGIT) + MOST_LOGIT]


def signed(number: int) -> int:
    """A number as 64 bits hold it."""
    return (number + 2**63) % 2**64 - 2**63


def hashed(a: int, b: int) -> int:
    multiplier = -7046029254386353131
    h = signed((a ^ signed(b * multiplier)) * multiplier)
    return h ^ (h >> 29)


class Stream:
    """A range coder stream."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 4
        self.low, self.high, self.code = 0, 0xFFFFFFFF, int.from_bytes(data[:4].ljust(4, b"\0"), "big")

    def bit(self, p: int) -> int:
        middle = self.low + ((self.high - self.low) * p >> 16)
        bit = int(self.code <= middle)
        if bit:
            self.high = middle
        else:
            self.low = middle + 1
        while self.low >> 24 == self.high >> 24:
            following = self.data[self.place] if self.place < len(self.data) else 0
            self.place += 1
            self.low = self.low << 8 & 0xFFFFFFFF
            self.high = self.high << 8 & 0xFFFFFFFF | 0xFF
            self.code = self.code << 8 & 0xFFFFFFFF | following
        return bit

    def lone_bit(self, cell: list[int], limit: int) -> int:
        """Under one cell, [P, n]."""
        bit = self.bit(min(max(cell[0] >> 16, 1), 65535))
        learn(cell, bit, limit)
        return bit

    def mixed_bit(self, cells: list[list[int]], weights: list[int], rate: int, limit: int) -> int:
        logits = [STRETCH[cell[0] >> 16] for cell in cells]
        p = squash(sum(x * w for x, w in zip(logits, weights)) >> 16)
        bit = self.bit(p)
        for i, logit in enumerate(logits):
            weights[i] += (logit * (65536 * bit - p) * rate + 2**17) >> 18
        for cell in cells:
            learn(cell, bit, limit)
        return bit


def learn(cell: list[int], bit: int, limit: int) -> None:
    cell[0] += (bit * (2**32 - 1) - cell[0]) * (2**17 // (2 * cell[1] + 3)) >> 16
    cell[1] = min(cell[1] + 1, limit)


class Contexts:
    """A context mixer; cells are made when they are first used."""

    def __init__(self, data: bytes, n_inputs: int, n_sets: int, n_bits: int) -> None:
        self.stream = Stream(data)
        self.mask = (1 << min(max(n_bits.bit_length(), 8), 18)) - 1
        self.cells: list[dict[int, list[int]]] = [{} for _ in range(n_inputs)]
        self.weights = [[16384] * n_inputs for _ in range(n_sets)]
        self.hashes = [0] * n_inputs

    def bit(self, weight_set: int, node: int) -> int:
        chosen = [
            cells.setdefault(hashed(own, node) >> 20 & self.mask, [32768 << 16, 0])
            for own, cells in zip(self.hashes, self.cells)
        ]
        return self.stream.mixed_bit(chosen, self.weights[weight_set], 6, 1023)

    def tree(self, n_bits: int, weight_set: Callable[[int, int], int]) -> int:
        """Bits down a tree; weight_set of (depth, node)."""
        node = 1
        for depth in range(n_bits):
            node = 2 * node + self.bit(weight_set(depth, node), node)
        return node - (1 << n_bits)

    def set_value_hashes(self, one: int, two: int, three: int, sides: list[int]) -> None:
        together = 4
        for side in sides:
            together = hashed(together, side)
        self.hashes = [0, hashed(1, one), hashed(hashed(2, one), two), hashed(3, three), together]
        for side in sides:
            self.hashes += [hashed(5, side), hashed(hashed(6, side), one)]


def symbols(data: bytes, alphabet: int, sides: list[list[int]]) -> list[int]:
    n_bits, n_sides = (alphabet - 1).bit_length(), len(sides[0]) if sides else 0
    coder = Contexts(data, 5 + 2 * n_sides, 32, len(sides) * n_bits)
    values, u, v, w = [], 0, 0, 0
    for own in sides:
        coder.set_value_hashes(u, v, hashed(hashed(u, v), w), own)
        values.append(coder.tree(n_bits, lambda depth, node: min(node, 31)))
        u, v, w = values[-1], u, v
    assert max(values, default=0) < alphabet
    return values


def integers(data: bytes, as_differences: bool, sides: list[list[int]]) -> list[int]:
    coder = Contexts(data, 5 + 2 * (len(sides[0]) if sides else 0), 32, 20 * len(sides))
    values, one, two, before = [], 0, 0, 0
    for own in sides:
        three, length = before, abs(before).bit_length()
        if as_differences:
            three = (length << 4) + (abs(before) >> max(length - 4, 0))
        coder.set_value_hashes(one, two, three, own)
        b = coder.tree(6, lambda depth, node: depth)
        negative = coder.bit(6, 128 + b) if b else 0
        q = int(b > 0)
        for j in range(b - 1):
            place = q if j < 12 else 2**40 + j
            q = 2 * q + coder.bit(7 + min(j, 24), (place << 14) + (b << 8) + 1)
        before = (-q if negative else q) + (before if as_differences else 0)
        values.append(before)
        one, two = 2 * b + negative, one
    return values


def modelled_text(data: bytes, n_bytes: int) -> bytes:
    coder = Contexts(data, 7, 256, 8 * n_bytes)
    text, recent, line, above, word = bytearray(), 0, 0, None, 0
    for i in range(n_bytes):
        over = text[above + i - line] if above is not None and above + i - line < line else 0
        last = recent & 255
        coder.hashes = [
            0, hashed(1, last), hashed(2, recent & 0xFFFF), hashed(3, recent & 0xFFFFFF),
            hashed(4, recent & 0xFFFFFFFFFF), hashed(hashed(5, over), hashed(last, min(i - line, 255))),
            hashed(hashed(6, word), last),
        ]  # fmt: skip
        byte = coder.tree(8, lambda depth, node: node)
        text.append(byte)
        recent = recent << 8 | byte
        if byte == 10:
            above, line = line, i + 1
        word = hashed(word, byte) if (chr(byte).isalnum() and byte < 128) or byte >= 128 else 0
    return bytes(text)


def stepped_numbers(data: bytes, clusters: list[int], first: list[int], size: list[int]) -> list[int]:
    coder = Contexts(data, 7, 576, 16 * len(clusters))
    before, numbers = list(first), []
    since, since_1, one, two = ([0] * len(first) for _ in range(4))
    for c in clusters:
        n_bits = (size[c] - 1).bit_length()
        top = max(n_bits - 6, 0)
        o, t, now = one[c] >> top, two[c] >> top, min(since[c], 255)
        contexts = (o, now, now << 6 | o, (before[c] - first[c]) >> top, now << 12 | o << 6 | t)
        coder.hashes = [c, *(hashed(hashed(j, c), x) for j, x in enumerate(contexts, 1))]
        coder.hashes.append(hashed(hashed(6, c), (now << 8 | since_1[c]) << 6 | o))
        q = 0
        for j in range(n_bits):
            modelled = j < 9 or q in (0, 2**j - 1)
            q = 2 * q + (coder.bit(9 * c + min(j, 8), 2**j + q) if modelled else coder.stream.bit(32768))
        before[c] = first[c] + (before[c] - first[c] + q) % size[c]
        numbers.append(before[c])
        two[c], one[c], since_1[c], since[c] = one[c], q, now, 0
        for newer in range(c, len(first)):
            since[newer] += 1
    return numbers


def number(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[place] & 0x7F) << shift
        shift, place = shift + 7, place + 1
        if data[place - 1] < 0x80:
            return value, place


def numbers(data: bytes) -> list[int]:
    found, place = [], 0
    while place < len(data):
        value, place = number(data, place)
        found.append(value)
    return found


def parts(data: bytes, n: int) -> list[bytes]:
    found = []
    for _ in range(n - 1):
        length, place = number(data, 0)
        found.append(data[place : place + length])
        data = data[place + length :]
    return [*found, data]


def unpacked(data: bytes) -> bytes:
    size, place = number(data, 1)
    form = data[place:]
    if data[0] == 1:
        form = zstandard.ZstdDecompressor().decompress(form)
    elif data[0] == 2:
        window = {"id": lzma.FILTER_LZMA2, "dict_size": min(max(size, 1 << 12), 1 << 24)}
        form = lzma.decompress(form, format=lzma.FORMAT_RAW, filters=[window])
    assert data[0] <= 2
    assert len(form) == size
    return form
