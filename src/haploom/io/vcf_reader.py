"""VCF text, or BCF as text, into panels, block by block, by our own byte-level reader.

Of the text only one block is in memory at a time. QUAL, FILTER, INFO and every FORMAT field but GT are left
behind: a panel has no place for them. Source: VCF specifications 4.2 to 4.5.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np

from haploom import progress
from haploom.errors import FormatError
from haploom.io import vcf_kernels
from haploom.io.bcf_reader import open_bcf
from haploom.io.byte_stream import open_bytes
from haploom.io.formats import source_format
from haploom.io.regions import Regions
from haploom.io.selection import Selection, SiteFilter
from haploom.io.site_blocks import BlockWidth
from haploom.io.vcf_calls import CallTiles, DosageTiles, HaplotypeTiles
from haploom.io.vcf_errors import line_error, order_error
from haploom.io.vcf_header import VcfHeader, read_header
from haploom.io.vcf_text import all_lines, find_index, lines_near
from haploom.panel import DosagePanel, Panel, Variants
from haploom.panel.variants import STRING


def read_vcf_panels(source: Path, selection: Selection, width: BlockWidth) -> Iterator[Panel]:
    """Phased haplotypes of a VCF or BCF: the chosen people, the chosen sites in blocks.

    There is at least one block. Raises FormatError when a call of theirs is unphased or missing.
    """
    for variants, people, calls in _read(source, selection, HaplotypeTiles, width):
        yield Panel(calls, variants, people)


def read_vcf_dosages(source: Path, selection: Selection, width: BlockWidth) -> Iterator[DosagePanel]:
    """Counts of the alternate allele, phased or not; calls missing in whole or in half are missing."""
    for variants, people, calls in _read(source, selection, DosageTiles, width):
        yield DosagePanel(calls, variants, people)


def read_vcf_samples(source: Path) -> tuple[str, ...]:
    """Names of the people, from the header alone."""
    with _open(source, Regions(())) as (header, _, _):
        return header.samples


def _read(
    source: Path, selection: Selection, tiles: type[CallTiles], width: BlockWidth
) -> Iterator[tuple[Variants, tuple[str, ...], np.ndarray]]:
    wanted = selection.site_filter()
    with _open(source, wanted.regions) as (header, blocks, whole):
        people = selection.people(header.samples)
        calls, sites_per_block = tiles(header.samples, people), width(len(people))
        sites = _SiteColumns(source, header, wanted, header.n_lines if whole else None)
        n_found = 0
        with progress.task("Reading sites") as advance:
            for text in blocks:
                lines = sites.add(text)
                n_found += len(lines)
                done = 0
                while done < len(lines):
                    part = lines[done : done + sites_per_block - calls.n_sites]
                    wrong = calls.add(text, part)
                    if wrong >= 0:
                        raise sites.error(text, part[wrong], calls)
                    done += len(part)
                    if calls.n_sites == sites_per_block:
                        yield sites.take(calls.n_sites), people, calls.finish()
                advance(len(lines))
    wanted.regions.check_contigs([*header.contigs, *sites.contigs], source)
    wanted.note_absent(n_found, source)
    if calls.n_sites or not n_found:
        yield sites.take(calls.n_sites), people, calls.finish()


@contextmanager
def _open(source: Path, regions: Regions) -> Iterator[tuple[VcfHeader, Iterator[np.ndarray], bool]]:
    """The header, blocks of whole lines that hold all records near the regions, and whether they are the whole file."""
    if source_format(source) == "BCF":
        with open_bcf(source, regions) as (stream, blocks):
            yield read_header(stream, source), blocks, False
        return
    with open_bytes(source) as stream:
        header = read_header(stream, source)
        index = find_index(source) if regions else None
        yield header, lines_near(source, index, regions) if index else all_lines(stream), index is None


class _SiteColumns:
    """The fixed columns of the chosen sites, gathered block by block."""

    def __init__(self, source: Path, header: VcfHeader, wanted: SiteFilter, n_lines: int | None) -> None:
        """n_lines: lines of the file before the first block; None where blocks are not all of the file."""
        self._source = source
        self._header = header
        self._wanted = wanted
        self._n_lines = n_lines
        self._first_line = n_lines  # of the block at hand
        self._chrom: list[str] = []
        self._position_bp: list[np.ndarray] = []
        self._id: list[str] = []
        self._ref: list[str] = []
        self._alt: list[str] = []
        self._last_bp = 0  # of the contig at hand, the last of `contigs`
        self.contigs: list[str] = []

    def add(self, text: np.ndarray) -> np.ndarray:
        """Take the chosen sites of a block; returns their line index, int64 (n, vcf_kernels.N_INDEX)."""
        n_lines = int(np.count_nonzero(text == ord("\n"))) + 1
        lines = np.empty((n_lines, vcf_kernels.N_INDEX), dtype=np.int64)
        positions = np.empty(n_lines, dtype=np.int64)
        starts_contig = np.empty(n_lines, dtype=bool)
        n_records, n_passed = vcf_kernels.index_lines(text, lines, positions, starts_contig)
        lines, positions = lines[:n_records], positions[:n_records]
        if self._n_lines is not None:
            self._first_line, self._n_lines = self._n_lines, self._n_lines + n_passed
        malformed = np.flatnonzero((lines[:, 9] < 0) | (positions < 0))
        if len(malformed):
            raise self.error(text, lines[malformed[0]], None)
        chosen = np.zeros(n_records, dtype=bool)
        bounds = [*np.flatnonzero(starts_contig[:n_records]).tolist(), n_records]
        for start, end in pairwise(bounds):
            run = slice(start, end)
            try:
                chosen[run] = self._choose_run(text, lines[run], positions[run])
            except UnicodeDecodeError as error:
                where = f"lines from {self._line_number(lines[start])} on"
                raise FormatError(f"{self._source}, {where}: {error.object[:20]!r} is not UTF-8 text") from error
        return lines[chosen]

    def _choose_run(self, text: np.ndarray, lines: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Take the chosen sites of neighbouring lines of one contig; returns which they are, bool (n,)."""
        view = memoryview(text)  # type: ignore[arg-type]

        def column(number: int, rows: np.ndarray) -> list[str]:
            bounds = rows[:, [number, number + 1]].tolist()
            return [str(view[before + 1 : end], "utf-8") for before, end in bounds]

        contig = str(view[lines[0, vcf_kernels.START] : lines[0, 1]], "utf-8")
        chosen = np.ones(len(lines), dtype=bool)
        if self._wanted.regions:
            ends_bp = positions + (lines[:, 4] - lines[:, 3] - 1) - 1
            chosen = self._wanted.regions.overlapping(contig, positions, ends_bp)
        ref, alt = column(3, lines[chosen]), column(4, lines[chosen])
        if self._wanted.listed is not None:
            listed = self._wanted.listed.mask([contig] * len(ref), positions[chosen].tolist(), ref, alt)
            chosen[chosen] = listed
            ref, alt = column(3, lines[chosen]), column(4, lines[chosen])
        if len(ref):
            self._check_order(contig, positions[chosen], lines[chosen])
            self._chrom += [contig] * len(ref)
            self._position_bp.append(positions[chosen])
            self._id += column(2, lines[chosen])
            self._ref += ref
            self._alt += alt
        return chosen

    def _check_order(self, contig: str, positions: np.ndarray, lines: np.ndarray) -> None:
        if not self.contigs or contig != self.contigs[-1]:
            if contig in self.contigs:
                before = f"contig {self.contigs[-1]}, though contig {contig} had ended"
                raise order_error(self._source, self._line_number(lines[0]), contig, int(positions[0]), before)
            self.contigs.append(contig)
            self._last_bp = 0
        steps = np.diff(positions, prepend=self._last_bp)
        if (steps < 0).any():
            site = int(np.argmax(steps < 0))
            before = f"{contig}:{positions[site] - steps[site]}"
            raise order_error(self._source, self._line_number(lines[site]), contig, int(positions[site]), before)
        self._last_bp = int(positions[-1])

    def error(self, text: np.ndarray, line: np.ndarray, calls: CallTiles | None) -> FormatError:
        """Why a line of the block at hand cannot be read; calls: None when its fixed columns are wrong."""
        record = text[line[vcf_kernels.START] : line[vcf_kernels.END]].tobytes()
        wanted = calls.wanted if calls else np.zeros(len(self._header.samples), dtype=bool)
        phased = calls is not None and calls.phased
        return line_error(self._source, self._line_number(line), record, self._header.samples, wanted, phased)

    def _line_number(self, line: np.ndarray) -> int | None:
        return None if self._first_line is None else self._first_line + int(line[vcf_kernels.NUMBER]) + 1

    def take(self, n: int) -> Variants:
        """The first `n` sites of those gathered and not taken yet; the rest stays."""
        position_bp = np.concatenate(self._position_bp) if self._position_bp else np.empty(0, dtype=np.int64)
        columns = (self._chrom, self._id, self._ref, self._alt)
        chrom, id_, ref, alt = (np.array(column[:n], dtype=STRING) for column in columns)
        for column in columns:
            del column[:n]
        self._position_bp = [position_bp[n:]]
        return Variants(chrom, position_bp[:n], id_, ref, alt, self._header.contig_length_bp)
