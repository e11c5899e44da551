"""Labels by whatever kind of model there is."""

from haploom.ancestry.centroids import classify_by_centroids
from haploom.ancestry.classification import Classification
from haploom.ancestry.rebuilding import classify_by_rebuilding
from haploom.ancestry.trusted import classify_trusted
from haploom.errors import HaploomError
from haploom.io.model_file import ModelFile
from haploom.panel import DosagePanel, Panel
from haploom.panel.matching import MIN_COVERAGE


def classify_panel(
    panel: Panel | DosagePanel, model: ModelFile, min_coverage: float = MIN_COVERAGE, threads: int = 1
) -> Classification:
    """Label every haplotype of a panel, or every person for a model of unphased people.

    Sites of the model that the panel lacks are taken as missing; more sites do not matter. Raises SiteMismatchError
    when it has a smaller share of them than `min_coverage`, HaploomError for unphased genotypes and a model of
    haplotypes, and for a model that is told the labels and rebuilds nobody (a GMMN): it cannot say them.

    A C-VAE or Y-VAE labels by `rebuilding`, an ancestry classifier by `trusted`, on so many threads, others by
    `centroids`.
    """
    if model.card.kind == "ancestry":
        return classify_trusted(panel, model, min_coverage, threads)
    if model.card.kind in ("cvae", "yvae"):
        return classify_by_rebuilding(panel, model, min_coverage)
    if model.card.config.get("n_labels"):
        raise HaploomError(
            f"a {model.card.kind} is told each person's label, so its latents do not say it: classify with another kind"
        )
    return classify_by_centroids(panel, model, min_coverage)
