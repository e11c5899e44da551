"""A last-in-first-out entropy coder (range variant of asymmetric numeral systems), in integers only.

What is pushed last is popped first, and popping under any distribution is the exact inverse of pushing under it. So
symbols can also be popped that nobody pushed: bits on the stack become a draw from the distribution, and pushing the
draw gives the bits back.

The stack is a head, a number from 2**31 to 2**63 - 1, above words of 32 bits. A symbol has `frequency` numbers from
`start` on of 2**total_bits (1 <= frequency <= 2**total_bits, total_bits <= 31). To push it, while head >>
(63 - total_bits) >= frequency the low 32 bits of the head go to the words; then

    head = (head // frequency << total_bits) + head % frequency + start

Popping undoes it: the low total_bits of the head tell the symbol.

An empty stack is not empty of bits: its head and the words without end below it are the fixed numbers `fixed_word`
of places 0, 1, ..., which look random and are not stored. An encoder that draws more than was pushed borrows them, a
decoder ends with those that were borrowed, so a stack that ends with anything else was damaged.

Draws are only as random as the bits they are made of, and symbols pushed under a distribution that is not quite
theirs leave bits that are not. `scramble` exchanges the bits on top for random ones, and the same call undoes it.

As bytes: the head, 8 bytes, then the words, 4 bytes each, the top one first; little-endian.
Sources: Duda, "Asymmetric numeral systems" (2013); Townsend, Bird & Barber, "Practical lossless compression with
latent variables using bits back coding" (2019).
"""

import numpy as np

from haploom.kernels import int64, kernel

HEAD_BITS = 63
MAX_TOTAL_BITS = 31
ALLELE_BITS = 16  # of the probabilities of alleles

_HEAD, _N_WORDS, _BORROWED = range(3)
_LEAST_HEAD = 1 << 31
_MASK = 0xFFFFFFFF


@kernel
def fixed_word(place: int) -> int:
    """32 bits that look random, the same for ever: MurmurHash3's finaliser of the low 32 bits of place + 1."""
    word = (int64(place) + 1) & _MASK
    word = ((word ^ word >> 16) * 0x85EBCA6B) & _MASK
    word = ((word ^ word >> 13) * 0xC2B2AE35) & _MASK
    return word ^ word >> 16


