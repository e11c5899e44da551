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
    """Two coordinates of points in a latent space, float (n, 2), and what to call them.

    Z: (n, n_latent), n_latent >= 2. Of two latents, those; of more, the first two principal components of these
    points, each turned so that its largest weight is positive. Raises HaploomError for fewer or without points.
    """
    if Z.shape[1] < 2 or len(Z) < 2:
        raise HaploomError(
            f"a map needs two latents and two haplotypes or more, found {Z.shape[1]} and {len(Z)}: "
            "train with --latent 2 or more"
        )
    if Z.shape[1] == 2:
        return Z, ("z1", "z2")
    centred = Z.astype(np.float64) - Z.mean(axis=0, dtype=np.float64)
    _, spread, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(np.take_along_axis(axes[:2], np.abs(axes[:2]).argmax(axis=1)[:, None], axis=1))
    share = spread[:2] ** 2 / max(float((spread**2).sum()), np.finfo(float).tiny)
    names = [f"PC{i + 1} of {Z.shape[1]} latents ({part:.0%} of variance)" for i, part in enumerate(share)]
    return centred @ axes.T, (names[0], names[1])
