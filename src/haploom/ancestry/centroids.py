"""Labels by the nearest class mean in a model's latent space.

The label says which reference population's training haplotypes are most similar. It is given whatever the
distance: someone of none of the reference populations still gets one. Equations: Geleta et al. 2026, 11-12.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haploom.baselines.centroid import NearestCentroid
from haploom.baselines.principal_components import pca_latents
from haploom.errors import HaploomError
from haploom.io.haplotype_tables import write_haplotype_table
from haploom.io.model_file import ModelFile
from haploom.panel import DosagePanel, Panel
from haploom.panel.matching import MIN_COVERAGE


@dataclass(frozen=True, eq=False)
class Classification:
    """Labels of haplotypes, or of unphased people.

    samples: names of the people; labels: (2 * n_samples,), the two haplotypes of a person together; with ploidy 2,
    (n_samples,). classes: the labels there are; scores: float64 (as many, n_classes), rows sum to 1: a softmax of
    negative distances, NOT calibrated probabilities.
    sets: bool (as many, n_classes), labels that hold the right one at a stated rate; None where the model has none.
    parts: for each person train, validation, test, or "new" where the model's split does not know them.
    """

    samples: tuple[str, ...]
    labels: np.ndarray
    classes: tuple[str, ...]
    scores: np.ndarray
    parts: tuple[str, ...]
    ploidy: int = 1
    sets: np.ndarray | None = None


def classify_panel(
    panel: Panel | DosagePanel, model: ModelFile, min_coverage: float = MIN_COVERAGE, threads: int = 1
) -> Classification:
    """Label every haplotype of a panel, or every person for a model of unphased people.

    Sites of the model that the panel lacks are taken as missing; more sites do not matter. Raises SiteMismatchError
    when it has a smaller share of them than `min_coverage`, HaploomError for unphased genotypes and a model of
    haplotypes, and for a model that is told the labels and rebuilds nobody (a GMMN): it cannot say them.

    A C-VAE or Y-VAE labels by `rebuilding`, an ancestry classifier by `trusted`, on so many threads.
    """
    if model.card.kind == "ancestry":
        from haploom.ancestry.trusted import classify_trusted  # which makes Classifications too

        return classify_trusted(panel, model, min_coverage, threads)
    if model.card.kind in ("cvae", "yvae"):
        from haploom.ancestry.rebuilding import classify_by_rebuilding

        return classify_by_rebuilding(panel, model, min_coverage)
    if model.card.config.get("n_labels"):
        raise HaploomError(
            f"a {model.card.kind} is told each person's label, so its latents do not say it: classify with another kind"
        )
    if model.card.kind == "pca":
        z = pca_latents(model, panel, min_coverage)
    else:
        from haploom.models.encoder import panel_latents  # loads torch

        z = panel_latents(model, panel, min_coverage)
    nearest = NearestCentroid.from_centroids(model.labels, model.arrays["labels.mean"])
    parts = model.parts_of(panel.samples)
    return Classification(
        panel.samples, nearest.predict(z), tuple(model.labels), nearest.scores(z), parts, model.ploidy
    )


def write_classification(classification: Classification, path: Path, force: bool = False) -> None:
    """A TSV: sample, haplotype (1, 2, or . for unphased people), label, set, p_<label>..., part.

    `set` is "." and p_* are uncalibrated scores where the labels are nearest centroids: they cannot say how sure they
    are. It is "." too for people outside the reference, whose label is `unknown`. path: `-` is stdout.
    """
    sets = classification.sets
    named = ["."] * len(classification.labels) if sets is None else [
        ",".join(label for label, held in zip(classification.classes, row) if held) or "." for row in sets
    ]  # fmt: skip
    rows = (
        [str(label), held, *(f"{score:.4f}" for score in scores)]
        for label, held, scores in zip(classification.labels, named, classification.scores)
    )
    columns = ["label", "set", *(f"p_{label}" for label in classification.classes)]
    write_haplotype_table(
        path, classification.samples, classification.parts, columns, rows, force, ploidy=classification.ploidy
    )
