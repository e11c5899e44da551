"""The sites of a model in other genotypes: which are there, and how their alleles are written.

Takes the sites of two panels; never looks at genotypes to decide. No files.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from haploom.errors import SiteMismatchError
from haploom.panel.bits import pack_rows, row_blocks, select_columns
from haploom.panel.builds import other_build
from haploom.panel.dosages import MISSING, DosagePanel
from haploom.panel.haplotypes import Panel
from haploom.panel.variants import STRING, Variants, matching_contig

MIN_COVERAGE = 0.5  # of the wanted sites
# How often, beside the usual reading of plain sites, another one may be met before it counts as one of this file's.
RARE = 0.01
_OTHER_STRAND = {"A": "T", "C": "G", "G": "C", "T": "A"}


class Reading(IntEnum):
    """How a wanted site is written in the genotypes at hand."""

    ABSENT = 0
    AMBIGUOUS = 1  # there, but it cannot be told whether its alleles are swapped: taken as absent
    EXACT = 2
    SWAPPED = 3  # reference and alternate exchanged
    STRAND = 4  # both alleles read on the other strand
    STRAND_SWAPPED = 5


@dataclass(frozen=True, eq=False, repr=False)
class SiteMatch:
    """Where each wanted site is among others, and how it is written there; see `match_sites`.

    wanted: the sites looked for, on contigs named as `here` names them. here: the sites looked among.
    columns: int64 (n_wanted,), the site's index in `here`; -1 where it is absent or ambiguous. No index comes twice.
    readings: uint8 (n_wanted,), values of `Reading`.
    """

    wanted: Variants
    here: Variants
    columns: np.ndarray
    readings: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """Sites that can be used: bool (n_wanted,)."""
        return self.columns >= 0

    @property
    def flipped(self) -> np.ndarray:
        """Sites whose alternate allele is the wanted reference: bool (n_wanted,). Their alleles are 1 - allele."""
        return (self.readings == Reading.SWAPPED) | (self.readings == Reading.STRAND_SWAPPED)

    @property
    def coverage(self) -> float:
        """Share of the wanted sites that can be used, in [0, 1]; NaN where none is wanted."""
        return float(self.found.mean()) if len(self.columns) else float("nan")

    def count(self, *readings: Reading) -> int:
        """Wanted sites read in one of these ways."""
        return int(np.isin(self.readings, readings).sum())

    def __repr__(self) -> str:
        return f"SiteMatch({self.report()})"

    def report(self) -> str:
        """What was found and what was not, in a few sentences of one line."""
        n_wanted, n_found = len(self.columns), int(self.found.sum())
        ways = {
            "as they are": self.count(Reading.EXACT),
            "with reference and alternate swapped (recoded)": self.count(Reading.SWAPPED),
            "on the other strand (recoded)": self.count(Reading.STRAND, Reading.STRAND_SWAPPED),
        }
        share = f" ({100 * self.coverage:.1f} %)" if n_wanted else ""
        told = [f"{n_found:,} of the model's {n_wanted:,} sites{share} are among the {len(self.here):,} here"]
        if n_found:
            told[0] += ": " + ", ".join(f"{count:,} {way}" for way, count in ways.items() if count)
        for reading, why in (
            (Reading.AMBIGUOUS, "not used, as their strand or swap cannot be told"),
            (Reading.ABSENT, "absent"),
        ):
            if count := self.count(reading):
                told.append(f"{count:,} are {why} (the first: {self._first_keys(reading)})")
        return ". ".join([*told, *self._hints()]) + "."

    def require(self, min_coverage: float = MIN_COVERAGE) -> None:
        """Raise SiteMismatchError when fewer of the wanted sites can be used than this share, or none at all."""
        n_found, n_wanted = int(self.found.sum()), len(self.columns)
        if 0 < n_found >= min_coverage * n_wanted:
            return
        least = "all" if min_coverage >= 1 else f"at least {100 * min_coverage:g} %"
        accept = ", or accept fewer with --min-coverage" if n_found and min_coverage < 1 else ""
        raise SiteMismatchError(
            f"{self.report()} Wanted {least} of the model's sites: use a file of the same sites, build and alleles, "
            f"or train a model on these{accept}."
        )

    def _first_keys(self, reading: Reading) -> str:
        return ", ".join(self.wanted.select(np.flatnonzero(self.readings == reading)[:3]).site_keys())

    def _hints(self) -> Iterator[str]:
        """What may be wrong, where sites are absent."""
        absent = self.readings == Reading.ABSENT
        if not absent.any() or not len(self.here):
            return
        contigs, contigs_here = self.wanted.contigs(), self.here.contigs()
        if not set(contigs) & set(contigs_here):
            yield f"The model is of contig {_some(contigs)}, these sites are of {_some(contigs_here)}"
            return
        if self.coverage < MIN_COVERAGE and (named := list(other_build(self.wanted, self.here))):
            yield from named
            return
        same_place = _at_places_of(self.wanted, self.here)
        if not same_place.any():
            yield (
                f"No position is shared: the model has {self.wanted.extent()}, these are {self.here.extent()}. "
                "Another genome build, or other sites"
            )
            return
        other_alleles = absent & same_place
        if n_other := int(other_alleles.sum()):
            first = int(np.argmax(other_alleles))
            there = self.here.position_bp == self.wanted.position_bp[first]
            there &= self.here.chrom == self.wanted.chrom[first]
            beside = self.here.select(np.flatnonzero(there)[:1]).site_keys()[0]
            yield f"At {n_other:,} of the absent sites stand other alleles (such as {beside})" + (
                ", as in another genome build" if 10 * n_other > same_place.sum() else ""
            )


def match_sites(wanted: Variants, here: Variants) -> SiteMatch:
    """Find a model's sites by contig, position and alleles, however the alleles are written.

    `chr22` is `22`. A site is first looked for as it is, then with reference and alternate swapped, then (single bases)
    on the other strand, then both. Each site of `here` is taken once; sites that repeat are matched first to first.

    Two kinds of site are taken only where the plain ones (neither kind) show how the file is written, else they are
    AMBIGUOUS. A/T and C/G SNPs look alike swapped and on the other strand, so they are never read on the other strand,
    and not used where more than RARE of the plain sites need the reading they would be confused with. A swapped indel
    may be another variant of the same reference (an insertion, not a deletion), so it is not used where plain sites are
    not swapped.
    """
    wanted = named_alike(wanted, here.contigs())
    columns = np.full(len(wanted), -1, dtype=np.int64)
    readings = np.zeros(len(wanted), dtype=np.uint8)
    keys = list(zip(*(each.tolist() for each in (wanted.chrom, wanted.position_bp, wanted.ref, wanted.alt))))

    unused: dict[tuple, list[int]] = {}
    near = np.flatnonzero(np.isin(here.position_bp, wanted.position_bp))[::-1]
    alleles = (here.chrom, here.position_bp, here.ref, here.alt)
    for column, key in zip(near.tolist(), zip(*(each[near].tolist() for each in alleles))):
        unused.setdefault(key, []).append(column)

    for reading in (Reading.EXACT, Reading.SWAPPED, Reading.STRAND, Reading.STRAND_SWAPPED):
        for site in np.flatnonzero(columns < 0).tolist():
            if (written := _written(keys[site], reading)) and (stack := unused.get(written)):
                columns[site], readings[site] = stack.pop(), reading

    ambiguous = _ambiguous(wanted, readings)
    columns[ambiguous], readings[ambiguous] = -1, Reading.AMBIGUOUS
    return SiteMatch(wanted, here, columns, readings)


def _written(key: tuple, reading: Reading) -> tuple | None:
    """A site's key as it would be written; None for a strand that has no other reading of its own."""
    chrom, position, ref, alt = key
    if reading in (Reading.STRAND, Reading.STRAND_SWAPPED):
        if ref not in _OTHER_STRAND or alt not in _OTHER_STRAND or _OTHER_STRAND[ref] == alt:
            return None
        ref, alt = _OTHER_STRAND[ref], _OTHER_STRAND[alt]
    if reading in (Reading.SWAPPED, Reading.STRAND_SWAPPED):
        ref, alt = alt, ref
    return chrom, position, ref, alt


