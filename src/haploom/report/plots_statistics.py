"""Drawing the statistics of variation on an axis that is given: entropy, windows, spectra, LD, mutual information."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from haploom.report.plots import label_styles, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_LEGEND_ROWS = 16
_DENSITY_BINS = 25
_DISTANCE = {"sites": "Distance (sites)", "bp": "Distance (kb)", "cm": "Distance (cM)"}


def entropy_density(ax: Axes, entropies: Mapping[str, np.ndarray], unit: str = "bits") -> None:
    """How the entropies of sites are spread, a line a population, on a log scale because most sites have little.

    entropies: population -> entropy of each site (n_sites,), in `unit`; their order is that of colours.
    """
    top = max(1.0, *(float(values.max(initial=0)) for values in entropies.values()))
    edges = np.linspace(0, top, _DENSITY_BINS + 1)
    for (label, values), (colour, _) in zip(entropies.items(), label_styles(list(entropies)).values()):
        share = np.histogram(values, edges)[0] / max(len(values), 1)
        middle = (edges[1:] + edges[:-1]) / 2
        ax.plot(middle, np.where(share > 0, share, np.nan), color=colour, label=f"{label} (mean {values.mean():.3f})")
    ax.set(xlabel=f"Entropy of a site ({unit})", ylabel=f"Share of sites per {top / _DENSITY_BINS:.2g}", yscale="log")
    _plain_numbers(ax.yaxis)
    _legend_beside(ax)


def window_entropy(
    ax: Axes, widths: Sequence[int], entropy_bits: Mapping[str, Sequence[float]], everybody: Sequence[float],
    chosen: int | None = None,
) -> None:  # fmt: skip
    """Mean entropy of the distinct haplotypes in a window, by its width.

    widths: in sites. entropy_bits: population -> entropy at each width; their order is that of colours. everybody: of
    all populations together, dashed. chosen: a width to mark.
    """
    ink = ax.spines["bottom"].get_edgecolor()
    for (label, bits), (colour, marker) in zip(entropy_bits.items(), label_styles(list(entropy_bits)).values()):
        ax.plot(widths, bits, color=colour, marker=marker, markersize=4, label=label)
    ax.plot(widths, everybody, color=ink, linestyle="--", label="all together")
    if chosen is not None:
        ax.axvline(chosen, color=ink, linewidth=1, linestyle=":", label="_child")
        ax.annotate(
            f" {chosen:,} sites: the paper's rule", (chosen, 0.02), xycoords=("data", "axes fraction"), fontsize=8
        )
    ax.set(xlabel="Width of a window (sites)", ylabel="Mean entropy of a window (bits)", xscale="log")
    ax.set_ylim(0, None)
    ax.xaxis.set_major_formatter("{x:,.0f}")
    _legend_beside(ax)


def window_sizes(ax: Axes, widths: Sequence[int], bytes_of: Mapping[str, Sequence[int]], packed_bytes: int) -> None:
    """What a panel takes when it is stored in windows, by their width; both scales are logarithmic.

    widths: in sites. bytes_of: way of storing -> bytes of the whole panel at each width; their order is that of
    colours. packed_bytes: of the panel as plain bits, a line across.
    """
    for (name, sizes), (colour, marker) in zip(bytes_of.items(), label_styles(list(bytes_of)).values()):
        ax.plot(widths, sizes, color=colour, marker=marker, markersize=4, label=name)
    ink = ax.spines["bottom"].get_edgecolor()
    ax.axhline(packed_bytes, color=ink, linewidth=1, linestyle=":", label="one bit an allele")
    ax.set(xlabel="Width of a window (sites)", ylabel="Whole panel (bytes)", xscale="log", yscale="log")
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.yaxis.set_major_formatter("{x:,.0f}")
    _legend_beside(ax)


def folded_spectra(ax: Axes, by_percent: Mapping[str, np.ndarray]) -> None:
    """Folded site-frequency spectra: the share of the sites that vary, by minor-allele frequency in percent.

    by_percent: population -> sites in 50 bins of one percent each (`popgen.spectra.folded_by_percent`).
    """
    percent = np.arange(1, 51)
    colours = label_styles(list(by_percent)).values()
    for place, ((label, sites), (colour, _)) in enumerate(zip(by_percent.items(), colours)):
        share = np.where(sites > 0, sites / max(int(sites.sum()), 1), np.nan)
        name, style = f"{label} ({sites.sum():,} sites)", line_style(place)
        ax.plot(percent, share, color=colour, linestyle=style, linewidth=1.3, label=name)
    ax.set(xlabel="Minor-allele frequency, up to (%)", ylabel="Share of the sites that vary", yscale="log")
    _plain_numbers(ax.yaxis)
    _legend_beside(ax)


def ld_decay(ax: Axes, scale: str, curves: Mapping[str, tuple[np.ndarray, np.ndarray, int]]) -> None:
    """Mean r^2 of pairs of sites by their distance, on a log scale of distance.

    scale: "sites", "bp" or "cm". curves: population -> (mean distance of each bin, mean r^2 of each bin, pairs); NaN
    in bins without pairs. Their order is that of colours.
    """
    for (label, (distance, mean, n_pairs)), (colour, marker) in zip(
        curves.items(), label_styles(list(curves)).values()
    ):
        distance = distance / 1000 if scale == "bp" else distance
        known = np.isfinite(mean) & (distance > 0)
        ax.plot(
            distance[known], mean[known], color=colour, marker=marker, markersize=3, linewidth=1.3,
            label=f"{label} ({n_pairs:,} pairs)",
        )  # fmt: skip
    ax.set(xlabel=_DISTANCE[scale], ylabel="Mean r\N{SUPERSCRIPT TWO}", xscale="log")
    ax.set_ylim(0, None)
    ax.xaxis.set_major_formatter("{x:g}")
    _legend_beside(ax)


def correlation_profile(ax: Axes, site: str, position_bp: np.ndarray, r: Mapping[str, np.ndarray]) -> None:
    """r^2 of one site with each that follows it, a row of dots a population, larger where it is greater.

    site: what to call it. position_bp: of the sites that follow. r: population -> (n_following,); NaN is not drawn.
    """
    names = list(r)
    for row, (colour, _) in enumerate(label_styles(names).values()):
        r2 = r[names[row]] ** 2
        known = np.isfinite(r2)
        # A bar of the height of r^2 on the population's own line.
        ax.vlines(position_bp[known] / 1000, -row, -row + 0.9 * r2[known], color=colour, linewidth=0.8)
    ax.set_yticks([-row for row in range(len(names))], names)
    ax.set(
        xlabel="Position (kb)",
        ylabel="r\N{SUPERSCRIPT TWO}, from one line (0) to the next (1)",
        title=f"LD of {site} with the {len(position_bp):,} sites after it",
    )
    ax.title.set_fontsize(10)


def information_by_stride(ax: Axes, information_bits: np.ndarray, strides: Sequence[int]) -> None:
    """Mutual information of a site and the one step x stride after it, as colours.

    information_bits: (len(strides), n_steps), NaN where unknown: left blank.
    """
    from matplotlib.colors import LogNorm

    n_steps = information_bits.shape[1]
    known = information_bits[np.isfinite(information_bits) & (information_bits > 0)]
    norm = LogNorm(float(known.min()), float(known.max())) if len(known) and known.min() < known.max() else None
    picture = ax.pcolormesh(
        np.arange(n_steps + 1) + 0.5, np.arange(len(strides) + 1) - 0.5, np.ma.masked_invalid(information_bits),
        cmap="viridis", norm=norm, rasterized=True,
    )  # fmt: skip
    shown = range(0, len(strides), -(-len(strides) // 20))
    ax.set_yticks(shown, [f"{strides[place]:,}" for place in shown])
    ax.set(xlabel="Step", ylabel="Stride (sites a step)")
    ax.grid(visible=False)
    bar = ax.figure.colorbar(picture, ax=ax)
    bar.set_label("Mutual information (bits)", color=ax.xaxis.label.get_color())
    if norm is not None:
        _plain_numbers(bar.ax.yaxis)


def _plain_numbers(axis: Axis) -> None:
    """A log scale with 0.01 and not 10^-2, which would need mathematical text: a population may be called $x$."""
    from matplotlib.ticker import LogLocator

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter("")


def _legend_beside(ax: Axes) -> None:
    handles = [line for line in ax.get_lines() if not str(line.get_label()).startswith("_child")]
    ax.legend(
        handles=handles, labels=[str(handle.get_label()) for handle in handles],
        ncols=1 + len(handles) // _LEGEND_ROWS, loc="upper left", bbox_to_anchor=(1.01, 1.02), borderaxespad=0,
        alignment="left",
    )  # fmt: skip
