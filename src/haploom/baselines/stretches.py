"""Which reference haplotypes are alike in each stretch of a few sites."""

from dataclasses import dataclass

import numpy as np

_WORD = 64  # sites
_WIDTHS = (4, 8, 16, 32, 64)  # sites a stretch, divisors of a word
_LOOKED_AT = 32  # words from which the width is chosen


@dataclass(frozen=True, eq=False)
class Stretches:
    """Patterns of alleles that haplotypes show in stretches of `width` sites, one after another; the last is shorter.

    pattern_of: int32 (n_stretches, n_haplotypes), each haplotype's pattern, counted from 0 in each stretch.
    first: int64 (n_stretches + 1,), where the patterns of each stretch begin in bits: uint64 (n_patterns,), the allele
    at the stretch's site i in bit i.
    """

    pattern_of: np.ndarray
    first: np.ndarray
    bits: np.ndarray
    width: int

    @classmethod
    def of(cls, columns: np.ndarray) -> "Stretches":
        """Of haplotypes as uint8 (n_sites, n_haplotypes) of 0 and 1, in the width in which copying costs least."""
        words = _words(columns)
        seen = words[np.linspace(0, len(words) - 1, min(_LOOKED_AT, len(words))).round().astype(np.int64)]
        width = min(_WIDTHS, key=lambda each: _cost(seen, each))
        stretches = _cut(words, width)[: -(-len(columns) // width)]
        found = [np.unique(stretch, return_inverse=True) for stretch in stretches]
        first = np.cumsum([0, *(len(patterns) for patterns, _ in found)])
        pattern_of = np.stack([places for _, places in found]).astype(np.int32)
        return cls(pattern_of, first, np.concatenate([patterns for patterns, _ in found]), width)


def _words(columns: np.ndarray) -> np.ndarray:
    """uint64 (n_words, n_haplotypes), the allele at site i of a word in bit i."""
    n_sites, n_haplotypes = columns.shape
    out = np.zeros((-(-n_sites // _WORD), n_haplotypes), dtype=np.uint64)
    for bit in range(min(_WORD, n_sites)):
        here = columns[bit::_WORD]
        out[: len(here)] |= here.astype(np.uint64) << np.uint64(bit)
    return out


def _cut(words: np.ndarray, width: int) -> np.ndarray:
    """uint64 (n_stretches, n_haplotypes)."""
    mask = np.uint64((1 << width) - 1)
    shifts = np.arange(0, _WORD, width, dtype=np.uint64)
    return (words[:, None] >> shifts[:, None] & mask).reshape(-1, words.shape[1])


def _cost(words: np.ndarray, width: int) -> int:
    """Of a step a pattern at each site, and one a haplotype for each stretch, which take about as long."""
    stretches = _cut(words, width)
    return sum(width * len(np.unique(stretch)) for stretch in stretches) + stretches.size
