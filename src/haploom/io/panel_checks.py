"""What no panel may hold, whatever file it comes from: names and alleles that are empty or break a line of text.

Another format would be written wrongly with them, or not at all.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np

from haploom.errors import FormatError
from haploom.panel import DosagePanel, Panel

MAX_POSITION_BP = 10**18
_BREAKS = {"\0": "a NUL", "\t": "a tab", "\n": "a line break", "\r": "a line break"}
_COLUMNS = {"chrom": "CHROM", "id": "ID", "ref": "REF", "alt": "ALT"}

_Either = TypeVar("_Either", Panel, DosagePanel)


def checked_panel(panel: _Either, source: Path) -> _Either:
    """The panel itself. Raises FormatError for a site, a name or a label that no panel may hold."""
    check_names(panel.samples, "a sample's name", source)
    check_names(panel.variants.contig_length_bp, "a contig's name", source)
    for level, labels in panel.populations.items():
        check_names([level], "a level of labels", source)
        check_names(filter(None, np.unique(labels).tolist()), f"a label of {level}", source)
    variants = panel.variants
    for name, title in _COLUMNS.items():
        texts = getattr(variants, name).tolist()
        joined = "".join(texts)
        if not all(texts) or any(mark in joined for mark in _BREAKS):
            site, problem = next((site, found) for site, text in enumerate(texts) if (found := _problem(text)))
            raise _site_error(panel, source, site, f"{title} {problem}")
    wrong = (variants.position_bp < 0) | (variants.position_bp > MAX_POSITION_BP)
    if wrong.any():
        raise _site_error(panel, source, int(np.argmax(wrong)), "POS is not from 0 to 10^18")
    return panel


def check_names(names: Iterable[str], kind: str, source: Path) -> None:
    """Raise FormatError for a name that is empty or has a NUL, a tab or a line break in it."""
    for name in names:
        if problem := _problem(name):
            raise FormatError(f"{source}: {kind} {problem} ({name[:40]!r}): rename it")


def _problem(text: str) -> str | None:
    if not text:
        return "is empty"
    return next((f"has {what} in it" for mark, what in _BREAKS.items() if mark in text), None)


def _site_error(panel: Panel | DosagePanel, source: Path, site: int, problem: str) -> FormatError:
    where = f"{panel.variants.chrom[site]}:{panel.variants.position_bp[site]}"
    return FormatError(f"{source}: {problem} at {where[:60]!r}, site {site + 1} of those read: is the file damaged?")
