"""Haplotypes stored by a variational autoencoder, at the length its evidence bound promises: bits-back coding.

For each haplotype x a latent z is drawn from the posterior q(z | x) with bits that are already on a stack, then x is
pushed under p(x | z) and z under its prior: the stack grows by log2 q(z | x) - log2 p(x | z) - log2 p(z), on average
the negative evidence lower bound. Decoding pops z and x and gives the bits of the draw back. The first draw takes bits
from below the empty stack; they are not stored, and cost the first haplotype what would have come back.

Haplotypes go on the stack in groups: the draws of a group, then its alleles, then its latents, so that a decoder puts
a whole group through its networks at once. Groups grow from 1, because what a group draws should be there already.

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
from haploom.exact import IntegerNetwork, WindowNetwork

_FIRST_SCRAMBLED = 1 << 31  # place in the fixed sequence, whose first words lie below the empty stack
LARGEST_GROUP = 16  # larger ones draw more than is there: at 64 a file of 1,002 haplotypes was 2 % above the bound


@dataclass(frozen=True, eq=False)
class BitsBack:
    """A codec of haplotypes: alleles to bytes and back.

    encoder: from alleles to the means and then the log-variances of the latents. decoder: from latents to the log-odds
    of allele 1. Both from `models.to_exact`. Raises ValueError when they do not fit together.
    """

    encoder: IntegerNetwork | WindowNetwork
    decoder: IntegerNetwork | WindowNetwork

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
        for rows in _groups(len(alleles)):
            some = alleles[rows]
            self._scramble(coder, rows)
            latents = pop_normals(coder, *self._posteriors(some), self._step_bits)
            coder.push_alleles(some.ravel(), self._probabilities(latents, len(some)))
            push_prior(coder, latents, self._step_bits)
        return coder.to_bytes()

    def decode(self, data: bytes, n_rows: int) -> np.ndarray:
        """The inverse: uint8 (n_rows, n_sites). Raises ValueError for damaged data, and for that of another model."""
        coder = StackCoder.from_bytes(data)
        alleles = np.empty((n_rows, self.decoder.n_outputs), dtype=np.uint8)
        for rows in reversed(list(_groups(n_rows))):
            some = alleles[rows]
            latents = pop_prior(coder, len(some) * self.decoder.n_inputs, self._step_bits)
            some[:] = coder.pop_alleles(self._probabilities(latents, len(some))).reshape(some.shape)
            push_normals(coder, *self._posteriors(some), latents, self._step_bits)
            self._scramble(coder, rows)
        coder.check_empty()
        return alleles

    @property
    def _step_bits(self) -> int:
        """The latents that are coded are the decoder's inputs as they are."""
        return self.decoder.input_bits

    def _scramble(self, coder: StackCoder, rows: slice) -> None:
        """Make the bits of a group's draws random: those on top are latents, which seldom are quite as the prior says.

        Without it the draws of a group repeat the latents of the one before (measured, in groups of 1: they spread by
        1.15 sd instead of 1, and took 1.3 % more bits). The first draws from below the empty stack, whose bits are
        random.
        """
        if rows.start == 0:
            return
        n_latents = self.decoder.n_inputs
        # A draw takes some 5 to 7 bits. Words that are not there are taken from below for good, so no more than that.
        n_words = -(-(rows.stop - rows.start) * n_latents // 4)
        coder.scramble(_FIRST_SCRAMBLED + rows.start * (n_latents + 1), n_words)

    def _probabilities(self, latents: np.ndarray, n_rows: int) -> np.ndarray:
        log_odds = self.decoder.logits(latents.reshape(n_rows, -1))
        return allele_probabilities(log_odds, self.decoder.output_bits).ravel()

    def _posteriors(self, alleles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and log-variance of the latents of some rows, one after another, in the fixed point of `normal_bins`."""
        bits = self.encoder.output_bits
        numbers = self.encoder.logits(alleles.astype(np.int16))
        # Of each window the means, then the log-variances.
        numbers = numbers.reshape(len(alleles), self.encoder.n_windows, 2, -1)
        return _rescaled(numbers[:, :, 0].ravel(), bits, VALUE_BITS), _rescaled(
            numbers[:, :, 1].ravel(), bits, LOG_VARIANCE_BITS
        )


def _groups(n_rows: int) -> Iterator[slice]:
    """Rows that go on the stack together: as many as there are before them, from 1 to LARGEST_GROUP."""
    start = 0
    while start < n_rows:
        stop = min(start + min(max(start, 1), LARGEST_GROUP), n_rows)
        yield slice(start, stop)
        start = stop


def _rescaled(values: np.ndarray, bits: int, wanted_bits: int) -> np.ndarray:
    """Integers in float64, in 1/2**bits -> int64 in 1/2**wanted_bits, rounded half up, cut far out of range."""
    return np.floor(np.clip(values * 2.0 ** (wanted_bits - bits), -(2.0**40), 2.0**40) + 0.5).astype(np.int64)
