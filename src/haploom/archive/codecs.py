"""How a block of haplotypes becomes bytes. A codec's id changes when its bytes do.

A block is bit-packed rows, uint8 (n_rows, ceil(n_sites / 8)).
"""

import struct
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import zstandard

from haploom.entropy_coding.run_lengths import decode_runs, encode_runs, paper_size_bits
from haploom.exact import IntegerNetwork
from haploom.panel.bits import pack_rows, row_bytes, unpack_rows

ZSTD_LEVEL = 19
ZSTD_ID = "zstd/0"  # a section that is one zstd frame


class BlockDecoder(Protocol):
    """Gives back the packed rows of a block. Raises ValueError when the bytes cannot be a block of its kind."""

    codec_id: ClassVar[str]

    def decode(self, data: bytes, n_rows: int) -> np.ndarray: ...


def zstd_compress(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(data)


def zstd_decompress(data: bytes, n_bytes: int) -> bytes:
    """Raises ValueError unless the data decompresses to exactly `n_bytes`."""
    try:
        if zstandard.frame_content_size(data) != n_bytes:
            raise ValueError(f"a zstd frame does not hold {n_bytes} bytes")
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=max(n_bytes, 1))
    except zstandard.ZstdError as error:
        raise ValueError(f"damaged zstd frame: {error}") from error


@dataclass(frozen=True)
class PackedBits:
    """Bit-packed rows through zstd: what neural codecs must beat."""

    codec_id: ClassVar[str] = "bits+zstd/0"
    n_sites: int

    def encode(self, bits: np.ndarray) -> bytes:
        return zstd_compress(bits.tobytes())

    def decode(self, data: bytes, n_rows: int) -> np.ndarray:
        shape = (n_rows, row_bytes(self.n_sites))
        return np.frombuffer(zstd_decompress(data, shape[0] * shape[1]), dtype=np.uint8).reshape(shape)


@dataclass(frozen=True, eq=False)
class LatentsAndResidual:
    """The paper's way: latents of each haplotype, and run lengths of where the decoder's decision is wrong.

    network: the integer decoder, so that the decision is the same bits on every machine.
    sites: int64 (network.n_outputs,), the column of the block each of the network's outputs stands for.
    majority: uint8 (n_sites,) of 0 and 1, the decision at sites the network does not know.
    """

    codec_id: ClassVar[str] = "vae+rle/0"
    network: IntegerNetwork
    sites: np.ndarray
    majority: np.ndarray

    def encode(self, bits: np.ndarray, latents: np.ndarray) -> tuple[bytes, int]:
        """The block's bytes, and its size in bits as the paper counts. latents: float (n_rows, n_latent)."""
        z = self.network.quantise_input(latents)
        residual = unpack_rows(bits, len(self.majority)) ^ self._predict(z)
        runs = encode_runs(residual)
        stored_z = zstd_compress(_split_bytes(z))
        stored_runs = zstd_compress(_split_bytes(runs))
        head = struct.pack("<III", len(stored_z), len(stored_runs), len(runs))
        return head + stored_z + stored_runs, paper_size_bits(runs, len(bits), self.network.n_inputs)

    def decode(self, data: bytes, n_rows: int) -> np.ndarray:
        if len(data) < 12:
            raise ValueError(f"a block of {len(data)} bytes is too short")
        z_bytes, run_bytes, n_runs = struct.unpack("<III", data[:12])
        if 12 + z_bytes + run_bytes != len(data) or n_runs > 2 * n_rows * (len(self.majority) + 1):
            raise ValueError("a block's parts do not add up")
        shape = (n_rows, self.network.n_inputs)
        z = _join_bytes(zstd_decompress(data[12 : 12 + z_bytes], 2 * shape[0] * shape[1])).view(np.int16)
        runs = _join_bytes(zstd_decompress(data[12 + z_bytes :], 2 * n_runs))
        predicted = self._predict(z.reshape(shape))
        return pack_rows(predicted ^ decode_runs(runs, n_rows, len(self.majority)))

    def _predict(self, z: np.ndarray) -> np.ndarray:
        predicted = np.repeat(self.majority[None], len(z), axis=0)
        predicted[:, self.sites] = self.network.decide(z)
        return predicted


def _split_bytes(values: np.ndarray) -> bytes:
    """16-bit integers as all low bytes, then all high bytes: zstd finds more in either alone."""
    return (
        values.astype("<u2" if values.dtype == np.uint16 else "<i2").ravel().view(np.uint8).reshape(-1, 2).T.tobytes()
    )


def _join_bytes(data: bytes) -> np.ndarray:
    """The inverse: uint16 (len(data) / 2,)."""
    return np.frombuffer(data, dtype=np.uint8).reshape(2, -1).T.copy().view("<u2").ravel().astype(np.uint16)
