"""Ways to label haplotypes that Table 4 compares: each learns from bred people, and then labels rows.

The paper's six, by both profiles; the trusted classifier; and baselines tuned on the validation people.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from haploom.ancestry import classify_panel
from haploom.ancestry.rebuilding import classify_by_rebuilding
from haploom.baselines.centroid import NearestCentroid
from haploom.baselines.logistic import SnpLogisticRegression
from haploom.baselines.tuned import METHODS, Method, TunedClassifier
from haploom.io.model_file import ModelFile
from haploom.panel import Panel
from haploom.popgen.pca import PCA
from haploom.report.reproduce.people import People

PROFILES = ("paper", "sound")
TRUSTED = "trusted classifier"
LATENTS = 64  # of the VAEs (paper), and as many principal components


@dataclass(frozen=True)
class Labeller:
    """A fitted method. label: rows of a panel -> strings (n_haplotypes,).

    probabilities: for methods that give them, name -> (rows -> float64 (n, n_labels), labels sorted).
    """

    method: str
    label: Callable[[Panel], np.ndarray]
    probabilities: Mapping[str, Callable[[Panel], np.ndarray]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Fitting:
    """What to learn from. epochs: of networks, at most, by profile; validation people choose the epoch."""

    people: People
    epochs: Mapping[str, int | None]
    seed: int

    def rows(self, part: str) -> tuple[Panel, np.ndarray]:
        """The people of a part, and a label a haplotype."""
        panel = self.people.train
        panel = panel.select_samples(self.people.split.samples(part, panel.samples))
        return panel, panel.labels(self.people.level, per="haplotype")

    def network(self, kind: str, profile: str) -> ModelFile:
        """A model of the kind, trained."""
        from haploom.training.fit import train_model  # loads torch

        epochs = self.epochs[profile]
        settings: dict[str, Any] = {"seed": self.seed} | ({} if epochs is None else {"epochs": epochs})
        people = self.people
        return train_model(
            people.train, people.split, people.level, kind=kind, profile=profile, settings=settings,
            shape={"n_latent": LATENTS},
        ).model  # fmt: skip


def fits() -> Iterator[tuple[str, Callable[[Fitting], list[Labeller]]]]:
    """(name, what fits it): a network gives several methods at once."""
    yield "PCA", _pca_centroid
    yield TRUSTED, _trusted
    yield "logistic regression on SNPs", _logistic
    for method in METHODS:
        yield method.name, partial(_tuned, method=method)
    for profile in PROFILES:
        yield f"VAE {profile}", partial(_vae_centroid, profile=profile)
        for kind in ("cvae", "yvae"):
            yield f"{kind} {profile}", partial(_rebuilding, kind=kind, profile=profile)


def _pca_centroid(fitting: Fitting) -> list[Labeller]:
    train, labels = fitting.rows("train")
    pca = PCA(min(LATENTS, train.n_haplotypes - 1, train.n_sites), random_state=fitting.seed).fit(train)
    nearest = NearestCentroid().fit(pca.transform(train), labels)
    return [Labeller("PCA, nearest centroid", lambda panel: nearest.predict(pca.transform(panel)))]


def _vae_centroid(fitting: Fitting, profile: str) -> list[Labeller]:
    model = fitting.network("vae", profile)
    return [Labeller(f"VAE, nearest centroid, {profile}", lambda panel: classify_panel(panel, model).labels)]


def _rebuilding(fitting: Fitting, kind: str, profile: str) -> list[Labeller]:
    model = fitting.network(kind, profile)
    name = {"cvae": "C-VAE", "yvae": "Y-VAE"}[kind]
    by = {"L1": "l1", "MAP": "map"}
    tempered = {
        "tempered": lambda panel: classify_by_rebuilding(panel, model).scores,
        "not tempered": lambda panel: _untempered(panel, model),
    }
    return [
        Labeller(
            f"{name}, {rule}, {profile}",
            lambda panel, how=how: classify_by_rebuilding(panel, model, by=how).labels,  # type: ignore[misc]
            tempered if rule == "MAP" else {},
        )
        for rule, how in by.items()
    ]


def _untempered(panel: Panel, model: ModelFile) -> np.ndarray:
    """The posterior as the paper's MAP has it: sites as if they were independent given the label."""
    scores = classify_by_rebuilding(panel, model).scores
    nats = np.log(np.maximum(scores, np.finfo(float).tiny)) / float(model.arrays["labels.temperature"][0])
    untempered = np.exp(nats - nats.max(axis=1, keepdims=True))
    return untempered / untempered.sum(axis=1, keepdims=True)


def _trusted(fitting: Fitting) -> list[Labeller]:
    from haploom.ancestry.trusted_training import train_ancestry

    people = fitting.people
    model = train_ancestry(people.train, people.split, people.level, seed=fitting.seed)
    names = np.array(model.labels)

    def probabilities(panel: Panel) -> np.ndarray:
        return classify_panel(panel, model).scores

    # The most probable label of unknown people too, since the baselines name everybody.
    return [Labeller(TRUSTED, lambda panel: names[probabilities(panel).argmax(axis=1)], {"calibrated": probabilities})]


def _logistic(fitting: Fitting) -> list[Labeller]:
    regression = SnpLogisticRegression().fit(*fitting.rows("train"), *fitting.rows("validation"))
    return [Labeller("logistic regression on SNPs", regression.predict)]


def _tuned(fitting: Fitting, method: Method) -> list[Labeller]:
    classifier = TunedClassifier(method).fit(*fitting.rows("train"), *fitting.rows("validation"))
    return [Labeller(method.name, classifier.predict)]
