"""A block of genotypes as a model sees it: the latents or codes of its haplotypes, and the codec that stores them."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors.numpy import save as save_arrays

from haploom.archive import reader
from haploom.archive.container import ModelReference
from haploom.archive.model_codecs import model_tensors, neural_codec
from haploom.archive.neural import (
    BitsBackRows,
    Codes,
    CodesAndMix,
    CodesAndResidual,
    CodesBlosc,
    CodesGenozip,
    CodesZstd,
    LabelledLatents,
    LatentsAndResidual,
    NeuralCodec,
    ScoresAndResidual,
    transposed,
)
from haploom.archive.panels import variants_of
from haploom.archive.text.cutting import TextBlock
from haploom.baselines.principal_components import pca_of
from haploom.compression.code_choice import best_codes
from haploom.entropy_coding.byte_packing import pack_bytes
from haploom.errors import CorruptModelError, HaploomError
from haploom.exact import CodeTable
from haploom.io.model_file import ModelFile, file_sha256, model_columns, read_model
from haploom.panel.bits import row_blocks, select_columns, unpack_rows

Labels = Mapping[str, list[str]]  # level -> a label for each person


class NeuralCodecInfo(NamedTuple):
    """A codec by name: what stores, and the kinds of models it stores with."""

    codec: type[NeuralCodec]
    kinds: tuple[str, ...]


NEURAL = {
    "vae+rle": NeuralCodecInfo(LatentsAndResidual, ("vae", "window-vae", "window-ae")),
    "cvae+rle": NeuralCodecInfo(LabelledLatents, ("cvae",)),
    "pca+rle": NeuralCodecInfo(ScoresAndResidual, ("pca",)),
    "vqvae+zstd": NeuralCodecInfo(CodesZstd, ("vqvae",)),
    "vqvae+blosc2": NeuralCodecInfo(CodesBlosc, ("vqvae",)),
    "vqvae+genozip": NeuralCodecInfo(CodesGenozip, ("vqvae",)),
    "vae": NeuralCodecInfo(BitsBackRows, ("vae", "window-vae")),
    "vqvae": NeuralCodecInfo(CodesAndMix, ("vqvae",)),
}
# The level of the statistical codec that a model is asked beside: the fast one asks nobody.
_ADVISED = {"fast": "default", "default": "default", "max": "learned"}
_BELIEVED = (1.0, 0.1)  # see `best_codes`: measured, more of them changed less than 1 %
_NOT_TRIED = ("vqvae+blosc2", "vqvae+genozip")  # by auto: they need more than this package to be read


def codecs_for(path: Path) -> list[str]:
    """Names of the codecs that store with a model file and need nothing but this package.

    Raises HaploomError where there is none.
    """
    kind = read_model(path).card.kind
    names = [name for name, info in NEURAL.items() if kind in info.kinds and name not in _NOT_TRIED]
    if not names:
        raise HaploomError(
            f"{path} is a {kind}, which stores no haplotypes: give a model of kind {', '.join(_kinds(NEURAL))}"
        )
    return names


class NeuralBlock:
    """A block of plain records as a model sees it: its codec, and the sections that decoding needs.

    name: a key of NEURAL. labels: of the people of the block, where they are known, for codecs that store a label.
    level: of `compression.writer.LEVELS`, for codecs that ask the model beside the statistical codec.
    Raises SiteMismatchError when the model has sites the block does not have, HaploomError for a model of another kind
    or of unphased people.
    """

    def __init__(
        self, block: TextBlock, name: str, path: Path, embed: bool, labels: Labels, level: str = "default"
    ) -> None:
        self._path, self._embed = path, embed
        info = NEURAL[name]
        model = read_model(path)
        if model.card.kind not in info.kinds or model.ploidy != 1:
            trained_on = "haplotypes" if model.ploidy == 1 else "unphased people"
            raise HaploomError(
                f"{path} is a {model.card.kind} of {trained_on}, which does not store haplotypes with codec {name}: "
                f"give one trained with --kind {' or '.join(info.kinds)} on phased genotypes"
            )
        codec_id = info.codec.codec_id
        self._tensors = model_tensors(model, codec_id)
        if not self._tensors:
            raise HaploomError(f"{path} has no integer decoder: train it again with this release of haploom")
        n_haplotypes = 2 * block.n_samples
        self._records = model_columns(variants_of([block.sites], b""), model)
        rows = select_columns(transposed(block.bits, n_haplotypes), block.n_records, self._records)
        counts = np.bitwise_count(block.bits).sum(axis=1, dtype=np.int64)
        self._majority = (2 * counts > n_haplotypes).astype(np.uint8) if info.codec.wants_majority else None
        majority = np.empty(0, dtype=np.uint8) if self._majority is None else self._majority
        try:
            decoder = neural_codec(codec_id, self._tensors, self._records, majority)
        except ValueError as error:
            raise CorruptModelError(f"{path}: the model's integer decoder cannot be used: {error}") from error
        self.codec, self.paper_size_bits = _with_what_it_stores(decoder, model, rows, labels, level), None
        if isinstance(self.codec, LatentsAndResidual):
            self.paper_size_bits = self.codec.paper_size_bits(transposed(block.bits, n_haplotypes), block.n_records)

    @cached_property
    def _decoder(self) -> bytes:
        return save_arrays({name: np.ascontiguousarray(array) for name, array in self._tensors.items()})

    @property
    def reference(self) -> ModelReference:
        """What the archive says of the model."""
        sha256 = file_sha256(self._path)
        return ModelReference(sha256=sha256, embedded=self._embed, stored_bytes=_packed_bytes(self._decoder))

    def shared_sections(self) -> dict[str, bytes]:
        """What decoding needs beside the block, by section name; the records of `reader.STEPS`, the others packed."""
        sections = {reader.MODEL_RECORDS: np.diff(self._records, prepend=-1).astype("<i8").tobytes()}
        if self._majority is not None:
            sections[reader.MAJORITY] = np.packbits(self._majority).tobytes()
        return {**sections, reader.MODEL: self._decoder} if self._embed else sections


_packed_sizes: dict[str, int] = {}  # by SHA-256 of the decoder


def _packed_bytes(decoder: bytes) -> int:
    """What a decoder takes packed: tens of megabytes take as many seconds, and a model stores many panels."""
    name = hashlib.sha256(decoder).hexdigest()
    if name not in _packed_sizes:
        _packed_sizes[name] = len(pack_bytes(decoder))
    return _packed_sizes[name]


def _with_what_it_stores(
    codec: NeuralCodec, model: ModelFile, rows: np.ndarray, labels: Labels, level: str
) -> NeuralCodec:
    """The codec for these haplotypes: packed rows at the model's sites."""
    if isinstance(codec, LabelledLatents):
        return _labelled(codec, model, rows, labels.get(model.card.label_level))
    if isinstance(codec, LatentsAndResidual):
        latents = _scores(model, rows) if model.card.kind == "pca" else _latents(model, rows)
        return type(codec)(codec.network, codec.sites, codec.majority, codec.network.quantise_input(latents))
    if isinstance(codec, CodesAndResidual):
        return type(codec)(codec.network, codec.sites, codec.majority, _codes(model, rows))
    if isinstance(codec, CodesAndMix):
        return CodesAndMix(codec.network, codec.sites, _choices(codec.network, model, rows), _ADVISED[level])
    return codec


