"""Labels by the nearest class mean in a model's latent space.

The label says which reference population's training haplotypes are most similar. It is given whatever the
distance: someone of none of the reference populations still gets one. Equations: Geleta et al. 2026, 11-12.
"""

from haploom.ancestry.classification import Classification
from haploom.baselines.centroid import NearestCentroid
from haploom.baselines.principal_components import pca_latents
from haploom.io.model_file import ModelFile
from haploom.panel import DosagePanel, Panel
from haploom.panel.matching import MIN_COVERAGE


def classify_by_centroids(
    panel: Panel | DosagePanel, model: ModelFile, min_coverage: float = MIN_COVERAGE
) -> Classification:
    """Label every row of a panel, haplotypes or people as the model's are, by the label whose mean is nearest."""
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
