"""The paper's codec for one panel: a VAE's latents, its integer decoder's decisions, and where they are wrong."""

from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors.numpy import save as save_arrays

from haploom.archive import reader
from haploom.archive.container import ModelReference
from haploom.archive.genotypes import LatentsAndResidual
from haploom.archive.text.cutting import TextBlock
from haploom.entropy_coding.byte_packing import pack_bytes
from haploom.errors import CorruptModelError, HaploomError
from haploom.exact import IntegerNetwork
from haploom.io.model_file import file_sha256, model_columns, read_model
from haploom.panel.bits import select_columns


class NeuralBlock:
    """A block of plain records as a model sees it: its codec, and the sections that decoding needs.

    Raises SiteMismatchError when the model has sites the block does not have, HaploomError for a model
    of another kind or of unphased people.
    """

    def __init__(self, block: TextBlock, path: Path, embed: bool) -> None:
        from haploom.models.encoder import encode_batches, packed_batches  # loads torch
        from haploom.models.network import load_network

        model = read_model(path)
        if model.card.kind != "vae" or model.ploidy != 1:
            trained_on = "haplotypes" if model.ploidy == 1 else "unphased people"
            raise HaploomError(
                f"{path} is a {model.card.kind} of {trained_on}, which does not store haplotypes: give one trained "
                "with --kind vae on phased genotypes"
            )
        try:
            self._network = IntegerNetwork.from_tensors(model.group("exact"))
        except ValueError as error:
            raise CorruptModelError(f"{path}: the model's integer decoder cannot be used: {error}") from error
        n_haplotypes = 2 * block.n_samples
        rows = reader.haplotype_major(block.bits, np.arange(block.n_samples))
        self._records = model_columns(reader.variants_of([block.sites], b""), model)
        chosen = select_columns(rows, block.n_records, self._records)
        latents = encode_batches(load_network(model), packed_batches(chosen, len(self._records)))
        counts = np.bitwise_count(block.bits).sum(axis=1, dtype=np.int64)
        self._path, self._embed = path, embed
        majority = (2 * counts > n_haplotypes).astype(np.uint8)
        self.codec = LatentsAndResidual(self._network, self._records, majority, latents)
        self.paper_size_bits = self.codec.paper_size_bits(block.bits, n_haplotypes)

    @cached_property
    def _decoder(self) -> bytes:
        return save_arrays(self._network.to_tensors())

    @property
    def reference(self) -> ModelReference:
        """What the archive says of the model."""
        stored_bytes = len(pack_bytes(self._decoder))
        return ModelReference(sha256=file_sha256(self._path), embedded=self._embed, stored_bytes=stored_bytes)

    def shared_sections(self) -> dict[str, bytes]:
        """What decoding needs beside the block, by section name."""
        sections = {
            reader.MODEL_RECORDS: self._records.astype("<i8").tobytes(),
            reader.MAJORITY: np.packbits(self.codec.majority).tobytes(),
        }
        return {**sections, reader.MODEL: self._decoder} if self._embed else sections
