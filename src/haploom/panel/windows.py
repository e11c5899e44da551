"""Runs of neighbouring sites."""

from collections.abc import Iterator


def windows(n_sites: int, width: int) -> Iterator[slice]:
    """Windows of `width` sites that do not overlap, in order; the last may be narrower, none is dropped.

    Raises ValueError unless width >= 1.
    """
    if width < 1:
        raise ValueError(f"a window must be at least one site wide, got {width}")
    for start in range(0, n_sites, width):
        yield slice(start, min(start + width, n_sites))
