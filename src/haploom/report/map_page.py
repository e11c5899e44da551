"""The interactive map: one HTML file that needs nothing else and fetches nothing.

Its script and style stand in it, named by their SHA-256 in a policy that lets nothing else run; names and labels are
JSON data that the script sets as text. So no name of a sample can act, whatever it is.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from haploom import provenance
from haploom.embedding import Embedding
from haploom.errors import HaploomError
from haploom.io.output import text_output
from haploom.report.html import environment
from haploom.report.maps import UNLABELLED, plane_axes
from haploom.report.plots import label_styles

SCRIPTS = ("map_drawing.js", "map_plot.js", "map.js")  # in this order
PART = "part of the model's split"


def save_map_page(
    maps: Mapping[str, Embedding], populations: Mapping[str, np.ndarray], level: str | None, path: Path,
    force: bool = False, *, title: str = "Map",
) -> None:  # fmt: skip
    """Write the map of people in one or more latent spaces, side by side, as an HTML file.

    maps: what to call each model -> where it places the people, the same ones in the same order. populations: label
    levels -> strings (n_samples,), all of which the page shows and can colour by; level: the one it begins with.
    Of more than two latents, their first two principal components are drawn (see `maps.plane_axes`), and standard
    deviations as ellipses that hold 95 % of the posterior.

    Raises HaploomError for maps of other people or of haplotypes beside people, for a latent space of one number, and
    when `path` exists and not `force`; MissingExtraError without jinja2.
    """
    page = render_map(maps, populations, level, title=title)
    with text_output(path, force) as file:
        file.write(page)


def render_map(
    maps: Mapping[str, Embedding], populations: Mapping[str, np.ndarray], level: str | None, *, title: str = "Map"
) -> str:
    """The page of `save_map_page` as text."""
    first, *others = maps.values()
    for name, other in zip(list(maps)[1:], others):
        if other.samples != first.samples or other.ploidy != first.ploidy:
            raise HaploomError(
                f"{name} places {_rows(other)} and {next(iter(maps))} {_rows(first)}: maps beside each other need "
                "models of the same kind of rows, and the same people"
            )
    levels = {**populations, **_parts(maps)}
    if not populations:
        levels = {UNLABELLED: np.full(len(first.samples), UNLABELLED), **levels}
    data = {
        "samples": list(first.samples),
        "rowsPerPerson": 2 // first.ploidy,
        "level": list(levels).index(level) if level else 0,
        "levels": [{"name": name, **_coded(labels, populations)} for name, labels in levels.items()],
        "panels": [{"title": name, **_placed(embedding)} for name, embedding in maps.items()],
    }
    script = "".join(_template(name) for name in SCRIPTS)
    style = _template("map.css")
    return environment().get_template("map.html").render(
        title=title, text=_words(maps), data=_json(data), script=script, style=style, script_hash=_sha256(script),
        style_hash=_sha256(style), made_by=f"Made by haploom {provenance.__version__}.",
    )  # fmt: skip


def _words(maps: Mapping[str, Embedding]) -> str:
    first = next(iter(maps.values()))
    n, drawn = len(first.samples), " and ".join(maps)
    ellipses = any(embedding.spread is not None for embedding in maps.values())
    return (
        f"{n:,} {'person' if n == 1 else 'people'}, {len(first.z):,} points in {drawn}. Near points are genetically "
        "similar as the model sees it; distances between far ones say little."
        + (" An ellipse holds 95 % of where the model believes a point to be." if ellipses else "")
    )


def _rows(embedding: Embedding) -> str:
    return f"{len(embedding.samples):,} people as {'haplotypes' if embedding.ploidy == 1 else 'dosages'}"


def _parts(maps: Mapping[str, Embedding]) -> dict[str, np.ndarray]:
    """Parts of the models' splits as levels; one where the models agree."""
    parts = {f"{PART} ({name})": np.array(embedding.parts) for name, embedding in maps.items()}
    one, *more = parts.values()
    return {PART: one} if all(np.array_equal(one, other) for other in more) else parts


def _coded(labels: np.ndarray, populations: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """A level: its labels, each person's place in them, and how each is drawn."""
    names = [str(label) for label in labels]
    order = label_order(names, [other.tolist() for other in populations.values()])
    place = {label: i for i, label in enumerate(order)}
    return {
        "labels": order,
        "codes": _base64(np.array([place[name] for name in names], dtype="<u4")),
        "styles": [{"colour": colour, "marker": marker} for colour, marker in label_styles(order).values()],
    }


def label_order(labels: Sequence[str], others: Sequence[Sequence[str]]) -> list[str]:
    """Every label once, sorted; within a coarser level, so that its labels stand together and differ in colour.

    others: the other levels' labels of the same people. The coarser level is the one of fewest labels, above one, of
    which each label here has only one.
    """
    parents: list[dict[str, str]] = []
    for other in others:
        pairs = set(zip(labels, other))
        if len(pairs) == len(set(labels)) and 1 < len(set(other)) < len(pairs):
            parents.append(dict(pairs))
    parent = min(parents, key=lambda of: len(set(of.values())), default={})
    return sorted(set(labels), key=lambda label: (parent.get(label, ""), label))


def _placed(embedding: Embedding) -> dict[str, Any]:
    """Coordinates of an embedding's rows, and where there are standard deviations, covariances of the two."""
    centre, axes, (x_name, y_name) = plane_axes(embedding.z)
    x, y = ((embedding.z - centre) @ axes.T).T
    ellipse = None
    if embedding.spread is not None:
        variance = np.square(embedding.spread, dtype=np.float64)
        ellipse = [_floats(variance @ (axes[i] * axes[j])) for i, j in ((0, 0), (0, 1), (1, 1))]
    return {"xName": x_name, "yName": y_name, "x": _floats(x), "y": _floats(y), "ellipse": ellipse}


def _floats(values: np.ndarray) -> str:
    return _base64(values.astype("<f4"))


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode()


def _json(data: object) -> str:
    """JSON that may stand within a script element: nothing in it can end the element or begin a comment."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _template(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _sha256(text: str) -> str:
    """As a Content-Security-Policy names what may run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
