"""Haplotypes stored by a variational autoencoder, at the length its evidence bound promises: bits-back coding.

For each haplotype x a latent z is drawn from the posterior q(z | x) with bits that are already on a stack, then x is
pushed under p(x | z) and z under its prior: the stack grows by log2 q(z | x) - log2 p(x | z) - log2 p(z), on average
the negative evidence lower bound. Decoding pops z and x and gives the bits of the draw back. The first draw takes bits
from below the empty stack; they are not stored, and cost the first haplotype what would have come back.

Encoder and decoder are integer networks and latents are integers: the bytes are the same on every machine, thread
count and batch size. No files, no torch.
Sources: Frey & Hinton, "Efficient stochastic source coding and an application to a Bayesian network source model"
(1997); Townsend, Bird & Barber (2019).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from haploom.entropy_coding.allele_stream import allele_probabilities
from haploom.entropy_coding.normal_bins import (
    LOG_VARIANCE_BITS,
    VALUE_BITS,
    pop_normals,
    pop_prior,
    prior_below,
    push_normals,
    push_prior,
)
from haploom.entropy_coding.stack_coder import StackCoder
from haploom.exact import IntegerNetwork

_FIRST_SCRAMBLED = 1 << 31  # place in the fixed sequence, whose first words lie below the empty stack
ROWS_AT_ONCE = 64  # haplotypes that go through the encoder together: the bytes do not depend on it


@dataclass(frozen=True, eq=False)
class BitsBack:
    """A codec of haplotypes: alleles to bytes and back.

    encoder: from alleles to the means and then the log-variances of the latents. decoder: from latents to the log-odds
    of allele 1. Both from `models.to_exact`. Raises ValueError when they do not fit together.
    """

    encoder: IntegerNetwork
    decoder: IntegerNetwork

    def __post_init__(self) -> None:
        into, out = self.encoder, self.decoder
        if into.n_inputs != out.n_outputs or into.n_outputs != 2 * out.n_inputs or into.input_bits:
            raise ValueError(
                f"an encoder of {into.n_inputs} alleles to {into.n_outputs} numbers does not fit "
                f"a decoder of {out.n_inputs} latents to {out.n_outputs} log-odds"
            )
        prior_below(self._step_bits)  # raises

    def encode(self, alleles: np.ndarray) -> bytes:
        """uint8 (n_rows, n_sites) of 0 and 1, in any number of rows."""
        coder = StackCoder()
        for row, posterior in enumerate(self._posteriors(alleles)):
            self._scramble(coder, row)
            latents = pop_normals(coder, *posterior, self._step_bits)
            coder.push_alleles(alleles[row], self._probabilities(latents))
            push_prior(coder, latents, self._step_bits)
        return coder.to_bytes()

    def decode(self, data: bytes, n_rows: int) -> np.ndarray:
        """The inverse: uint8 (n_rows, n_sites). Raises ValueError for damaged data, and for that of another model."""
        coder = StackCoder.from_bytes(data)
        alleles = np.empty((n_rows, self.decoder.n_outputs), dtype=np.uint8)
        for row in range(n_rows - 1, -1, -1):
            latents = pop_prior(coder, self.decoder.n_inputs, self._step_bits)
            alleles[row] = coder.pop_alleles(self._probabilities(latents))
            (posterior,) = self._posteriors(alleles[row : row + 1])
            push_normals(coder, *posterior, latents, self._step_bits)
            self._scramble(coder, row)
        coder.check_empty()
        return alleles

    @property
    def _step_bits(self) -> int:
        """The latents that are coded are the decoder's inputs as they are."""
        return self.decoder.input_bits

    def _scramble(self, coder: StackCoder, row: int) -> None:
        """Make the bits of the row's draw random: those on top are latents, which seldom are quite as the prior says.

        Without it the draws of a row repeat the latents of the row before (measured: they spread by 1.15 sd instead of
        1, and took 1.3 % more bits). The first row draws from below the empty stack, whose bits are random.
        """
        if row == 0:
            return
        n_words = self.decoder.n_inputs  # a latent takes at most one
        coder.scramble(_FIRST_SCRAMBLED + row * (n_words + 1), n_words)

    def _probabilities(self, latents: np.ndarray) -> np.ndarray:
        (log_odds,) = self.decoder.logits(latents[None])
        return allele_probabilities(log_odds, self.decoder.output_bits)

    def _posteriors(self, alleles: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Mean and log-variance of each row's latents, in the fixed point of `normal_bins`."""
        bits = self.encoder.output_bits
        for start in range(0, len(alleles), ROWS_AT_ONCE):
            numbers = self.encoder.logits(alleles[start : start + ROWS_AT_ONCE].astype(np.int16))
            mean, log_variance = np.split(numbers, 2, axis=1)
            yield from zip(_rescaled(mean, bits, VALUE_BITS), _rescaled(log_variance, bits, LOG_VARIANCE_BITS))


def _rescaled(values: np.ndarray, bits: int, wanted_bits: int) -> np.ndarray:
    """Integers in float64, in 1/2**bits -> int64 in 1/2**wanted_bits, rounded half up, cut far out of range."""
    return np.floor(np.clip(values * 2.0 ** (wanted_bits - bits), -(2.0**40), 2.0**40) + 0.5).astype(np.int64)
