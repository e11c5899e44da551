"""A model's labels beside those of the baselines, on the same held-out people."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from haploom.ancestry.centroids import classify_panel
from haploom.baselines.accuracy import Accuracy, accuracy
from haploom.baselines.centroid import NearestCentroid
from haploom.baselines.logistic import SnpLogisticRegression
from haploom.errors import HaploomError
from haploom.io.model_file import ModelFile, model_columns
from haploom.panel import Panel
from haploom.popgen.pca import PCA

N_COMPONENTS = 64  # as many as the VAE has latents by default


@dataclass(frozen=True)
class MethodAccuracy:
    """How often a method labels a haplotype right, on people it did not see."""

    method: str
    accuracy: Accuracy


def compare_classifiers(
    panel: Panel, model: ModelFile, part: str = "test", held_out: Panel | None = None
) -> Iterator[MethodAccuracy]:
    """The model, nearest centroid on principal components, and logistic regression on the raw SNPs, in turn.

    panel: holds the model's training and validation people (the baselines learn from exactly those, at the
    model's sites) and those of `part`, with the model's label level. held_out: label these people instead of
    `part`; none may be in the model's split. Raises HaploomError where it is not so.
    """
    panel = panel.select_sites(model_columns(panel.variants, model))
    level = model.card.label_level
    train, validation = (
        panel.select_samples(model.split.samples(wanted, panel.samples)) for wanted in ("train", "validation")
    )
    if held_out is None:
        held_out = panel.select_samples(model.split.samples(part, panel.samples))
    else:
        _refuse_known_people(held_out, model)
        held_out = held_out.select_sites(model_columns(held_out.variants, model))
    train_labels = train.labels(level, per="haplotype")
    truth = held_out.labels(level, per="haplotype")
    people = np.repeat(np.array(held_out.samples), 2)

    yield MethodAccuracy("VAE, nearest centroid", accuracy(truth, classify_panel(held_out, model).labels, people))

    pca = PCA(min(N_COMPONENTS, train.n_haplotypes - 1, train.n_sites)).fit(train)
    scores, held_out_scores = pca.transform(train), pca.transform(held_out)
    spread = np.sqrt(pca.explained_variance_)
    for name, scale in (("PCA", 1.0), ("PCA scaled to unit variance", np.where(spread > 0, spread, 1.0))):
        nearest = NearestCentroid().fit(scores / scale, train_labels)
        predicted = nearest.predict(held_out_scores / scale)
        yield MethodAccuracy(f"{name}, nearest centroid", accuracy(truth, predicted, people))

    logistic = SnpLogisticRegression().fit(train, train_labels, validation, validation.labels(level, per="haplotype"))
    yield MethodAccuracy("logistic regression on SNPs", accuracy(truth, logistic.predict(held_out), people))


def _refuse_known_people(held_out: Panel, model: ModelFile) -> None:
    if known := [sample for sample in held_out.samples if sample in model.card.part_of]:
        raise HaploomError(
            f"{len(known)} of {held_out.n_samples} held-out people are in the model's own split (the first: "
            f"{known[0]}): leave them out, or choose a part of the split"
        )
