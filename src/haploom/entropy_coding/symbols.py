"""Columns of small symbols and of integers, each value under what came before it and what stands beside it.

`sides` are numbers both directions know, such as the alleles of a record: int64 (n_values, n_sides). A value is
coded under: nothing, the value before it, the two before it, a longer look back, each side alone, each side
with the value before, and all sides together.
"""

import numpy as np

from haploom.entropy_coding.contexts import Mixer, code_in_contexts, hashed, new_mixer
from haploom.entropy_coding.range_coder import finish, new_decoder, new_encoder
from haploom.kernels import int64, kernel

LARGEST = 1 << 61  # integers are from -LARGEST to LARGEST, so that differences fit 64 bits
_LARGEST_ALPHABET = 1 << 16
_MODELLED_BITS = 12  # leading bits of a number's mantissa that know the bits before them
_BUCKET_NODES = 64
_N_SETS = 32


def _new_mixer(n_sides: int, n_bits: int, n_sets: int) -> Mixer:
    return new_mixer(5 + 2 * n_sides, n_sets, n_bits)


@kernel
def _set_contexts(hashes: np.ndarray, sides: np.ndarray, one: int, two: int, three: int) -> None:
    """one: the value before; two: the value before that; three: a longer look back."""
    hashes[0] = 0
    hashes[1] = hashed(1, one)
    hashes[2] = hashed(hashed(2, one), two)
    hashes[3] = hashed(3, three)
    all_sides = int64(4)
    for s in range(sides.size):
        all_sides = hashed(all_sides, sides[s])
        hashes[5 + 2 * s] = hashed(5, sides[s])
        hashes[6 + 2 * s] = hashed(hashed(6, sides[s]), one)
    hashes[4] = all_sides


@kernel
def _code_symbols(
    coder: np.ndarray, data: np.ndarray, mixer: Mixer, symbols: np.ndarray, n_bits: int, sides: np.ndarray
) -> None:
    """Code `symbols` in place, `n_bits` each from the highest, as a walk down a binary tree."""
    one, two, three = int64(0), int64(0), int64(0)
    for i in range(symbols.size):
        _set_contexts(mixer.hashes, sides[i], one, two, hashed(hashed(one, two), three))
        symbol = symbols[i]
        node = int64(1)
        for depth in range(n_bits - 1, -1, -1):
            weight_set = min(node, _N_SETS - 1)
            node = 2 * node + code_in_contexts(coder, data, mixer, weight_set, node, symbol >> depth & 1)
        symbols[i] = node - (int64(1) << n_bits)
        three, two, one = two, one, symbols[i]


@kernel
def _bit_length(value: int) -> int:
    n = 0
    while value > 0:
        value >>= 1
        n += 1
    return n


@kernel
def _code_integers(
    coder: np.ndarray, data: np.ndarray, mixer: Mixer, values: np.ndarray, as_differences: bool, sides: np.ndarray
) -> None:
    """Code `values` in place: how many bits the magnitude has, the sign, then the bits below the leading one."""
    one, two, before = int64(0), int64(0), int64(0)
    for i in range(values.size):
        expected = before if as_differences else int64(0)
        n_before = _bit_length(abs(before))
        level = (n_before << 4) + (abs(before) >> max(n_before - 4, 0))
        _set_contexts(mixer.hashes, sides[i], one, two, level if as_differences else before)
        difference = values[i] - expected
        magnitude = abs(difference)
        bits = _bit_length(magnitude)
        node = int64(1)
        for depth in range(5, -1, -1):
            node = 2 * node + code_in_contexts(coder, data, mixer, 5 - depth, node, bits >> depth & 1)
        bits = node - _BUCKET_NODES
        negative = int64(0)
        if bits:
            negative = code_in_contexts(coder, data, mixer, 6, 2 * _BUCKET_NODES + bits, int64(difference < 0))
        prefix = int64(1) if bits else int64(0)
        for depth in range(bits - 1):
            place = prefix if depth < _MODELLED_BITS else (1 << 40) + depth
            weight_set = 7 + min(depth, _N_SETS - 8)
            following = code_in_contexts(
                coder, data, mixer, weight_set, (place << 14) + (bits << 8) + 1, magnitude >> (bits - 2 - depth) & 1
            )
            prefix = 2 * prefix + following
        values[i] = expected + (-prefix if negative else prefix)
        before = values[i]
        two, one = one, 2 * bits + negative


def encode_symbols(symbols: np.ndarray, n_symbols: int, sides: np.ndarray) -> bytes:
    """Symbols from 0 to n_symbols - 1 (at most 65,536 kinds), any integer type (n,)."""
    n_bits = _symbol_bits(n_symbols)
    room = np.zeros(4 * symbols.size * n_bits + 16, dtype=np.uint8)
    coder = new_encoder()
    mixer = _new_mixer(sides.shape[1], symbols.size * n_bits, _N_SETS)
    _code_symbols(coder, room, mixer, symbols.astype(np.int64), n_bits, sides)
    return finish(coder, room)


def decode_symbols(data: bytes, n: int, n_symbols: int, sides: np.ndarray) -> np.ndarray:
    """The inverse: int64 (n,). Raises ValueError for a symbol outside the alphabet."""
    n_bits = _symbol_bits(n_symbols)
    symbols = np.zeros(n, dtype=np.int64)
    stored = np.frombuffer(data, dtype=np.uint8)
    mixer = _new_mixer(sides.shape[1], n * n_bits, _N_SETS)
    _code_symbols(new_decoder(stored), stored.copy(), mixer, symbols, n_bits, sides)
    if n and symbols.max() >= n_symbols:
        raise ValueError(f"a symbol outside an alphabet of {n_symbols}")
    return symbols


def encode_integers(values: np.ndarray, as_differences: bool, sides: np.ndarray) -> bytes:
    """int64 (n,), each from -LARGEST to LARGEST."""
    room = np.zeros(4 * 70 * values.size + 16, dtype=np.uint8)
    coder = new_encoder()
    mixer = _new_mixer(sides.shape[1], 20 * values.size, _N_SETS)
    _code_integers(coder, room, mixer, values.astype(np.int64), as_differences, sides)
    return finish(coder, room)


def decode_integers(data: bytes, n: int, as_differences: bool, sides: np.ndarray) -> np.ndarray:
    """The inverse: int64 (n,). Damaged data gives other integers."""
    values = np.zeros(n, dtype=np.int64)
    stored = np.frombuffer(data, dtype=np.uint8)
    mixer = _new_mixer(sides.shape[1], 20 * n, _N_SETS)
    _code_integers(new_decoder(stored), stored.copy(), mixer, values, as_differences, sides)
    return values


def _symbol_bits(n_symbols: int) -> int:
    if not 0 < n_symbols <= _LARGEST_ALPHABET:
        raise ValueError(f"an alphabet of {n_symbols} symbols; 1 to {_LARGEST_ALPHABET} were expected")
    return (n_symbols - 1).bit_length()
