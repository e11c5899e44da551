"""Haplotypes as mosaics of founder haplotypes: short lists of segments, however many sites there are.

Meiosis copies segments; alleles are written only at the end, straight into packed bits. Coordinates are those
of `popgen.genome`. No chance here: the switches of each meiosis are given.
"""

from dataclasses import dataclass

import numpy as np

from haploom.kernels import kernel
from haploom.panel.bits import row_bytes


@dataclass(frozen=True, eq=False)
class Mosaics:
    """Which founder haplotype each stretch of each haplotype descends from.

    offsets: int64 (n_haplotypes + 1,): the segments of haplotype h are offsets[h]:offsets[h + 1].
    starts: int64 (n_segments,), the coordinate where each begins; it ends where the next one does, the last at
    the end of the genome. The first segment of a haplotype starts at 0; starts increase strictly.
    founders: int32 (n_segments,), rows of the founder panel; neighbours differ.
    """

    offsets: np.ndarray
    starts: np.ndarray
    founders: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def select(self, rows: slice) -> "Mosaics":
        """A run of haplotypes (step 1)."""
        first, last, _ = rows.indices(len(self))
        segments = slice(self.offsets[first], self.offsets[last])
        return Mosaics(
            self.offsets[first : last + 1] - self.offsets[first], self.starts[segments], self.founders[segments]
        )


def founder_mosaics(rows: np.ndarray) -> Mosaics:
    """Haplotypes that are whole founder haplotypes: `rows`, int (n_haplotypes,), of the founder panel."""
    return Mosaics(np.arange(len(rows) + 1), np.zeros(len(rows), dtype=np.int64), rows.astype(np.int32))


def gametes(
    parents: Mosaics, people: np.ndarray, switch_offsets: np.ndarray, switches: np.ndarray, length_bp: int
) -> Mosaics:
    """One gamete of each of `people`: the next generation's haplotypes.

    people: int64 (n_gametes,); the haplotypes of person i are 2i and 2i + 1 of `parents`.
    switch_offsets, switches: as `Genome.draw_switches` returns them.
    """
    segments = np.diff(parents.offsets)
    # A gamete has no more segments than both haplotypes of its parent and its switches together.
    most = segments[2 * people] + segments[2 * people + 1]
    capacity = int(most.sum()) + len(switches)
    offsets = np.empty(len(people) + 1, dtype=np.int64)
    starts, founders = np.empty(capacity, dtype=np.int64), np.empty(capacity, dtype=np.int32)
    n_segments = _copy_segments(
        parents.offsets, parents.starts, parents.founders, people, switch_offsets, switches, length_bp,
        offsets, starts, founders,
    )  # fmt: skip
    return Mosaics(offsets, starts[:n_segments].copy(), founders[:n_segments].copy())


def expand(mosaics: Mosaics, founder_bits: np.ndarray, site_coordinate: np.ndarray) -> np.ndarray:
    """The packed alleles of each haplotype, in `panel.bits`' order.

    founder_bits: uint8 (n_founder_haplotypes, row_bytes(n_sites)); site_coordinate: int64 (n_sites,).
    Returns uint8 (n_haplotypes, row_bytes(n_sites)).
    """
    first_site = np.searchsorted(site_coordinate, mosaics.starts)
    bits = np.zeros((len(mosaics), row_bytes(len(site_coordinate))), dtype=np.uint8)
    _copy_bits(mosaics.offsets, first_site, mosaics.founders, len(site_coordinate), founder_bits, bits)
    return bits


@kernel
def _copy_segments(
    offsets: np.ndarray, starts: np.ndarray, founders: np.ndarray,
    people: np.ndarray, switch_offsets: np.ndarray, switches: np.ndarray, length_bp: int,
    out_offsets: np.ndarray, out_starts: np.ndarray, out_founders: np.ndarray,
) -> int:  # fmt: skip
    """Walk along each parent's two haplotypes, changing at each switch; returns the number of segments written."""
    n = 0
    out_offsets[0] = 0
    for gamete in range(len(people)):
        row, left, own = 2 * people[gamete], 0, n
        for switch in range(switch_offsets[gamete], switch_offsets[gamete + 1] + 1):
            right = switches[switch] if switch < switch_offsets[gamete + 1] else length_bp
            if left < right:
                first, last = offsets[row], offsets[row + 1]
                segment = first + np.searchsorted(starts[first:last], left, side="right") - 1
                while segment < last and starts[segment] < right:
                    if n == own or out_founders[n - 1] != founders[segment]:
                        out_starts[n] = max(starts[segment], left)
                        out_founders[n] = founders[segment]
                        n += 1
                    segment += 1
                left = right
            row ^= 1  # the parent's other haplotype
        out_offsets[gamete + 1] = n
    return n


@kernel
def _copy_bits(
    offsets: np.ndarray, first_site: np.ndarray, founders: np.ndarray, n_sites: int,
    founder_bits: np.ndarray, bits: np.ndarray,
) -> None:  # fmt: skip
    """Copy whole bytes from the segment's first site on; the next segment overwrites what is not this one's.

    Only the first byte of a segment is shared with what stands before it, so only there a mask is needed.
    """
    for row in range(len(bits)):
        for segment in range(offsets[row], offsets[row + 1]):
            start = first_site[segment]
            end = first_site[segment + 1] if segment + 1 < offsets[row + 1] else n_sites
            if start == end:
                continue
            founder = founders[segment]
            byte, last = start >> 3, (end + 7) >> 3
            mask = np.uint8(0xFF >> (start & 7))
            bits[row, byte] = (bits[row, byte] & ~mask) | (founder_bits[founder, byte] & mask)
            for k in range(byte + 1, last):
                bits[row, k] = founder_bits[founder, k]
