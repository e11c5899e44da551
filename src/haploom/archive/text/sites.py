"""The first five columns of a block: CHROM, POS, ID, REF and ALT."""

import numpy as np

from haploom.archive.text.columns import check_size, decode_column, encode_column, fingerprints, no_sides
from haploom.archive.text.corrections import decode_corrections, encode_corrections
from haploom.archive.text.lines import LineTable
from haploom.archive.text.site_names import best_pattern, names_of
from haploom.entropy_coding.byte_packing import join_parts, split_parts

_N_COLUMNS = 5
_TAB = 9


def split_columns(lines: LineTable, n_columns: int) -> list[list[bytes]]:
    """The columns of lines that have exactly `n_columns`, a list of values each. Raises ValueError otherwise."""
    tabs = np.searchsorted(np.flatnonzero(lines.text == _TAB), lines.starts)
    if (np.diff(tabs) != n_columns - 1).any():
        raise ValueError(f"a line does not have {n_columns} columns")
    values = b"\t".join(lines.to_list()).split(b"\t") if len(lines) else []
    return [values[i::n_columns] for i in range(n_columns)]


def join_columns(columns: list[list[bytes]], max_bytes: int) -> LineTable:
    """The lines again. Raises ValueError when the columns together pass `max_bytes`."""
    for column in columns:
        check_size(column, max_bytes)
    lines = LineTable.from_list(map(b"\t".join, zip(*columns)))
    if len(lines.text) > max_bytes:
        raise ValueError(f"lines of {len(lines.text)} bytes where at most {max_bytes} can be")
    return lines


def encode_sites(lines: LineTable) -> bytes:
    """lines: five tab-separated columns each, any bytes but tab and newline in them."""
    chrom, pos, names, ref, alt = split_columns(lines, _N_COLUMNS)
    gaps = position_gaps(pos)
    pattern = best_pattern(names, chrom, pos, ref, alt)
    if pattern:
        coded_names = encode_corrections(names, names_of(pattern, chrom, pos, ref, alt), no_sides(len(lines)))
    else:
        coded_names = encode_column(names, no_sides(len(lines)))
    return join_parts(
        [
            encode_column(chrom, no_sides(len(lines))),
            encode_column(pos, _position_sides(chrom)),
            encode_column(ref, _ref_sides(gaps)),
            encode_column(alt, _alt_sides(gaps, ref)),
            pattern,
            coded_names,
        ]
    )


def decode_sites(data: bytes, n_lines: int, max_bytes: int) -> LineTable:
    """The lines again. Raises ValueError for damage that shows, and when they pass `max_bytes`."""
    coded_chrom, coded_pos, coded_ref, coded_alt, pattern, coded_names = split_parts(data, 6)
    chrom = decode_column(coded_chrom, no_sides(n_lines), max_bytes)
    pos = decode_column(coded_pos, _position_sides(chrom), max_bytes)
    gaps = position_gaps(pos)
    ref = decode_column(coded_ref, _ref_sides(gaps), max_bytes)
    alt = decode_column(coded_alt, _alt_sides(gaps, ref), max_bytes)
    for column in (chrom, pos, ref, alt):
        check_size(column, max_bytes)
    if pattern:
        made = names_of(pattern, chrom, pos, ref, alt)
        names = decode_corrections(coded_names, made, no_sides(n_lines), max_bytes)
    else:
        names = decode_column(coded_names, no_sides(n_lines), max_bytes)
    return join_columns([chrom, pos, names, ref, alt], max_bytes)


def position_gaps(pos: list[bytes]) -> np.ndarray:
    """Distance of each POS to the one before it, 0 where it cannot be told: int64 (n_lines,)."""
    positions = np.fromiter((int(p) if p.isdigit() and len(p) < 19 else 0 for p in pos), dtype=np.int64, count=len(pos))
    return np.diff(positions, prepend=positions[:1])


def _position_sides(chrom: list[bytes]) -> np.ndarray:
    """Whether the contig is that of the line before."""
    contigs = fingerprints(chrom)
    return (np.diff(contigs, prepend=contigs[:1]) != 0).astype(np.int64)[:, None]


def _ref_sides(gaps: np.ndarray) -> np.ndarray:
    """Whether the record before is at the same place, next to this one, two away, or further."""
    return np.clip(gaps, -1, 3)[:, None]


def _alt_sides(gaps: np.ndarray, ref: list[bytes]) -> np.ndarray:
    return np.column_stack([fingerprints(ref), np.clip(gaps, -1, 3)])