def _choices(network: Codes, model: ModelFile, rows: np.ndarray) -> tuple[np.ndarray, ...]:
    """Codes that may come out shortest: those that fit best, fewer that are cheaper, and one for everybody."""
    if isinstance(network, CodeTable):
        found = [best_codes(network, rows, believed) for believed in _BELIEVED]
    else:
        found = [_codes(model, rows)]
    commonest = [np.bincount(column, minlength=1).argmax() for column in found[0].T]
    return *found, np.tile(np.array(commonest, dtype=np.int64), (len(rows), 1))


def _labelled(codec: LabelledLatents, model: ModelFile, rows: np.ndarray, given: list[str] | None) -> LabelledLatents:
    """Each person under their own label, or where there is none the model knows, the one that leaves least to store."""
    places = {label: place for place, label in enumerate(model.labels)}
    n_people = len(rows) // 2
    labels = np.array([places.get(label, -1) for label in given or [""] * n_people], dtype=np.int64)
    unknown = labels < 0
    latents = np.zeros((len(rows), codec.network.n_inputs - codec.n_labels), dtype=np.int16)
    fewest = np.full(n_people, np.iinfo(np.int64).max)
    for label in range(codec.n_labels):
        people = np.flatnonzero(unknown | (labels == label))
        if not len(people):
            continue
        some = np.stack([2 * people, 2 * people + 1], axis=1).ravel()
        z = codec.network.quantise_input(_latents(model, rows[some], np.full(len(some), label, dtype=np.int64)))
        wrong = np.zeros(len(people), dtype=np.int64)
        if unknown.any():
            tried = LabelledLatents(
                codec.network, codec.sites, codec.majority, z, codec.n_labels, np.full(len(people), label)
            )
            wrong = tried.n_wrong(rows[some]).reshape(-1, 2).sum(axis=1)
        better = wrong < fewest[people]
        fewest[people[better]], labels[people[better]] = wrong[better], label
        latents[some[np.repeat(better, 2)]] = z[np.repeat(better, 2)]
    return LabelledLatents(codec.network, codec.sites, codec.majority, latents, codec.n_labels, labels.astype(np.uint8))


def _latents(model: ModelFile, rows: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    from haploom.models.encoder import encode_batches, packed_batches  # loads torch
    from haploom.models.network import load_network
    from haploom.training.threads import one_thread

    with one_thread():
        return encode_batches(load_network(model), packed_batches(rows, len(model.variants), labels))


def _codes(model: ModelFile, rows: np.ndarray) -> np.ndarray:
    """The codes that the model's encoder gives: int64 (n_haplotypes, n_windows * heads)."""
    import torch

    from haploom.models.encoder import packed_batches
    from haploom.models.network import load_network
    from haploom.models.vqvae import VQVAE
    from haploom.training.threads import one_thread

    network = load_network(model)
    assert isinstance(network, VQVAE)
    with one_thread(), torch.no_grad():
        codes = [network.codes(batch).flatten(1).numpy() for batch in packed_batches(rows, len(model.variants))]
    return np.concatenate([np.empty((0, network.windows.n_windows * network.config.heads), dtype=np.int64), *codes])


def _scores(model: ModelFile, rows: np.ndarray) -> np.ndarray:
    pca, n_sites = pca_of(model), len(model.variants)
    scores = [pca.transform(unpack_rows(rows[some], n_sites)) for some in row_blocks(len(rows), n_sites)]
    return np.concatenate([np.empty((0, pca.n_components)), *scores])


def _kinds(codecs: Mapping[str, NeuralCodecInfo]) -> list[str]:
    return list(dict.fromkeys(kind for info in codecs.values() for kind in info.kinds))
