"""Labels by which label a C-VAE or Y-VAE rebuilds a row best under. Equations: Geleta et al. 2026, 13 and 14."""

from typing import Literal

import numpy as np

from haploom.ancestry.classification import Classification
from haploom.errors import HaploomError
from haploom.io.model_file import ModelFile, rows_at_sites
from haploom.panel import DosagePanel, Panel
from haploom.panel.matching import MIN_COVERAGE


def classify_by_rebuilding(
    panel: Panel | DosagePanel, model: ModelFile, min_coverage: float = MIN_COVERAGE,
    by: Literal["map", "l1"] = "map",
) -> Classification:  # fmt: skip
    """Label every row of a panel, haplotypes or people as the model's are.

    by: "map", the label under which its alleles are likeliest, or "l1", under which fewest differ (the first of
    equals). Scores are the tempered softmax of "map" either way. Raises HaploomError for a model that rebuilds
    nothing under a label, SiteMismatchError when the panel has a smaller share of its sites than `min_coverage`.
    """
    if model.card.kind not in ("cvae", "yvae"):
        raise HaploomError(f"a {model.card.kind} does not rebuild people under a label: a cvae or yvae does")
    from haploom.models.encoder import matched_batches  # loads torch
    from haploom.models.label_scores import label_scores
    from haploom.models.network import network_of

    nats, differences = label_scores(network_of(model), matched_batches(rows_at_sites(panel, model, min_coverage)))
    places = nats.argmax(axis=1) if by == "map" else differences.argmin(axis=1)
    temperature = float(model.arrays["labels.temperature"][0]) if "labels.temperature" in model.arrays else 1.0
    scaled = temperature * (nats - nats.max(axis=1, keepdims=True))
    scores = np.exp(scaled - np.logaddexp.reduce(scaled, axis=1)[:, None])
    labels = np.array(model.labels)[places]
    return Classification(
        panel.samples, labels, tuple(model.labels), scores, model.parts_of(panel.samples), model.ploidy
    )
