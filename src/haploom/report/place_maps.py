"""A map of where people are placed, beside where the model's people were sampled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from haploom.embedding.places import Places
from haploom.report import figures
from haploom.report.plots import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARGIN = 0.06  # of the map's width and height
_MOST_LATITUDE = 85.0  # where a map of degrees can still be read


def save_place_map(
    places: Places, sampled: np.ndarray, path: Path, truth: np.ndarray | None = None, force: bool = False
) -> None:
    """sampled: degrees (n, 2) of the model's people. truth: (n_samples, 2), NaN where not known. .png, .svg or .pdf."""
    figures.save_figure(lambda ax: place_map(ax, places.degrees, sampled, truth), path, force)


def place_map(ax: Axes, found: np.ndarray, sampled: np.ndarray, truth: np.ndarray | None = None) -> None:
    """Longitude and latitude in degrees, as long on the map as on the ground at the middle latitude.

    found: (n, 2), circles; truth: (n, 2) or None, each tied to its circle by a line. sampled: (m, 2), crosses.
    """
    ink = ax.spines["bottom"].get_edgecolor()
    ax.scatter(sampled[:, 0], sampled[:, 1], 18, marker="x", color=ink, alpha=0.4, linewidths=1)
    ax.plot([], [], "x", color=ink, alpha=0.6, label=f"sampled, of the model ({len(sampled):,})")
    shown = [sampled, found]
    if truth is not None:
        known = ~np.isnan(truth).any(axis=1)
        ends = np.stack([truth[known], found[known], np.full((int(known.sum()), 2), np.nan)], axis=1)
        ax.plot(*ends.reshape(-1, 2).T, color=PALETTE[3], linewidth=0.8, alpha=0.6)
        ax.plot([], [], color=PALETTE[3], linewidth=1, label="to where they were sampled")
        shown.append(truth[known])
    ax.scatter(found[:, 0], found[:, 1], 24, color=PALETTE[4], linewidths=0, alpha=0.8, zorder=3)
    ax.plot([], [], "o", color=PALETTE[4], markersize=6, label=f"placed ({len(found):,})")
    every = np.concatenate(shown)
    low, high = every.min(axis=0), every.max(axis=0)
    margin = np.maximum(_MARGIN * (high - low), 0.5)
    ax.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))
    middle = min(abs(float(low[1] + high[1]) / 2), _MOST_LATITUDE)
    ax.set_aspect(1 / np.cos(np.radians(middle)))
    ax.set(xlabel="Longitude (degrees)", ylabel="Latitude (degrees)")
    handles = ax.get_legend_handles_labels()
    ax.legend(*handles, loc="upper left", bbox_to_anchor=(0, -0.14), ncols=3, borderaxespad=0)
