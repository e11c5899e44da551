"""The smallest of several ways to code a block of genotypes: haplotypes that repeat each other are told once.

Beside the levels of `genotype_block` a block (codec id `genotypes/2`) may have
- level 5: the number of different haplotypes (LEB128), then two joined parts (`byte_packing`): which of them each
  haplotype is, and a block of the different ones, as they first appear, at another level. Which it is: 0 for one that
  is new, r for the one that is r-th of those so far by when they were last seen, the latest first (`code_indices`);
- level 6: packed bytes (`byte_packing`) of each haplotype's alleles as bits, rows one after the other.

People bred in a small population share whole haplotypes. The statistics need some sites of each before they are sure of
it, and over few alleles that learning costs more than copies do.
"""

from collections.abc import Iterator

import numpy as np

from haploom.entropy_coding.byte_packing import (
    join_parts,
    number_from_bytes,
    number_to_bytes,
    pack_bytes,
    split_parts,
    unpack_bytes,
)
from haploom.entropy_coding.code_indices import decode_codes, encode_codes
from haploom.entropy_coding.genotype_block import decode_block, encode_block
from haploom.kernels import int64, kernel

REPEATED, PACKED = 5, 6
_MOST_AT_ONCE = 1 << 23  # alleles that are coded in a moment, so that it may be tried in several ways
_MOST_DIFFERENT = 1 << 16  # as many kinds of codes as there are


def encode_smallest(alleles: np.ndarray) -> bytes:
    """The smallest bytes found for uint8 (n_sites, n_haplotypes) of 0 and 1, never larger than at level "learned".

    Blocks larger than _MOST_AT_ONCE are coded at "learned", and again only where they have few different haplotypes.
    """
    best = min(_forms(alleles), key=len)
    numbers, first = number_haplotypes(alleles)
    if len(first) < min(len(numbers), _MOST_DIFFERENT) and len(first) * len(alleles) <= _MOST_AT_ONCE:
        recencies = np.empty_like(numbers)
        _to_recencies(numbers, np.empty_like(first), recencies)
        codes = encode_codes(recencies[:, None], len(first) + 1)
        told_once = join_parts([codes, min(_forms(alleles[:, first]), key=len)])
        best = min(best, bytes([REPEATED]) + number_to_bytes(len(first)) + told_once, key=len)
    return best


def decode_any(data: bytes, n_sites: int, n_haplotypes: int) -> np.ndarray:
    """The inverse, and of `encode_block` without an expert: uint8 (n_sites, n_haplotypes).

    Raises ValueError for a level that is not known and for damage that shows; other damage gives wrong alleles.
    """
    if data[:1] != bytes([REPEATED]):
        return _decode_form(data, n_sites, n_haplotypes)
    n_different, place = number_from_bytes(data, 1)
    if not 1 <= n_different <= n_haplotypes:
        raise ValueError(f"genotype block: {n_different} different haplotypes among {n_haplotypes}")
    codes, block = split_parts(data[place:], 2)
    recencies, numbers = decode_codes(codes, n_haplotypes, 1, n_different + 1)[:, 0], np.empty(n_haplotypes, np.int64)
    if _from_recencies(recencies, np.empty(n_different, dtype=np.int64), numbers) != n_different:
        raise ValueError(f"genotype block: {n_different} different haplotypes were expected")
    return _decode_form(block, n_sites, n_different)[:, numbers]


def number_haplotypes(alleles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of the different haplotypes each column is, int64 (n_haplotypes,), and where each first appears."""
    rows = np.packbits(alleles.T, axis=1)
    places: dict[bytes, int] = {}
    numbers = np.array([places.setdefault(row.tobytes(), len(places)) for row in rows], dtype=np.int64)
    first = np.unique(numbers, return_index=True)[1]
    return numbers, first


@kernel
def _to_recencies(numbers: np.ndarray, recent: np.ndarray, recencies: np.ndarray) -> None:
    """numbers, recencies (filled): int64 (n_haplotypes,). recent: int64 (n_different,), scratch."""
    known = int64(0)
    for i in range(numbers.size):
        place = int64(0)
        while place < known and recent[place] != numbers[i]:
            place += 1
        recencies[i] = 0 if place == known else place + 1
        known += place == known
        _move_to_front(recent, place, numbers[i])


@kernel
def _from_recencies(recencies: np.ndarray, recent: np.ndarray, numbers: np.ndarray) -> int:
    """The inverse, `numbers` filled. Returns how many different ones there are, or -1 where they cannot be."""
    known = int64(0)
    for i in range(recencies.size):
        place = known if recencies[i] == 0 else recencies[i] - 1
        is_new = recencies[i] == 0
        if place >= (recent.size if is_new else known):
            return int64(-1)
        numbers[i] = known if is_new else recent[place]
        known += is_new
        _move_to_front(recent, place, numbers[i])
    return known


@kernel
def _move_to_front(recent: np.ndarray, place: int, number: int) -> None:
    for later in range(place, 0, -1):
        recent[later] = recent[later - 1]
    recent[0] = number


def _forms(alleles: np.ndarray) -> Iterator[bytes]:
    yield encode_block(alleles, "learned")
    if alleles.size <= _MOST_AT_ONCE:
        yield encode_block(alleles, "default")  # of few alleles, what has more to learn can lose
        yield bytes([PACKED]) + pack_bytes(np.packbits(alleles.T, axis=1).tobytes())


def _decode_form(data: bytes, n_sites: int, n_haplotypes: int) -> np.ndarray:
    if data[:1] != bytes([PACKED]):
        return decode_block(data, n_sites, n_haplotypes)
    row_bytes = -(-n_sites // 8)
    bits = np.frombuffer(unpack_bytes(data[1:], n_haplotypes * row_bytes), dtype=np.uint8)
    if bits.size != n_haplotypes * row_bytes:
        raise ValueError(f"genotype block: {bits.size} bytes of {n_haplotypes} haplotypes of {row_bytes} bytes")
    rows = np.unpackbits(bits.reshape(n_haplotypes, row_bytes), axis=1, count=n_sites)
    return np.ascontiguousarray(rows.T)
