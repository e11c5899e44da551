"""How the alleles of a block become bytes. A codec's id changes when its bytes do.

Alleles are site-major here: uint8 (n_records, ceil(n_haplotypes / 8)), a row of bits per record.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from haploom.entropy_coding.genotype_block import CODEC_ID, LEARNED_CODEC_ID, decode_block, encode_block

_TWICE_ALLELES = 1 << 23


class GenotypeCodec(Protocol):
    """Alleles to bytes and back. `decode` raises ValueError when the bytes cannot be a block of its kind."""

    @property
    def codec_id(self) -> str: ...

    def encode(self, bits: np.ndarray, n_haplotypes: int) -> bytes: ...

    def decode(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray: ...


@dataclass(frozen=True)
class Statistical:
    """Positional Burrows-Wheeler order and context mixing; level as in `compression.writer.LEVELS`.

    Blocks at level "max" ask a learned network, too, and are of a codec of their own. Those that are coded in a moment
    are coded at "default" as well, and the smaller kept: on few alleles what has more to learn can lose.
    """

    codec_ids: ClassVar[frozenset[str]] = frozenset({CODEC_ID, LEARNED_CODEC_ID})
    level: str = "default"

    @property
    def codec_id(self) -> str:
        return LEARNED_CODEC_ID if self.level == "max" else CODEC_ID

    def encode(self, bits: np.ndarray, n_haplotypes: int) -> bytes:
        alleles = np.unpackbits(bits, axis=1, count=n_haplotypes)
        if self.level != "max":
            return encode_block(alleles, self.level)
        coded = encode_block(alleles, "learned")
        if alleles.size <= _TWICE_ALLELES:
            return min(coded, encode_block(alleles, "default"), key=len)
        return coded

    def decode(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray:
        return np.packbits(decode_block(data, n_records, n_haplotypes), axis=1)
