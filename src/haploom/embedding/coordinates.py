"""Coordinates of haplotypes in a model's latent space, as arrays and as a table."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haploom.io.haplotype_tables import write_haplotype_table
from haploom.io.model_file import ModelFile
from haploom.panel import Panel
from haploom.panel.matching import MIN_COVERAGE


@dataclass(frozen=True, eq=False)
class Embedding:
    """Latent means of haplotypes.

    samples: names of the people. parts: for each person train, validation, test, or "new" where the model's
    split does not know them. z: float32 (2 * n_samples, n_latent), the two haplotypes of a person together.
    """

    samples: tuple[str, ...]
    parts: tuple[str, ...]
    z: np.ndarray


def embed_panel(panel: Panel, model: ModelFile, min_coverage: float = MIN_COVERAGE) -> Embedding:
    """Encode every haplotype of a panel.

    Sites of the model that the panel lacks are taken as missing; more sites do not matter. Raises SiteMismatchError
    when it has a smaller share of them than `min_coverage`, HaploomError for a model of unphased people.
    """
    from haploom.models.encoder import panel_latents  # loads torch

    return Embedding(panel.samples, model.parts_of(panel.samples), panel_latents(model, panel, min_coverage))


def write_embedding(embedding: Embedding, path: Path, force: bool = False) -> None:
    """A TSV: sample, haplotype (1 or 2), z1, z2, ..., and the part of the model's split the person was in.

    path: `-` is stdout.
    """
    columns = [f"z{place + 1}" for place in range(embedding.z.shape[1])]
    rows = ([f"{value:.6g}" for value in z] for z in embedding.z)
    write_haplotype_table(path, embedding.samples, embedding.parts, columns, rows, force)
