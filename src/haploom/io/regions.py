"""Parts of contigs, written and understood the way `bcftools view -r` and `-R` do."""

import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from haploom.errors import FormatError, HaploomError
from haploom.io.tables import text_lines
from haploom.panel.variants import matching_contig

OPEN_END_BP = 2**62  # "to the end of the contig"
_REGION = re.compile(r"(?P<chrom>.+):(?P<start>[\d,]+)(?P<range>-(?P<end>[\d,]*))?")

logger = logging.getLogger(__name__)


class Regions:
    """Intervals by contig: sorted, merged, 1-based, both ends included.

    Overlapping regions are merged, so a site is taken once, in the order of the file.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        """texts: "22", "22:100-200", "22:100" (that position) or "22:100-".

        Raises HaploomError on others, TypeError for one string instead of several.
        """
        if isinstance(texts, str):
            raise TypeError(f"regions {texts!r} are one string: wanted a list of regions, such as [{texts!r}]")
        spans: dict[str, list[tuple[int, int]]] = {}
        for text in texts:
            chrom, start, end = parse_region(text)
            spans.setdefault(chrom, []).append((start, end))
        self._spans = spans
        self._met: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._spans)

    def intervals(self, contig: str) -> np.ndarray:
        """int64 (n, 2) of first and last bp wanted on a contig of the file; `chr22` here also means `22` there."""
        names = [name for name in self._spans if matching_contig(name, [contig]) == contig]
        for name in names:
            if name != contig and name not in self._met:
                logger.warning("the region's contig %s is taken to mean %s, as the file names it", name, contig)
        self._met.update(names)
        return _merge([span for name in names for span in self._spans[name]])

    def overlapping(self, contig: str, start_bp: np.ndarray, end_bp: np.ndarray) -> np.ndarray:
        """Mask of the records of a contig, from start_bp to end_bp, that overlap a wanted interval."""
        intervals = self.intervals(contig)
        if not len(intervals):
            return np.zeros(len(start_bp), dtype=bool)
        # Merged intervals end in the order they start: of those that start early enough the last reaches farthest.
        last = np.searchsorted(intervals[:, 0], end_bp, side="right") - 1
        return (last >= 0) & (intervals[last, 1] >= start_bp)

    def check_contigs(self, contigs: Sequence[str], source: Path) -> None:
        """Raise HaploomError for a region on a contig that neither the records met so far nor `contigs` name."""
        contigs = list(dict.fromkeys(contigs))
        for name in self._spans:
            if name not in self._met and matching_contig(name, contigs) not in contigs:
                have = ", ".join(contigs[:5]) + (", ..." if len(contigs) > 5 else "") or "none named"
                raise HaploomError(f"{source} has no contig {name!r} (there is: {have}): correct the region")


def parse_region(text: str) -> tuple[str, int, int]:
    """(contig, first bp, last bp) of a region. Raises HaploomError when it is none."""
    match = _REGION.fullmatch(text)
    if not match:
        if not text or text.endswith(":") or ":-" in text:
            raise HaploomError(f"region {text!r} is not understood: wanted 22, 22:100-200, 22:100 or 22:100-")
        return text, 1, OPEN_END_BP
    start = _position(match["start"])
    end = start if match["range"] is None else _position(match["end"]) if match["end"] else OPEN_END_BP
    if not 0 < start <= end:
        raise HaploomError(f"region {text!r} is empty: wanted a start of at least 1 and an end not before it")
    return match["chrom"], start, end


def _position(digits: str) -> int:
    """A position in bp; one that is past every contig becomes the largest there is."""
    digits = digits.replace(",", "").lstrip("0")
    return min(int(digits), OPEN_END_BP) if 0 < len(digits) < 30 else OPEN_END_BP if digits else 0


def read_regions(path: Path) -> tuple[str, ...]:
    """Regions of a file: columns contig, position and (optional) end, 1-based with both ends included;
    0-based and half-open when the name ends in .bed or .bed.gz. Raises FormatError."""
    zero_based = path.name.endswith((".bed", ".bed.gz"))
    regions = []
    for number, text in text_lines(path):
        fields = text.split("\t") if "\t" in text else text.split()
        if text.startswith(("#", "track ", "browser ")):
            continue
        try:
            start, end = int(fields[1]) + zero_based, int(fields[2]) if len(fields) > 2 else int(fields[1])
        except (IndexError, ValueError):
            raise FormatError(f"{path}, line {number}: wanted contig, position and end, found {text[:60]!r}") from None
        if not 0 < start <= end:
            raise FormatError(f"{path}, line {number}: the region from {start} to {end} is empty")
        regions.append(f"{fields[0]}:{start}-{end}")
    if not regions:
        raise FormatError(f"{path}: there is no region in it: wanted lines of contig, position and end")
    return tuple(regions)


def _merge(spans: list[tuple[int, int]]) -> np.ndarray:
    merged: list[list[int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return np.array(merged, dtype=np.int64).reshape(-1, 2)
