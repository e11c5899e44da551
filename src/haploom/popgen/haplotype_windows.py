"""Distinct haplotypes in windows of neighbouring sites: their entropy, and how wide a window should be.

Takes bit-packed panels, returns arrays. All widths are counted in one pass over the sites: haplotypes are kept sorted
by what precedes a site (Durbin 2014, Bioinformatics 30:1266, algorithm 2), together with where each begins to match
the one above it, so those that are the same in a window stand together, whatever its width.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haploom import progress
from haploom.kernels import int64, kernel
from haploom.panel import Panel, windows
from haploom.panel import bits as packing
from haploom.popgen.site_bits import SiteBits

PAPER_WIDTHS = (50, 100, 500, 1000, 2500, 5000, 7500, 10_000)


@dataclass(frozen=True, eq=False)
class WindowCounts:
    """What the windows of one width hold; all arrays (n_windows,), windows in order, the last may be narrower.

    entropy_bits: float64, 0 (all haplotypes the same) to log2 of the number of haplotypes (all distinct).
    n_distinct: int64. diversity: float64, chance that two different haplotypes differ in the window (Nei 1987,
    eq. 8.4), 0 to 1, NaN with one haplotype.
    """

    width: int
    start: np.ndarray
    stop: np.ndarray
    entropy_bits: np.ndarray
    n_distinct: np.ndarray
    diversity: np.ndarray

    def mean_of_full(self, values: np.ndarray) -> float:
        """Mean over windows that have the full width; NaN when none has."""
        full = values[self.stop - self.start == self.width]
        return float(full.mean()) if len(full) else float("nan")


def haplotype_windows(panel: Panel, rows: np.ndarray, widths: Sequence[int] = PAPER_WIDTHS) -> dict[int, WindowCounts]:
    """Count the distinct haplotypes among `rows` in windows of each width (in sites), which do not overlap.

    Windows are those of `panel.windows`: they follow the sites, whatever their contig. Memory: one block of sites.
    Raises ValueError without haplotypes or for a width below 1.
    """
    n = len(rows)
    slices = {width: list(windows(panel.n_sites, width)) for width in widths}
    start = np.array([each.start for part in slices.values() for each in part], dtype=np.int64)
    stop = np.array([each.stop for part in slices.values() for each in part], dtype=np.int64)
    by_stop = np.argsort(stop, kind="stable")
    copies = np.arange(n + 1, dtype=np.float64)
    copies_bits = copies * np.log2(np.maximum(copies, 1))
    bits, squares, distinct = np.zeros(len(start)), np.zeros(len(start)), np.zeros(len(start), dtype=np.int64)

    order, match_start = np.arange(n), np.zeros(n, dtype=np.int64)
    step = max(1, packing.BLOCK_BYTES // max(n, 1))
    next_window = 0
    with progress.task("Counting distinct haplotypes", panel.n_sites) as advance:
        for first in range(0, panel.n_sites, step):
            words = SiteBits.of(panel, rows, slice(first, first + step)).words
            next_window = _count_distinct(
                words,
                first,
                order,
                match_start,
                start,
                stop,
                by_stop,
                next_window,
                copies_bits,
                bits,
                squares,
                distinct,
            )
            advance(len(words))

    entropy = np.maximum(np.log2(n) - bits / n, 0) if n else bits
    diversity = (1 - squares / n**2) * n / (n - 1) if n > 1 else np.full(len(start), np.nan)
    counts, done = {}, 0
    for width, part in slices.items():
        here = slice(done, done + len(part))
        counts[width] = WindowCounts(width, start[here], stop[here], entropy[here], distinct[here], diversity[here])
        done = here.stop
    return counts


def choose_window(widths: Sequence[int], mean_entropy_bits: Sequence[float]) -> int:
    """The paper's window: of the step with the largest (w_i+1 - w_i) (E_i+1 - E_i), the width w_i+1 it leads to.

    widths: rising; mean_entropy_bits: E, of windows of each width. The paper calls it the elbow, beyond which wider
    windows hold little more, but does not say which end of the step it takes; the upper one gives its 2,500 on 1000
    Genomes. Raises ValueError with fewer than two widths or widths that do not rise.

    Source: Geleta et al. 2026, Fig. 3.
    """
    steps = np.diff(widths)
    if len(steps) == 0 or (steps <= 0).any():
        raise ValueError(f"choosing a window needs two or more rising widths, got {list(widths)}")
    return int(widths[int(np.argmax(steps * np.diff(mean_entropy_bits))) + 1])


@kernel
def _count_distinct(
    words: np.ndarray, first: int, order: np.ndarray, match_start: np.ndarray, start: np.ndarray, stop: np.ndarray,
    by_stop: np.ndarray, next_window: int, copies_bits: np.ndarray, bits: np.ndarray, squares: np.ndarray,
    distinct: np.ndarray,
) -> int:  # fmt: skip
    """Go over the sites of `words`, which begin at site `first`, and count in every window that ends among them.

    order, match_start: int64 (n,), the sorted haplotypes and the site from which each matches the one above it, kept
    from call to call. Of window w: bits[w] = sum of c log2 c over distinct haplotypes of c copies, squares[w] of c^2.
    """
    n = order.size
    ones, ones_start = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    for place in range(words.shape[0]):
        site = first + place
        since_0 = since_1 = site + 1  # nobody is above the first of either allele
        n_0 = n_1 = int64(0)
        for i in range(n):
            h = order[i]
            since_0 = max(since_0, match_start[i])
            since_1 = max(since_1, match_start[i])
            if (words[place, h >> 6] >> np.uint64(h & 63)) & np.uint64(1):
                ones[n_1] = h
                ones_start[n_1] = since_1
                since_1 = int64(0)
                n_1 += 1
            else:  # never ahead of what is read
                order[n_0] = h
                match_start[n_0] = since_0
                since_0 = int64(0)
                n_0 += 1
        for i in range(n_1):
            order[n_0 + i] = ones[i]
            match_start[n_0 + i] = ones_start[i]

        while next_window < by_stop.size and stop[by_stop[next_window]] == site + 1:
            w = by_stop[next_window]
            copies = int64(0)
            for i in range(n):
                if match_start[i] > start[w] and copies > 0:
                    bits[w] += copies_bits[copies]
                    squares[w] += float(copies) * float(copies)
                    distinct[w] += 1
                    copies = int64(0)
                copies += 1
            bits[w] += copies_bits[copies]
            squares[w] += float(copies) * float(copies)
            distinct[w] += 1
            next_window += 1
    return next_window
