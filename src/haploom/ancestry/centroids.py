"""Labels by the nearest class mean in a model's latent space.

The label says which reference population's training haplotypes are most similar. It is given whatever the
distance: someone of none of the reference populations still gets one. Equations: Geleta et al. 2026, 11-12.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haploom.baselines.centroid import NearestCentroid
from haploom.io.model_file import ModelFile
from haploom.io.output import atomic_output
from haploom.panel import Panel

NEW = "new"


@dataclass(frozen=True, eq=False)
class Classification:
    """Labels of haplotypes.

    samples: names of the people; labels: (2 * n_samples,), the two haplotypes of a person together.
    classes: the labels there are; scores: float64 (2 * n_samples, n_classes), rows sum to 1: a softmax of
    negative distances, NOT calibrated probabilities.
    parts: for each person train, validation, test, or "new" where the model's split does not know them.
    """

    samples: tuple[str, ...]
    labels: np.ndarray
    classes: tuple[str, ...]
    scores: np.ndarray
    parts: tuple[str, ...]

    @property
    def n_training_people(self) -> int:
        """People the model was trained on: their labels say nothing about how good it is."""
        return sum(part == "train" for part in self.parts)


def classify_panel(panel: Panel, model: ModelFile) -> Classification:
    """Label every haplotype of a panel.

    Raises SiteMismatchError when the panel lacks sites of the model; more sites do not matter.
    """
    from haploom.models.encoder import panel_latents  # loads torch

    z = panel_latents(model, panel)
    nearest = NearestCentroid.from_centroids(model.labels, model.arrays["labels.mean"])
    parts = tuple(model.card.part_of.get(sample, NEW) for sample in panel.samples)
    return Classification(panel.samples, nearest.predict(z), tuple(model.labels), nearest.scores(z), parts)


def write_classification(classification: Classification, path: Path, force: bool = False) -> None:
    """A TSV: sample, haplotype (1 or 2), label, set, p_<label>..., part.

    `set` is "." and p_* are uncalibrated scores: centroids cannot say how sure they are.
    """
    names = [f"p_{label}" for label in classification.classes]
    with atomic_output(path, force) as partial, partial.open("w", encoding="utf-8") as file:
        file.write("\t".join(["sample", "haplotype", "label", "set", *names, "part"]) + "\n")
        for row, (label, scores) in enumerate(zip(classification.labels, classification.scores)):
            sample, part = classification.samples[row // 2], classification.parts[row // 2]
            values = [f"{score:.4f}" for score in scores]
            file.write("\t".join([sample, str(row % 2 + 1), str(label), ".", *values, part]) + "\n")
