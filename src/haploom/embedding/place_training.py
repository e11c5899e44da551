"""Fitting places: principal components of unphased people, regression tuned on left-out people, and its error in km.

People are left out in folds; their axes are found without them, as those of new people will be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from haploom import progress, provenance
from haploom.baselines.neighbour_places import neighbour_places
from haploom.baselines.principal_components import pca_arrays
from haploom.embedding.place_regression import PlaceRegression, RegressionSettings
from haploom.errors import HaploomError
from haploom.io.model_file import ModelCard, ModelFile
from haploom.panel import PARTS, DosagePanel, Split
from haploom.popgen.geography import great_circle_km
from haploom.popgen.pca import PCA

FEWEST_PEOPLE = 10
MOST_PEOPLE = 6000  # the regression holds a few float64 matrices of people x people
MOST_AXES = 64
FOLDS = 5
COVERAGE = 0.9  # of the radius
AXES, WIDTHS, RIDGES = (8, 16, 32, 64), (0.5, 1.0, 2.0), (0.03, 0.1, 0.3)
NEIGHBOURS = (1, 3, 5, 10)

_LIMITS = (
    "It places everyone among its training people, whether or not they are from there.",
    "Its errors were measured on people drawn as those were, and chosen as the least of a few settings: a little low.",
    "A place is where relatives were sampled, a mean of them where they were sampled far apart.",
)


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What left-out people are given. settings: chosen. places: degrees (n, 2); spread: (n,), as `predict` gives it.

    neighbours: (axes, how many) chosen; neighbour_places, middle_places: those of the baselines, (n, 2).
    """

    settings: RegressionSettings
    places: np.ndarray
    spread: np.ndarray
    neighbours: tuple[int, int]
    neighbour_places: np.ndarray
    middle_places: np.ndarray


def train_coordinates(
    panel: DosagePanel, places: np.ndarray, split: Split, *, maf: float = 0.0, seed: int = 1
) -> ModelFile:
    """Fit to the training and validation people of a split.

    panel: people with known places; missing calls are taken into account. places: longitude and latitude in degrees
    (n_samples, 2). maf: only sites whose minor-allele frequency among the fitted people is above it. seed: of the
    folds, and of the axes where the panel is large. The split's test people are not looked at.

    Raises HaploomError with fewer than FEWEST_PEOPLE people or more than MOST_PEOPLE.
    """
    fitted = np.array([split.part_of.get(name) in ("train", "validation") for name in panel.samples], dtype=bool)
    here = panel.select_samples([name for name, kept in zip(panel.samples, fitted) if kept])
    if not FEWEST_PEOPLE <= here.n_samples <= MOST_PEOPLE:
        raise HaploomError(
            f"places are fitted to {FEWEST_PEOPLE} to {MOST_PEOPLE:,} people, found {here.n_samples} with a place in "
            "the training and validation parts: give more, or choose some with -S"
        )
    if maf > 0:
        here = here.common(maf)
    places = places[fitted]
    left_out = leave_out(here, places, seed)
    pca = PCA(_n_axes(here, left_out.settings.axes), random_state=seed).fit(here)
    regression = PlaceRegression(left_out.settings).fit(pca.transform(here), places)
    km = great_circle_km(left_out.places, places)
    facts: dict[str, Any] = {
        "maf": maf, "seed": seed, "people": here.n_samples, "coverage": COVERAGE,
        **{f"left_out_{name}": value for name, value in errors_km(km).items()},
        **_of_baseline("neighbours", left_out.neighbour_places, places),
        **_of_baseline("middle", left_out.middle_places, places),
        "neighbours": list(left_out.neighbours),
    }  # fmt: skip
    card = ModelCard(
        kind="coordinates",
        profile="sound",
        config={"n_sites": here.n_sites, "ploidy": 2, **vars(left_out.settings)},
        label_level="",
        labels={},
        contig_length_bp=dict(here.variants.contig_length_bp),
        site_fingerprint=here.variants.fingerprint(),
        part_of={sample: part for part in PARTS for sample in panel.samples if split.part_of.get(sample) == part},
        training=facts,
        history=[],
        limits=list(_LIMITS),
        made_by=provenance.record(seed),
    )
    arrays = {
        **pca_arrays(pca),
        **{f"places.{name}": array for name, array in regression.to_arrays().items()},
        "places.degrees": places,
        "places.km_of_spread": np.array([km_of_spread(km, left_out.spread)]),
    }
    return ModelFile(card, here.variants, arrays)


def leave_out(panel: DosagePanel, places: np.ndarray, seed: int = 1) -> LeftOut:
    """Each person placed without their fold, by the settings under which the mean error is least.

    The baselines, means of neighbours and of everybody, choose theirs on the same folds.
    """
    n = panel.n_samples
    fold_of = np.random.default_rng(seed).permutation(n) % FOLDS
    largest = _n_axes(panel.select_samples([panel.samples[i] for i in np.flatnonzero(fold_of)]), MOST_AXES)
    axes = sorted({min(number, largest) for number in AXES})
    grid = [RegressionSettings(*each) for each in product(axes, WIDTHS, RIDGES)]
    of_neighbours = list(product(axes, NEIGHBOURS))
    found, spread = np.empty((len(grid), n, 2)), np.empty((len(grid), n))
    beside, middle = np.empty((len(of_neighbours), n, 2)), np.empty((n, 2))
    with progress.task("Leaving people out", total=FOLDS) as advance:
        for fold in range(FOLDS):
            out = fold_of == fold
            train, test = (_people(panel, rows) for rows in (~out, out))
            pca = PCA(largest, random_state=seed).fit(train)
            latents, new = pca.transform(train), pca.transform(test)
            for place, settings in enumerate(grid):
                found[place, out], spread[place, out] = (
                    PlaceRegression(settings).fit(latents, places[~out]).predict(new)
                )
            for place, (n_axes, k) in enumerate(of_neighbours):
                beside[place, out] = neighbour_places(latents[:, :n_axes], places[~out], new[:, :n_axes], k)
            middle[out] = neighbour_places(latents, places[~out], new, n)
            advance(1)
    best, best_beside = (
        int(np.argmin([great_circle_km(each, places).mean() for each in tried])) for tried in (found, beside)
    )
    return LeftOut(grid[best], found[best], spread[best], of_neighbours[best_beside], beside[best_beside], middle)


def errors_km(km: np.ndarray) -> dict[str, float]:
    """Median and mean of errors (n,)."""
    return {"median_km": float(np.median(km)), "mean_km": float(km.mean())}


def km_of_spread(km: np.ndarray, spread: np.ndarray) -> float:
    """What a spread is multiplied by to give a radius that holds a share COVERAGE of the errors.

    km, spread: (n,), of left-out people. The quantile is the conformal one, rounded up by a person.
    """
    ratios = np.sort(km / spread)
    return float(ratios[min(int(np.ceil(COVERAGE * (len(km) + 1))), len(km)) - 1])


def _of_baseline(name: str, found: np.ndarray, places: np.ndarray) -> dict[str, float]:
    return {f"left_out_{name}_{key}": value for key, value in errors_km(great_circle_km(found, places)).items()}


def _people(panel: DosagePanel, rows: np.ndarray) -> DosagePanel:
    names: Sequence[str] = [panel.samples[i] for i in np.flatnonzero(rows)]
    return panel.select_samples(names)


def _n_axes(panel: DosagePanel, wanted: int) -> int:
    return max(1, min(wanted, panel.n_samples - 1, panel.n_sites))
