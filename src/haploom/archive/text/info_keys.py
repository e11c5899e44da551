"""INFO as keys and values: which keys a record has, in their order, and each key's values as a column.

A field is cut after its first `=`; what stands before it, with the `=`, is its key, so that a flag and a key with
an empty value differ. A `.` is a flag named `.`, an empty INFO a flag without a name, and a repeated key comes
twice: any text without newlines is held, and joined again byte for byte.
"""

import re

import numpy as np

_VALUE = re.compile(rb"=([^;\n]*)")


def split_info(column: list[bytes]) -> tuple[list[bytes], np.ndarray]:
    """(layouts, values): each record's keys joined by `;` (`AC=;DB;AF=`), and the values of all of them in order.

    values: object (n_values,), bytes. No value may hold a newline.
    """
    text = b"\n".join(column)
    layouts = _VALUE.sub(b"=", text).split(b"\n") if column else []
    return layouts, as_objects(_VALUE.findall(text))


def join_info(layouts: list[bytes], values: np.ndarray) -> list[bytes]:
    """The column again."""
    templates: dict[bytes, tuple[bytes, int]] = {}
    column = []
    place = 0
    remaining = values.tolist()
    for layout in layouts:
        if layout not in templates:
            keys = layout.replace(b"%", b"%%").split(b";")
            template = b";".join(key + b"%b" if key.endswith(b"=") else key for key in keys)
            templates[layout] = template, sum(key.endswith(b"=") for key in keys)
        template, n_values = templates[layout]
        column.append(template % tuple(remaining[place : place + n_values]))
        place += n_values
    return column


def places_of_keys(layouts: list[bytes]) -> dict[bytes, tuple[np.ndarray, np.ndarray]]:
    """For each key with values, in order of appearance: where its values stand among all, and in which records.

    Both int64 (n_values of the key,), rising.
    """
    index: dict[bytes, int] = {}
    kind = np.array([index.setdefault(layout, len(index)) for layout in layouts], dtype=np.int64)
    keys = [[key for key in layout.split(b";") if key.endswith(b"=")] for layout in index]
    n_values = np.array([len(of_layout) for of_layout in keys], dtype=np.int64)[kind]
    start = np.cumsum(n_values) - n_values
    by_kind = np.argsort(kind, kind="stable")
    ends = np.cumsum(np.bincount(kind, minlength=len(index))).tolist() if layouts else []
    found: dict[bytes, list[tuple[np.ndarray, np.ndarray]]] = {}
    for of_layout, begin, end in zip(keys, [0, *ends], ends):
        records = by_kind[begin:end]
        for place, key in enumerate(of_layout):
            found.setdefault(key, []).append((start[records] + place, records))
    joined = {}
    for key, pieces in found.items():
        places = np.concatenate([piece[0] for piece in pieces])
        order = np.argsort(places)
        joined[key] = places[order], np.concatenate([piece[1] for piece in pieces])[order]
    return joined


def as_objects(values: list[bytes]) -> np.ndarray:
    """An array of the values themselves, so that many can be picked at once: object (n_values,)."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
