"""Gates from a file: JSON, an object of measures."""

import json
from pathlib import Path
from typing import Any

from haploom.errors import FormatError


def read_thresholds(path: Path) -> dict[str, Any]:
    """The object in a file, for `catalogue.checked_thresholds`. Raises FormatError when it holds no JSON object."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise FormatError(f'{path}: not JSON ({error}): wanted such as {{"ld_decay_error": 0.02}}') from error
    if not isinstance(found, dict):
        raise FormatError(f'{path}: wanted a JSON object, such as {{"ld_decay_error": 0.02}}')
    return found
