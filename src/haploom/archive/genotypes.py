"""How the alleles of a block become bytes. A codec's id changes when its bytes do.

Alleles are site-major here: uint8 (n_records, ceil(n_haplotypes / 8)), a row of bits per record.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from haploom.entropy_coding.byte_packing import pack_bytes, unpack_bytes
from haploom.entropy_coding.genotype_block import CODEC_ID, decode_block, encode_block
from haploom.entropy_coding.run_lengths import decode_runs, encode_runs, paper_size_bits
from haploom.exact import IntegerNetwork
from haploom.panel.bits import row_bytes

ROWS_AT_ONCE = 1024


class GenotypeCodec(Protocol):
    """Alleles to bytes and back. `decode` raises ValueError when the bytes cannot be a block of its kind."""

    codec_id: ClassVar[str]

    def encode(self, bits: np.ndarray, n_haplotypes: int) -> bytes: ...

    def decode(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray: ...


@dataclass(frozen=True)
class Statistical:
    """Positional Burrows-Wheeler order and context mixing; level as in `entropy_coding.genotype_block.LEVELS`."""

    codec_id: ClassVar[str] = CODEC_ID
    level: str = "default"

    def encode(self, bits: np.ndarray, n_haplotypes: int) -> bytes:
        return encode_block(np.unpackbits(bits, axis=1, count=n_haplotypes), self.level)

    def decode(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray:
        return np.packbits(decode_block(data, n_records, n_haplotypes), axis=1)


@dataclass(frozen=True, eq=False)
class LatentsAndResidual:
    """The paper's way: latents of each haplotype, and run lengths of where the decoder's decision is wrong.

    network: the integer decoder, so that the decision is the same bits on every machine.
    sites: int64 (network.n_outputs,), the record each of the network's outputs stands for.
    majority: uint8 (n_records,) of 0 and 1, the decision at records the network does not know.
    latents: float (n_haplotypes, n_latent), what the encoder gave; only needed to encode.
    """

    codec_id: ClassVar[str] = "vae+rle/1"
    network: IntegerNetwork
    sites: np.ndarray
    majority: np.ndarray
    latents: np.ndarray | None = None

    def encode(self, bits: np.ndarray, n_haplotypes: int) -> bytes:
        z, runs = self._z_and_runs(bits, n_haplotypes)
        stored_z = pack_bytes(_split_bytes(z))
        return struct.pack("<QQ", len(stored_z), len(runs)) + stored_z + pack_bytes(_split_bytes(runs))

    def paper_size_bits(self, bits: np.ndarray, n_haplotypes: int) -> int:
        """Latents and residual as the paper counts them."""
        _, runs = self._z_and_runs(bits, n_haplotypes)
        return paper_size_bits(runs, n_haplotypes, self.network.n_inputs)

    def _z_and_runs(self, bits: np.ndarray, n_haplotypes: int) -> tuple[np.ndarray, np.ndarray]:
        assert self.latents is not None
        z = self.network.quantise_input(self.latents)
        runs = [np.empty(0, dtype=np.uint16)]
        for rows, alleles in _haplotype_rows(bits, n_haplotypes):
            runs.append(encode_runs(alleles ^ self._predict(z[rows])))
        return z, np.concatenate(runs)

    def decode(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray:
        if len(data) < 16:
            raise ValueError(f"a block of {len(data)} bytes is too short")
        z_bytes, n_runs = struct.unpack("<QQ", data[:16])
        if 16 + z_bytes > len(data) or n_runs > 2 * n_haplotypes * (n_records + 1):
            raise ValueError("a block's parts do not add up")
        shape = (n_haplotypes, self.network.n_inputs)
        z = _join_bytes(unpack_bytes(data[16 : 16 + z_bytes], 2 * shape[0] * shape[1])).view(np.int16)
        runs = _join_bytes(unpack_bytes(data[16 + z_bytes :], 2 * n_runs))
        if z.size != shape[0] * shape[1] or len(runs) != n_runs or len(self.majority) != n_records:
            raise ValueError("a block's parts have other sizes than they say")
        residual = decode_runs(runs, n_haplotypes, n_records)
        for start in range(0, n_haplotypes, ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            residual[rows] ^= self._predict(z.reshape(shape)[rows])
        return np.packbits(residual.T, axis=1)

    def _predict(self, z: np.ndarray) -> np.ndarray:
        predicted = np.repeat(self.majority[None], len(z), axis=0)
        predicted[:, self.sites] = self.network.decide(z)
        return predicted


def _haplotype_rows(bits: np.ndarray, n_haplotypes: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks of haplotypes as (rows, alleles): alleles uint8 (rows, n_records)."""
    for start in range(0, row_bytes(n_haplotypes), ROWS_AT_ONCE // 8):
        alleles = np.unpackbits(bits[:, start : start + ROWS_AT_ONCE // 8], axis=1)
        rows = slice(8 * start, min(8 * start + alleles.shape[1], n_haplotypes))
        yield rows, np.ascontiguousarray(alleles[:, : rows.stop - rows.start].T)


def _split_bytes(values: np.ndarray) -> bytes:
    """16-bit integers as all low bytes, then all high bytes: general codecs find more in either alone."""
    low_first = values.astype(values.dtype.newbyteorder("<")).ravel()
    return low_first.view(np.uint8).reshape(-1, 2).T.tobytes()


def _join_bytes(data: bytes) -> np.ndarray:
    """The inverse: uint16 (len(data) / 2,)."""
    if len(data) % 2:
        raise ValueError("16-bit numbers of an odd number of bytes")
    return np.frombuffer(data, dtype=np.uint8).reshape(2, -1).T.copy().view("<u2").ravel().astype(np.uint16)
