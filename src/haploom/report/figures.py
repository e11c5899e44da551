"""A figure as bytes: the same drawing gives the same bytes, on any day.

    svg(lambda ax: plots.latent_map(ax, Z, labels, order=order))

An SVG follows the page it stands on: its lines and text are dark on a light page and light on a dark one. Its
text stays text, drawn with the reader's fonts. No pyplot, so nothing global is touched.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haploom.errors import HaploomError, MissingExtraError
from haploom.io.output import atomic_output
from haploom.report.plots import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Draw = Callable[["Axes"], None]

SIZE_IN = (7.2, 4.2)
_DPI = 160
_INK = "#1c2026"
_INK_ON_DARK = "#e4e7eb"
_RULE = "#80808040"
# An unlikely colour stands for "the page's ink" while drawing, and is renamed in the bytes.
_STAND_IN = "#010203"
_THEME = (
    f"<style>:root{{color:{_INK};color-scheme:light dark}}"
    f"@media(prefers-color-scheme:dark){{:root{{color:{_INK_ON_DARK}}}}}</style>"
)


def svg(draw: Draw, size_in: tuple[float, float] = SIZE_IN) -> bytes:
    """The drawing as an SVG file. Raises MissingExtraError without matplotlib."""
    text = _rendered(draw, size_in, _STAND_IN, format="svg", transparent=True, metadata=dict.fromkeys(_SVG_METADATA))
    head, tag, body = text.decode().partition("<defs>")
    return f"{head}{_THEME}{tag}{body}".replace(_STAND_IN, "currentColor").encode()


def png(draw: Draw, size_in: tuple[float, float] = SIZE_IN) -> bytes:
    """The drawing as a PNG file, dark on white. Raises MissingExtraError without matplotlib."""
    return _rendered(draw, size_in, _INK, format="png", facecolor="white", metadata={"Software": None})


def pdf(draw: Draw, size_in: tuple[float, float] = SIZE_IN) -> bytes:
    """The drawing as a PDF file, dark on white. Raises MissingExtraError without matplotlib."""
    no_metadata = dict.fromkeys(("CreationDate", "Creator", "Producer"))
    return _rendered(draw, size_in, _INK, format="pdf", facecolor="white", metadata=no_metadata)


def save_figure(draw: Draw, path: Path, force: bool = False) -> None:
    """The drawing as a file. Raises HaploomError for a name of another suffix, or when it exists and not `force`."""
    check_figure_name(path)
    drawn = _DRAWN_AS[path.suffix](draw)
    with atomic_output(path, force) as partial:
        partial.write_bytes(drawn)


def check_figure_name(path: Path, others: Sequence[str] = ()) -> None:
    """Raise HaploomError when `save_figure` could not tell the format; asked before long work.

    others: suffixes of files that are drawn elsewhere, for the message.
    """
    if path.suffix not in _DRAWN_AS:
        raise HaploomError(f"cannot draw {path}: wanted a name ending in {', '.join([*others, *_DRAWN_AS])}")


_DRAWN_AS = {".png": png, ".svg": svg, ".pdf": pdf}
_SVG_METADATA = ("Date", "Creator", "Format", "Type")


def _rendered(draw: Draw, size_in: tuple[float, float], ink: str, **save: Any) -> bytes:
    try:
        import matplotlib
        from cycler import cycler  # comes with matplotlib
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise MissingExtraError("matplotlib", "plots", "drawing figures") from error
    buffer = io.BytesIO()
    colours = {"axes.prop_cycle": cycler(color=PALETTE)}
    with matplotlib.rc_context(_style(ink) | colours), warnings.catch_warnings():
        # matplotlib's own font lacks many scripts; in an SVG the reader's fonts have them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=size_in, layout="constrained")
        draw(figure.add_subplot())
        figure.savefig(buffer, dpi=_DPI, **save)
    return buffer.getvalue()


def _style(ink: str) -> dict[Any, Any]:
    return {
        "axes.axisbelow": True,
        "axes.edgecolor": ink,
        "axes.grid": True,
        "axes.labelcolor": ink,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "font.family": ["DejaVu Sans"],
        "font.size": 10,
        "grid.color": _RULE,
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "legend.labelcolor": ink,
        "lines.linewidth": 1.6,
        "svg.fonttype": "none",
        "svg.hashsalt": "haploom",
        "text.color": ink,
        "text.parse_math": False,  # a population may be called $x$
        "xtick.color": ink,
        "ytick.color": ink,
    }
