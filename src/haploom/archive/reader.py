"""Reading an archive: what is in it, its alleles, and whether they are what was stored."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays

from haploom import progress
from haploom.archive.codecs import ZSTD_ID, BlockDecoder, LatentsAndResidual, PackedBits, zstd_decompress
from haploom.archive.columns import samples_from_bytes, sites_from_bytes
from haploom.archive.container import Container, Manifest, stored_bytes
from haploom.errors import CorruptArchiveError, FormatError, HaploomError
from haploom.exact import IntegerNetwork
from haploom.io.model_file import file_sha256, read_model
from haploom.panel import Panel, Variants
from haploom.panel.bits import row_bytes, unpack_rows

KNOWN_CODECS = frozenset({PackedBits.codec_id, LatentsAndResidual.codec_id, ZSTD_ID})


class Archive:
    """An opened `.hlm` file. Sites and samples are read without touching genotypes."""

    def __init__(self, path: Path, model: Path | None = None) -> None:
        """model: the model file, where the archive refers to one instead of holding it.

        Raises FormatError, CorruptArchiveError, or HaploomError when the model is needed and not the right one.
        """
        self.path = path
        self._container = Container(path)
        self._model_path = model
        if unknown := sorted(set(self.manifest.requires) - KNOWN_CODECS):
            raise FormatError(f"{path} needs codecs this release does not have: {', '.join(unknown)}. Upgrade haploom.")

    @property
    def manifest(self) -> Manifest:
        return self._container.manifest

    @cached_property
    def samples(self) -> tuple[str, ...]:
        return self._people[0]

    @property
    def populations(self) -> dict[str, np.ndarray]:
        return self._people[1]

    @cached_property
    def _people(self) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
        try:
            samples, populations = samples_from_bytes(self._text("samples"))
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged("samples", error) from error
        if len(samples) != self.manifest.n_samples:
            raise self._damaged("samples", f"it holds {len(samples)} names, not {self.manifest.n_samples}")
        return samples, populations

    @cached_property
    def variants(self) -> Variants:
        try:
            return sites_from_bytes(self._text("sites"), self.manifest.n_sites, self.manifest.contig_length_bp)
        except ValueError as error:
            raise self._damaged("sites", error) from error

    def blocks(self, wanted: Sequence[int] | None = None) -> Iterator[tuple[slice, np.ndarray]]:
        """Packed rows of the wanted blocks (all by default) as (rows, bits), each checked against its checksum."""
        decoders = self._decoders
        for block in range(self.n_blocks) if wanted is None else wanted:
            rows = self._rows(block)
            name = f"genotypes/{block}"
            section = self._container.section(name)
            if section.decoded_bytes != (rows.stop - rows.start) * row_bytes(self.manifest.n_sites):
                raise self._damaged(name, f"it cannot decode to {section.decoded_bytes} bytes")
            try:
                bits = decoders[section.codec].decode(self._container.stored(name), rows.stop - rows.start)
            except (ValueError, KeyError, MemoryError) as error:
                raise self._damaged(name, error) from error
            self._container.check(name, bits.tobytes())
            yield rows, bits

    def read(self, samples: Sequence[str] | None = None) -> Panel:
        """The panel, or only some people of it (their blocks alone are decoded), in the order given."""
        n_sites = len(self.variants)  # decoded and counted, like the samples, before memory is taken for genotypes
        if samples is None:
            bits = np.empty((2 * len(self.samples), row_bytes(n_sites)), dtype=np.uint8)
            with progress.task("Decoding", self.n_blocks) as advance:
                for rows, block in self.blocks():
                    bits[rows] = block
                    advance()
            return self._panel(bits, range(self.manifest.n_samples))
        place = {name: person for person, name in enumerate(self.samples)}
        absent = [name for name in samples if name not in place]
        if absent:
            raise HaploomError(
                f"{self.path} has no sample {absent[0]} ({len(absent)} of {len(samples)} wanted are absent)"
            )
        people = [place[name] for name in samples]
        bits = np.empty((2 * len(people), row_bytes(n_sites)), dtype=np.uint8)
        wanted_rows = np.array([row for person in people for row in (2 * person, 2 * person + 1)], dtype=np.int64)
        needed = sorted({int(row) // self.manifest.rows_per_block for row in wanted_rows})
        for rows, block in self.blocks(needed):
            here = (wanted_rows >= rows.start) & (wanted_rows < rows.stop)
            bits[here] = block[wanted_rows[here] - rows.start]
        return self._panel(bits, people)

    def verify(self) -> None:
        """Decode everything and compare every checksum. Raises CorruptArchiveError at the first that differs."""
        _ = self.samples
        if self.variants.fingerprint() != self.manifest.site_fingerprint:
            raise CorruptArchiveError(f"{self.path} is damaged: its sites do not have the fingerprint that was stored")
        if self.n_blocks != sum(name.startswith("genotypes/") for name in self.manifest.sections):
            raise self._damaged("manifest", "its blocks are not those of its people")
        digest = hashlib.sha256()
        with progress.task("Verifying", self.n_blocks) as advance:
            for _, bits in self.blocks():
                digest.update(bits.tobytes())
                advance()
        if digest.hexdigest() != self.manifest.alleles_sha256:
            raise CorruptArchiveError(f"{self.path} is damaged: its alleles do not have the SHA-256 that was stored")

    def describe(self) -> dict[str, Any]:
        """What `haploom inspect` prints: nothing is decoded."""
        manifest = self.manifest
        genotype_bytes = stored_bytes(manifest.sections, "genotypes")
        model = manifest.model
        blocks = [section.codec for name, section in manifest.sections.items() if name.startswith("genotypes/")]
        alleles = manifest.n_haplotypes * manifest.n_sites
        return {
            "format": manifest.format,
            "sites": manifest.n_sites,
            "samples": manifest.n_samples,
            "haplotypes": manifest.n_haplotypes,
            "total_bytes": self._container.total_bytes,
            "genotype_bytes": genotype_bytes,
            "variant_bytes": stored_bytes(manifest.sections, "sites"),
            "sample_bytes": stored_bytes(manifest.sections, "samples"),
            "model_bytes": model.stored_bytes if model else 0,
            "model_embedded": model.embedded if model else None,
            "model_sha256": model.sha256 if model else None,
            "bits_per_allele": 8 * genotype_bytes / alleles if alleles else None,
            "paper_counted_bytes": None if manifest.paper_size_bits is None else -(-manifest.paper_size_bits // 8),
            "blocks": {codec: blocks.count(codec) for codec in sorted(set(blocks))},
            "alleles_sha256": manifest.alleles_sha256,
            "site_fingerprint": manifest.site_fingerprint,
            "source_format": manifest.source_format,
            "not_kept": manifest.not_kept,
            "made_by": manifest.made_by,
        }

    @property
    def n_blocks(self) -> int:
        step = self.manifest.rows_per_block
        if self.manifest.n_haplotypes and not step:
            raise self._damaged("manifest", "blocks of 0 rows")
        return -(-self.manifest.n_haplotypes // step) if step else 0

    def _rows(self, block: int) -> slice:
        step = self.manifest.rows_per_block
        return slice(block * step, min((block + 1) * step, self.manifest.n_haplotypes))

    @cached_property
    def _decoders(self) -> dict[str, BlockDecoder]:
        used = {s.codec for name, s in self.manifest.sections.items() if name.startswith("genotypes/")}
        decoders: dict[str, BlockDecoder] = {PackedBits.codec_id: PackedBits(self.manifest.n_sites)}
        if LatentsAndResidual.codec_id in used:
            decoders[LatentsAndResidual.codec_id] = self._latents_and_residual()
        return decoders

    def _latents_and_residual(self) -> LatentsAndResidual:
        n_sites = self.manifest.n_sites
        sites = np.frombuffer(self._text("genotypes.sites"), dtype="<i8")
        packed = np.frombuffer(self._text("genotypes.majority"), dtype=np.uint8)
        if len(packed) != row_bytes(n_sites):
            raise self._damaged("genotypes.majority", f"it is not of {n_sites} sites")
        majority = unpack_rows(packed[None], n_sites)[0]
        try:
            network = IntegerNetwork.from_tensors(self._network_tensors())
        except ValueError as error:
            raise self._damaged("model", error) from error
        if len(sites) != network.n_outputs or not _are_columns(sites, n_sites):
            raise self._damaged("genotypes.sites", "they are not sites of this archive")
        return LatentsAndResidual(network, sites, majority)

    def _network_tensors(self) -> dict[str, np.ndarray]:
        reference = self.manifest.model
        if reference is None:
            raise self._damaged("model", "no model is named")
        if reference.embedded:
            try:
                return load_arrays(self._text("model"))
            except SafetensorError as error:
                raise self._damaged("model", error) from error
        if self._model_path is None:
            raise HaploomError(f"{self.path} needs its model, SHA-256 {reference.sha256}: give it with --model")
        found = file_sha256(self._model_path)
        if found != reference.sha256:
            raise HaploomError(
                f"{self._model_path} is not the model of {self.path}: its SHA-256 is {found}, wanted {reference.sha256}"
            )
        return read_model(self._model_path).group("exact")

    def _text(self, name: str) -> bytes:
        """A zstd section, decoded and checked."""
        section = self._container.section(name)
        try:
            decoded = zstd_decompress(self._container.stored(name), section.decoded_bytes)
        except (ValueError, MemoryError) as error:  # a frame that claims to be larger than memory is damaged too
            raise self._damaged(name, error) from error
        self._container.check(name, decoded)
        return decoded

    def _panel(self, bits: np.ndarray, people: Sequence[int]) -> Panel:
        chosen = np.array(people, dtype=np.int64)
        populations = {level: labels[chosen] for level, labels in self.populations.items()}
        return Panel(bits, self.variants, tuple(self.samples[person] for person in people), populations)

    def _damaged(self, section: str, why: object) -> CorruptArchiveError:
        return CorruptArchiveError(f"{self.path} is damaged: {section}: {why}")


def _are_columns(sites: np.ndarray, n_sites: int) -> bool:
    return len(np.unique(sites)) == len(sites) and bool(((sites >= 0) & (sites < n_sites)).all())


def open_archive(path: Path, model: Path | None = None) -> Archive:
    """Open an archive for reading. `model` is needed where the archive refers to a model it does not hold."""
    return Archive(path, model)
