"""From a model's integer networks, as an archive or a model file holds them, to the codecs that decode with them."""

from collections.abc import Mapping

import numpy as np

from haploom.archive.bits_back import BitsBack
from haploom.archive.neural import (
    BitsBackRows,
    CodesAndMix,
    CodesAndResidual,
    CodesBlosc,
    CodesGenozip,
    CodesZstd,
    GuidedRows,
    LabelledLatents,
    LatentsAndResidual,
    Network,
    NeuralCodec,
    ScoresAndResidual,
)
from haploom.exact import AlleleDecoder, CodeNetwork, CodeTable, IntegerNetwork, WindowNetwork
from haploom.io.model_file import ModelFile

NEURAL_CODECS: dict[str, type[NeuralCodec]] = {
    codec.codec_id: codec
    for codec in (
        LatentsAndResidual, ScoresAndResidual, LabelledLatents, CodesZstd, CodesBlosc, CodesGenozip, BitsBackRows,
        CodesAndMix, GuidedRows,
    )
}  # fmt: skip
_ENCODER = "encoder."
_N_LABELS = "n_labels"

Tensors = Mapping[str, np.ndarray]


def model_tensors(model: ModelFile, codec_id: str) -> dict[str, np.ndarray]:
    """What of a model a codec needs to decode: its integer decoder, and the encoder for bits-back coding.

    Empty where the model has no integer decoder.
    """
    tensors = model.group("exact")
    if codec_id == BitsBackRows.codec_id:
        tensors |= {f"{_ENCODER}{name}": array for name, array in model.group("encoder").items()}
    if codec_id == LabelledLatents.codec_id:
        tensors[_N_LABELS] = np.array([len(model.labels)], dtype=np.int64)
    return tensors


def neural_codec(codec_id: str, tensors: Tensors, sites: np.ndarray, majority: np.ndarray) -> NeuralCodec:
    """A codec that decodes. sites: int64, the record of each output; majority: uint8, where the codec wants it.

    Raises ValueError when the tensors are no model of this codec.
    """
    kind = NEURAL_CODECS[codec_id]
    own = {name: array for name, array in tensors.items() if not name.startswith(_ENCODER)}
    decoder = integer_decoder(own)
    if len(sites) != decoder.n_outputs:
        raise ValueError(f"a model of {decoder.n_outputs} sites for {len(sites)} records")
    if isinstance(decoder, CodeTable | CodeNetwork):
        if kind in (CodesAndMix, GuidedRows):
            return kind(decoder, sites)
        if issubclass(kind, CodesAndResidual):
            return kind(decoder, sites, majority)
    elif isinstance(decoder, IntegerNetwork | WindowNetwork):
        if kind is BitsBackRows:
            encoder = {name.removeprefix(_ENCODER): a for name, a in tensors.items() if name.startswith(_ENCODER)}
            return BitsBackRows(BitsBack(dense_network(encoder), decoder), sites)
        if kind is LabelledLatents and _N_LABELS in tensors:
            n_labels = int(tensors[_N_LABELS].reshape(-1)[0])
            if 1 <= n_labels < decoder.n_inputs:
                return LabelledLatents(decoder, sites, majority, None, n_labels)
        if kind in (LatentsAndResidual, ScoresAndResidual):
            return kind(decoder, sites, majority)
    raise ValueError(f"a {type(decoder).__name__} does not decode {codec_id}")


def integer_decoder(tensors: Tensors) -> AlleleDecoder:
    """The decoder that named arrays are of. Raises ValueError when they are of none."""
    if "table" in tensors:
        return CodeTable.from_tensors(tensors)
    if "vectors" in tensors:
        return CodeNetwork.from_tensors(tensors)
    return dense_network(tensors)


def dense_network(tensors: Tensors) -> Network:
    """The network that named arrays are of: of windows, or of all sites at once."""
    if "window_bits" in tensors:
        return WindowNetwork.from_tensors(tensors)
    return IntegerNetwork.from_tensors(tensors)
