"""From a panel to a `.hlm` file."""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as save_arrays

from haploom import progress, provenance
from haploom.archive import Archive
from haploom.archive.codecs import ZSTD_ID, LatentsAndResidual, PackedBits, zstd_compress
from haploom.archive.columns import samples_to_bytes, sites_to_bytes
from haploom.archive.container import Manifest, ModelReference, SectionsWriter
from haploom.errors import CheckFailedError, HaploomError
from haploom.exact import IntegerNetwork
from haploom.io.model_file import file_sha256, model_columns, read_model
from haploom.io.output import atomic_output
from haploom.panel import Panel
from haploom.panel.bits import pack_rows, select_columns

CODECS = ("auto", "vae+rle", "zstd")
ALLELES_PER_BLOCK = 1 << 25
MOST_ROWS_PER_BLOCK = 1024


def compress_panel(
    panel: Panel,
    output: Path,
    *,
    codec: str = "auto",
    model: Path | None = None,
    embed_model: bool = True,
    verify: bool = True,
    force: bool = False,
    source_format: str = "panel",
    not_kept: Sequence[str] = (),
) -> dict[str, Any]:
    """Store a panel without loss; returns what `Archive.describe` says of the archive, and `verified`.

    codec: "zstd" (bit-packed rows), "vae+rle" (the paper's: latents and run lengths of the residual), or
    "auto", which takes the model only where it makes the archive smaller, its own bytes counted.
    embed_model: put the model's integer decoder into the archive; otherwise the archive refers to the model
    file by its SHA-256, and reading needs that file.
    verify: decode the finished archive and compare it with the panel before it gets its name.

    Raises HaploomError when the codec needs a model and none is given, SiteMismatchError when the model has
    sites the panel does not have.
    """
    if codec not in CODECS:
        raise HaploomError(f"unknown codec {codec!r}: wanted one of {', '.join(CODECS)}")
    if codec == "vae+rle" and model is None:
        raise HaploomError("codec vae+rle needs a model: train one with `haploom train` and give it with --model")
    rows_per_block = int(np.clip(ALLELES_PER_BLOCK // max(panel.n_sites, 1), 2, MOST_ROWS_PER_BLOCK))
    blocks = [panel.bits[start : start + rows_per_block] for start in range(0, panel.n_haplotypes, rows_per_block)]
    plain = _encode_plain(panel, blocks) if codec != "vae+rle" else None
    neural = _encode_neural(panel, blocks, model, embed_model) if model is not None and codec != "zstd" else None
    chosen = _smallest(plain, neural)

    writer = SectionsWriter()
    _ZstdSection.of(samples_to_bytes(panel.samples, panel.populations)).add_to(writer, "samples")
    _ZstdSection.of(sites_to_bytes(panel.variants)).add_to(writer, "sites")
    for name, section in chosen.shared.items():
        section.add_to(writer, name)
    digest = hashlib.sha256()
    for place, (bits, block) in enumerate(zip(blocks, chosen.blocks)):
        writer.add(f"genotypes/{place}", block.codec, block.stored, bits.tobytes())
        digest.update(bits.tobytes())
    manifest = Manifest(
        requires=sorted({section.codec for section in writer.sections.values()}),
        n_sites=panel.n_sites,
        n_samples=panel.n_samples,
        contig_length_bp=dict(panel.variants.contig_length_bp),
        rows_per_block=rows_per_block,
        alleles_sha256=digest.hexdigest(),
        site_fingerprint=panel.variants.fingerprint(),
        source_format=source_format,
        not_kept=list(not_kept),
        model=chosen.model,
        paper_size_bits=chosen.paper_size_bits,
        made_by=provenance.record(),
        sections=writer.sections,
    )
    with atomic_output(output, force) as partial:
        writer.write(partial, manifest)
        if verify:
            verify_against(Archive(partial, model), panel)
    return {**Archive(output, model).describe(), "verified": verify}


def verify_against(archive: Archive, panel: Panel) -> None:
    """Decode an archive and compare it with a panel. Raises CheckFailedError at the first difference."""
    archive.verify()
    if archive.samples != panel.samples:
        pairs = itertools.zip_longest(archive.samples, panel.samples, fillvalue="nobody")
        place, (held, wanted) = next((place, pair) for place, pair in enumerate(pairs) if pair[0] != pair[1])
        raise CheckFailedError(
            f"{archive.path} holds other samples ({len(archive.samples)}, wanted {panel.n_samples}): "
            f"number {place + 1} is {held}, wanted {wanted}"
        )
    for name in ("chrom", "position_bp", "id", "ref", "alt"):
        if not np.array_equal(getattr(archive.variants, name), getattr(panel.variants, name)):
            raise CheckFailedError(f"{archive.path} holds other sites: column {name} differs")
    for rows, bits in archive.blocks():
        if not np.array_equal(bits, panel.bits[rows]):
            raise CheckFailedError(f"{archive.path} holds other alleles in haplotypes {rows.start} to {rows.stop - 1}")


@dataclass(frozen=True)
class _Block:
    codec: str
    stored: bytes


@dataclass(frozen=True)
class _ZstdSection:
    """Bytes that all blocks share, compressed once."""

    stored: bytes
    decoded: bytes

    @classmethod
    def of(cls, data: bytes) -> "_ZstdSection":
        return cls(zstd_compress(data), data)

    def add_to(self, writer: SectionsWriter, name: str) -> None:
        writer.add(name, ZSTD_ID, self.stored, self.decoded)


@dataclass(frozen=True)
class _Encoded:
    """All blocks of a panel under one codec, and what they need besides: sections all blocks share, and a model."""

    blocks: list[_Block]
    shared: dict[str, _ZstdSection]
    model: ModelReference | None
    paper_size_bits: int | None

    @property
    def n_bytes(self) -> int:
        """Bytes to store, those of a model included, whether it is embedded or referred to."""
        referred = self.model.stored_bytes if self.model and not self.model.embedded else 0
        shared = sum(len(section.stored) for section in self.shared.values())
        return sum(len(block.stored) for block in self.blocks) + shared + referred


def _smallest(plain: _Encoded | None, neural: _Encoded | None) -> _Encoded:
    """The only one there is; of two, block by block the smaller, if that wins back what the model costs."""
    if plain is None or neural is None:
        only = plain or neural
        assert only is not None
        return only
    best = [min(pair, key=lambda block: len(block.stored)) for pair in zip(plain.blocks, neural.blocks)]
    mixed = _Encoded(best, neural.shared, neural.model, None)
    return mixed if mixed.n_bytes < plain.n_bytes else plain


def _encode_plain(panel: Panel, blocks: Sequence[np.ndarray]) -> _Encoded:
    codec = PackedBits(panel.n_sites)
    with progress.task("Compressing (zstd)", len(blocks)) as advance:
        encoded = []
        for bits in blocks:
            encoded.append(_Block(codec.codec_id, codec.encode(bits)))
            advance()
    return _Encoded(encoded, {}, None, None)


def _encode_neural(panel: Panel, blocks: Sequence[np.ndarray], path: Path, embed: bool) -> _Encoded:
    from haploom.models.encoder import encode_means, load_vae  # loads torch

    model = read_model(path)
    sites = model_columns(panel.variants, model)
    network = IntegerNetwork.from_tensors(model.group("exact"))
    majority = (2 * panel.allele_counts() > panel.n_haplotypes).astype(np.uint8)
    codec = LatentsAndResidual(network, sites, majority)
    vae = load_vae(model)
    encoded, paper_bits = [], 0
    with progress.task("Compressing (vae+rle)", len(blocks)) as advance:
        for bits in blocks:
            latents = encode_means(vae, select_columns(bits, panel.n_sites, sites))
            stored, size_bits = codec.encode(bits, latents)
            encoded.append(_Block(codec.codec_id, stored))
            paper_bits += size_bits
            advance()
    decoder = _ZstdSection.of(save_arrays(network.to_tensors()))
    shared = {
        "genotypes.sites": _ZstdSection.of(sites.astype("<i8").tobytes()),
        "genotypes.majority": _ZstdSection.of(pack_rows(majority[None]).tobytes()),
    }
    if embed:
        shared["model"] = decoder
    reference = ModelReference(sha256=file_sha256(path), embedded=embed, stored_bytes=len(decoder.stored))
    return _Encoded(encoded, shared, reference, paper_bits)
