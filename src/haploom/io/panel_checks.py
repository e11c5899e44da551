"""What no panel may hold, whatever file it comes from: names and alleles that are empty or break a line of text.

Another format would be written wrongly with them, or not at all.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from haploom.errors import FormatError
from haploom.panel import DosagePanel, Panel, Variants

MAX_POSITION_BP = 10**18
_BREAKS = {"\0": "a NUL", "\t": "a tab", "\n": "a line break", "\r": "a line break"}
_COLUMNS = {"chrom": "CHROM", "id": "ID", "ref": "REF", "alt": "ALT"}

_Either = TypeVar("_Either", Panel, DosagePanel)


def checked_blocks(panels: Iterable[_Either], source: Path) -> Iterator[_Either]:
    """The panels themselves, of neighbouring sites of the same people.

    Raises FormatError for a site, a name or a label that no panel may hold.
    """
    n_before = 0
    for place, panel in enumerate(panels):
        if place == 0:
            _check_people(panel, source)
        _check_sites(panel.variants, source, n_before)
        n_before += panel.n_sites
        yield panel


def _check_people(panel: Panel | DosagePanel, source: Path) -> None:
    check_names(panel.samples, "a sample's name", source)
    check_names(panel.variants.contig_length_bp, "a contig's name", source)
    for level, labels in panel.populations.items():
        check_names([level], "a level of labels", source)
        check_names(filter(None, np.unique(labels).tolist()), f"a label of {level}", source)


def _check_sites(variants: Variants, source: Path, n_before: int) -> None:
    """n_before: sites of the blocks before."""
    for name, title in _COLUMNS.items():
        texts = getattr(variants, name).tolist()
        joined = "".join(texts)
        if not all(texts) or any(mark in joined for mark in _BREAKS):
            site, problem = next((site, found) for site, text in enumerate(texts) if (found := _problem(text)))
            raise _site_error(variants, source, site, n_before, f"{title} {problem}")
    wrong = (variants.position_bp < 0) | (variants.position_bp > MAX_POSITION_BP)
    if wrong.any():
        raise _site_error(variants, source, int(np.argmax(wrong)), n_before, "POS is not from 0 to 10^18")


def check_names(names: Iterable[str], kind: str, source: Path) -> None:
    """Raise FormatError for a name that is empty or has a NUL, a tab or a line break in it."""
    for name in names:
        if problem := _problem(name):
            raise FormatError(f"{source}: {kind} {problem} ({name[:40]!r}): rename it")


def _problem(text: str) -> str | None:
    if not text:
        return "is empty"
    return next((f"has {what} in it" for mark, what in _BREAKS.items() if mark in text), None)


def _site_error(variants: Variants, source: Path, site: int, n_before: int, problem: str) -> FormatError:
    where, number = f"{variants.chrom[site]}:{variants.position_bp[site]}", n_before + site + 1
    return FormatError(f"{source}: {problem} at {where[:60]!r}, site {number} of those read: is the file damaged?")
