"""Pictures that only the demo has, on an axis that is given: stored bytes, labels told, painted chromosomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from haploom.report.plots import label_styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEUTRAL = "#8a929c"  # of what is no label, on a light page and on a dark one
GENOTYPES_COLOUR, MODEL_COLOUR = "#0072B2", "#E69F00"


def stored_bytes(ax: Axes, names: Sequence[str], genotypes: Sequence[int], models: Sequence[int], bare: int) -> None:
    """A bar a codec: bytes of the genotypes, then of the model that reading them takes. bare: one bit an allele."""
    places = np.arange(len(names))
    ax.barh(places, np.array(genotypes) / 1000, color=GENOTYPES_COLOUR, label="genotypes")
    ax.barh(places, np.array(models) / 1000, left=np.array(genotypes) / 1000, color=MODEL_COLOUR, label="model")
    ax.axvline(bare / 1000, color=NEUTRAL, linestyle="--", linewidth=1.2, label="one bit an allele")
    for place, of_genotypes, of_model in zip(places.tolist(), genotypes, models):
        ax.text((of_genotypes + of_model) / 1000, place, f" {(of_genotypes + of_model) / 1000:,.1f}", va="center")
    ax.set_yticks(places, list(names))
    ax.invert_yaxis()
    ax.set(xlabel="Kilobytes, on a log scale", xscale="log")
    ax.set_xlim(min(genotypes) / 2000, max(bare, *map(sum, zip(genotypes, models))) / 1000 * 3)
    ax.xaxis.set_major_formatter("{x:,g}")
    ax.xaxis.set_minor_formatter("")
    ax.grid(visible=False, axis="y")
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.18), ncols=3, borderaxespad=0)


def labels_told(ax: Axes, said: Mapping[str, Mapping[str, int]], labels: Sequence[str], never_seen: str | None) -> None:
    """A bar a population: the shares of its haplotypes by the label told; grey is unknown.

    said: population -> label -> haplotypes. labels: those the classifier knows.
    """
    order = sorted(said, key=lambda name: name == never_seen)  # the others keep their order
    colours = {name: colour for name, (colour, _) in label_styles(labels).items()} | {"unknown": NEUTRAL}
    left = np.zeros(len(order))
    for label, colour in colours.items():
        shares = np.array([said[name].get(label, 0) / sum(said[name].values()) for name in order])
        ax.barh(np.arange(len(order)), shares, left=left, color=colour, label=label)
        left += shares
    names = [f"{name}\n(never seen)" if name == never_seen else name for name in order]
    ax.set_yticks(range(len(order)), names)
    ax.invert_yaxis()
    ax.set(xlabel="Share of the haplotypes, by the label told", xlim=(0, 1))
    ax.grid(visible=False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.2), ncols=4, borderaxespad=0)


def painted_beside_truth(
    ax: Axes, samples: Sequence[str], labels: Sequence[str], position_bp: np.ndarray, true: np.ndarray,
    told: np.ndarray, contig: str,
) -> None:  # fmt: skip
    """Two pairs of bars a person, a pair for each chromosome copy: the truth above what was told.

    true, told: strings (2 * len(samples), n_sites). position_bp: int64 (n_sites,), of one contig.
    """
    edges = np.concatenate([position_bp[:1], (position_bp[1:] + position_bp[:-1]) / 2, position_bp[-1:]]) / 1e6
    colours = {name: colour for name, (colour, _) in label_styles(labels).items()}
    for row in range(len(true)):
        top = row // 2 + (row % 2) * 0.46
        for which, shift in ((true[row], 0.0), (told[row], 0.2)):
            starts = np.append(0, np.flatnonzero(which[1:] != which[:-1]) + 1)
            widths = np.diff(np.append(edges[starts], edges[-1]))
            drawn = [colours.get(str(label), NEUTRAL) for label in which[starts]]
            height = 0.2 if shift == 0 else 0.13
            ax.barh(
                np.full(len(starts), top + shift + (0.1 if shift == 0 else 0.09)), widths, height, left=edges[starts],
                color=drawn, alpha=1 if shift == 0 else 0.6, linewidth=0,
            )  # fmt: skip
    for label, colour in colours.items():
        ax.plot([], [], "s", color=colour, markersize=7, label=label)
    ax.set_yticks(np.arange(len(samples)) + 0.42, list(samples), fontsize=8)
    ax.set_ylim(len(samples), -0.05)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_xlabel(f"Position on {contig} (Mb)")
    ax.grid(visible=False)
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.1), ncols=4, borderaxespad=0)
