"""Coordinates of haplotypes in a model's latent space, as arrays and as a table."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haploom.baselines.principal_components import pca_latents
from haploom.io.haplotype_tables import write_haplotype_table
from haploom.io.model_file import ModelFile
from haploom.panel import DosagePanel, Panel
from haploom.panel.matching import MIN_COVERAGE


@dataclass(frozen=True, eq=False)
class Embedding:
    """Latent means of haplotypes, or of unphased people.

    samples: names of the people. parts: for each person train, validation, test, or "new" where the model's
    split does not know them. z: float32 (2 * n_samples, n_latent), the two haplotypes of a person together; with
    ploidy 2, (n_samples, n_latent).
    """

    samples: tuple[str, ...]
    parts: tuple[str, ...]
    z: np.ndarray
    ploidy: int = 1


def embed_panel(panel: Panel | DosagePanel, model: ModelFile, min_coverage: float = MIN_COVERAGE) -> Embedding:
    """Encode every haplotype of a panel, or every person for a model of unphased people.

    Sites of the model that the panel lacks are taken as missing; more sites do not matter. Raises SiteMismatchError
    when it has a smaller share of them than `min_coverage`, HaploomError for unphased genotypes and a model of
    haplotypes, a model without a latent space, or where the model needs labels (C-VAE, Y-VAE) that the panel has not.
    """
    if model.card.kind == "pca":
        z = pca_latents(model, panel, min_coverage)
    else:
        from haploom.models.encoder import panel_latents  # loads torch

        z = panel_latents(model, panel, min_coverage)
    return Embedding(panel.samples, model.parts_of(panel.samples), z, model.ploidy)


def write_embedding(embedding: Embedding, path: Path, force: bool = False) -> None:
    """A TSV: sample, haplotype (1, 2, or . for unphased people), z1, z2, ..., and the part of the model's split.

    path: `-` is stdout.
    """
    columns = [f"z{place + 1}" for place in range(embedding.z.shape[1])]
    rows = ([f"{value:.6g}" for value in z] for z in embedding.z)
    write_haplotype_table(path, embedding.samples, embedding.parts, columns, rows, force, ploidy=embedding.ploidy)
