"""How the alleles of a block become bytes. A codec's id changes when its bytes do.

Alleles are site-major here: uint8 (n_records, ceil(n_haplotypes / 8)), a row of bits per record.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from haploom.entropy_coding.genotype_block import CODEC_ID, LEARNED_CODEC_ID, encode_block
from haploom.entropy_coding.repeated_haplotypes import decode_any, encode_smallest


class GenotypeCodec(Protocol):
    """Alleles to bytes and back. `decode` raises ValueError when the bytes cannot be a block of its kind."""

    @property
    def codec_id(self) -> str: ...

    def encode(self, bits: np.ndarray, n_haplotypes: int) -> bytes: ...

    def decode(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray: ...


@dataclass(frozen=True)
class Statistical:
    """Positional Burrows-Wheeler order and context mixing; level as in `compression.writer.LEVELS`.

    Blocks at level "max" ask a learned network, too, or tell equal haplotypes once, whichever is smaller, and are of a
    codec of their own.
    """

    codec_ids: ClassVar[frozenset[str]] = frozenset({CODEC_ID, LEARNED_CODEC_ID})
    level: str = "default"

    @property
    def codec_id(self) -> str:
        return LEARNED_CODEC_ID if self.level == "max" else CODEC_ID

    def encode(self, bits: np.ndarray, n_haplotypes: int) -> bytes:
        alleles = np.unpackbits(bits, axis=1, count=n_haplotypes)
        return encode_smallest(alleles) if self.level == "max" else encode_block(alleles, self.level)

    def decode(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray:
        return np.packbits(decode_any(data, n_records, n_haplotypes), axis=1)
