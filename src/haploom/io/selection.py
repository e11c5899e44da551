"""What to take from a file of genotypes: regions, people, sites, common sites."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from haploom.errors import HaploomError
from haploom.io.populations import read_populations
from haploom.io.regions import Regions
from haploom.io.site_lists import SiteList, read_site_list
from haploom.io.split_files import read_split
from haploom.panel import DosagePanel, Panel, Variants

_Either = TypeVar("_Either", Panel, DosagePanel)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which sites and people to read. The default is everything.

    Applied in this order: regions, samples, part of the split, list of sites, and last the allele-frequency
    cut, on the people that are left.

    regions: "22", "22:100-200", "22:100" or "22:100-"; sites whose reference allele overlaps one.
    samples: names to keep, in this order; with exclude_samples, names to leave out.
    maf: keep sites whose minor-allele frequency is above this.
    sites: a table `chrom pos [ref alt]`, or a VCF whose sites are taken.
    split, part: a file of `haploom split` and the part of it to keep.
    populations: a table of labels, attached to the people. label: the level a command should use.

    Raises HaploomError when `split` and `part` are not given together, or `maf` is not from 0 to 0.5.
    """

    regions: tuple[str, ...] = ()
    samples: tuple[str, ...] | None = None
    exclude_samples: bool = False
    maf: float | None = None
    sites: Path | None = None
    split: Path | None = None
    part: str | None = None
    populations: Path | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        for name in ("sites", "split", "populations"):
            if (path := getattr(self, name)) is not None:
                object.__setattr__(self, name, Path(path))
        if isinstance(self.samples, str):
            raise TypeError(f"samples={self.samples!r} is one string: wanted names in a tuple")
        if self.maf is not None and not 0 <= self.maf <= 0.5:  # NaN, too
            raise HaploomError(f"a minor-allele frequency is from 0 to 0.5: {self.maf} cannot be what --maf asks for")
        if (self.split is None) != (self.part is None):
            raise HaploomError("a split file and the part of it to take go together: give both --split and --part")

    @property
    def chooses_people(self) -> bool:
        return self.samples is not None or self.split is not None

    @property
    def chooses_sites_by_content(self) -> bool:
        """Whether sites are chosen by more than where they are."""
        return self.maf is not None or self.sites is not None

    def people(self, samples: Sequence[str]) -> tuple[str, ...]:
        """Those of a file's people that are wanted, in the order wanted. Raises HaploomError for unknown names."""
        chosen = tuple(samples)
        if self.samples is not None:
            named = dict.fromkeys(self.samples)
            there = set(samples)
            if unknown := [name for name in named if name not in there]:
                shown = ", ".join(unknown[:3]) + (", ..." if len(unknown) > 3 else "")
                raise HaploomError(
                    f"{len(unknown)} of {len(named)} samples asked for are not among the {len(samples)} of the file: "
                    f"{shown}"
                )
            chosen = tuple(name for name in samples if name not in named) if self.exclude_samples else tuple(named)
        if self.split is not None and self.part is not None:
            chosen = tuple(read_split(self.split).samples(self.part, chosen))
        if not chosen:
            raise HaploomError(f"no sample is left of the {len(samples)} of the file: check -s and -S")
        return chosen

    def site_filter(self) -> "SiteFilter":
        """What decides on each site, before its genotypes are looked at."""
        return SiteFilter(Regions(self.regions), read_site_list(self.sites) if self.sites else None)

    def restrict(self, panel: Panel, source: Path) -> Panel:
        """The wanted sites of a panel whose people are chosen already, with labels and frequency cut.

        source: names the file in messages. Raises HaploomError for a region on a contig it does not have.
        """
        wanted = self.site_filter()
        if not wanted.takes_all:
            contigs = [*panel.variants.contigs(), *panel.variants.contig_length_bp]
            panel = panel.select_sites(wanted.mask(panel.variants))
            wanted.regions.check_contigs(contigs, source)
            wanted.note_absent(panel.n_sites, source)
        return self.finish(panel)

    def finish(self, panel: _Either) -> _Either:
        """What remains to be done once the chosen sites and people are read: labels, and the frequency cut."""
        if self.populations:
            panel = panel.with_populations(self.labels(panel))
        return panel if self.maf is None else panel.common(self.maf)

    def labels(self, panel: Panel | DosagePanel) -> Mapping[str, np.ndarray]:
        """The label levels of a panel's people, and those of the table. Raises HaploomError where it lacks one."""
        if self.populations is None:
            return panel.populations
        table = read_populations(self.populations)
        if self.label is not None:
            table.label_level(self.label)  # an unknown --label is told before hours of work
        return {**panel.populations, **table.columns_for(panel.samples)}


@dataclass(frozen=True)
class SiteFilter:
    """Regions and a list of sites; either may be absent."""

    regions: Regions
    listed: SiteList | None

    @property
    def takes_all(self) -> bool:
        return not self.regions and self.listed is None

    def mask(self, variants: Variants) -> np.ndarray:
        """bool (n_sites,): which sites are wanted."""
        chosen = np.ones(len(variants), dtype=bool)
        if self.regions:
            chosen[:] = False
            ends_bp = variants.position_bp + np.strings.str_len(variants.ref) - 1
            for contig in variants.contigs():
                on_contig = variants.chrom == contig
                chosen[on_contig] = self.regions.overlapping(
                    contig, variants.position_bp[on_contig], ends_bp[on_contig]
                )
        if self.listed is not None:
            columns = (variants.chrom, variants.position_bp, variants.ref, variants.alt)
            chosen &= self.listed.mask(*(column.tolist() for column in columns))
        return chosen

    def note_absent(self, n_found: int, source: Path) -> None:
        """Say so when fewer sites were found than listed."""
        if self.listed is not None and n_found < len(self.listed):
            logger.warning("%s has %d of the %d sites listed", source, n_found, len(self.listed))
