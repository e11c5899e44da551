"""Rows of Table 3: each method's map of each data set, split by split, and its scores."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from haploom import progress
from haploom.panel import DosagePanel, Panel
from haploom.popgen.cluster_scores import cluster_scores
from haploom.popgen.geography import pairwise_km
from haploom.popgen.map_scores import (
    continuity,
    distance_correlation,
    map_distances,
    neighbour_labels,
    trustworthiness,
)
from haploom.report.reproduce.map_data import Genotyped, MapSizes, parts_of
from haploom.report.reproduce.map_methods import MAKERS, Maker, genotype_distances
from haploom.report.reproduce.rows import Row, RowFile

TRUE_NEIGHBOURS = 15  # of trustworthiness and continuity
NEIGHBOURS = 20  # that vote for a newcomer's label
TRAINING, HELD_OUT = "training", "held out"
# Score -> whether more of it is better.
SCORES = {
    "pseudo_f": True, "silhouette": True, "davies_bouldin": False, "neighbours": True, "trustworthiness": True,
    "continuity": True, "genotype_correlation": True, "ground_correlation": True,
}  # fmt: skip


def measure_maps(
    data: Genotyped, sizes: MapSizes, seed: int, file: RowFile, folder: Path, makers: Sequence[Maker]
) -> list[Row]:
    """All rows of one data set; the points of the first split are kept in the folder (`points_file`), to be drawn."""
    rows: list[Row] = []
    with progress.task(f"Mapping {data.name}", sizes.splits * len(makers)) as advance:
        for number in range(sizes.splits):
            for make in makers:
                key = f"{data.name} {number} {' '.join(MAKERS[make])}"
                kept = folder if number == 0 else None
                if kept and not all(points_file(folder, data, method).exists() for method in MAKERS[make]):
                    file.rows.pop(key, None)  # its rows cannot be drawn
                rows += file.measured(key, partial(_rows, data, make, sizes, seed + number, kept))
                advance()
    return rows


def points_file(folder: Path, data: Genotyped, method: str) -> Path:
    """Where the points of a map are kept: arrays z (n, 2), labels (n,), held_out (n,)."""
    return folder / f"points-{slug(data.name)}-{slug(method)}.npz"


def _rows(data: Genotyped, make: Maker, sizes: MapSizes, seed: int, folder: Path | None) -> list[Row]:
    parts = parts_of(data, seed)
    shown = {TRAINING: parts.part("train"), HELD_OUT: parts.part("test")}
    labels = {name: data.labels(data.levels[0], part.samples) for name, part in shown.items() if data.levels}
    rows = []
    for method, both in make(parts, sizes, seed).items():
        placed = dict(zip(shown, both))
        for name, part in shown.items():
            z, found = placed[name], _faithfulness(data, part, placed[name], sizes.distance_rows, seed)
            if labels:
                found |= cluster_scores(z, labels[name])._asdict()
            if labels and name == HELD_OUT:
                k = min(NEIGHBOURS, len(placed[TRAINING]))
                said = neighbour_labels(placed[TRAINING], labels[TRAINING], z, k)
                found["neighbours"] = float((said == labels[HELD_OUT]).mean())
            scores = {score: found.get(score) for score in SCORES}
            about = {"data": data.name, "sites": parts.everyone.n_sites, "seed": seed, "method": method}
            rows.append({**about, "people": name, "rows": len(z), **scores})
        if folder is not None:
            z = np.concatenate(both)
            names = np.concatenate(list(labels.values())) if labels else np.full(len(z), "unlabelled")
            held_out = np.arange(len(z)) >= len(both[0])
            np.savez(points_file(folder, data, method), z=z, labels=names, held_out=held_out)
    return rows


def _faithfulness(
    data: Genotyped, part: Panel | DosagePanel, z: np.ndarray, most_rows: int, seed: int
) -> dict[str, float]:
    """Scores that need no label, of a random choice of people: the same for every method."""
    size = data.rows_per_person
    people = np.sort(np.random.default_rng(seed).permutation(part.n_samples)[: most_rows // size])
    chosen = part.select_samples([part.samples[person] for person in people])
    original = genotype_distances(chosen)
    on_map = map_distances(z.astype(np.float64)[(size * people[:, None] + np.arange(size)).ravel()])
    k = min(TRUE_NEIGHBOURS, (len(original) - 1) // 2)
    found = {
        "trustworthiness": trustworthiness(original, on_map, k),
        "continuity": continuity(original, on_map, k),
        "genotype_correlation": distance_correlation(original, on_map),
    }
    places = data.coordinates(chosen.samples)
    if places is not None:
        found["ground_correlation"] = distance_correlation(pairwise_km(np.stack(places, axis=1)), on_map)
    return found


def slug(name: str) -> str:
    """A name as part of a file's name."""
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())
