"""The demo's figures, measured on the files its commands made."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from haploom.archive import open_archive
from haploom.errors import CheckFailedError
from haploom.io import read_panel, read_split
from haploom.io.model_file import ModelFile, read_model
from haploom.panel import PARTS, Panel
from haploom.report.demo import files
from haploom.report.demo.cast import Cast
from haploom.report.demo.measure_ancestry import measure_painting, measure_visitors
from haploom.report.demo.measure_made import mean_entropies, measure_audits, measure_made

FOUNDERS_TASK = "held-out people"
OFFSPRING_TASK = "offspring of held-out people"


def measure_demo(folder: Path, cast: Cast, accuracies: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """All figures of the report, ready for JSON. Raises CheckFailedError when a file is not what went in.

    accuracies: the records of `haploom bench classify`, which name the file and the part.
    """
    panel = files.founders_of(folder)
    return {
        "people": _people(folder, panel, seed),
        "training": {
            name: _training(read_model(folder / model))
            for name, model in (("VAE", files.VAE), ("VQ-VAE", files.VQVAE), ("autoregressive", files.GENERATOR))
        },
        "storage": _storage(folder, panel),
        "classification": _classification(accuracies),
        "visitors": measure_visitors(folder, cast),
        "painting": measure_painting(folder, cast),
        "synthesis": measure_made(folder, panel, seed),
        "audits": measure_audits(folder),
    }


def _people(folder: Path, panel: Panel, seed: int) -> dict[str, Any]:
    bred = read_split(folder / files.OFFSPRING_SPLIT).part_of.values()
    split = read_split(folder / files.SPLIT).part_of.values()
    return {
        "sites": panel.n_sites,
        "span_bp": int(panel.variants.position_bp[-1] - panel.variants.position_bp[0] + 1),
        "founders": {part: sum(each == part for each in split) for part in PARTS},
        "offspring": {part: sum(each == part for each in bred) for part in PARTS},
        "entropy_bits": mean_entropies(panel, seed),
    }


def _training(model: ModelFile) -> dict[str, Any]:
    return {
        "parameters": model.n_parameters,
        "epochs": len(model.card.history),
        "kept_epoch": model.card.training["kept_epoch"],
        "validation_loss": model.card.training["validation_loss"],
    }


def _classification(records: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Task -> a row a method."""
    return {
        task: [
            {key: record[key] for key in ("method", "accuracy", "balanced_accuracy", "recalls", "people")}
            for record in records
            if record["task"] == f"classify/{file}, test"
        ]
        for task, file in ((FOUNDERS_TASK, files.PANEL), (OFFSPRING_TASK, files.OFFSPRING))
    }


def _storage(folder: Path, panel: Panel) -> dict[str, Any]:
    decoded = read_panel(folder / files.DECODED)
    if not (np.array_equal(decoded.bits, panel.bits) and decoded.samples == panel.samples):
        raise CheckFailedError(f"{folder / files.DECODED} is not what was stored")
    rows = []
    for codec, name in files.ARCHIVES.items():
        archive = open_archive(folder / name)
        if not np.array_equal(archive.read().bits, panel.bits):
            raise CheckFailedError(f"{folder / name} does not decode to the alleles that were stored")
        about = archive.describe()
        keys = ("total_bytes", "genotype_bytes", "model_bytes", "bits_per_allele", "blocks")
        rows.append({"codec": codec, **{key: about[key] for key in keys}, "identical": True})
    test = files.founders_of(folder, "test")
    beside = open_archive(folder / files.BESIDE, folder / files.REFERENCE)
    if not np.array_equal(beside.read().bits, test.bits):
        raise CheckFailedError(f"{folder / files.BESIDE} does not decode to the alleles that were stored")
    return {
        "archives": rows,
        "reference": {
            "people": test.n_samples,
            "alone_bytes": open_archive(folder / files.ALONE).describe()["genotype_bytes"],
            "beside_bytes": beside.describe()["genotype_bytes"],
            "reference_bytes": (folder / files.REFERENCE).stat().st_size,
        },
    }
