"""Pictures of ancestry in files of their own: painted chromosomes, and proportions as stacked bars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from haploom.ancestry.local_ancestry import Painting
from haploom.ancestry.proportions import Proportions
from haploom.report import figures
from haploom.report.plots import label_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PAINTED = 20  # people: more rows cannot be told apart
_MOST_NAMED = 40
_GAP = 0.01  # between two contigs, as a share of all of them


def save_painting(painting: Painting, path: Path, force: bool = False) -> None:
    """Both haplotypes of the first MOST_PAINTED people along the contigs. path: .png, .svg or .pdf."""
    figures.save_figure(lambda ax: painted_chromosomes(ax, painting), path, force)


def save_proportions(proportions: Proportions, path: Path, force: bool = False) -> None:
    """A bar a person, in the order of the likeliest label and its share. path: .png, .svg or .pdf."""
    figures.save_figure(
        lambda ax: stacked_proportions(ax, proportions.samples, proportions.labels, proportions.proportions), path,
        force,
    )  # fmt: skip


def painted_chromosomes(ax: Axes, painting: Painting) -> None:
    """A row a person, its upper half the first haplotype; colours are labels."""
    shown = painting.samples[:MOST_PAINTED]
    of = painting.segments
    contigs = list(dict.fromkeys(of.chrom.tolist()))
    firsts = {chrom: int(of.start_bp[of.chrom == chrom].min()) - 1 for chrom in contigs}
    lengths = {chrom: int(of.end_bp[of.chrom == chrom].max()) - firsts[chrom] for chrom in contigs}
    gap = _GAP * sum(lengths.values()) if len(contigs) > 1 else 0
    begins, start = {}, float(firsts[contigs[0]]) if len(contigs) == 1 else 0.0  # one contig has its positions
    origin = start
    for chrom in contigs:
        begins[chrom] = start
        start += lengths[chrom] + gap
    colours = {label: colour for label, (colour, _) in label_styles(painting.labels).items()}
    here = of.haplotype < 2 * len(shown)
    left = np.array([begins[chrom] - firsts[chrom] for chrom in of.chrom[here].tolist()]) + of.start_bp[here] - 1
    for place, label in enumerate(painting.labels):
        these = of.label[here] == place
        person, haplotype = np.divmod(of.haplotype[here][these], 2)
        ax.barh(
            person - 0.2 + 0.4 * haplotype, (of.end_bp - of.start_bp + 1)[here][these] / 1e6, 0.34,
            left=left[these] / 1e6, color=colours[label], linewidth=0,
        )  # fmt: skip
    _legend(ax, painting.labels)
    ax.set_yticks(range(len(shown)), shown, fontsize=7)
    ax.set_ylim(len(shown) - 0.5, -0.5)
    ax.set_xlim(origin / 1e6, (start - gap) / 1e6)
    if len(contigs) > 1:
        ax.set_xticks([(begins[chrom] + lengths[chrom] / 2) / 1e6 for chrom in contigs], contigs, fontsize=7)
        ax.set_xlabel("Contig")
    else:
        ax.set_xlabel(f"Position on {contigs[0]} (Mb)" if contigs else "Position (Mb)")
    more = len(painting.samples) - len(shown)
    ax.set_ylabel(f"Person, both haplotypes{f' ({more:,} more are not shown)' if more else ''}")
    ax.grid(visible=False)


def stacked_proportions(ax: Axes, samples: Sequence[str], labels: Sequence[str], proportions: np.ndarray) -> None:
    """proportions: float64 (n_samples, n_labels). People are grouped by their largest share."""
    largest = proportions.argmax(axis=1)
    order = np.lexsort((-proportions.max(axis=1), largest))
    below = np.zeros(len(order))
    for place, (colour, _) in enumerate(label_styles(labels).values()):
        share = proportions[order, place]
        ax.bar(np.arange(len(order)), share, 1.0, bottom=below, color=colour, linewidth=0)
        below += share
    _legend(ax, labels)
    named = [samples[person] for person in order] if len(order) <= _MOST_NAMED else []
    ax.set_xticks(range(len(named)), named, rotation=90, fontsize=6)
    ax.set(xlim=(-0.5, len(order) - 0.5), ylim=(0, 1), ylabel="Share of the genome", xlabel=f"{len(order):,} people")
    ax.grid(visible=False)


def _legend(ax: Axes, labels: Sequence[str]) -> None:
    """Handles and labels are given, or a `_name` would be left out."""
    handles = [ax.plot([], [], "s", color=colour, markersize=7)[0] for colour, _ in label_styles(labels).values()]
    ax.legend(
        handles=handles, labels=list(labels), loc="upper left", bbox_to_anchor=(1.01, 1.02), borderaxespad=0,
        ncols=1 + len(labels) // 16,
    )  # fmt: skip
