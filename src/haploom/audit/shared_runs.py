"""The longest stretch that a haplotype shares, site for site, with any one haplotype of another set.

All sets pass through one positional Burrows-Wheeler transform: in its order, the haplotypes that agree longest up to a
site stand side by side, so that each is compared with its neighbours alone. Time grows with sites x haplotypes.
Source: Durbin 2014, Bioinformatics 30:1266.
"""

from collections.abc import Sequence

import numpy as np

from haploom.entropy_coding.pbwt import advance
from haploom.kernels import kernel
from haploom.panel import Panel
from haploom.popgen.site_bits import SiteBits

_SITES_AT_ONCE = 4096


def longest_shared_runs(panels: Sequence[Panel], position: np.ndarray) -> np.ndarray:
    """Length of the longest run of equal alleles of each haplotype with any haplotype of each panel.

    panels: at the same sites. position: float64 (n_sites,), never decreasing within a contig; a run is as long as its
    last site is from its first (0 where no site agrees). Returns float64 (n_haplotypes of all panels, n_panels), in
    the unit of position; with its own panel, other haplotypes than itself.
    """
    variants = panels[0].variants
    n = sum(panel.n_haplotypes for panel in panels)
    panel_of = np.repeat(np.arange(len(panels)), [panel.n_haplotypes for panel in panels])
    longest = np.zeros((n, len(panels)))
    starts = np.flatnonzero(np.append(True, variants.chrom[1:] != variants.chrom[:-1]))
    for first, last in zip(starts.tolist(), [*starts[1:].tolist(), len(variants)]):
        order, start, scratch = np.arange(n, dtype=np.int32), np.zeros(n, np.int32), np.zeros((2, n), np.int32)
        for place in range(first, last, _SITES_AT_ONCE):
            here = slice(place, min(place + _SITES_AT_ONCE, last))
            alleles = np.concatenate([_by_site(panel, here) for panel in panels], axis=1)
            _sweep(alleles, place - first, position[first:last], panel_of, order, start, scratch, longest)
    return longest


def _by_site(panel: Panel, sites: slice) -> np.ndarray:
    """Alleles of some sites: uint8 (n_sites, n_haplotypes)."""
    words = SiteBits.of(panel, np.arange(panel.n_haplotypes), sites).words
    return np.unpackbits(words.view(np.uint8), axis=1, count=panel.n_haplotypes, bitorder="little")


@kernel
def _sweep(
    alleles: np.ndarray, first_site: int, position: np.ndarray, panel_of: np.ndarray, order: np.ndarray,
    start: np.ndarray, scratch: np.ndarray, longest: np.ndarray,
) -> None:  # fmt: skip
    """Pass some sites of a contig. Two neighbours in the order agree from the greatest `start` between them on."""
    n = order.size
    n_panels = longest.shape[1]
    agree = np.zeros(n_panels, dtype=np.int64)
    for row in range(alleles.shape[0]):
        site = first_site + row
        advance(order, start, alleles[row], site, scratch)
        for p in range(n_panels):
            agree[p] = site + 1  # nobody of that panel yet
        for i in range(n):
            haplotype = order[i]
            for p in range(n_panels):
                agree[p] = max(agree[p], start[i])
                if agree[p] <= site:
                    longest[haplotype, p] = max(longest[haplotype, p], position[site] - position[agree[p]])
            agree[panel_of[haplotype]] = 0
        for p in range(n_panels):
            agree[p] = site + 1
        for i in range(n - 1, -1, -1):
            haplotype = order[i]
            if i + 1 < n:
                for p in range(n_panels):
                    agree[p] = max(agree[p], start[i + 1])
                    if agree[p] <= site:
                        longest[haplotype, p] = max(longest[haplotype, p], position[site] - position[agree[p]])
            agree[panel_of[haplotype]] = 0
