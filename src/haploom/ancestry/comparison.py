"""A model's labels beside those of the baselines, on the same held-out people."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from haploom.ancestry.centroids import classify_panel
from haploom.baselines.accuracy import Accuracy, accuracy
from haploom.baselines.centroid import NearestCentroid
from haploom.baselines.logistic import SnpLogisticRegression
from haploom.io.model_file import ModelFile, model_columns
from haploom.panel import Panel
from haploom.popgen.pca import PCA

N_COMPONENTS = 64  # as many as the VAE has latents by default


@dataclass(frozen=True)
class MethodAccuracy:
    """How often a method labels a haplotype right, on people it did not see."""

    method: str
    accuracy: Accuracy


def compare_classifiers(panel: Panel, model: ModelFile, part: str = "test") -> Iterator[MethodAccuracy]:
    """The model, nearest centroid on principal components, and logistic regression on the raw SNPs, in turn.

    panel: holds the model's training and validation people (the baselines learn from exactly those, at the
    model's sites) and those of `part`, with the model's label level. Raises HaploomError where it does not.
    """
    panel = panel.select_sites(model_columns(panel.variants, model))
    level = model.card.label_level
    train, validation, held_out = (
        panel.select_samples(model.split.samples(wanted, panel.samples)) for wanted in ("train", "validation", part)
    )
    train_labels = train.labels(level, per="haplotype")
    truth = held_out.labels(level, per="haplotype")
    people = np.repeat(np.array(held_out.samples), 2)

    yield MethodAccuracy("VAE, nearest centroid", accuracy(truth, classify_panel(held_out, model).labels, people))

    pca = PCA(min(N_COMPONENTS, train.n_haplotypes - 1, train.n_sites)).fit(train)
    nearest = NearestCentroid().fit(pca.transform(train), train_labels)
    yield MethodAccuracy("PCA, nearest centroid", accuracy(truth, nearest.predict(pca.transform(held_out)), people))

    logistic = SnpLogisticRegression().fit(train, train_labels, validation, validation.labels(level, per="haplotype"))
    yield MethodAccuracy("logistic regression on SNPs", accuracy(truth, logistic.predict(held_out), people))
