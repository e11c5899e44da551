"""Pictures of maps, from the points that `map_rows` kept."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from haploom.report import plots
from haploom.report.figures import svg
from haploom.report.page import Figure
from haploom.report.reproduce.map_data import Genotyped
from haploom.report.reproduce.map_rows import points_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE_IN = (4.8, 5.2)  # two stand side by side


def map_figures(data: Genotyped, folder: Path, methods: Iterable[str]) -> list[Figure]:
    """A map a method, labels in colours, held-out people outlined; of the points that `measure_maps` kept."""
    return [_figure(points_file(folder, data, method), f"{data.name}: {method}") for method in methods]


def _figure(points: Path, caption: str) -> Figure:
    with np.load(points, allow_pickle=False) as kept:
        z, labels, held_out = kept["z"], kept["labels"], kept["held_out"]
    return Figure(svg(partial(_draw, z=z, labels=labels, held_out=held_out), SIZE_IN), caption, f"Map: {caption}.")


def _draw(ax: "Axes", z: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> None:
    plots.latent_map(
        ax, z, labels, order=sorted(set(labels.tolist())), held_out=held_out,
        axis_names=("first coordinate", "second coordinate"), legend_below=True,
    )  # fmt: skip
