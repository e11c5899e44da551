"""A picture of a latent space in a file of its own."""

from pathlib import Path

import numpy as np

from haploom.embedding import Embedding
from haploom.errors import HaploomError
from haploom.report import figures, plots

UNLABELLED = "unlabelled"


def save_map(embedding: Embedding, labels: np.ndarray | None, path: Path, force: bool = False) -> None:
    """Draw the haplotypes by their two latents, or by the first two principal components of more than two.

    labels: one per person (n_samples,), or None; colours go by their sorted order, so that maps of the same labels
    agree. path: .png, .svg or .pdf. People outside the model's training part are marked when there are others
    beside them. Raises HaploomError for another suffix, for a latent space of one number or no haplotypes, and
    when `path` exists and not `force`.
    """
    figures.check_figure_name(path)
    points, axis_names = plane(embedding.z)
    of_person = 2 // embedding.ploidy
    names = np.repeat(np.full(len(embedding.samples), UNLABELLED) if labels is None else np.asarray(labels), of_person)
    held_out = np.repeat(np.array(embedding.parts) != "train", of_person)

    figures.save_figure(
        lambda ax: plots.latent_map(
            ax,
            points,
            names,
            order=sorted(set(names.tolist())),
            held_out=held_out if not held_out.all() else None,
            axis_names=axis_names,
        ),
        path,
        force,
    )


def plane(Z: np.ndarray) -> tuple[np.ndarray, tuple[str, str]]:
    """Two coordinates of points in a latent space, float (n, 2), and what to call them: see `plane_axes`."""
    centre, axes, names = plane_axes(Z)
    return (Z - centre) @ axes.T, names


def plane_axes(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[str, str]]:
    """The plane a map is drawn in: its origin (n_latent,), two axes (2, n_latent), both float64, and their names.

    Z: (n, n_latent), n_latent >= 2. Of two latents, those; of more, the first two principal components of these
    points, each turned so that its largest weight is positive; of one point alone, the first two latents. Raises
    HaploomError for fewer latents or no point.
    """
    n, n_latent = Z.shape
    if n_latent < 2 or n < 1:
        raise HaploomError(
            f"a map needs two latents or more and somebody to draw, found {n_latent} and {n} rows: train with --latent "
            "2 or more"
        )
    if n_latent == 2 or n == 1:
        return np.zeros(n_latent), np.eye(2, n_latent), ("z1", "z2")
    centre = Z.mean(axis=0, dtype=np.float64)
    _, spread, axes = np.linalg.svd(Z - centre, full_matrices=False)
    axes = axes[:2] * np.sign(np.take_along_axis(axes[:2], np.abs(axes[:2]).argmax(axis=1)[:, None], axis=1))
    share = spread[:2] ** 2 / max(float((spread**2).sum()), np.finfo(float).tiny)
    names = [f"PC{i + 1} of {n_latent} latents ({part:.0%} of variance)" for i, part in enumerate(share)]
    return centre, axes, (names[0], names[1])
