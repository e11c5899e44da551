"""Coordinates of haplotypes in a model's latent space, as arrays and as a table."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haploom.baselines.principal_components import pca_latents
from haploom.errors import HaploomError
from haploom.io.haplotype_tables import write_haplotype_table
from haploom.io.model_file import ModelFile
from haploom.panel import DosagePanel, Panel
from haploom.panel.matching import MIN_COVERAGE

POSTERIORS = ("vae", "cvae", "yvae", "window-vae")  # kinds whose encoder gives a distribution, not a point
REFINABLE = ("vae",)  # kinds with one decoder for every row, without labels


@dataclass(frozen=True, eq=False)
class Embedding:
    """Latent means of haplotypes, or of unphased people; refined latents where those were asked for.

    samples: names of the people. parts: for each person train, validation, test, or "new" where the model's
    split does not know them. z: float32 (2 * n_samples, n_latent), the two haplotypes of a person together; with
    ploidy 2, (n_samples, n_latent). spread: standard deviations of the posterior, like z; None where not asked for.
    """

    samples: tuple[str, ...]
    parts: tuple[str, ...]
    z: np.ndarray
    ploidy: int = 1
    spread: np.ndarray | None = None


def embed_panel(
    panel: Panel | DosagePanel, model: ModelFile, min_coverage: float = MIN_COVERAGE, *, uncertainty: bool = False,
    refine: bool = False,
) -> Embedding:  # fmt: skip
    """Encode every haplotype of a panel, or every person for a model of unphased people.

    Sites of the model that the panel lacks are taken as missing; more sites do not matter. A model that is told
    labels (C-VAE, Y-VAE) takes them from the panel, or where it has none those it rebuilds each row best under.
    uncertainty: the posterior's standard deviations too. refine: a VAE's latents where each row is likeliest instead
    of the encoder's means (see `haploom.models.refining`), deterministic and row by row.

    Raises SiteMismatchError when it has a smaller share of them than `min_coverage`, HaploomError for unphased
    genotypes and a model of haplotypes, a model without a latent space, `uncertainty` of a model whose encoder gives a
    point or of refined latents, `refine` of a model that is no VAE, or labels that the model does not know.
    """
    if refine:
        check_refinable(model)
    if uncertainty:
        check_has_posterior(model)
    if refine and uncertainty:
        raise HaploomError(
            "the standard deviations are the encoder's, about its own means: ask for them or for refined latents"
        )
    spread = None
    if model.card.kind == "pca":
        z = pca_latents(model, panel, min_coverage)
    elif refine:
        from haploom.models.refining import refined_latents  # loads torch

        z = refined_latents(model, panel, min_coverage)
    else:
        from haploom.models.encoder import panel_posterior  # loads torch

        z, spread = panel_posterior(model, panel, min_coverage)
    parts = model.parts_of(panel.samples)
    return Embedding(panel.samples, parts, z, model.ploidy, spread if uncertainty else None)


def has_posterior(model: ModelFile) -> bool:
    """Whether a model says not only where a row lies, but how surely."""
    return model.card.kind in POSTERIORS


def check_has_posterior(model: ModelFile) -> None:
    """Raises HaploomError for a model that has not."""
    if not has_posterior(model):
        raise HaploomError(
            f"a model of kind {model.card.kind} places each row at a point: leave --uncertainty out, or train one of "
            f"kind {', '.join(POSTERIORS)}"
        )


def check_refinable(model: ModelFile) -> None:
    """Raises HaploomError for a model whose latents cannot be refined (see `haploom.models.refining`)."""
    if model.card.kind not in REFINABLE:
        raise HaploomError(
            f"latents of a model of kind {model.card.kind} cannot be refined: leave --refine out, or train one of kind "
            f"{', '.join(REFINABLE)}"
        )


def write_embedding(embedding: Embedding, path: Path, force: bool = False) -> None:
    """A TSV: sample, haplotype (1, 2, or . for unphased people), z1, z2, ..., and the part of the model's split.

    With standard deviations, s1, s2, ... follow the z. path: `-` is stdout.
    """
    spread = embedding.spread
    kinds = "z" if spread is None else "zs"
    columns = [f"{kind}{place + 1}" for kind in kinds for place in range(embedding.z.shape[1])]
    values = embedding.z if spread is None else np.concatenate([embedding.z, spread], axis=1)
    rows = ([f"{value:.6g}" for value in row] for row in values)
    write_haplotype_table(path, embedding.samples, embedding.parts, columns, rows, force, ploidy=embedding.ploidy)
