"""INFO as keys and values: which keys a record has, in their order, and each key's values as a column.

A field is cut after its first `=`; what stands before it, with the `=`, is its key, so that a flag and a key with
an empty value differ. A `.` is a flag named `.`, an empty INFO a flag without a name, and a repeated key comes
twice: any text at all is held, and joined again byte for byte.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class InfoTable(NamedTuple):
    """INFO of a block.

    layouts: the keys of each record, joined by `;` (`AC=;DB;AF=`). values: each key's values, in order of records;
    only keys with `=` have any.
    """

    layouts: list[bytes]
    values: dict[bytes, list[bytes]]


def split_info(column: list[bytes]) -> InfoTable:
    layouts = []
    values: dict[bytes, list[bytes]] = {}
    for info in column:
        keys = []
        for field in info.split(b";"):
            name, mark, value = field.partition(b"=")
            key = name + mark
            keys.append(key)
            if mark:
                values.setdefault(key, []).append(value)
        layouts.append(b";".join(keys))
    return InfoTable(layouts, values)


def keys_of(layout: bytes) -> list[bytes]:
    return layout.split(b";")


def record_rows(layouts: list[bytes]) -> dict[bytes, list[int]]:
    """The record of each value of each key: what `split_info` put where. Keys in order of first appearance."""
    rows: dict[bytes, list[int]] = {}
    keys_with_values = {
        layout: [key for key in keys_of(layout) if key.endswith(b"=")] for layout in dict.fromkeys(layouts)
    }
    for record, layout in enumerate(layouts):
        for key in keys_with_values[layout]:
            rows.setdefault(key, []).append(record)
    return rows


def join_info(layouts: list[bytes], values: Mapping[bytes, Iterator[bytes]]) -> list[bytes]:
    """The column again. values: an iterator over each key's values."""
    parts_of = {layout: keys_of(layout) for layout in dict.fromkeys(layouts)}
    column = []
    for layout in layouts:
        fields = [key + next(values[key]) if key.endswith(b"=") else key for key in parts_of[layout]]
        column.append(b";".join(fields))
    return column
