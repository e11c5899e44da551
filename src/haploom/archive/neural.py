"""How a model's codecs store the alleles of a block. An id changes when its bytes do.

The paper's: latents or codes, and where the decoder's decision is wrong (the residual), coded apart. Ours: every allele
under the probability that the decoder gives it. Decoders are integer networks, the same bits on every machine.
Alleles are site-major here, as in `archive.genotypes`; networks see haplotypes, a row each. Source of the paper's:
Geleta et al. 2026, equations 8 and 10.
"""

import math
import struct
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from haploom.archive.bits_back import BitsBack
from haploom.archive.byte_codecs import pack_with, unpack_with
from haploom.archive.genotypes import Statistical
from haploom.entropy_coding.allele_stream import allele_log_odds
from haploom.entropy_coding.byte_packing import join_parts, pack_bytes, split_parts, unpack_bytes
from haploom.entropy_coding.code_indices import decode_codes, encode_codes, index_type
from haploom.entropy_coding.genotype_block import Expert, decode_block, encode_block
from haploom.entropy_coding.guided_alleles import GuidedAlleles
from haploom.entropy_coding.run_lengths import decode_runs, encode_runs, paper_size_bits
from haploom.exact import CodeNetwork, CodeTable, IntegerNetwork, WindowNetwork
from haploom.panel.bits import pack_rows, row_blocks, row_bytes, select_columns, unpack_rows

Codes = CodeTable | CodeNetwork
Network = IntegerNetwork | WindowNetwork


