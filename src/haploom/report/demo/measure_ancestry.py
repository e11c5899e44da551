"""What the trusted classifier said of the demo's people, against the truth."""

from pathlib import Path
from typing import Any

import numpy as np

from haploom.io import Selection, read_panel
from haploom.io.model_file import read_model
from haploom.io.tables import read_table
from haploom.report.demo import files
from haploom.report.demo.cast import LEVEL, Cast

UNKNOWN = "unknown"


def measure_visitors(folder: Path, cast: Cast) -> dict[str, Any]:
    """What was said of haplotypes of each population, with all sites and with every other."""
    genotypes, labels, _ = files.wide_files(cast)
    of = {row["sample"]: row[LEVEL] for row in rows_of(folder / labels)}
    n_sites = {}
    for name, sites in (("all sites", None), ("every other site", folder / files.HALF_OF_SITES)):
        n_sites[name] = len(read_panel(folder / genotypes, Selection(sites=sites, samples=(next(iter(of)),))).variants)
    trusted = read_model(folder / files.TRUSTED)
    tables = {"all sites": files.VISITOR_LABELS, "every other site": files.HALF_LABELS}
    rows = {name: rows_of(folder / table) for name, table in tables.items()}
    said = {name: [row["label"] for row in each] for name, each in rows.items()}
    truth = np.array([of[row["sample"]] for row in rows["all sites"]])
    likeliest = {name: np.array([_likeliest(row)[1] for row in each]) for name, each in rows.items()}
    known = truth != cast.stranger
    return {
        "stranger": cast.stranger,
        "labels": list(trusted.labels),
        "model_sites": len(trusted.variants),
        "sites": n_sites,
        "said": {name: _counts(truth, np.array(each)) for name, each in said.items()},
        "right": {name: _share(np.array(each)[known] == truth[known]) for name, each in said.items()},
        "unknown_known": {name: _share(np.array(each)[known] == UNKNOWN) for name, each in said.items()},
        "unknown_strangers": {name: _share(np.array(each)[~known] == UNKNOWN) for name, each in said.items()},
        "likeliest_right": {name: _share(each[known] == truth[known]) for name, each in likeliest.items()},
        "examples": _examples(rows, of, cast.stranger),
    }


def _examples(rows: dict[str, list[dict[str, str]]], of: dict[str, str], stranger: str | None) -> list[dict[str, Any]]:
    """The first person whom the classifier could know, with all sites and with every other, and the first stranger."""
    wanted = [("all sites", False), ("every other site", False), *([("all sites", True)] if stranger else [])]
    found = []
    for sites, is_stranger in wanted:
        row = next(row for row in rows[sites] if (of[row["sample"]] == stranger) == is_stranger)
        probability, label = _likeliest(row)
        found.append({
            "sample": row["sample"], "from": of[row["sample"]], "sites": sites, "label": row["label"],
            "set": row["set"], "likeliest": label, "probability": probability,
        })  # fmt: skip
    return found


def _likeliest(row: dict[str, str]) -> tuple[float, str]:
    """The label of the greatest probability, which has one whether or not it is told."""
    return max((float(value), name[2:]) for name, value in row.items() if name.startswith("p_"))


def _counts(truth: np.ndarray, said: np.ndarray) -> dict[str, dict[str, int]]:
    """Population -> what was said -> haplotypes."""
    return {
        str(name): {str(label): int(n) for label, n in zip(*np.unique(said[truth == name], return_counts=True))}
        for name in sorted(set(truth.tolist()))
    }


def _share(holds: np.ndarray) -> float | None:
    return float(holds.mean()) if len(holds) else None


def measure_painting(folder: Path, cast: Cast) -> dict[str, Any]:
    """How often the label told of a site is that of the founder it comes from; {} where nobody was mixed.

    accuracy: share of sites and haplotypes. proportion_error: mean over people and labels of the difference between
    the share told and the true one. guess: the share that is right when all is called by the label of most sites.
    """
    if not cast.mixed:
        return {}
    mixed = read_panel(folder / files.MIXED)
    told, true = (labels_at_sites(folder / name, mixed.variants, mixed.samples) for name in
                  (files.STRETCHES, files.TRACKS))  # fmt: skip
    shares = rows_of(folder / files.SHARES)
    errors = [
        [float(row[f"q_{label}"]) - float((true[2 * person : 2 * person + 2] == label).mean()) for label in cast.mixed]
        for person, row in enumerate(shares)
    ]
    switches = (true[:, 1:] != true[:, :-1]).sum(axis=1)
    _, counts = np.unique(true, return_counts=True)
    return {
        "people": mixed.n_samples,
        "sites": mixed.n_sites,
        "span_bp": int(np.ptp(mixed.variants.position_bp)) + 1,
        "labels": list(cast.mixed),
        "accuracy": float((told == true).mean()),
        "accuracy_by_label": {label: _share((told == true)[true == label]) for label in cast.mixed},
        "guess": float(counts.max() / counts.sum()),
        "proportion_error": float(np.abs(errors).mean()),
        "switches": float(switches.mean()),
        "switches_told": float((told[:, 1:] != told[:, :-1]).sum(axis=1).mean()),
    }


def labels_at_sites(path: Path, variants: Any, samples: tuple[str, ...]) -> np.ndarray:
    """Strings (n_haplotypes, n_sites): of each site, the label of the stretch of a table that it lies in.

    path: columns sample, haplotype, chrom, start_bp, end_bp, and `label` or `population`; stretches cover contigs.
    """
    row_of = {name: 2 * place for place, name in enumerate(samples)}
    contigs = {name: place for place, name in enumerate(variants.contigs())}
    span = int(variants.position_bp.max()) + 2
    stretches = rows_of(path)
    rows = np.array([row_of[row["sample"]] + int(row["haplotype"]) - 1 for row in stretches])
    chrom = np.array([contigs[row["chrom"]] for row in stretches])
    start = np.array([int(row["start_bp"]) for row in stretches])
    labels = np.array([row.get("label") or row["population"] for row in stretches])
    # All haplotypes and contigs laid end to end, so that one search places every site.
    keys = (rows * len(contigs) + chrom) * span + start
    order = np.argsort(keys, kind="stable")
    site_keys = np.array([contigs[name] for name in variants.chrom.tolist()]) * span + variants.position_bp
    all_sites = np.arange(2 * len(samples))[:, None] * len(contigs) * span + site_keys
    return labels[order][np.searchsorted(keys[order], all_sites, side="right") - 1]


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a tab-separated table with a header."""
    names, rows = read_table(path)
    return [dict(zip(names, fields)) for _, fields in rows]
