"""Pictures of maps, from the points that `map_rows` kept."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from haploom.report import plots
from haploom.report.figures import svg
from haploom.report.page import Figure
from haploom.report.reproduce.map_data import Genotyped
from haploom.report.reproduce.map_methods import METHODS
from haploom.report.reproduce.map_rows import points_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE_IN = (4.8, 5.2)  # two stand side by side


def map_figures(data: Genotyped, folder: Path, methods: tuple[str, ...] = tuple(METHODS)) -> list[Figure]:
    """A map a method, of those whose points are there."""
    return [
        map_figure(points_file(folder, data, method), f"{data.name}: {method}")
        for method in methods
        if points_file(folder, data, method).exists()
    ]


def map_figure(points: Path, caption: str) -> Figure:
    """One map, labels in colours, held-out people outlined."""
    with np.load(points) as kept:
        z, labels, held_out = kept["z"], kept["labels"], kept["held_out"]
    return Figure(svg(partial(_draw, z=z, labels=labels, held_out=held_out), SIZE_IN), caption, f"Map: {caption}.")


def _draw(ax: "Axes", z: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> None:
    plots.latent_map(
        ax, z, labels, order=sorted(set(labels.tolist())), held_out=held_out,
        axis_names=("first coordinate", "second coordinate"), legend_below=True,
    )  # fmt: skip
