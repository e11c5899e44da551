"""Files whose people and sites are known before any call is read: PLINK 1 and 2, VCF Zarr, tskit.

A format says what its people and sites are and reads the calls of some sites of some people; choosing them,
refusing what a panel cannot hold and packing it is done here, for all of them alike.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from haploom import progress
from haploom.errors import FormatError
from haploom.io.call_problems import HAPLOID_CALL, MISSING_CALL, SEVERAL_ALTERNATES, UNPHASED_CALL
from haploom.io.selection import Selection
from haploom.io.site_blocks import BlockWidth
from haploom.panel import DosagePanel, Panel, Variants
from haploom.panel.bits import row_bytes
from haploom.panel.dosages import MISSING
from haploom.panel.windows import windows

NO_ALLELE = -2  # in `Calls`: the second allele of a haploid call
_BLOCK_BYTES = 1 << 24  # of alleles unpacked at a time


@dataclass(frozen=True)
class Calls:
    """Calls of some people at some sites.

    alleles: int8 (n_sites, n_people, 2): 0, 1, MISSING or NO_ALLELE.
    phased: bool (n_sites, n_people); None where all are.
    """

    alleles: np.ndarray
    phased: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class SiteTable(ABC):
    """An open file of genotypes.

    samples: names of its people. variants: its sites; `alt` lists several alternates with commas, as VCF does.
    populations: label levels, as in `Panel`.
    """

    source: Path
    samples: tuple[str, ...]
    variants: Variants
    populations: Mapping[str, np.ndarray]

    never_phased: ClassVar[str] = ""  # why, for formats that cannot say which allele is on which haplotype

    @abstractmethod
    def calls(self, sites: np.ndarray, people: np.ndarray) -> Calls:
        """Calls at `sites` (ascending) of `people` (in any order), both int64 places in the file."""

    def dosages(self, sites: np.ndarray, people: np.ndarray) -> np.ndarray:
        """int8 (n_people, n_sites): alternate alleles, MISSING for a call that is missing in whole or in half."""
        calls = self.calls(sites, people)
        self._refuse(calls.alleles == NO_ALLELE, HAPLOID_CALL, sites, people)
        counts = calls.alleles.sum(axis=2, dtype=np.int8)
        counts[(calls.alleles == MISSING).any(axis=2)] = MISSING
        return np.ascontiguousarray(counts.T)

    def check_chosen(self, sites: np.ndarray, people: np.ndarray) -> None:
        """Refuse chosen sites that this format cannot say enough about."""
        several = np.flatnonzero(np.strings.find(self.variants.alt[sites], ",") >= 0)
        if len(several):
            raise self.site_error(int(sites[several[0]]), SEVERAL_ALTERNATES)

    def site_error(self, site: int, problem: str) -> FormatError:
        """`problem` of a site, with where it is."""
        variants = self.variants
        alleles = f"{variants.ref[site]}>{variants.alt[site]}"
        return FormatError(f"{self.source}, {variants.chrom[site]}:{variants.position_bp[site]} {alleles} {problem}")

    def haplotype_bits(self, sites: np.ndarray, people: np.ndarray, advance: progress.Advance) -> np.ndarray:
        """uint8 (2 * n_people, row_bytes(n_sites)). Raises FormatError at a call that is no two phased alleles."""
        bits = np.empty((2 * len(people), row_bytes(len(sites))), dtype=np.uint8)
        for start, part in _parts(sites, 8 * max(1, _BLOCK_BYTES // (16 * len(people))), advance):
            calls = self.calls(part, people)
            alleles = calls.alleles
            if alleles.size and alleles.min() < 0:
                self._refuse(alleles == NO_ALLELE, HAPLOID_CALL, part, people)
                self._refuse(alleles < 0, MISSING_CALL, part, people)
            if calls.phased is not None:
                self._refuse(~calls.phased, UNPHASED_CALL, part, people)
            if alleles.size and alleles.max() > 1:
                self._refuse(alleles > 1, "has an allele the site does not have: the file is damaged", part, people)
            # Packed first and turned then: an eighth of the bytes to turn.
            packed = np.packbits(alleles.reshape(len(part), -1).view(np.uint8), axis=0)
            bits[:, start // 8 : row_bytes(start + len(part))] = packed.T
        return bits

    def all_dosages(self, sites: np.ndarray, people: np.ndarray, advance: progress.Advance) -> np.ndarray:
        """`dosages` of however many sites, read some at a time."""
        dosages = np.empty((len(people), len(sites)), dtype=np.int8)
        for start, part in _parts(sites, max(1, _BLOCK_BYTES // (2 * len(people))), advance):
            dosages[:, start : start + len(part)] = self.dosages(part, people)
        if dosages.size and dosages.max() > 2:
            person, site = np.argwhere(dosages > 2)[0]
            raise self.site_error(int(sites[site]), f"has {dosages[person, site]} alternate alleles in one person")
        return dosages

    def _refuse(self, wrong: np.ndarray, problem: str, sites: np.ndarray, people: np.ndarray) -> None:
        """Raise FormatError for the first call that is wrong; wrong: bool (n_sites, n_people[, 2])."""
        if wrong.any():
            site, person = np.argwhere(wrong)[0][:2]
            name = self.samples[people[person]]
            raise self.site_error(int(sites[site]), f"sample {name}: call {problem}")


def checked_variants(source: Path, variants: Mapping[str, object], remedy: str) -> Variants:
    """`Variants` of a file's columns. Raises FormatError with the remedy where they are out of order or odd."""
    try:
        return Variants(**variants)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise FormatError(f"{source}: {error}: {remedy}") from error


