"""`haploom locate`: where people are from."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from haploom.cli.frame import (
    chosen_sites_explained,
    force_option,
    genotypes,
    json_option,
    min_coverage_option,
    model_option,
    output_option,
    print_result,
    quiet_option,
    selection_options,
)
from haploom.cli.people import note_training_people

if TYPE_CHECKING:
    from haploom.io import Selection


@click.command()
@genotypes()
@model_option
@output_option("Places, a TSV: sample, longitude, latitude, radius_km, part; - for stdout.", stdout=True)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw a map too (.png, .svg or .pdf).")
@click.option(
    "--coordinates",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Where people were sampled (sample, longitude, latitude): says how far off the places are.",
)
@min_coverage_option
@selection_options
@force_option
@json_option
@quiet_option
def locate(
    source: Path, model: Path, output: Path, plot: Path | None, coordinates: Path | None, min_coverage: float,
    selection: "Selection", force: bool, as_json: bool,
) -> None:  # fmt: skip
    """Say where each person in SOURCE is from, with a model of kind coordinates.

    Phase is not needed; missing calls and absent sites are filled with what the others say. `radius_km` is that of the
    circle that held 90 % of the left-out training people. Everyone is placed, also those from somewhere else.
    """
    import numpy as np

    from haploom.embedding.place_training import errors_km
    from haploom.embedding.places import check_locates, locate_panel, write_places
    from haploom.io import check_outputs, read_dosages
    from haploom.io.model_file import read_model
    from haploom.io.place_tables import read_places
    from haploom.popgen.geography import great_circle_km

    outputs = [path for path in (output, plot) if path]
    check_outputs(outputs, (source, model, selection.populations, coordinates), force)
    if plot is not None:
        from haploom.report.figures import check_figure_name

        check_figure_name(plot)
    trained = read_model(model)
    check_locates(trained)
    panel = read_dosages(source, selection)
    truth = read_places(coordinates, panel.samples, source) if coordinates else None
    with chosen_sites_explained(selection):
        places = locate_panel(panel, trained, min_coverage)
    if plot is not None:
        from haploom.report.place_maps import save_place_map

        save_place_map(places, trained.arrays["places.degrees"], plot, truth, force)
    write_places(places, output, force)
    note_training_people(places.parts, trained.card.kind)
    people = {f"people_{part}": count for part, count in sorted(Counter(places.parts).items())}
    figures: dict[str, object] = {"people": len(places.samples), **people}
    if len(places.samples):
        figures["median_radius_km"] = round(float(np.median(places.radius_km)), 1)
    if truth is not None and (known := ~np.isnan(truth).any(axis=1)).any():
        km = great_circle_km(places.degrees[known], truth[known])
        figures |= {name: round(value, 1) for name, value in errors_km(km).items()}
        figures["within_radius"] = round(float((km <= places.radius_km[known]).mean()), 4)
    print_result(figures, as_json, output)
