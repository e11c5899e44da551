"""How far off people are placed, in km, beside the mean of their neighbours and the mean of everybody.

    python benchmarks/places.py [DATA_FOLDER] [--repeats N]

Five folds by person, repeated; settings are chosen anew on the training people of each fold (nested), so the figures
are those of people nobody looked at. With DATA_FOLDER: the wolves there (wolves.bed, wolves.coord). Without: people of
two grids of demes (`simulate_stepping_stones`), unphased, 2 % of calls taken away: 144 demes with one person each, so
that nobody's own deme is known, and 36 with five. Appends one JSON line a data set to records/places.jsonl. Five
minutes on one core.

within_radius: share of people within `radius_km` of their place.
"""

import argparse
import time
from pathlib import Path

import numpy as np

import haploom as hl
from haploom.baselines.neighbour_places import neighbour_places
from haploom.bench.records import append_records
from haploom.embedding.place_training import errors_km, train_coordinates
from haploom.embedding.places import locate_panel
from haploom.io.model_file import ModelFile
from haploom.io.place_tables import read_places
from haploom.panel import DosagePanel, Split
from haploom.panel.dosages import MISSING
from haploom.popgen.geography import great_circle_km
from haploom.popgen.pca import PCA
from haploom.popgen.stepping_stones import SPACING_KM, simulate_stepping_stones
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "places.jsonl"
FOLDS = 5
LOST_CALLS = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.folder:
        wolves = hl.read_dosages(arguments.folder / "wolves.bed")
        measure("wolves", wolves, read_places(arguments.folder / "wolves.coord", wolves.samples), arguments.repeats)
        return
    for side, people in ((12, 1), (6, 5)):
        phased, places = simulate_stepping_stones(rows=side, columns=side, people=people)
        panel = DosagePanel.from_panel(phased)
        lost = np.random.default_rng(1).random(panel.dosages.shape) < LOST_CALLS
        panel = DosagePanel(np.where(lost, np.int8(MISSING), panel.dosages), panel.variants, panel.samples)
        name = f"{side} x {side} demes {SPACING_KM:g} km apart, {people} of each"
        measure(name, panel, places, arguments.repeats)


def measure(name: str, panel: DosagePanel, places: np.ndarray, repeats: int) -> None:
    start = time.perf_counter()
    km: dict[str, list[np.ndarray]] = {"regression": [], "neighbours": [], "middle": []}
    within = []
    for repeat in range(repeats):
        fold_of = np.random.default_rng(repeat).permutation(panel.n_samples) % FOLDS
        for fold in range(FOLDS):
            out = fold_of == fold
            train, test = ([panel.samples[i] for i in np.flatnonzero(rows)] for rows in (~out, out))
            model = train_coordinates(
                panel.select_samples(train), places[~out], Split(dict.fromkeys(train, "train")), seed=repeat
            )
            held_out = panel.select_samples(test)
            found = locate_panel(held_out, model)
            km["regression"].append(great_circle_km(found.degrees, places[out]))
            within.append(km["regression"][-1] <= found.radius_km)
            km["neighbours"].append(great_circle_km(beside(panel, model, train, held_out, places[~out]), places[out]))
            middle = neighbour_places(np.zeros((len(train), 1)), places[~out], np.zeros((len(test), 1)), len(train))
            km["middle"].append(great_circle_km(middle, places[out]))
    figures = {
        f"{method}_{figure}": round(value, 1)
        for method, errors in km.items()
        for figure, value in errors_km(np.concatenate(errors)).items()
    }
    record = {
        "benchmark": "places", "data": name, "people": panel.n_samples, "sites": panel.n_sites, **figures,
        "within_radius": round(float(np.concatenate(within).mean()), 4), "repeats": repeats,
        "seconds": round(time.perf_counter() - start, 1), "versions": package_versions(),
    }  # fmt: skip
    append_records(RECORDS, [record])
    print(record)


def beside(
    panel: DosagePanel, model: ModelFile, train: list[str], held_out: DosagePanel, places: np.ndarray
) -> np.ndarray:
    """Means of neighbours in principal components, as many of each as were chosen without the test people."""
    n_axes, k = model.card.training["neighbours"]
    known = panel.select_samples(train)
    pca = PCA(n_axes).fit(known)
    return neighbour_places(pca.transform(known), places, pca.transform(held_out), k)


if __name__ == "__main__":
    main()
