"""Alleles under given probabilities, as the stream of the range coder: for models that tell each allele's probability.

A probability is of allele 1, in 1/65536, from 1 to 65535, and must be the same number in both directions: from integer
arithmetic, not from floats.
"""

import numpy as np

from haploom.entropy_coding.mixing import MAX_LOGIT, SQUASH
from haploom.entropy_coding.range_coder import code_bit, finish, new_decoder, new_encoder
from haploom.kernels import int64, kernel

_SQUASH_BITS = 8  # its log-odds are in 1/256


def allele_log_odds(log_odds: np.ndarray, log_odds_bits: int) -> np.ndarray:
    """Fixed-point log-odds rounded (half up) to 1/256 nat: int16 of the same shape, from -MAX_LOGIT to MAX_LOGIT.

    log_odds: integers, of any dtype, below 2**53 in size, in 1/2**log_odds_bits.
    """
    # Powers of two, and cut before anything is rounded: exact in float64.
    steps = np.multiply(log_odds, 2.0 ** (_SQUASH_BITS - log_odds_bits), dtype=np.float64)
    np.clip(steps, -MAX_LOGIT, MAX_LOGIT, out=steps)
    steps += 0.5
    return np.floor(steps, out=steps).astype(np.int16)


def allele_probabilities(log_odds: np.ndarray, log_odds_bits: int) -> np.ndarray:
    """Probabilities of fixed-point log-odds, rounded to 1/256 nat: uint16 of the same shape, from 1 to 65535.

    Arguments as of `allele_log_odds`.
    """
    steps = allele_log_odds(log_odds, log_odds_bits)
    return SQUASH[steps.astype(np.int64) + MAX_LOGIT].astype(np.uint16)


@kernel
def _code_alleles(coder: np.ndarray, data: np.ndarray, probabilities: np.ndarray, alleles: np.ndarray) -> None:
    """Code `alleles` in place, uint8 (n,)."""
    for i in range(alleles.size):
        alleles[i] = code_bit(coder, data, int64(probabilities[i]), int64(alleles[i]))


def code_alleles(alleles: np.ndarray, probabilities: np.ndarray) -> bytes:
    """alleles: uint8 of 0 and 1, of any shape, coded row after row. probabilities: uint16 of that shape, from 1 on.

    Raises ValueError when they do not fit together or a probability is 0.
    """
    if alleles.shape != probabilities.shape:
        raise ValueError(f"alleles {alleles.shape} have probabilities {probabilities.shape}")
    given = _flat_probabilities(probabilities)
    room = np.zeros(2 * alleles.size + 16, dtype=np.uint8)  # no allele costs more than 16 bits
    coder = new_encoder()
    _code_alleles(coder, room, given, alleles.astype(np.uint8).ravel())
    return finish(coder, room)


def decode_alleles(data: bytes, probabilities: np.ndarray) -> np.ndarray:
    """The inverse: uint8 of the shape of `probabilities`. Damaged data gives other alleles."""
    alleles = np.zeros(probabilities.size, dtype=np.uint8)
    stored = np.frombuffer(data, dtype=np.uint8)
    _code_alleles(new_decoder(stored), stored.copy(), _flat_probabilities(probabilities), alleles)
    return alleles.reshape(probabilities.shape)


def _flat_probabilities(probabilities: np.ndarray) -> np.ndarray:
    if probabilities.dtype != np.uint16:
        raise ValueError(f"probabilities are {probabilities.dtype}, wanted uint16")
    if probabilities.min(initial=1) < 1:
        raise ValueError("an allele of probability 0 cannot be coded")
    return probabilities.ravel()
