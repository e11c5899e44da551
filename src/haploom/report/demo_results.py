"""The demo's figures, measured on the files its commands made."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from haploom.archive import open_archive
from haploom.baselines.accuracy import accuracy
from haploom.baselines.logistic import SnpLogisticRegression
from haploom.errors import CheckFailedError
from haploom.io import Selection, read_panel, read_split
from haploom.io.model_file import ModelFile
from haploom.panel import Panel
from haploom.popgen.differentiation import population_counts
from haploom.popgen.entropy import population_entropies
from haploom.report import demo

LEVEL = "population"


def founders_of(folder: Path, part: str | None = None) -> Panel:
    """The simulated people with their labels, or those of one part."""
    split = folder / demo.SPLIT if part else None
    return read_panel(folder / demo.PANEL, Selection(populations=folder / demo.PANEL_LABELS, split=split, part=part))


def measure_demo(folder: Path, model: ModelFile, accuracies: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """All figures of the report, ready for JSON. Raises CheckFailedError when a file is not what went in.

    accuracies: the records of `haploom bench classify`, which name the file and the part.
    """
    panel = founders_of(folder)
    tasks = {demo.FOUNDERS_TASK: demo.PANEL, demo.OFFSPRING_TASK: demo.OFFSPRING}
    return {
        "people": _people(folder, panel, seed),
        "training": {
            "parameters": model.n_parameters,
            "latents": len(model.arrays["labels.mean"][0]),
            "epochs": len(model.card.history),
            "kept_epoch": model.card.training["kept_epoch"],
            "validation_loss": model.card.training["validation_loss"],
        },
        "storage": _storage(folder, panel),
        "classification": {
            task: [
                {key: record[key] for key in ("method", "accuracy", "balanced_accuracy", "recalls", "people")}
                for record in accuracies
                if record["task"] == f"classify/{file}, test"
            ]
            for task, file in tasks.items()
        },
        "synthesis": _synthesis(folder, panel, seed),
    }


def _people(folder: Path, panel: Panel, seed: int) -> dict[str, Any]:
    bred = read_split(folder / demo.OFFSPRING_SPLIT).part_of.values()
    split = read_split(folder / demo.SPLIT).part_of.values()
    parts = ("train", "validation", "test")
    return {
        "sites": panel.n_sites,
        "span_bp": int(panel.variants.position_bp[-1] - panel.variants.position_bp[0] + 1),
        "founders": {part: sum(each == part for each in split) for part in parts},
        "offspring": {part: sum(each == part for each in bred) for part in parts},
        "entropy_bits": _mean_entropies(panel, seed),
    }


def _mean_entropies(panel: Panel, seed: int) -> dict[str, float]:
    return {name: float(site_bits.mean()) for name, site_bits in population_entropies(panel, LEVEL, seed=seed).items()}


def _storage(folder: Path, panel: Panel) -> list[dict[str, Any]]:
    decoded = read_panel(folder / demo.DECODED)
    if not (np.array_equal(decoded.bits, panel.bits) and decoded.samples == panel.samples):
        raise CheckFailedError(f"{folder / demo.DECODED} is not what was stored")
    rows = []
    for codec, name in demo.ARCHIVES.items():
        archive = open_archive(folder / name)
        if not np.array_equal(archive.read().bits, panel.bits):
            raise CheckFailedError(f"{folder / name} does not decode to the alleles that were stored")
        about = archive.describe()
        keys = ("total_bytes", "genotype_bytes", "model_bytes", "bits_per_allele", "blocks")
        rows.append({"codec": codec, **{key: about[key] for key in keys}, "identical": True})
    return rows


def _synthesis(folder: Path, panel: Panel, seed: int) -> list[dict[str, Any]]:
    """A row a population: synthetic people beside real ones that no model has seen."""
    synthetic = read_panel(folder / demo.SYNTHETIC, Selection(populations=folder / demo.SYNTHETIC_LABELS))
    train, validation, test = (founders_of(folder, part) for part in ("train", "validation", "test"))
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
    entropies = _mean_entropies(synthetic, seed), _mean_entropies(panel, seed)
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


def _frequencies(panel: Panel) -> dict[str, np.ndarray]:
    counts = population_counts(panel, LEVEL)
    return dict(zip(counts.labels, counts.alternate / counts.n_haplotypes[:, None]))


def _correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """Pearson's r over sites; None where either has no variation."""
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else None
