"""The core types: phased haplotypes (bit-packed), unphased dosages, their sites, people, labels and splits."""

from haploom.panel.dosages import MISSING, DosagePanel
from haploom.panel.genetic_map import GeneticMap
from haploom.panel.haplotypes import Panel
from haploom.panel.matching import MatchedRows, SiteMatch, match_sites
from haploom.panel.splits import PARTS, Split, split_people
from haploom.panel.variants import Variants
from haploom.panel.windows import windows

__all__ = [
    "MISSING", "PARTS", "DosagePanel", "GeneticMap", "MatchedRows", "Panel", "SiteMatch", "Split", "Variants",
    "match_sites", "split_people", "windows",
]  # fmt: skip
