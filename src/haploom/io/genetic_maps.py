"""Genetic maps in the three-column form the HapMap maps are given in: `pos chr cM`."""

from pathlib import Path

import numpy as np

from haploom.errors import FormatError
from haploom.io.panel_checks import MAX_POSITION_BP
from haploom.io.tables import read_table
from haploom.panel import GeneticMap
from haploom.panel.variants import matching_contig

COLUMNS = ("pos", "chr", "cM")


def read_genetic_map(path: Path | str, chrom: str | None = None) -> GeneticMap:
    """The map of one contig, from a table (gzipped or not) with a header that names `pos`, `chr` and `cM`.

    pos: bp, 1-based; cM: cumulative centimorgans. Of rows with the same position the first counts.
    chrom: which contig (`chr22` also means `22`); None when the file has only one.
    Raises FormatError for absent columns, values that are no numbers, rows out of order, fewer than two points,
    or a contig that is not there.
    """
    path = Path(path)
    (pos, chr_, cm), rows = _map_table(path)
    contigs = list(dict.fromkeys(fields[chr_] for _, fields in rows))
    wanted = matching_contig(chrom, contigs) if chrom else contigs[0] if len(contigs) == 1 else None
    if wanted not in contigs:
        have = ", ".join(contigs[:30]) or "none"
        raise FormatError(f"{path}: wanted the map of contig {chrom or '(none was named)'}, the file has: {have}")
    positions: list[int] = []
    distances: list[float] = []
    for number, fields in rows:
        if fields[chr_] != wanted:
            continue
        try:
            position, distance = int(fields[pos]), float(fields[cm])
            if abs(position) > MAX_POSITION_BP:
                raise ValueError("past every contig")
        except ValueError:
            raise FormatError(
                f"{path}, line {number}: pos {fields[pos][:40]!r} and cM {fields[cm][:40]!r} must be numbers, "
                "pos at most 10^18"
            ) from None
        if positions and position == positions[-1]:
            continue
        went_back = bool(positions) and (position < positions[-1] or distance < distances[-1])
        if went_back or not np.isfinite(distance):
            raise FormatError(
                f"{path}, line {number}: {position} bp, {distance} cM goes back or is no number: "
                "positions and cM must not decrease; sort the map by pos"
            )
        positions.append(position)
        distances.append(distance)
    if len(positions) < 2:
        raise FormatError(f"{path}: {len(positions)} point for contig {wanted}: a genetic map needs two or more")
    return GeneticMap(np.array(positions, dtype=np.int64), np.array(distances))


def genetic_map_contigs(path: Path) -> list[str]:
    """Contigs a map file has, in file order. Raises FormatError for absent columns."""
    (_, chr_, _), rows = _map_table(path)
    return list(dict.fromkeys(fields[chr_] for _, fields in rows))


def _map_table(path: Path) -> tuple[list[int], list[tuple[int, list[str]]]]:
    """Where COLUMNS are in a row, and the rows with their line numbers."""
    names, rows = read_table(path, separator=None)
    if not set(COLUMNS) <= set(names):
        raise FormatError(f"{path}: the header has columns {', '.join(names)}; wanted {', '.join(COLUMNS)}")
    return [names.index(column) for column in COLUMNS], rows
