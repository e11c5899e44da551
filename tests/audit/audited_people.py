"""Simulated people, split, and synthetic ones of known faults."""

import numpy as np
import pytest

from haploom.audit import classifiers, linkage
from haploom.panel import Panel, split_people
from haploom.popgen.coalescent import simulate_panel

LEVEL = "population"


def simulated_parts() -> dict[str, Panel]:
    """Training, held-out and other people of two populations, none of whom is in two parts."""
    # Few sites of a long stretch: on a short one, real people are copies of each other too.
    panel = simulate_panel(people={"AFR": 110, "WAS": 110}, sites=20_000, seed=4).select_sites(slice(None, None, 9))
    split = split_people(panel.samples, panel.labels(LEVEL).tolist(), (0.5, 0.25, 0.25))
    names = {"train": "train", "validation": "others", "test": "holdout"}
    return {name: panel.select_samples(split.samples(part, panel.samples)) for part, name in names.items()}


def less_work(patch: pytest.MonkeyPatch) -> None:
    """Fewer trees, pairs and triples of sites."""
    patch.setattr(classifiers, "_N_TREES", 20)
    patch.setattr(linkage, "PAIRS_PER_BIN", 300)
    patch.setattr(linkage, "TRIPLES_PER_SEPARATION", 300)


def made_of(alleles: list[np.ndarray], like: Panel, labels: list[str]) -> Panel:
    """A panel of synthetic people at the sites of another; alleles and labels by population."""
    of_people = np.repeat(labels, [len(each) // 2 for each in alleles])
    names = [f"made{i}" for i in range(len(of_people))]
    return Panel.from_alleles(np.concatenate(alleles), like.variants, names, {LEVEL: of_people})


def by_population(panel: Panel) -> dict[str, np.ndarray]:
    """Alleles of each population's haplotypes."""
    labels = np.array(panel.labels(LEVEL, per="haplotype").tolist())
    return {label: panel.alleles(np.flatnonzero(labels == label)) for label in sorted(set(labels.tolist()))}


def resampled(train: Panel) -> Panel:
    """Training haplotypes, drawn again."""
    rng = np.random.default_rng(2)
    of = by_population(train)
    return made_of([each[rng.integers(len(each), size=len(each))] for each in of.values()], train, list(of))


def independent(train: Panel) -> Panel:
    """The right allele frequencies in each population, and nothing else."""
    rng = np.random.default_rng(3)
    of = by_population(train)
    drawn = [(rng.random(each.shape) < each.mean(axis=0)).astype(np.uint8) for each in of.values()]
    return made_of(drawn, train, list(of))
