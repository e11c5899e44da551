"""Lists of sites to take: a table `chrom pos [ref alt]`, or the sites of a VCF."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from haploom.errors import FormatError
from haploom.io.tables import text_lines
from haploom.panel.variants import matching_contig

MAX_DIGITS = 18  # a position of more is refused

Alleles = tuple[str, str] | None  # None: whatever the alleles


class SiteList:
    """Sites by contig: {contig: {position: alleles wanted there}}."""

    def __init__(self, sites: dict[str, dict[int, set[Alleles]]]) -> None:
        self._sites = sites

    def __len__(self) -> int:
        return sum(len(alleles) for positions in self._sites.values() for alleles in positions.values())

    def mask(
        self, chrom: Sequence[str], position_bp: Sequence[int], ref: Sequence[str], alt: Sequence[str]
    ) -> np.ndarray:
        """bool (n,): which of these sites are listed. `chr22` in the list also means `22`."""
        of_contig: dict[str, dict[int, set[Alleles]]] = {
            name: self._sites.get(matching_contig(name, list(self._sites)), {}) for name in set(chrom)
        }
        listed = [
            (wanted := of_contig[contig].get(position)) is not None and (None in wanted or alleles in wanted)
            for contig, position, alleles in zip(chrom, position_bp, zip(ref, alt))
        ]
        return np.array(listed, dtype=bool)


def read_site_list(path: Path) -> SiteList:
    """Columns chrom, pos and, where alleles matter, ref and alt, separated by tabs or blanks; or a VCF.

    Lines that start with # are left aside, and a first line whose position is not a number is a header.
    Raises FormatError.
    """
    sites: dict[str, dict[int, set[Alleles]]] = {}
    is_vcf, first = False, True
    for number, text in text_lines(path):
        if text.startswith("#"):
            is_vcf = is_vcf or text.startswith("##fileformat=VCF")
            continue
        fields = text.split("\t", 5) if is_vcf else text.split()
        if is_vcf:
            fields = [*fields[:2], *fields[3:5]]
        if len(fields) < 2 or len(fields) == 3 or not fields[1].isdecimal():
            if first and not is_vcf and len(fields) > 1 and not fields[1].isdecimal():
                first = False
                continue
            raise FormatError(
                f"{path}, line {number}: wanted chrom and pos, or chrom, pos, ref and alt; found {text[:60]!r}"
            )
        first = False
        if len(fields[1]) > MAX_DIGITS:
            raise FormatError(
                f"{path}, line {number}: position {fields[1][:40]}... has {len(fields[1])} digits, "
                f"wanted at most {MAX_DIGITS}"
            )
        alleles = (fields[2], fields[3]) if len(fields) > 3 else None
        sites.setdefault(fields[0], {}).setdefault(int(fields[1]), set()).add(alleles)
    return SiteList(sites)
