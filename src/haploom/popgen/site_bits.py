"""Haplotypes turned on their side: a row of bits for each site, so that two sites are compared a word at a time."""

from dataclasses import dataclass

import numpy as np

from haploom.kernels import int64, kernel
from haploom.panel import Panel
from haploom.panel import bits as packing

WORD_BITS = 64


@dataclass(frozen=True, eq=False)
class SiteBits:
    """Alleles of some haplotypes by site; as large as the bit-packed rows they come from.

    words: uint64 (n_sites, ceil(n_haplotypes / 64)); haplotype h is bit h % 64 of word h // 64, bits past the last
    are zero. ones: int64 (n_sites,), alternate alleles.
    """

    words: np.ndarray
    ones: np.ndarray
    n_haplotypes: int

    @classmethod
    def of(cls, panel: Panel, rows: np.ndarray, sites: np.ndarray | slice = slice(None)) -> "SiteBits":
        """Haplotypes `rows` at `sites` (rising indices, a mask or a slice), unpacked a block of sites at a time.

        Raises ValueError without haplotypes.
        """
        if len(rows) == 0:
            raise ValueError("sites cannot be compared in no haplotypes")
        wanted = np.arange(panel.n_sites)[sites]
        words = np.zeros((len(wanted), -(-len(rows) // WORD_BITS)), dtype="<u8")
        as_bytes = words.view(np.uint8)
        n_bytes = max(1, packing.BLOCK_BYTES // (8 * len(rows)))
        for start in range(0, packing.row_bytes(panel.n_sites), n_bytes):
            first, last = np.searchsorted(wanted, (8 * start, 8 * (start + n_bytes)))
            if first < last:
                alleles = np.unpackbits(panel.bits[rows, start : start + n_bytes], axis=1)
                packed = np.packbits(alleles[:, wanted[first:last] - 8 * start], axis=0, bitorder="little")
                as_bytes[first:last, : len(packed)] = packed.T
        ones = np.zeros(len(words), dtype=np.int64)
        _count_ones(words, ones)
        return cls(words, ones, len(rows))

    def select(self, sites: np.ndarray) -> "SiteBits":
        """Only some sites: an index or mask."""
        return SiteBits(self.words[sites], self.ones[sites], self.n_haplotypes)

    def minor_allele_frequencies(self) -> np.ndarray:
        """float64 (n_sites,), 0 to 0.5."""
        return np.minimum(self.ones, self.n_haplotypes - self.ones) / self.n_haplotypes

    def shared_with(self, site: int, others: np.ndarray) -> np.ndarray:
        """Haplotypes with the alternate allele at `site` and at each of the `others`: int64 (len(others),)."""
        shared = np.empty(len(others), dtype=np.int64)
        _count_shared(self.words, site, others, shared)
        return shared


@kernel
def popcount(word: np.uint64) -> np.uint64:
    # Warren, Hacker's Delight, 2nd ed. 2012, fig. 5-2; compilers know it and use the processor's own instruction.
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@kernel
def _count_ones(words: np.ndarray, ones: np.ndarray) -> None:
    for site in range(words.shape[0]):
        total = int64(0)
        for k in range(words.shape[1]):
            total += int64(popcount(words[site, k]))
        ones[site] = total


@kernel
def _count_shared(words: np.ndarray, site: int, others: np.ndarray, shared: np.ndarray) -> None:
    for place in range(others.size):
        other = others[place]
        total = int64(0)
        for k in range(words.shape[1]):
            total += int64(popcount(words[site, k] & words[other, k]))
        shared[place] = total
