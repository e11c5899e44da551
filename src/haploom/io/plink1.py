"""PLINK 1: unphased genotypes in .bed, sites in .bim, people in .fam.

Alleles: A2 (the last column of the .bim) is REF and A1 is ALT, as plink2 reads and writes them. plink 1.9 sets
A1 to the rarer allele unless told `--keep-allele-order`, so REF of such a file need not be the reference's.
An allele `0` is unknown: ALT `.`, REF `N`. Source: PLINK 1.9's file format page.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from haploom import progress
from haploom.errors import FormatError
from haploom.io import plink_text
from haploom.io.extras import load
from haploom.io.output import atomic_output
from haploom.io.site_tables import Calls, SiteTable, checked_variants
from haploom.panel import DosagePanel, Panel
from haploom.panel.dosages import MISSING

_MAGIC = b"\x6c\x1b\x01"
_BED_READER_MISSING = -127
_NOT_SITE_MAJOR = "is person-major, an old layout: turn it with `plink1.9 --bfile ... --make-bed`"
_UNKNOWN_ALLELE = "0"
# A .bed code of two bits by dosage + 1 of A1: missing, none, one, two. Four people a byte, the first the lowest bits.
_CODES = np.array([0b01, 0b11, 0b10, 0b00], dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class _BedTable(SiteTable):
    bed: Any
    female: np.ndarray  # bool (n_samples,)

    never_phased: ClassVar[str] = (
        "is PLINK 1, which does not say which allele is on which haplotype: give the phased VCF or .pgen, "
        "or keep dosages without phase with `haploom convert --unphased`"
    )

    def check_chosen(self, sites: np.ndarray, people: np.ndarray) -> None:
        super().check_chosen(sites, people)
        all_female = bool(self.female[people].all())
        site = plink_text.first_not_diploid(self.variants.chrom, sites, all_female)
        if site is not None:
            raise self.site_error(site, plink_text.NOT_DIPLOID)

    def calls(self, sites: np.ndarray, people: np.ndarray) -> Calls:
        raise AssertionError("PLINK 1 has dosages only")

    def dosages(self, sites: np.ndarray, people: np.ndarray) -> np.ndarray:
        dosages = self.bed.read((people, sites), dtype="int8", order="C", num_threads=1)
        dosages[dosages == _BED_READER_MISSING] = MISSING
        return dosages


@contextmanager
def open_table(source: Path) -> Iterator[SiteTable]:
    """The data set whose .bed is `source`. Raises FormatError, MissingExtraError."""
    bed_reader = load("bed_reader", "bed-reader", "Reading PLINK 1 files")
    bim, fam = plink_text.beside(source, ".bim"), plink_text.beside(source, ".fam")
    people = [fields for _, fields in plink_text.rows_of(fam, 6)]
    samples = plink_text.sample_names(fam, [row[0] for row in people], [row[1] for row in people])
    rows = list(plink_text.rows_of(bim, 6))
    chrom, id_, alt, ref = ([fields[column] for _, fields in rows] for column in (0, 1, 4, 5))
    variants = checked_variants(
        bim,
        {
            "chrom": chrom,
            "position_bp": plink_text.positions_bp(bim, rows, 3),
            "id": id_,
            "ref": ["N" if allele == _UNKNOWN_ALLELE else allele for allele in ref],
            "alt": ["." if allele == _UNKNOWN_ALLELE else allele for allele in alt],
        },
        "sort with `plink1.9 --make-bed`",
    )
    _check_bed(source, len(samples), len(variants))
    female = np.array([row[4] == plink_text.FEMALE for row in people])
    with bed_reader.open_bed(source, iid_count=len(samples), sid_count=len(variants)) as bed:
        yield _BedTable(source, samples, variants, {}, bed, female)


def _check_bed(source: Path, n_people: int, n_sites: int) -> None:
    with open(source, "rb") as file:
        magic = file.read(len(_MAGIC))
    if magic != _MAGIC:
        raise FormatError(f"{source} {_NOT_SITE_MAJOR}")
    wanted, found = len(_MAGIC) + n_sites * -(-n_people // 4), source.stat().st_size
    if found != wanted:
        raise FormatError(
            f"{source} has {found:,} bytes, wanted {wanted:,} for the {n_people} people of its .fam and the {n_sites} "
            "sites of its .bim: do the three files belong together?"
        )


def write_plink1(panel: Panel | DosagePanel, path: Path, force: bool = False) -> None:
    """Write .bed, .bim and .fam; `path` names the .bed. Of haplotypes, their sums.

    A1 is ALT and A2 is REF; sexes, parents, phenotypes and centimorgans are unknown (0, -9).
    Raises HaploomError for names and chromosomes PLINK cannot hold, or when a file exists and not `force`.
    """
    variants = panel.variants
    plink_text.check_writable(variants, panel.samples, path)
    with ExitStack() as stack:
        bed, bim, fam = (
            stack.enter_context(atomic_output(path.with_suffix(suffix), force)) for suffix in (".bed", ".bim", ".fam")
        )
        fam.write_text("".join(f"0\t{name}\t0\t0\t0\t-9\n" for name in panel.samples))
        with open(bim, "w") as file:
            for chrom, position, id_, ref, alt in plink_text.site_columns(variants):
                a1 = _UNKNOWN_ALLELE if alt == "." else alt
                file.write(f"{chrom}\t{id_}\t0\t{position}\t{a1}\t{ref}\n")
        with open(bed, "wb") as file:
            file.write(_MAGIC)
            _write_calls(panel, file)


def _write_calls(panel: Panel | DosagePanel, file: Any) -> None:
    n_bytes = -(-panel.n_samples // 4)
    step = 8 * max(1, (1 << 19) // max(panel.n_samples, 1))
    with progress.task("Writing sites", total=panel.n_sites) as advance:
        for start in range(0, panel.n_sites, step):
            dosages = _dosages(panel, slice(start, min(start + step, panel.n_sites)))
            codes = np.zeros((len(dosages), 4 * n_bytes), dtype=np.uint8)  # people past the last are 0
            codes[:, : panel.n_samples] = _CODES[dosages + 1]
            quads = codes.reshape(len(dosages), n_bytes, 4)
            packed = quads[..., 0] | quads[..., 1] << 2 | quads[..., 2] << 4 | quads[..., 3] << 6
            file.write(packed.tobytes())
            advance(len(dosages))


def _dosages(panel: Panel | DosagePanel, sites: slice) -> np.ndarray:
    """int8 (n_sites, n_samples); sites begin at a whole byte."""
    if isinstance(panel, DosagePanel):
        return panel.dosages[:, sites].T
    packed = panel.bits[:, sites.start // 8 : -(-sites.stop // 8)]
    alleles = np.unpackbits(packed, axis=1, count=sites.stop - sites.start).view(np.int8)
    return (alleles[::2] + alleles[1::2]).T
