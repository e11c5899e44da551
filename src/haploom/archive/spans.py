"""Where records are on the genome: which blocks, and which of their records, a region touches."""

from dataclasses import dataclass

import numpy as np

from haploom.archive.container import Stretch
from haploom.archive.text.lines import LineTable
from haploom.io.regions import Regions

_END_KEY = b"END="
_MOST_DIGITS = 18


@dataclass(frozen=True, eq=False)
class RecordSpans:
    """What each record covers, as `bcftools view -r` sees it: from POS to the end of REF, or to INFO/END if it has one.

    names: contigs in the order they come up; bytes that are not UTF-8 are surrogates. contig: int64 (n_records,),
    place in `names`. start_bp, end_bp: int64 (n_records,), 1-based, inclusive; a POS that is no number counts as 0.
    """

    names: tuple[str, ...]
    contig: np.ndarray
    start_bp: np.ndarray
    end_bp: np.ndarray

    def stretches(self) -> list[Stretch]:
        """What the records of each contig span together."""
        start_bp = np.full(len(self.names), np.iinfo(np.int64).max)
        end_bp = np.full(len(self.names), np.iinfo(np.int64).min)
        np.minimum.at(start_bp, self.contig, self.start_bp)
        np.maximum.at(end_bp, self.contig, self.end_bp)
        spans = zip(self.names, start_bp.tolist(), end_bp.tolist())
        return [Stretch(contig=escaped(name), start_bp=start, end_bp=end) for name, start, end in spans]

    def overlapping(self, wanted: Regions) -> np.ndarray:
        """bool (n_records,): the records that overlap a wanted region."""
        chosen = np.zeros(len(self.contig), dtype=bool)
        by_contig = np.argsort(self.contig, kind="stable")
        bounds = np.searchsorted(self.contig[by_contig], np.arange(len(self.names) + 1))
        for place, name in enumerate(self.names):
            here = by_contig[bounds[place] : bounds[place + 1]]
            chosen[here] = wanted.overlapping(name, self.start_bp[here], self.end_bp[here])
        return chosen


def record_spans(sites: LineTable, annotations: LineTable | None) -> RecordSpans:
    """The spans of a block's records; annotations may be left out where no record has an INFO/END (see `have_ends`)."""
    places: dict[bytes, int] = {}
    contig, start_bp, lengths = [], [], []
    for line in sites.to_list():
        chrom, position, _, ref, _ = line.split(b"\t")
        contig.append(places.setdefault(chrom, len(places)))
        start_bp.append(_number(position))
        lengths.append(len(ref))
    starts = np.array(start_bp, dtype=np.int64)
    ends = starts + np.array(lengths, dtype=np.int64) - 1
    if annotations is not None:
        from_info = np.array([_info_end(line) for line in annotations.to_list()], dtype=np.int64)
        ends = np.where(from_info >= np.maximum(starts, 1), from_info, ends)
    names = tuple(name.decode(errors="surrogateescape") for name in places)
    return RecordSpans(names, np.array(contig, dtype=np.int64), starts, ends)


def have_ends(annotations: LineTable) -> bool:
    """Whether a record may have an INFO/END."""
    return _END_KEY in annotations.text.tobytes()


def escaped(name: str) -> str:
    """A contig as the manifest, which is UTF-8, names it: a character for each byte of the name."""
    return name.encode(errors="surrogateescape").decode("latin-1")


def unescaped(name: str) -> str:
    """The inverse."""
    return name.encode("latin-1").decode(errors="surrogateescape")


def _info_end(annotations: bytes) -> int:
    """INFO/END of a record, 0 where there is none."""
    for field in annotations.split(b"\t")[2].split(b";"):
        if field.startswith(_END_KEY):
            return _number(field[len(_END_KEY) :])
    return 0


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() and len(text) <= _MOST_DIGITS else 0
