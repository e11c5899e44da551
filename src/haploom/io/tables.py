"""Small text tables: columns by name, separated by tabs."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path

from haploom.errors import FormatError
from haploom.io.byte_stream import open_bytes


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(line number, text without its line end) of each line that is not blank; no byte-order mark before the first.

    Raises FormatError where it is no text in UTF-8.
    """
    with open_bytes(path) as stream:
        for number, line in enumerate(stream, 1):
            if number == 1:
                line = line.removeprefix(BOM_UTF8)
            if b"\0" in line:
                raise FormatError(f"{path}, line {number}: there is a NUL byte: wanted text in UTF-8")
            try:
                text = line.decode().rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise FormatError(f"{path}, line {number}: not UTF-8 text") from error
            if text.strip():
                yield number, text


def read_table(path: Path, separator: str | None = "\t") -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header's column names, and (line number, fields) of each row.

    separator: None for any run of blanks. A `#` before the first column name is not part of the name.
    Raises FormatError on an empty file, a column name that stands twice, or a row of another width.
    """
    lines = text_lines(path)
    header = next(lines, None)
    if header is None:
        raise FormatError(f"{path}: the file is empty, wanted a header line with column names")
    names = header[1].removeprefix("#").split(separator)
    if len(set(names)) != len(names):
        raise FormatError(f"{path}: a column name stands twice in the header: {', '.join(names)}")
    rows = []
    for number, text in lines:
        fields = text.split(separator)
        if len(fields) != len(names):
            raise FormatError(f"{path}, line {number}: {len(fields)} columns, but the header has {len(names)}")
        rows.append((number, fields))
    return names, rows
