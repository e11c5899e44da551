"""Bits under the mix of several hashed contexts: the shared step of the coders of symbols, integers and text.

Each input of the mixer owns a row of cells. A context is a 64-bit hash; together with the place of the bit in
its symbol (the node) it picks a cell of the row. Two contexts may share a cell: that costs bits, never exactness.
"""

from typing import NamedTuple

import numpy as np

from haploom.entropy_coding.mixing import cell_logit, learn_weights, mixed_logit, new_cells, squash, updated_cell
from haploom.entropy_coding.range_coder import code_bit
from haploom.kernels import kernel

_MIX = -7046029254386353131  # 2**64 / golden ratio, odd, as an int64: spreads bits by multiplication
_RATE = 6
_LIMIT = 1023
_FIRST_WEIGHT = 1 << 14  # inputs that know nothing say 0, so the sum may begin above 1


class Mixer(NamedTuple):
    """What a coder has learned so far.

    cells: int64 (n_inputs, a power of two). weights: int64 (n_sets, n_inputs).
    hashes, chosen, logits: int64 (n_inputs,), the contexts of the symbol being coded and scratch.
    """

    cells: np.ndarray
    weights: np.ndarray
    hashes: np.ndarray
    chosen: np.ndarray
    logits: np.ndarray


def new_mixer(n_inputs: int, n_sets: int, n_bits: int) -> Mixer:
    """A mixer that has seen nothing, with room for about `n_bits` bits to be coded."""
    n_cells = 1 << min(max(int(n_bits).bit_length(), 8), 18)
    scratch = np.zeros((3, n_inputs), dtype=np.int64)
    weights = np.full((n_sets, n_inputs), _FIRST_WEIGHT, dtype=np.int64)
    return Mixer(new_cells(n_inputs * n_cells).reshape(n_inputs, n_cells), weights, *scratch)


@kernel
def hashed(a: int, b: int) -> int:
    """One hash of two numbers, int64; wraps around."""
    h = (a ^ (b * _MIX)) * _MIX
    return h ^ (h >> 29)


@kernel
def code_in_contexts(coder: np.ndarray, data: np.ndarray, mixer: Mixer, weight_set: int, node: int, bit: int) -> int:
    """Code one bit under `mixer.hashes`; returns it. node: which bit of the symbol this is."""
    cells, logits, chosen = mixer.cells, mixer.logits, mixer.chosen
    weights = mixer.weights[weight_set]
    n_inputs, mask = cells.shape[0], cells.shape[1] - 1
    for i in range(n_inputs):
        slot = (hashed(mixer.hashes[i], node) >> 20) & mask
        chosen[i] = slot
        logits[i] = cell_logit(cells[i, slot])
    p = squash(mixed_logit(logits, weights, n_inputs))
    bit = code_bit(coder, data, p, bit)
    learn_weights(logits, weights, n_inputs, (bit << 16) - p, _RATE)
    for i in range(n_inputs):
        cells[i, chosen[i]] = updated_cell(cells[i, chosen[i]], bit, _LIMIT)
    return bit
