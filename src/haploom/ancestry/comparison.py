"""A model's labels beside those of the baselines, on the same held-out people."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from haploom.ancestry.classify import classify_panel
from haploom.ancestry.known_labels import known_labels
from haploom.ancestry.rebuilding import classify_by_rebuilding
from haploom.baselines.accuracy import Accuracy, Interval, accuracy, paired_gain
from haploom.baselines.centroid import NearestCentroid
from haploom.baselines.logistic import SnpLogisticRegression
from haploom.baselines.tuned import METHODS, TunedClassifier
from haploom.errors import HaploomError
from haploom.io.model_file import ModelFile, panel_at_sites
from haploom.panel import Panel
from haploom.popgen.pca import PCA

_METHOD_OF = {
    "vae": "VAE, nearest centroid", "ancestry": "trusted classifier", "cvae": "C-VAE, MAP", "yvae": "Y-VAE, MAP",
}  # fmt: skip
_COMPONENTS = 20  # where the model has no latent space to match


@dataclass(frozen=True)
class MethodAccuracy:
    """How often a method labels a haplotype right, on people it did not see.

    gain: the model's accuracy minus this method's, on the same people; None of the model itself.
    """

    method: str
    accuracy: Accuracy
    gain: Interval | None = None


def compare_classifiers(
    panel: Panel, model: ModelFile, held_out: Panel | None = None, tuned: bool = True
) -> Iterator[MethodAccuracy]:
    """The model, nearest centroid on principal components, and the classifiers of `baselines`, in turn.

    panel: holds the model's training and validation people (the baselines learn from exactly those, at the
    model's sites) and its test people, with the model's label level. held_out: label these people instead of
    the test people; none may be in the model's split, which knows people by name alone. tuned: also the classifiers
    of `baselines.tuned`, which take most of the time. Raises HaploomError where people are not so, and for labels the
    model does not know.

    Validation people are not held out: the model's epoch and the penalty of logistic regression were chosen on them.
    """
    panel = panel_at_sites(panel, model)
    train, validation = (
        panel.select_samples(model.split.samples(wanted, panel.samples)) for wanted in ("train", "validation")
    )
    if held_out is None:
        held_out = panel.select_samples(model.split.samples("test", panel.samples))
    else:
        _refuse_known_people(held_out, model)
        held_out = panel_at_sites(held_out, model)
    train_labels, validation_labels, truth = (known_labels(each, model) for each in (train, validation, held_out))
    people = np.repeat(np.array(held_out.samples), 2)

    ours = classify_panel(held_out, model)
    labels = np.array(ours.classes)[ours.scores.argmax(axis=1)]  # of unknown people too: the baselines name all
    yield MethodAccuracy(
        _METHOD_OF.get(model.card.kind, f"{model.card.kind}, nearest centroid"), accuracy(truth, labels, people)
    )

    def measured(method: str, predicted: np.ndarray) -> MethodAccuracy:
        gain = paired_gain(truth, labels, predicted, people)
        return MethodAccuracy(method, accuracy(truth, predicted, people), gain)

    if model.card.kind in ("cvae", "yvae"):
        fewest = classify_by_rebuilding(held_out, model, by="l1").labels
        yield measured(_METHOD_OF[model.card.kind].replace("MAP", "L1"), fewest)
    means = model.arrays.get("labels.mean")
    n_latent = _COMPONENTS if means is None else means.shape[1]  # as many axes as the model has
    pca = PCA(min(n_latent, train.n_haplotypes - 1, train.n_sites)).fit(train)
    scores, held_out_scores = pca.transform(train), pca.transform(held_out)
    spread = np.sqrt(pca.explained_variance_)
    for name, scale in (("PCA", 1.0), ("PCA scaled to unit variance", np.where(spread > 0, spread, 1.0))):
        nearest = NearestCentroid().fit(scores / scale, train_labels)
        yield measured(f"{name}, nearest centroid", nearest.predict(held_out_scores / scale))

    logistic = SnpLogisticRegression().fit(train, train_labels, validation, validation_labels)
    yield measured("logistic regression on SNPs", logistic.predict(held_out))
    for method in METHODS if tuned else ():
        classifier = TunedClassifier(method).fit(train, train_labels, validation, validation_labels)
        yield measured(method.name, classifier.predict(held_out))


def _refuse_known_people(held_out: Panel, model: ModelFile) -> None:
    if known := [sample for sample in held_out.samples if sample in model.card.part_of]:
        raise HaploomError(
            f"{len(known)} of {held_out.n_samples} held-out people are in the model's own split (the first: "
            f"{known[0]}): leave them out"
        )
