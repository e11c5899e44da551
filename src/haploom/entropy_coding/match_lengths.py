"""Match lengths, in sites, put in classes that contexts can be made of."""

from haploom.kernels import kernel


@kernel
def octave(length: int) -> int:
    """Bit length of a number, 0 to 15: 0 for none, 1 for 1, 2 for 2-3, 3 for 4-7, ..."""
    n_bits = 0
    while length > 0 and n_bits < 15:
        length >>= 1
        n_bits += 1
    return n_bits


@kernel
def half_octave(length: int) -> int:
    """Like `octave` with one more bit, 0 to 31."""
    n_bits = octave(length)
    if n_bits < 2:
        return 2 * n_bits
    return 2 * n_bits + (length >> (n_bits - 2) & 1 if n_bits < 15 else 1)
