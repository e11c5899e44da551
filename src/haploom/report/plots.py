"""Drawing on an axis that is given: these functions open, save and compute nothing.

Colours follow the order in which labels are given, so that a population looks the same in every plot of a
report; shapes tell apart the labels beyond the seventh, and help where colours cannot be told apart at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe & Ito 2008 without yellow and black, which vanish on a white or a dark page, and Tol's wine. Any two stay
# apart (CIE 1976 distance 16 or more) to eyes without red, green or blue cones.
PALETTE = ("#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7", "#AA3377")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_LEGEND_ROWS = 16
_LEVEL_NAMES = 9  # more names under an axis are turned upright, or they would run into each other
_MOST_VECTOR_POINTS = 3000  # of a label; more are drawn as pixels: a page with a million shapes opens in no browser


def label_styles(labels: Sequence[str]) -> dict[str, tuple[str, str]]:
    """(colour, marker) of each label, by its place in `labels`; 49 of them differ, then they repeat."""
    n = len(PALETTE)
    return {label: (PALETTE[i % n], MARKERS[(i + i // n) % n]) for i, label in enumerate(labels)}


def line_style(place: int) -> str:
    """Solid for as many lines as there are colours, then dashes for as many again."""
    return ("-", "--")[place // len(PALETTE) % 2]


def latent_map(
    ax: Axes,
    Z: np.ndarray,
    labels: np.ndarray,
    *,
    order: Sequence[str],
    held_out: np.ndarray | None = None,
    axis_names: tuple[str, str] = ("z1", "z2"),
    legend_below: bool = False,
) -> None:
    """Haplotypes by their first two coordinates, coloured by label.

    Z: (n, >= 2). labels: strings (n,). order: every label, in the order of colours and of the legend.
    held_out: bool (n,), haplotypes of people the model was not trained on: larger, opaque, with an outline.
    legend_below: for a narrow picture, where a legend beside would leave little room.
    """
    held_out = np.zeros(len(Z), dtype=bool) if held_out is None else held_out
    ink = ax.spines["bottom"].get_edgecolor()
    for label, (colour, marker) in label_styles(order).items():
        here = labels == label
        seen, new = Z[here & ~held_out], Z[here & held_out]
        as_pixels = len(seen) > _MOST_VECTOR_POINTS
        ax.scatter(seen[:, 0], seen[:, 1], 12, c=colour, marker=marker, alpha=0.45, linewidths=0, rasterized=as_pixels)
        ax.scatter(new[:, 0], new[:, 1], 24, c=colour, marker=marker, edgecolors=[ink], linewidths=0.7, zorder=3)
        # An empty series carries the legend, so that its mark is as large and as opaque for every label.
        ax.plot([], [], marker, color=colour, markersize=6, label=f"{label} ({here.sum():,})")
    if held_out.any():
        ax.plot(
            [],
            [],
            "o",
            color="none",
            markeredgecolor=ink,
            markersize=6,
            label=f"not trained on ({held_out.sum():,})",
        )
    ax.set(xlabel=axis_names[0], ylabel=axis_names[1])
    if legend_below:
        _legend_below(ax)
    else:
        _legend_beside(ax, "Haplotypes")


def loss_curve(
    ax: Axes, train: Mapping[str, np.ndarray], validation: Mapping[str, np.ndarray] | None = None, *,
    unit: str | None = "nats", row: str = "haplotype",
) -> None:  # fmt: skip
    """Loss terms over epochs, on a log scale because KL is a small part of the total.

    train, validation: term ("total", "reconstruction", "KL") -> mean per `row` of each epoch (n_epochs,), in
    `unit` (None: it has none), above 0. Training is drawn as a line, validation as dashes; one epoch alone as points.
    """
    from matplotlib.ticker import LogLocator, MaxNLocator

    for colour, (term, values) in zip(PALETTE[3:] + PALETTE[:3], train.items()):
        marker = "o" if len(values) == 1 else None
        ax.plot(_epochs(values), values, color=colour, marker=marker, label=term)
        if validation and term in validation:
            values = validation[term]
            marker = "s" if len(values) == 1 else None
            ax.plot(_epochs(values), values, color=colour, linestyle="--", marker=marker, label=f"{term}, validation")
    loss = f"Loss per {row}"
    ax.set(xlabel="Epoch", ylabel=loss if unit is None else f"{loss} ({unit})", yscale="log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter("")
    _legend_beside(ax)


def entropy_by_population(
    ax: Axes,
    order: Sequence[str],
    mean_bits: np.ndarray,
    low_bits: np.ndarray,
    high_bits: np.ndarray,
    n_haplotypes: Sequence[int],
) -> None:
    """Mean site entropy of each population as a bar, with its interval; all arrays (n_populations,), in bits."""
    places = np.arange(len(order))
    reach = np.stack([np.subtract(mean_bits, low_bits), np.subtract(high_bits, mean_bits)])
    colours = [colour for colour, _ in label_styles(order).values()]
    ink = ax.spines["bottom"].get_edgecolor()
    ax.bar(places, mean_bits, width=0.7, color=colours)
    ax.errorbar(places, mean_bits, yerr=reach, fmt="none", ecolor=ink, capsize=3, linewidth=1)
    level = len(order) <= _LEVEL_NAMES
    names = [f"{name}{chr(10) if level else ' '}({n:,})" for name, n in zip(order, n_haplotypes)]
    ax.set_xticks(places, names, rotation=0 if level else 90)
    ax.set(xlabel="Population (haplotypes)", ylabel="Mean entropy per site (bits)", ylim=(0, None))
    ax.grid(visible=False, axis="x")


def entropy_pairs(
    ax: Axes, order: Sequence[str], real_bits: np.ndarray, synthetic_bits: np.ndarray, *,
    sources: tuple[str, str] = ("real", "synthetic"),
) -> None:  # fmt: skip
    """Mean site entropy of each population as two bars, real people and, hatched, synthetic ones.

    real_bits, synthetic_bits: (n_populations,), in bits. sources: what to call the two.
    """
    places = np.arange(len(order))
    colours = [colour for colour, _ in label_styles(order).values()]
    ink = ax.spines["bottom"].get_edgecolor()
    ax.bar(places - 0.2, real_bits, width=0.38, color=colours)
    ax.bar(places + 0.2, synthetic_bits, width=0.38, color=colours, alpha=0.4, hatch="//", edgecolor=ink, linewidth=0)
    ax.set_xticks(places, list(order), rotation=0 if len(order) <= _LEVEL_NAMES else 90)
    ax.set(
        xlabel=f"Population (left: {sources[0]}; right, hatched: {sources[1]})", ylabel="Mean entropy per site (bits)"
    )
    ax.set_ylim(0, None)
    ax.grid(visible=False, axis="x")


def _epochs(values: np.ndarray) -> np.ndarray:
    return np.arange(1, len(values) + 1)


def _legend_beside(ax: Axes, title: str | None = None) -> None:
    """Beside the plot, where it hides no point. Handles and labels are given, or a `_name` would be left out."""
    handles = ax.get_lines()
    ax.legend(
        handles=handles, labels=[str(artist.get_label()) for artist in handles], ncols=1 + len(handles) // _LEGEND_ROWS,
        title=title, loc="upper left", bbox_to_anchor=(1.01, 1.02), borderaxespad=0, alignment="left",
    )  # fmt: skip


def _legend_below(ax: Axes) -> None:
    """Under the plot, in three columns."""
    handles = ax.get_lines()
    ax.legend(
        handles=handles, labels=[str(artist.get_label()) for artist in handles], ncols=3, loc="upper center",
        bbox_to_anchor=(0.45, -0.14), borderaxespad=0, handletextpad=0.3, columnspacing=1.0,
    )  # fmt: skip
