"""How many sites are read at a time."""

import sys
from collections.abc import Callable

# Sites in a block, by the number of people.
BlockWidth = Callable[[int], int]

_BLOCK_BYTES = 1 << 24


def in_one_block(n_people: int) -> int:
    """All sites, however many."""
    return sys.maxsize


def of_bounded_memory(bits_per_call: int) -> BlockWidth:
    """As many as take 16 MiB, whole bytes of bits; but at least 8.

    bits_per_call: 2 of a person's two haplotypes, 8 of a dosage.
    """

    def width(n_people: int) -> int:
        return max(8, _BLOCK_BYTES // (n_people * bits_per_call) * 8)

    return width
