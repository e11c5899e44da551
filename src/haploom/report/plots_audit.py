"""Drawing what the audit compares, on an axis that is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from haploom.report.plots import label_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BINS = 40


def distributions(ax: Axes, values: Mapping[str, np.ndarray], xlabel: str) -> None:
    """The share of haplotypes in each bin, a line for each set of people. values: name -> (n_haplotypes,)."""
    everything = np.concatenate(list(values.values()))
    low, high = float(everything.min(initial=0)), float(everything.max(initial=0))
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    for (name, each), (colour, _) in zip(values.items(), label_styles(list(values)).values()):
        share = np.histogram(each, edges)[0] / max(len(each), 1)
        ax.stairs(share, edges, color=colour, linewidth=1.6, label=f"{name} ({len(each):,})")
    ax.set(xlabel=xlabel, ylabel="Share of haplotypes")
    ax.set_ylim(0, None)
    ax.legend(loc="upper right")


def decays(ax: Axes, edges_bp: np.ndarray, curves: Mapping[str, Sequence[float] | np.ndarray]) -> None:
    """Mean r^2 by distance. edges_bp: (n_bins + 1,). curves: name -> (n_bins,), NaN where unknown."""
    middle = (edges_bp[1:] + edges_bp[:-1]) / 2000
    for (name, mean), (colour, marker) in zip(curves.items(), label_styles(list(curves)).values()):
        known = np.isfinite(mean)
        ax.plot(middle[known], np.asarray(mean)[known], color=colour, marker=marker, markersize=3, label=name)
    ax.set(xlabel="Distance (kb)", ylabel="Mean r\N{SUPERSCRIPT TWO}", xscale="log")
    ax.set_ylim(0, None)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.legend(loc="upper right")
