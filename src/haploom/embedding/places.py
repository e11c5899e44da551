"""Where people are from, by their genotypes: a place, and the radius around it that nine of ten are from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haploom.baselines.principal_components import pca_latents
from haploom.embedding.place_regression import PlaceRegression
from haploom.errors import CorruptModelError, HaploomError
from haploom.io.model_file import ModelFile
from haploom.io.output import text_output
from haploom.panel import DosagePanel, Panel
from haploom.panel.matching import MIN_COVERAGE

COLUMNS = ("sample", "longitude", "latitude", "radius_km", "part")


@dataclass(frozen=True, eq=False)
class Places:
    """samples: names. degrees: float64 (n_samples, 2), longitude and latitude. radius_km: float64 (n_samples,).

    parts: for each person train, validation, test, or "new" where the model's split does not know them.
    """

    samples: tuple[str, ...]
    degrees: np.ndarray
    radius_km: np.ndarray
    parts: tuple[str, ...]


def check_locates(model: ModelFile) -> None:
    """Raise HaploomError for a model of another kind: asked before genotypes are read for nothing."""
    if model.card.kind != "coordinates":
        raise HaploomError(
            f"a model of kind {model.card.kind} knows no places: train one with --kind coordinates --coordinates TABLE"
        )


def locate_panel(panel: Panel | DosagePanel, model: ModelFile, min_coverage: float = MIN_COVERAGE) -> Places:
    """The place of each person; phased genotypes are taken as dosages.

    Absent sites and missing calls are filled with what the others say. The radius held 90 % of the left-out training
    people. Raises HaploomError for a model of another kind, SiteMismatchError when the panel has a smaller share of the
    model's sites than `min_coverage`, CorruptModelError when the model's arrays do not fit together.
    """
    check_locates(model)
    arrays = model.group("places")
    try:
        regression = PlaceRegression.from_arrays(arrays)
        km_of_spread = float(arrays["km_of_spread"][0])
    except (KeyError, ValueError, IndexError) as error:
        raise CorruptModelError(f"the model says it places people, but its arrays do not: {error}") from error
    latents = pca_latents(model, panel, min_coverage).astype(np.float64)
    degrees, spread = regression.predict(latents)
    return Places(panel.samples, degrees, km_of_spread * spread, model.parts_of(panel.samples))


def write_places(places: Places, path: Path, force: bool = False) -> None:
    """A TSV of COLUMNS; degrees to a ten-thousandth (11 m), km to one. path: `-` is stdout."""
    with text_output(path, force) as file:
        file.write("\t".join(COLUMNS) + "\n")
        for sample, (longitude, latitude), radius_km, part in zip(
            places.samples, places.degrees, places.radius_km, places.parts
        ):
            file.write(f"{sample}\t{longitude:.4f}\t{latitude:.4f}\t{radius_km:.0f}\t{part}\n")