@kernel
def push(state: np.ndarray, words: np.ndarray, start: int, frequency: int, total_bits: int) -> None:
    """Push one symbol. At most one word is added; `words` must have room for it."""
    head = state[_HEAD]
    if head >> (HEAD_BITS - total_bits) >= frequency:
        words[state[_N_WORDS]] = head & _MASK
        state[_N_WORDS] += 1
        head >>= 32
    state[_HEAD] = (head // frequency << total_bits) + head % frequency + start


@kernel
def top(state: np.ndarray, total_bits: int) -> int:
    """The number below 2**total_bits that lies from start to start + frequency - 1 of the symbol on top."""
    return state[_HEAD] & ((int64(1) << total_bits) - 1)


@kernel
def drop(state: np.ndarray, words: np.ndarray, start: int, frequency: int, total_bits: int) -> None:
    """Take away the symbol on top, which `top` has told."""
    head = frequency * (state[_HEAD] >> total_bits) + top(state, total_bits) - start
    if head < _LEAST_HEAD:
        if state[_N_WORDS] > 0:
            state[_N_WORDS] -= 1
            word = int64(words[state[_N_WORDS]])
        else:
            state[_BORROWED] += 1
            word = fixed_word(state[_BORROWED])
        head = head << 32 | word
    state[_HEAD] = head


@kernel
def _push_symbols(
    state: np.ndarray, words: np.ndarray, starts: np.ndarray, frequencies: np.ndarray, total_bits: int
) -> None:
    for i in range(starts.size - 1, -1, -1):
        push(state, words, starts[i], frequencies[i], total_bits)


@kernel
def _pop_symbols(state: np.ndarray, words: np.ndarray, below: np.ndarray, total_bits: int, symbols: np.ndarray) -> None:
    for i in range(symbols.size):
        symbol = np.searchsorted(below, top(state, total_bits), side="right") - 1
        drop(state, words, below[symbol], below[symbol + 1] - below[symbol], total_bits)
        symbols[i] = symbol


@kernel
def _scramble(state: np.ndarray, words: np.ndarray, place: int, n_words: int) -> None:
    state[_HEAD] ^= fixed_word(place) >> 1  # 31 bits: the head stays in its range
    for i in range(n_words):
        words[state[_N_WORDS] - 1 - i] ^= np.uint32(fixed_word(place + 1 + i))


@kernel
def _push_alleles(state: np.ndarray, words: np.ndarray, alleles: np.ndarray, probabilities: np.ndarray) -> None:
    for i in range(alleles.size - 1, -1, -1):
        p = int64(probabilities[i])
        if alleles[i]:
            push(state, words, 0, p, ALLELE_BITS)
        else:
            push(state, words, p, 65536 - p, ALLELE_BITS)


@kernel
def _pop_alleles(state: np.ndarray, words: np.ndarray, alleles: np.ndarray, probabilities: np.ndarray) -> None:
    for i in range(alleles.size):
        p = int64(probabilities[i])
        if top(state, ALLELE_BITS) < p:
            alleles[i] = 1
            drop(state, words, 0, p, ALLELE_BITS)
        else:
            alleles[i] = 0
            drop(state, words, p, 65536 - p, ALLELE_BITS)


class StackCoder:
    """A stack of symbols. Arrays are pushed from their last element to their first, so they pop in their order.

    state: int64 (3,) and words: uint32, for kernels of other modules (`push`, `top`, `drop`).
    """

    def __init__(self) -> None:
        self.state = np.array([_LEAST_HEAD | int(fixed_word(0)) >> 1, 0, 0], dtype=np.int64)
        self.words = np.zeros(64, dtype=np.uint32)

    def reserve(self, n_symbols: int) -> None:
        """Make room for so many symbols more."""
        needed = int(self.state[_N_WORDS]) + n_symbols
        if needed > self.words.size:
            self.words = np.concatenate([self.words, np.zeros(max(needed, self.words.size), dtype=np.uint32)])

    def push_symbols(self, starts: np.ndarray, frequencies: np.ndarray, total_bits: int) -> None:
        """starts, frequencies: integers (n,). Raises ValueError for a symbol without its place in 2**total_bits."""
        starts, frequencies = starts.astype(np.int64), frequencies.astype(np.int64)
        if not 0 <= total_bits <= MAX_TOTAL_BITS:
            raise ValueError(f"a total of 2**{total_bits}, at most 2**{MAX_TOTAL_BITS} was expected")
        ends = starts + frequencies
        if (frequencies < 1).any() or starts.min(initial=0) < 0 or ends.max(initial=0) > 1 << total_bits:
            raise ValueError(f"a symbol has no place in a total of 2**{total_bits}")
        self.reserve(starts.size)
        _push_symbols(self.state, self.words, starts, frequencies, total_bits)

    def pop_symbols(self, below: np.ndarray, n: int, total_bits: int) -> np.ndarray:
        """The inverse, for n symbols of one distribution: int64 (n,), places in `below`.

        below: int64 (n_symbols + 1,), the start of each symbol, then 2**total_bits; not falling.
        """
        symbols = np.empty(n, dtype=np.int64)
        _pop_symbols(self.state, self.words, below, total_bits, symbols)
        return symbols

    def push_alleles(self, alleles: np.ndarray, probabilities: np.ndarray) -> None:
        """alleles: uint8 (n,) of 0 and 1. probabilities: uint16 (n,), of a 1 in 1/65536, from 1 on."""
        _check_probabilities(probabilities, alleles.shape)
        self.reserve(alleles.size)
        _push_alleles(self.state, self.words, alleles, probabilities)

    def pop_alleles(self, probabilities: np.ndarray) -> np.ndarray:
        """The inverse: uint8 (n,)."""
        _check_probabilities(probabilities, probabilities.shape)
        alleles = np.empty(probabilities.shape, dtype=np.uint8)
        _pop_alleles(self.state, self.words, alleles, probabilities)
        return alleles

    def scramble(self, place: int, n_words: int) -> None:
        """Exclusive or of the head's low 31 bits and `n_words` words below it with `fixed_word` of `place` and after.

        Words that are not on the stack are taken from below it first, and are then on it for good.
        """
        n_stacked, borrowed = self.state[_N_WORDS], self.state[_BORROWED]
        if (missing := n_words - n_stacked) > 0:
            below = [fixed_word(place) for place in range(borrowed + missing, borrowed, -1)]
            self.words = np.concatenate([np.array(below, dtype=np.uint32), self.words[:n_stacked]])
            self.state[_N_WORDS] += missing
            self.state[_BORROWED] += missing
        _scramble(self.state, self.words, place, n_words)

    def to_bytes(self) -> bytes:
        """All that was pushed and not popped. What was borrowed from below an empty stack is not in it."""
        words = self.words[: self.state[_N_WORDS]][::-1]
        return self.state[:1].astype("<i8").tobytes() + words.astype("<u4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "StackCoder":
        """The inverse. Raises ValueError for bytes that are no stack."""
        head = int.from_bytes(data[:8], "little")
        if len(data) < 8 or len(data) % 4 or not _LEAST_HEAD <= head < 1 << HEAD_BITS:
            raise ValueError(f"{len(data)} bytes are not a stack of symbols")
        coder = cls()
        coder.words = np.frombuffer(data, dtype="<u4", offset=8)[::-1].astype(np.uint32)
        coder.state[:2] = head, coder.words.size
        return coder

    def check_empty(self) -> None:
        """After everything was popped, and what had been drawn was pushed back. Raises ValueError where bits differ."""
        start = StackCoder().state[_HEAD]
        left = self.words[: self.state[_N_WORDS]][::-1].tolist()
        borrowed = [int(fixed_word(place)) for place in range(1, len(left) + 1)]
        if self.state[_HEAD] != start or left != borrowed or len(left) < self.state[_BORROWED]:
            raise ValueError("a stack of symbols does not end as it began: its data is damaged, or of another model")


def _check_probabilities(probabilities: np.ndarray, shape: tuple[int, ...]) -> None:
    if probabilities.dtype != np.uint16 or probabilities.shape != shape or len(shape) != 1:
        raise ValueError(f"probabilities are {probabilities.dtype} {probabilities.shape}, wanted uint16 {shape}")
    if probabilities.min(initial=1) < 1:
        raise ValueError("an allele of probability 0 cannot be coded")
