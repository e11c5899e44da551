"""What a report is made of: sections of text, figures, tables and the command that makes them again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SVG_STARTS = (b"<?xml", b"<svg")
PNG_START = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Figure:
    """A picture: the bytes of an SVG or PNG file, what it shows, and the same for those who do not see it.

    Raises ValueError for bytes of anything else.
    """

    image: bytes
    caption: str
    alt: str

    def __post_init__(self) -> None:
        if not self.image.startswith((*SVG_STARTS, PNG_START)):
            raise ValueError(f"a figure must be an SVG or PNG file, got bytes that start with {self.image[:8]!r}")

    @property
    def media_type(self) -> str:
        """`image/svg+xml` or `image/png`."""
        return "image/png" if self.image.startswith(PNG_START) else "image/svg+xml"


@dataclass(frozen=True)
class Column:
    """A column of a table. format: None for text; a format spec (".3f", ",") for numbers, set to the right."""

    name: str
    format: str | None = None


@dataclass(frozen=True)
class Table:
    """Rows of cells, one per column. A cell of None is shown as a dash.

    Cells of a column with a format may be numbers or anything that takes the spec, such as
    `baselines.accuracy.Interval`. Raises ValueError when a row is longer or shorter than the columns.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[object]]
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row has {len(row)} cells, wanted {len(self.columns)}: {row!r}")

    def shown(self) -> list[list[str]]:
        """The cells as text."""
        return [[_cell(value, column) for value, column in zip(row, self.columns)] for row in self.rows]


@dataclass(frozen=True)
class Section:
    """A heading with what belongs under it. text: paragraphs with an empty line between. command: repeats it.

    links: words and the file beside the page that they lead to.
    """

    heading: str
    text: str = ""
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    command: str = ""
    links: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Report:
    """A whole report. made_by: `provenance.record()`, shown at the end."""

    title: str
    sections: Sequence[Section]
    text: str = ""
    made_by: Mapping[str, object] = field(default_factory=dict)


def _cell(value: object, column: Column) -> str:
    if value is None:
        return "–"
    return str(value) if column.format is None else format(value, column.format)
