"""Tables of places: where each person was sampled."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from haploom.errors import FormatError
from haploom.io.panels import read_samples
from haploom.io.tables import read_table, text_lines

COLUMNS = ("sample", "longitude", "latitude")
_STDIN = Path("-")  # cannot be read twice


def read_places(path: Path, samples: Sequence[str], source: Path | None = None) -> np.ndarray:
    """Longitude and latitude of people in degrees: float64 (n_samples, 2), NaN where the table has none.

    path: a tab-separated table with a header that names COLUMNS; or, without names, two numbers a line, longitude and
    latitude, for everyone in `source` in order: the file of genotypes that the samples are some people of. Without it,
    and of stdin, for each of `samples`. Raises FormatError for absent columns, a person who stands twice, another
    number of lines, or what is no place on the globe.
    """
    first = next(text_lines(path), None)
    if first is not None and _is_numbers(first[1]):
        everyone = samples if source in (None, _STDIN) else read_samples(source)
        place_of = dict(zip(everyone, _in_order(path, everyone).tolist()))
        return np.array([place_of[sample] for sample in samples], dtype=np.float64).reshape(-1, 2)
    names, rows = read_table(path)
    if not set(COLUMNS) <= set(names):
        raise FormatError(
            f"{path}: the header has columns {', '.join(names)}; wanted tab-separated {', '.join(COLUMNS)}, or two "
            "numbers a line in the order of the people"
        )
    person, longitude, latitude = (names.index(column) for column in COLUMNS)
    known: dict[str, tuple[float, float]] = {}
    for number, fields in rows:
        if fields[person] in known:
            raise FormatError(f"{path}, line {number}: sample {fields[person]!r} stands twice")
        known[fields[person]] = _place(path, number, fields[longitude], fields[latitude])
    return np.array([known.get(sample, (np.nan, np.nan)) for sample in samples], dtype=np.float64).reshape(-1, 2)


def _in_order(path: Path, samples: Sequence[str]) -> np.ndarray:
    places = []
    for number, text in text_lines(path):
        if len(fields := text.split()) != 2:
            raise FormatError(f"{path}, line {number}: {len(fields)} columns, wanted longitude and latitude")
        places.append(_place(path, number, *fields))
    if len(places) != len(samples):
        raise FormatError(
            f"{path} has {len(places)} lines without names, and there are {len(samples)} people: give a place to "
            "each in the file, in its order, or a table with a column `sample`"
        )
    return np.array(places, dtype=np.float64).reshape(-1, 2)


def _place(path: Path, number: int, longitude: str, latitude: str) -> tuple[float, float]:
    try:
        degrees = float(longitude), float(latitude)
    except ValueError:
        degrees = float("nan"), float("nan")
    if not (abs(degrees[0]) <= 180 and abs(degrees[1]) <= 90):
        raise FormatError(
            f"{path}, line {number}: longitude {longitude[:40]!r}, latitude {latitude[:40]!r} are no place: wanted "
            "degrees, -180 to 180 and -90 to 90"
        )
    return degrees


def _is_numbers(line: str) -> bool:
    try:
        return bool([float(field) for field in line.split()])
    except ValueError:
        return False