def _ambiguous(wanted: Variants, readings: np.ndarray) -> np.ndarray:
    """Sites matched in a way that could as well be another: bool (n_wanted,). The rules are those of `match_sites`."""
    pairs = zip(wanted.ref.tolist(), wanted.alt.tolist())
    palindromic = np.array([_OTHER_STRAND.get(ref) == alt for ref, alt in pairs], dtype=bool)
    indel = np.strings.str_len(wanted.ref) != np.strings.str_len(wanted.alt)
    plain = np.bincount(readings[~palindromic & ~indel], minlength=len(Reading))
    exact, swapped = readings == Reading.EXACT, readings == Reading.SWAPPED
    out = np.zeros(len(readings), dtype=bool)
    if plain[Reading.STRAND_SWAPPED] > RARE * plain[Reading.EXACT]:
        out |= palindromic & exact
    if plain[Reading.STRAND] > RARE * plain[Reading.SWAPPED]:
        out |= palindromic & swapped
    if plain[Reading.SWAPPED] < RARE * plain[Reading.EXACT]:
        out |= indel & swapped
    return out


def named_alike(sites: Variants, contigs: list[str]) -> Variants:
    """The same sites on contigs named as in `contigs`, where those differ by a `chr` alone."""
    names = {own: matching_contig(own, contigs) for own in sites.contigs()}
    if all(own == name for own, name in names.items()):
        return sites
    return replace(sites, chrom=np.array([names[own] for own in sites.chrom.tolist()], dtype=STRING))


