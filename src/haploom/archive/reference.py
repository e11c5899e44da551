"""A reference archive: a panel's own `.hlm`, beside whose haplotypes, sites and records those of others are stored."""

import hashlib
from collections import deque
from collections.abc import Sequence
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

import numpy as np

from haploom.archive.container import ReferenceArchive, Stretch
from haploom.errors import HaploomError
from haploom.io.model_file import file_sha256

if TYPE_CHECKING:
    from haploom.archive.blocks import StoredBlock
    from haploom.archive.reader import Archive

_BLOCKS_KEPT = 8  # decoded ones that nothing else uses


class Span(NamedTuple):
    """Records of one block of a reference, one after another."""

    block: int
    first: int
    n_records: int

    @property
    def records(self) -> slice:
        return slice(self.first, self.first + self.n_records)


class Reference:
    """An opened reference archive. Blocks are decoded when they are asked for, and kept while they are in use."""

    def __init__(self, archive: "Archive") -> None:
        """Raises HaploomError where there are no people in it, or it cannot be read alone."""
        about = archive.manifest
        if about.reference is not None or (about.model is not None and not about.model.embedded):
            raise HaploomError(
                f"{archive.path} cannot be a reference: it needs a model or a reference itself. Give an archive that "
                "is read alone"
            )
        if not about.n_samples:
            raise HaploomError(f"{archive.path} cannot be a reference: it holds no people")
        self.archive = archive
        self.n_haplotypes = 2 * about.n_samples
        self._lock = Lock()
        self._blocks: WeakValueDictionary[int, StoredBlock] = WeakValueDictionary()
        self._latest: deque[StoredBlock] = deque(maxlen=_BLOCKS_KEPT)

    @cached_property
    def about(self) -> ReferenceArchive:
        """What an archive that was stored beside this one says of it."""
        return ReferenceArchive(
            sha256=self.sha256,
            site_fingerprint=self.site_fingerprint,
            n_samples=self.archive.manifest.n_samples,
            n_bytes=self.archive.path.stat().st_size,
        )

    @cached_property
    def sha256(self) -> str:
        """Of the file (hex)."""
        return file_sha256(self.archive.path)

    @cached_property
    def site_fingerprint(self) -> str:
        """SHA-256 (hex) of the sites, as `Variants.fingerprint` makes it."""
        digest = hashlib.sha256()
        for number in range(len(self.archive.manifest.blocks)):
            keys = map(site_key, self.block(number).sites.to_list())
            digest.update(b"".join(key.replace(b"\t", b":") + b"\n" for key in keys))
        return digest.hexdigest()

    def check(self, wanted: ReferenceArchive, asked_by: object) -> None:
        """Raises HaploomError unless this is the reference that `asked_by` names."""
        found = self.sha256
        if found == wanted.sha256:
            return
        same = self.site_fingerprint == wanted.site_fingerprint
        raise HaploomError(
            f"{self.archive.path} is not the reference of {asked_by}: its SHA-256 is {found}, wanted {wanted.sha256}, "
            f"an archive of {wanted.n_samples:,} people ({'its sites are the same' if same else 'its sites differ'}). "
            "Give the very file it was stored beside"
        )

    def block(self, number: int) -> "StoredBlock":
        with self._lock:
            block = self._blocks.get(number)
            if block is None:
                block = self._blocks[number] = self.archive.block(number)
            if block not in self._latest:
                self._latest.append(block)
        return block

    def overlapping(self, stretches: Sequence[Stretch]) -> list[int]:
        """Numbers of the blocks that can hold a site of these stretches."""
        return [
            number
            for number, block in enumerate(self.archive.manifest.blocks)
            if any(
                mine.contig == wanted.contig and mine.start_bp <= wanted.end_bp and wanted.start_bp <= mine.end_bp
                for mine in block.stretches
                for wanted in stretches
            )
        ]

    def alleles(self, span: Span) -> np.ndarray:
        """uint8 (span.n_records, n_haplotypes) of 0 and 1."""
        return np.unpackbits(self.block(span.block).bits[span.records], axis=1, count=self.n_haplotypes)


def site_key(line: bytes) -> bytes:
    """What makes a site the same in two files: CHROM POS REF ALT of a line of CHROM POS ID REF ALT."""
    chrom, position, _, ref, alt = line.split(b"\t")
    return b"\t".join((chrom, position, ref, alt))
