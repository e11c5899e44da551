"""Whether an archive holds what a file holds."""

import hashlib
from pathlib import Path

import numpy as np

from haploom.archive import Archive
from haploom.errors import CheckFailedError
from haploom.io import read_panel, source_format
from haploom.io.formats import BCF, VCF
from haploom.io.text_source import open_text


def verify_against(archive: Archive, source: Path, threads: int = 1) -> None:
    """Decode an archive and compare it with a file. Raises CheckFailedError at the first difference.

    An archive of VCF or BCF text is compared with such a file byte for byte; otherwise alleles, sites and
    samples are compared.
    """
    archive.verify(threads)
    kind = source_format(source)
    if kind in (VCF.name, BCF.name) and archive.manifest.source_format == kind:
        _compare_text(archive, source, kind)
    else:
        _compare_panels(archive, source)


def _compare_text(archive: Archive, source: Path, kind: str) -> None:
    digest = hashlib.sha256()
    with open_text(source, kind) as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    if digest.hexdigest() != archive.manifest.text_sha256:
        raise CheckFailedError(
            f"{archive.path} holds another text: {archive.manifest.text_bytes} bytes with SHA-256 "
            f"{archive.manifest.text_sha256}, wanted {stream.n_bytes} with {digest.hexdigest()}"
        )


def _compare_panels(archive: Archive, source: Path) -> None:
    held, wanted = archive.read(), read_panel(source)
    if held.samples != wanted.samples:
        raise CheckFailedError(
            f"{archive.path} holds {held.n_samples} samples that are not the {wanted.n_samples} wanted"
        )
    for name in ("chrom", "position_bp", "id", "ref", "alt"):
        if not np.array_equal(getattr(held.variants, name), getattr(wanted.variants, name)):
            raise CheckFailedError(f"{archive.path} holds other sites: column {name} differs")
    if not np.array_equal(held.bits, wanted.bits):
        raise CheckFailedError(f"{archive.path} holds other alleles")