def matched_panel(panel: Panel, match: SiteMatch) -> Panel:
    """The wanted sites of a panel that has them all, recoded to the wanted alleles; on `match.wanted`.

    Raises SiteMismatchError when one cannot be used: haplotypes have no missing calls (`MatchedRows` has).
    """
    match.require(1)
    bits = select_columns(panel.bits, panel.n_sites, match.columns)
    bits ^= pack_rows(match.flipped[None])
    return replace(panel, bits=bits, variants=match.wanted)


class MatchedRows:
    """Genotypes at a model's sites, a block of rows at a time, with what is missing.

    Rows are haplotypes of a Panel (`ploidy` 1) or people of a DosagePanel (`ploidy` 2). variants: the wanted sites,
    on contigs as the genotypes name them. found: bool (n_sites,), which of them the genotypes have.
    """

    def __init__(self, panel: Panel | DosagePanel, match: SiteMatch) -> None:
        self._panel = panel
        self.found = match.found
        self._columns = match.columns[self.found]
        self._flipped = match.flipped[self.found]
        self._as_is = (
            bool(match.found.all())
            and np.array_equal(match.columns, np.arange(panel.n_sites))
            and not self._flipped.any()
        )
        self.ploidy = 1 if isinstance(panel, Panel) else 2
        self.n_rows = panel.n_haplotypes if isinstance(panel, Panel) else panel.n_samples
        self.n_sites = len(match.columns)
        self.variants = match.wanted

    def rows(self, rows: slice | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(counts, called) of some rows.

        counts: uint8 (n, n_sites), alternate alleles as the model counts them, 0 to `ploidy`; 0 where not called.
        called: bool, (n_sites,) for haplotypes, (n, n_sites) for people: it broadcasts against `counts`.
        """
        if isinstance(self._panel, Panel):
            if self._as_is:
                return self._panel.alleles(rows), self.found
            here = self._panel.alleles(rows)[:, self._columns]
            there = np.True_
            called = self.found
        elif self._as_is:
            here = self._panel.dosages[rows]
            there = here != MISSING
            return (here * there).view(np.uint8), there
        else:
            here = self._panel.dosages[rows][:, self._columns]
            there = here != MISSING
            called = np.zeros((len(here), self.n_sites), dtype=bool)
            called[:, self.found] = there
        counts = np.zeros((len(here), self.n_sites), dtype=np.uint8)
        counts[:, self.found] = np.where(self._flipped, self.ploidy - here, here) * there
        return counts, called

    def blocks(self) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """All rows as (rows, counts, called) in blocks of bounded memory."""
        for rows in row_blocks(self.n_rows, max(self.n_sites, self._panel.n_sites)):
            yield rows, *self.rows(rows)


def _at_places_of(sites: Variants, others: Variants) -> np.ndarray:
    """Whether another site, whatever its alleles, stands at the contig and position of each: bool (len(sites),)."""
    out = np.zeros(len(sites), dtype=bool)
    for contig in sites.contigs():
        own = sites.chrom == contig
        out[own] = np.isin(sites.position_bp[own], others.position_bp[others.chrom == contig])
    return out


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
