"""Made-up people of the demo: beside the people of the panel, and in their audits."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from haploom.audit.catalogue import MEASURES
from haploom.baselines.accuracy import accuracy
from haploom.baselines.logistic import SnpLogisticRegression
from haploom.panel import Panel
from haploom.popgen.differentiation import population_counts
from haploom.popgen.entropy import population_entropies
from haploom.report.demo import files
from haploom.report.demo.cast import LEVEL

# The measures that the report's table shows; all are in each audit's own page.
SHOWN = (
    "frequency_correlation", "ld_decay_error", "two_sample_forest", "adversarial_accuracy", "utility_accuracy",
    "privacy_loss", "membership_run", "exact_copies",
)  # fmt: skip


def mean_entropies(panel: Panel, seed: int) -> dict[str, float]:
    """Bits per site of each population, at 32 haplotypes a draw or as many as there are."""
    return {name: float(site_bits.mean()) for name, site_bits in population_entropies(panel, LEVEL, seed=seed).items()}


def made_people(folder: Path, source: str) -> Panel:
    """The people of one of files.MADE."""
    return files.people_of(folder, files.MADE_FILES[files.MADE[source]])


def measure_made(folder: Path, panel: Panel, seed: int) -> list[dict[str, Any]]:
    """A row a population: people of the autoregressive model beside real ones that no model has seen."""
    synthetic = made_people(folder, files.GENERATED)
    train, validation, test = (files.founders_of(folder, part) for part in ("train", "validation", "test"))
    logistic = SnpLogisticRegression().fit(
        train, train.labels(LEVEL, "haplotype"), validation, validation.labels(LEVEL, "haplotype")
    )
    recalls = {
        name: accuracy(
            people.labels(LEVEL, "haplotype"), logistic.predict(people), np.repeat(np.array(people.samples), 2)
        ).recalls
        for name, people in (("synthetic", synthetic), ("real", test))
    }
    frequencies = {name: _frequencies(people) for name, people in
                   (("synthetic", synthetic), ("train", train), ("test", test))}  # fmt: skip
    entropies = mean_entropies(synthetic, seed), mean_entropies(panel, seed)
    return [
        {
            "population": name,
            "frequency_correlation": _correlation(frequencies["synthetic"][name], frequencies["test"][name]),
            "frequency_correlation_real": _correlation(frequencies["train"][name], frequencies["test"][name]),
            "entropy_bits": entropies[0][name],
            "entropy_bits_real": entropies[1][name],
            "labelled_right": recalls["synthetic"][name].value,
            "labelled_right_real": recalls["real"][name].value,
        }
        for name in entropies[1]
    ]


def measure_audits(folder: Path) -> dict[str, Any]:
    """What made people -> the verdict of their audit and its main measures; None where it could not be made."""
    audits: dict[str, Any] = {}
    for source, stem in files.MADE.items():
        found = folder / f"{stem}.audit" / "audit.json"
        if not found.exists():
            audits[source] = None
            continue
        record = json.loads(found.read_text(encoding="utf-8"))
        measures = {name: record[name] for name in MEASURES if name in record}
        audits[source] = {
            "passed": record["passed"],
            "of": len(measures),
            "failed": [name for name, each in measures.items() if not each["passed"]],
            "failed_privacy": sum(not each["passed"] and each["part"] == "privacy" for each in measures.values()),
            "measures": {
                name: {key: measures[name][key] for key in ("value", "reference", "passed")}
                for name in SHOWN
                if name in measures
            },
        }
    return audits


def _frequencies(panel: Panel) -> dict[str, np.ndarray]:
    counts = population_counts(panel, LEVEL)
    return dict(zip(counts.labels, counts.alternate / counts.n_haplotypes[:, None]))


def _correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """Pearson's r over sites; None where either has no variation."""
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else None