class NeuralCodec:
    """What the codecs here have in common. network: the integer decoder, an output for each of `sites`.

    sites: int64 (network.n_outputs,), the record each output stands for. wants_majority: whether decoding takes the
    likelier allele of every record, as sections beside the block say it.
    """

    codec_id: ClassVar[str]
    wants_majority: ClassVar[bool]
    sites: np.ndarray

    @abstractmethod
    def encode(self, bits: np.ndarray, n_haplotypes: int) -> bytes:
        """Packed alleles, uint8 (n_records, row_bytes(n_haplotypes)), to bytes."""

    @abstractmethod
    def decode(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray:
        """The inverse. Raises ValueError for damage that shows."""


class _RowsCodec(NeuralCodec):
    """A codec of haplotypes, a row each."""

    def encode(self, bits: np.ndarray, n_haplotypes: int) -> bytes:
        return self.encode_rows(transposed(bits, n_haplotypes), len(bits))

    def decode(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray:
        return transposed(self.decode_rows(data, n_records, n_haplotypes), n_records)

    @abstractmethod
    def encode_rows(self, rows: np.ndarray, n_records: int) -> bytes:
        """Packed haplotypes, uint8 (n_haplotypes, row_bytes(n_records)), to bytes."""

    @abstractmethod
    def decode_rows(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray:
        """The inverse. Raises ValueError for damage that shows."""


def transposed(bits: np.ndarray, n_columns: int) -> np.ndarray:
    """Packed rows (n, row_bytes(n_columns)) -> packed columns (n_columns, row_bytes(n))."""
    out = np.zeros((n_columns, row_bytes(len(bits))), dtype=np.uint8)
    step = 1024  # a multiple of 8
    for start in range(0, len(bits), step):
        some = np.packbits(unpack_rows(bits[start : start + step], n_columns).T, axis=1)
        out[:, start // 8 : start // 8 + some.shape[1]] = some
    return out


class _Residual(_RowsCodec):
    """Where the decision of a network is wrong; at records it does not know the decision is the majority's."""

    wants_majority = True
    network: Codes | Network
    majority: np.ndarray

    def _flip(self, rows: np.ndarray, n_records: int, inputs: np.ndarray) -> np.ndarray:
        """Packed rows -> exclusive or with the decisions for `inputs`, and back."""
        out = np.empty_like(rows)
        for some in row_blocks(len(rows), n_records):
            decided = np.repeat(self.majority[None], some.stop - some.start, axis=0)
            decided[:, self.sites] = self.network.decide(inputs[some])
            out[some] = rows[some] ^ pack_rows(decided)
        return out

    def _check_majority(self, n_records: int) -> None:
        if len(self.majority) != n_records:
            raise ValueError(f"a block of {n_records} records has a majority at {len(self.majority)}")


@dataclass(frozen=True, eq=False)
class LatentsAndResidual(_Residual):
    """Latents of each haplotype, and run lengths of the residual.

    majority: uint8 (n_records,) of 0 and 1. latents: int16 (n_haplotypes, n_latent), only needed to encode.
    """

    codec_id: ClassVar[str] = "vae+rle/1"
    network: Network
    sites: np.ndarray
    majority: np.ndarray
    latents: np.ndarray | None = None

    def encode_rows(self, rows: np.ndarray, n_records: int) -> bytes:
        assert self.latents is not None
        runs = self._runs(rows, n_records)
        stored_z = pack_bytes(split_bytes(self.latents))
        return struct.pack("<QQ", len(stored_z), len(runs)) + stored_z + pack_bytes(split_bytes(runs))

    def paper_size_bits(self, rows: np.ndarray, n_records: int) -> int:
        """Latents and residual as the paper counts them."""
        return paper_size_bits(self._runs(rows, n_records), len(rows), self._n_latent)

    def decode_rows(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray:
        if len(data) < 16:
            raise ValueError(f"a block of {len(data)} bytes is too short")
        z_bytes, n_runs = struct.unpack("<QQ", data[:16])
        if 16 + z_bytes > len(data) or n_runs > 2 * n_haplotypes * (n_records + 1):
            raise ValueError("a block's parts do not add up")
        shape = (n_haplotypes, self._n_latent)
        z = join_bytes(unpack_bytes(data[16 : 16 + z_bytes], 2 * shape[0] * shape[1])).view(np.int16)
        runs = join_bytes(unpack_bytes(data[16 + z_bytes :], 2 * n_runs))
        if z.size != shape[0] * shape[1] or len(runs) != n_runs:
            raise ValueError("a block's parts have other sizes than they say")
        self._check_majority(n_records)
        residual = pack_rows(decode_runs(runs, n_haplotypes, n_records))
        return self._flip(residual, n_records, self._inputs(z.reshape(shape)))

    @property
    def _n_latent(self) -> int:
        return self.network.n_inputs

    def _inputs(self, latents: np.ndarray) -> np.ndarray:
        """What the network takes: int16."""
        return latents

    def _runs(self, rows: np.ndarray, n_records: int) -> np.ndarray:
        assert self.latents is not None
        residual = self._flip(rows, n_records, self._inputs(self.latents))
        runs = [encode_runs(unpack_rows(residual[some], n_records)) for some in row_blocks(len(rows), n_records)]
        return np.concatenate([np.empty(0, dtype=np.uint16), *runs])


@dataclass(frozen=True, eq=False)
class ScoresAndResidual(LatentsAndResidual):
    """The same with the scores of a PCA, whose decoder is one layer: the axes, and the mean added back."""

    codec_id: ClassVar[str] = "pca+rle/1"


@dataclass(frozen=True, eq=False)
class LabelledLatents(LatentsAndResidual):
    """The same with the decoder of a C-VAE, which takes a label after the latents.

    n_labels: the last inputs of the network, of which one is 1. labels: uint8 (n_people,), only needed to encode.
    """

    codec_id: ClassVar[str] = "cvae+rle/1"
    n_labels: int = 0
    labels: np.ndarray | None = None

    def encode_rows(self, rows: np.ndarray, n_records: int) -> bytes:
        assert self.labels is not None
        return join_parts([pack_bytes(self.labels.astype(np.uint8).tobytes()), super().encode_rows(rows, n_records)])

    def paper_size_bits(self, rows: np.ndarray, n_records: int) -> int:
        """The label of each person is counted too, in whole bits."""
        assert self.labels is not None
        return super().paper_size_bits(rows, n_records) + len(self.labels) * math.ceil(math.log2(max(self.n_labels, 2)))

    def decode_rows(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray:
        stored_labels, rest = split_parts(data, 2)
        labels = np.frombuffer(unpack_bytes(stored_labels, n_haplotypes // 2), dtype=np.uint8)
        if len(labels) != n_haplotypes // 2 or labels.max(initial=0) >= max(self.n_labels, 1):
            raise ValueError(f"labels that are not of {n_haplotypes // 2} people, from 0 to {self.n_labels - 1}")
        return self.with_labels(labels)._without_labels(rest, n_records, n_haplotypes)

    def n_wrong(self, rows: np.ndarray) -> np.ndarray:
        """How many of the model's sites are decided wrong: int64 (n_haplotypes,). rows: packed, at those sites."""
        assert self.latents is not None
        inputs, n_sites, wrong = self._inputs(self.latents), len(self.sites), np.empty(len(rows), dtype=np.int64)
        for some in row_blocks(len(rows), n_sites):
            wrong[some] = (self.network.decide(inputs[some]) != unpack_rows(rows[some], n_sites)).sum(axis=1)
        return wrong

    def with_labels(self, labels: np.ndarray) -> "LabelledLatents":
        """The same codec for people of these labels."""
        return LabelledLatents(self.network, self.sites, self.majority, self.latents, self.n_labels, labels)

    def _without_labels(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray:
        return super().decode_rows(data, n_records, n_haplotypes)

    @property
    def _n_latent(self) -> int:
        return self.network.n_inputs - self.n_labels

    def _inputs(self, latents: np.ndarray) -> np.ndarray:
        assert self.labels is not None
        one = np.int16(1 << self.network.input_bits)
        one_hot = np.eye(self.n_labels, dtype=np.int16)[np.repeat(self.labels, 2)] * one
        return np.concatenate([latents, one_hot], axis=1)


@dataclass(frozen=True, eq=False)
class CodesAndResidual(_Residual):
    """The index matrix of a VQ-VAE and the residual, each through a codec of bytes.

    majority: uint8 (n_records,) of 0 and 1. codes: integers (n_haplotypes, n_windows * heads), only needed to encode.
    """

    byte_codec: ClassVar[str]
    network: Codes
    sites: np.ndarray
    majority: np.ndarray
    codes: np.ndarray | None = None

    def encode_rows(self, rows: np.ndarray, n_records: int) -> bytes:
        assert self.codes is not None
        residual = self._flip(rows, n_records, self.codes)
        indices = self.codes.astype(index_type(self.network.n_codes))
        return join_parts([pack_with(self.byte_codec, part.tobytes()) for part in (indices, residual)])

    def decode_rows(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray:
        indices, residual = split_parts(data, 2)
        self._check_majority(n_records)
        shape, width = (n_haplotypes, self.network.n_inputs), row_bytes(n_records)
        dtype = index_type(self.network.n_codes)
        n_bytes = shape[0] * shape[1] * dtype.itemsize
        codes = np.frombuffer(unpack_with(self.byte_codec, indices, n_bytes), dtype).reshape(shape)
        rows = np.frombuffer(unpack_with(self.byte_codec, residual, n_haplotypes * width), dtype=np.uint8)
        return self._flip(rows.reshape(n_haplotypes, width), n_records, codes)


class CodesZstd(CodesAndResidual):
    codec_id: ClassVar[str] = "vqvae+zstd/1"
    byte_codec: ClassVar[str] = "zstd"


class CodesBlosc(CodesAndResidual):
    codec_id: ClassVar[str] = "vqvae+blosc2/1"
    byte_codec: ClassVar[str] = "blosc2"


class CodesGenozip(CodesAndResidual):
    codec_id: ClassVar[str] = "vqvae+genozip/1"
    byte_codec: ClassVar[str] = "genozip"


class _KnownAndRest(_RowsCodec):
    """The model's sites by the model, the records it does not know by the statistical codec."""

    wants_majority = False

    def encode_rows(self, rows: np.ndarray, n_records: int) -> bytes:
        known = select_columns(rows, n_records, self.sites)
        unknown = select_columns(rows, n_records, self._unknown(n_records))
        others = Statistical().encode(transposed(unknown, n_records - len(self.sites)), len(rows))
        return join_parts([others, self._encode_known(known)])

    def decode_rows(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray:
        others, known = split_parts(data, 2)
        unknown = self._unknown(n_records)
        columns = np.zeros((n_records, row_bytes(n_haplotypes)), dtype=np.uint8)
        columns[unknown] = Statistical().decode(others, len(unknown), n_haplotypes)
        columns[self.sites] = transposed(self._decode_known(known, n_haplotypes), len(self.sites))
        return transposed(columns, n_haplotypes)

    def _unknown(self, n_records: int) -> np.ndarray:
        return np.setdiff1d(np.arange(n_records), self.sites)

    @abstractmethod
    def _encode_known(self, rows: np.ndarray) -> bytes: ...

    @abstractmethod
    def _decode_known(self, data: bytes, n_haplotypes: int) -> np.ndarray: ...


@dataclass(frozen=True, eq=False)
class BitsBackRows(_KnownAndRest):
    """A VAE at the length its evidence bound promises: `archive.bits_back`."""

    codec_id: ClassVar[str] = "vae/1"
    coder: BitsBack
    sites: np.ndarray

    def _encode_known(self, rows: np.ndarray) -> bytes:
        return self.coder.encode(unpack_rows(rows, len(self.sites)))

    def _decode_known(self, data: bytes, n_haplotypes: int) -> np.ndarray:
        return pack_rows(self.coder.decode(data, n_haplotypes))


@dataclass(frozen=True, eq=False)
class CodesAndMix(NeuralCodec):
    """The codes of a VQ-VAE by an adaptive model, and the alleles by the statistical codec, which the decoder advises.

    choices: codes to choose from, integers (n_haplotypes, n_windows * heads) each, only needed to encode: those that
    come out shortest are stored. level: of `entropy_coding.genotype_block`, one that asks experts. Of records it does
    not know the decoder says nothing.
    """

    codec_id: ClassVar[str] = "vqvae/2"
    wants_majority = False
    network: Codes
    sites: np.ndarray
    choices: tuple[np.ndarray, ...] = ()
    level: str = "default"

    def encode(self, bits: np.ndarray, n_haplotypes: int) -> bytes:
        alleles = np.unpackbits(bits, axis=1, count=n_haplotypes)
        coded = (
            join_parts([
                encode_codes(codes, self.network.n_codes),
                encode_block(alleles, self.level, self._advice(codes, len(bits))),
            ])
            for codes in self.choices
        )  # fmt: skip
        return min(coded, key=len)

    def decode(self, data: bytes, n_records: int, n_haplotypes: int) -> np.ndarray:
        stored_codes, stored_alleles = split_parts(data, 2)
        codes = decode_codes(stored_codes, n_haplotypes, self.network.n_inputs, self.network.n_codes)
        alleles = decode_block(stored_alleles, n_records, n_haplotypes, self._advice(codes, n_records))
        return np.packbits(alleles, axis=1)

    def _advice(self, codes: np.ndarray, n_records: int) -> Expert:
        """What the decoder says of alleles, by record."""
        outputs = np.full(n_records, -1)
        outputs[self.sites] = np.arange(len(self.sites))

        def log_odds(records: np.ndarray) -> np.ndarray:
            said = np.zeros((len(records), len(codes)), dtype=np.int16)
            known = np.flatnonzero(outputs[records] >= 0)
            step = self.network.rows_at_once()
            for start in range(0, len(codes), step):
                some = slice(start, start + step)
                of_all = allele_log_odds(self.network.logits(codes[some]), self.network.output_bits)
                said[known, some] = of_all[:, outputs[records[known]]].T
            return said

        return log_odds


@dataclass(frozen=True, eq=False)
class GuidedRows(_KnownAndRest):
    """Archives of before `vqvae/2`, which are only read: codes, and alleles by a smaller mix, row after row."""

    codec_id: ClassVar[str] = "vqvae/1"
    network: Codes
    sites: np.ndarray

    def _encode_known(self, rows: np.ndarray) -> bytes:
        raise NotImplementedError(f"{self.codec_id} is only read")

    def _decode_known(self, data: bytes, n_haplotypes: int) -> np.ndarray:
        stored_codes, stored_alleles = split_parts(data, 2)
        codes = decode_codes(stored_codes, n_haplotypes, self.network.n_inputs, self.network.n_codes)
        network = self.network
        coder = GuidedAlleles(n_haplotypes, len(self.sites), network.width, network.n_codes, stored_alleles)
        step = network.rows_at_once()
        for start in range(0, n_haplotypes, step):
            some = codes[start : start + step]
            log_odds = allele_log_odds(network.logits(some), network.output_bits)
            coder.code(log_odds, some[:, :: network.heads], np.zeros(log_odds.shape, dtype=np.uint8))
        return coder.rows


def split_bytes(values: np.ndarray) -> bytes:
    """16-bit integers as all low bytes, then all high bytes: general codecs find more in either alone."""
    low_first = values.astype(values.dtype.newbyteorder("<")).ravel()
    return low_first.view(np.uint8).reshape(-1, 2).T.tobytes()


def join_bytes(data: bytes) -> np.ndarray:
    """The inverse: uint16 (len(data) / 2,)."""
    if len(data) % 2:
        raise ValueError("16-bit numbers of an odd number of bytes")
    return np.frombuffer(data, dtype=np.uint8).reshape(2, -1).T.copy().view("<u2").ravel().astype(np.uint16)
