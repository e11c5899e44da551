"""Haplotypes coded beside those of a reference at the same sites: only the bits that the reference does not tell.

The stream (codec id `genotypes-beside/1`):
- byte 0: level, 0 to 3. Level 0 is the fallback: the rest are the new alleles as bits, as in `genotype_block`.
- the rest: one stream of the range coder: which rare sites of the reference many of the new carry, the common sites
  (`reference_common`) with these among them, then the other rare ones (`reference_rare`).

Which sites are common else, and which allele is the minor one, is told by the reference alone. Numbers of sites and
haplotypes, and the reference, are kept by whoever keeps the bytes: with another reference other alleles come out.
"""

from typing import NamedTuple

import numpy as np

from haploom.entropy_coding.genotype_block import LEVELS, MORE_ORDERS, ORDERS, first_common_class
from haploom.entropy_coding.mixing import cell_probability, updated_cell
from haploom.entropy_coding.range_coder import code_bit, finish, is_full, new_decoder, new_encoder
from haploom.entropy_coding.reference_common import code_common_beside
from haploom.entropy_coding.reference_rare import code_rare_beside
from haploom.entropy_coding.site_classes import classes_of
from haploom.kernels import int64, kernel

CODEC_ID = "genotypes-beside/1"
_PLAIN = 0
_MOST_CARRIERS = 64  # new ones of a rare site; with more it is coded as common
_PROMOTED_LIMIT = 1023


class _Effort(NamedTuple):
    """PBWT orders as in `genotype_block`; donors of each haplotype; reference haplotypes learned from at common sites;
    the groups of them at rare ones."""

    orders: tuple[tuple[int, int, int], ...]
    n_donors: int
    n_learned: int
    n_folds: int


_EFFORTS = {
    LEVELS["fast"]: _Effort(ORDERS[:1], 0, 128, 1),
    LEVELS["default"]: _Effort(ORDERS, 0, 512, 4),
    LEVELS["max"]: _Effort(ORDERS + MORE_ORDERS, 16, 1024, 4),
}


def encode_beside(alleles: np.ndarray, reference: np.ndarray, level: str = "default") -> bytes:
    """The bytes of new haplotypes, never more than one bit an allele and a byte.

    alleles: uint8 (n_sites, n_new) of 0 and 1; reference: uint8 (n_sites, n_reference). level: a key of LEVELS.
    """
    data = np.zeros(-(-alleles.size // 8), dtype=np.uint8)
    coder = new_encoder()
    _code(LEVELS[level], coder, data, np.concatenate([reference, alleles], axis=1), reference.shape[1])
    coded = finish(coder, data)
    if is_full(coder) or len(coded) > len(data):
        return bytes([_PLAIN]) + np.packbits(alleles).tobytes()
    return bytes([LEVELS[level]]) + coded


def decode_beside(data: bytes, reference: np.ndarray, n_new: int) -> np.ndarray:
    """The new alleles: uint8 (n_sites, n_new). Raises ValueError for a level we do not know or plain bits of
    another length; other damage gives wrong alleles."""
    n_sites, n_known = reference.shape
    if not data or data[0] not in (_PLAIN, *_EFFORTS):
        raise ValueError(f"genotypes beside a reference: level {data[:1].hex()} is not known")
    stream = np.frombuffer(bytearray(data[1:]), dtype=np.uint8)
    if data[0] == _PLAIN:
        if len(stream) != -(-n_sites * n_new // 8):
            raise ValueError(f"genotypes beside a reference: {len(stream)} bytes of bits for {n_sites} x {n_new}")
        return np.unpackbits(stream, count=n_sites * n_new).reshape(n_sites, n_new)
    alleles = np.concatenate([reference, np.zeros((n_sites, n_new), dtype=np.uint8)], axis=1)
    _code(data[0], new_decoder(stream), stream, alleles, n_known)
    return np.ascontiguousarray(alleles[:, n_known:])


@kernel
def code_promoted(coder: np.ndarray, data: np.ndarray, promoted: np.ndarray) -> None:
    """Which of the reference's rare sites are coded as common ones: uint8 (n_rare,) of 0 and 1, in and out."""
    # After one that is not: 1 in 256, as if 255 were seen. After one that is: even.
    cells = np.array([(int64(256) << 32) | 255, int64(32768) << 32], dtype=np.int64)
    last = int64(0)
    for r in range(promoted.size):
        bit = code_bit(coder, data, cell_probability(cells[last]), int64(promoted[r]))
        cells[last] = updated_cell(cells[last], bit, _PROMOTED_LIMIT)
        promoted[r] = bit
        last = bit


def _code(level: int, coder: np.ndarray, data: np.ndarray, alleles: np.ndarray, n_known: int) -> None:
    """All sites, in and out: alleles of the reference, then the new ones."""
    n_sites, n = alleles.shape
    if n_sites == 0 or n == n_known:
        return
    counts = np.count_nonzero(alleles[:, :n_known], axis=1)
    flipped = (2 * counts > n_known).astype(np.uint8)
    alleles ^= flipped[:, None]
    classes = classes_of(np.where(flipped, n_known - counts, counts))
    is_common = classes >= first_common_class(n_known)
    most = min(max((n - n_known) // 16, 8), _MOST_CARRIERS)
    if n - n_known > most:
        in_rare = np.flatnonzero(~is_common)
        promoted = (np.count_nonzero(alleles[in_rare, n_known:], axis=1) > most).astype(np.uint8)
        code_promoted(coder, data, promoted)
        is_common[in_rare[promoted == 1]] = True
    common, rare = np.flatnonzero(is_common), np.flatnonzero(~is_common)
    effort = _EFFORTS[level]
    rules = np.array(effort.orders, dtype=np.int64)
    rules[:, 0] = classes_of(rules[:, 0] * n_known // 100)
    step = max(n_known // effort.n_learned, 1)
    code_common_beside(coder, data, alleles, common, classes[common], rules, effort.n_donors, n_known, step)
    code_rare_beside(coder, data, alleles, rare, classes[rare], common, n_known, effort.n_folds, most)
    alleles ^= flipped[:, None]