def table_panels(table: SiteTable, selection: Selection, width: BlockWidth) -> Iterator[Panel]:
    """The chosen people and sites, in blocks of sites; without the selection's last step."""
    if table.never_phased:
        raise FormatError(f"{table.source} {table.never_phased}")
    people, names, populations, blocks = _choose(table, selection, width)
    with progress.task("Reading sites", total=sum(map(len, blocks))) as advance:
        for sites in blocks:
            bits = table.haplotype_bits(sites, people, advance)
            yield Panel(bits, table.variants.select(sites), names, populations)


def table_dosages(table: SiteTable, selection: Selection, width: BlockWidth) -> Iterator[DosagePanel]:
    """Dosages of the chosen people and sites, in blocks of sites; without the selection's last step."""
    people, names, populations, blocks = _choose(table, selection, width)
    with progress.task("Reading sites", total=sum(map(len, blocks))) as advance:
        for sites in blocks:
            dosages = table.all_dosages(sites, people, advance)
            yield DosagePanel(dosages, table.variants.select(sites), names, populations)


def _choose(
    table: SiteTable, selection: Selection, width: BlockWidth
) -> tuple[np.ndarray, tuple[str, ...], dict[str, np.ndarray], list[np.ndarray]]:
    """Places and names of the chosen people, their labels, and places of the chosen sites in one block or more."""
    names = selection.people(table.samples)
    place_of = {name: place for place, name in enumerate(table.samples)}
    people = np.array([place_of[name] for name in names], dtype=np.int64)
    wanted = selection.site_filter()
    sites = np.flatnonzero(wanted.mask(table.variants))
    wanted.regions.check_contigs([*table.variants.contigs(), *table.variants.contig_length_bp], table.source)
    wanted.note_absent(len(sites), table.source)
    table.check_chosen(sites, people)
    blocks = [sites[part] for part in windows(len(sites), width(len(people)))] or [sites]
    return people, names, {level: labels[people] for level, labels in table.populations.items()}, blocks


def _parts(sites: np.ndarray, step: int, advance: progress.Advance) -> Iterator[tuple[int, np.ndarray]]:
    """So many sites at a time, and which is the first."""
    for part in windows(len(sites), step):
        yield part.start, sites[part]
        advance(part.stop - part.start)
