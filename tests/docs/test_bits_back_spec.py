"""docs/spec/bits-back-1.md is enough to decode: a reader written from its words alone, in Python's own integers."""

import math
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.testing import assert_array_equal
from spec_coders import squash

from haploom.archive.bits_back import BitsBack
from haploom.exact import IntegerLayer, IntegerNetwork

CUMULATIVE = [0, *(round(NormalDist().cdf((i - 1024) / 128) * 2**40) for i in range(1, 2048)), 2**40]


def fixed(n: int) -> int:
    h = (n + 1) % 2**32
    h = (h ^ h >> 16) * 0x85EBCA6B % 2**32
    h = (h ^ h >> 13) * 0xC2B2AE35 % 2**32
    return h ^ h >> 16


def below(k: int, b: int, m: int, v: int) -> int:
    n = 32 << b
    m, v = min(max(m, -(2**24)), 2**24), min(max(v, -256), 64)
    if k in (0, n):
        return 2**24 * (k == n)
    edge = (2 * k - n - 1) << (19 - b)
    u = ((edge - m) * math.floor(65536 * math.exp(-v / 32)) >> 16) + 2**23
    if u <= 0 or u >= 2**24:
        return 2**24 * (u > 0)
    e, f = u >> 13, u % 2**13
    return (CUMULATIVE[e] + ((CUMULATIVE[e + 1] - CUMULATIVE[e]) * f >> 13)) >> 16


def outputs(network: IntegerNetwork, x: list[int]) -> list[int]:
    for place, layer in enumerate(network.layers):
        if place:
            x = [min(max(value, 0), 65535) for value in x]
        rows = zip(layer.weight.tolist(), layer.bias.tolist(), layer.shift.tolist())
        x = [(sum(w * value for w, value in zip(weights, x)) + bias) >> shift for weights, bias, shift in rows]
    return x


def rescaled(value: int, bits: int, wanted: int) -> int:
    return math.floor(value * 2.0 ** (wanted - bits) + 0.5)


class SpecStack:
    def __init__(self, data: bytes) -> None:
        self.head = int.from_bytes(data[:8], "little")
        self.words = np.frombuffer(data[8:], "<u4")[::-1].tolist()  # the top one last
        self.n_taken = 0

    def pop(self, starts: list[int], t: int) -> int:
        number = self.head % 2**t
        symbol = max(s for s in range(len(starts) - 1) if starts[s] <= number < starts[s + 1])
        self.head = (starts[symbol + 1] - starts[symbol]) * (self.head >> t) + number - starts[symbol]
        if self.head < 2**31:
            self.head = self.head * 2**32 + (self.words.pop() if self.words else fixed(self.taken()))
        return symbol

    def taken(self) -> int:
        """The place of the next word below the empty stack."""
        self.n_taken += 1
        return self.n_taken

    def push(self, start: int, frequency: int, t: int) -> None:
        if self.head >> (63 - t) >= frequency:
            self.words.append(self.head % 2**32)
            self.head >>= 32
        self.head = self.head // frequency * 2**t + self.head % frequency + start


def decoded(data: bytes, n_rows: int, encoder: IntegerNetwork, decoder: IntegerNetwork) -> np.ndarray:
    stack, rows = SpecStack(data), []
    b, a, c, q = decoder.input_bits, encoder.output_bits, decoder.output_bits, decoder.n_inputs
    n = 32 << b
    prior = [(below(k, b, 0, 0) * (2**24 - n) >> 24) + k for k in range(n + 1)]
    starts = [0]
    while starts[-1] < n_rows:
        starts.append(min(starts[-1] + min(max(starts[-1], 1), 16), n_rows))
    for first, past in reversed(list(pairwise(starts))):
        bins = [[stack.pop(prior, 24) for _ in range(q)] for _ in range(first, past)]
        group = []
        for row in bins:
            log_odds = outputs(decoder, [k - (16 << b) for k in row])
            # Symbol 0 of two is the allele 1.
            group.append([1 - stack.pop([0, squash(rescaled(y, c, 8)), 65536], 16) for y in log_odds])
        for row, alleles in reversed(list(zip(bins, group))):
            numbers = outputs(encoder, alleles)
            for k, mean, log_variance in reversed(list(zip(row, numbers[:q], numbers[q:]))):
                gaussian = b, rescaled(mean, a, 20), rescaled(log_variance, a, 4)
                stack.push(below(k, *gaussian), below(k + 1, *gaussian) - below(k, *gaussian), 24)
        if first > 0:
            place, n_words = 2**31 + first * (q + 1), math.ceil(q * (past - first) / 4)
            stack.head ^= fixed(place) >> 1
            while len(stack.words) < n_words:
                stack.words.insert(0, fixed(stack.taken()))
            for i in range(1, n_words + 1):
                stack.words[-i] ^= fixed(place + i)
        rows = group + rows
    assert stack.head == 2**31 + (fixed(0) >> 1)
    assert stack.words[::-1] == [fixed(i + 1) for i in range(len(stack.words))]
    return np.array(rows, dtype=np.uint8)


def random_network(
    rng: np.random.Generator, sizes: tuple[int, ...], size: int, bits: tuple[int, int]
) -> IntegerNetwork:
    layers = [
        IntegerLayer(
            rng.integers(-size, size, (n_out, n_in)).astype(np.int16),
            rng.integers(-size, size, n_out),
            np.full(n_out, 2, np.uint8),
        )
        for n_in, n_out in pairwise(sizes)
    ]
    return IntegerNetwork(tuple(layers), *bits)


def test_bits_back_spec__a_reader_of_its_words_decodes():
    rng = np.random.default_rng(2)
    encoder = random_network(rng, (23, 9, 10), 60, (0, 12))
    decoder = random_network(rng, (5, 9, 23), 40, (4, 11))
    alleles = rng.integers(0, 2, (15, 23), dtype=np.uint8)
    data = BitsBack(encoder, decoder).encode(alleles)
    assert len(data) > 8 + 4 * 12
    assert_array_equal(decoded(data, 15, encoder, decoder), alleles)
