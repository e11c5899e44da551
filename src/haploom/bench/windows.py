"""Fig. 3's question with real bytes: how small a panel gets when it is stored in windows of so many sites.

Beside the mean entropy of a window, in which the paper looks for its width, two stores of the same windows:
- a table of patterns, what a lossless vector quantiser comes to: each distinct haplotype of a window once, as packed
  bits, and for every haplotype the index of its own (`entropy_coding.code_indices`, each under the window before);
- the archive's genotype codec on blocks of so many sites, each starting anew.
Both are decoded and compared. A third figure is no store: n_haplotypes times the entropy, what indices would cost with
a code made for each window and no window before it known.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from haploom import progress, provenance
from haploom.archive.genotypes import Statistical
from haploom.entropy_coding.byte_packing import join_parts, pack_bytes, split_parts, unpack_bytes
from haploom.entropy_coding.code_indices import decode_codes, encode_codes
from haploom.errors import HaploomError
from haploom.panel import Panel
from haploom.panel import bits as packing
from haploom.popgen.haplotype_windows import WindowCounts, haplotype_windows


def window_records(task: str, panel: Panel, widths: Sequence[int], level: str = "default") -> Iterator[dict[str, Any]]:
    """One record for each width, from the narrowest, as it is measured.

    widths: in sites; those above the panel's number of sites are left out. level: of the genotype codec.
    Sizes are in bytes: `pattern_bytes` of the tables and `index_bytes` of the indices (their sum is the first store),
    `block_bytes` of the second. Raises HaploomError where no width is left, or without haplotypes.
    """
    chosen = [width for width in sorted(set(widths)) if 1 <= width <= panel.n_sites]
    if not chosen or not panel.n_haplotypes:
        raise HaploomError(
            f"no window to measure: {panel.n_haplotypes} haplotypes of {panel.n_sites} sites, widths {list(widths)}; "
            "give --windows at most as wide as the file"
        )
    counts = haplotype_windows(panel, np.arange(panel.n_haplotypes), chosen)
    about = {
        "task": task, "haplotypes": panel.n_haplotypes, "sites": panel.n_sites,
        "input_u8_bytes": panel.n_haplotypes * panel.n_sites,
        "input_bit_bytes": -(-panel.n_haplotypes * panel.n_sites // 8),
        "block_codec": f"{Statistical(level).codec_id}:{level}",
        **{key: provenance.record()[key] for key in ("versions", "command")},
    }  # fmt: skip
    with progress.task("Storing windows", len(chosen)) as advance:
        for width in chosen:
            of_width = counts[width]
            start = time.perf_counter()
            patterns, indices = pattern_sizes(panel, of_width)
            stored = time.perf_counter()
            blocks = block_size(panel, of_width, level)
            yield {
                **about, "width": width, "n_windows": len(of_width.start),
                "mean_entropy_bits": _finite(of_width.mean_of_full(of_width.entropy_bits)),
                "mean_distinct": _finite(of_width.mean_of_full(of_width.n_distinct)),
                "entropy_bytes": round(float(of_width.entropy_bits.sum()) * panel.n_haplotypes / 8),
                "pattern_bytes": patterns, "index_bytes": indices, "block_bytes": blocks,
                "pattern_s": round(stored - start, 2), "block_s": round(time.perf_counter() - stored, 2),
            }  # fmt: skip
            advance()


def pattern_sizes(panel: Panel, counts: WindowCounts) -> tuple[int, int]:
    """Bytes of the tables of distinct haplotypes and of everybody's indices into them, decoded and compared.

    A table is its patterns in rising order as packed bits, one after another without gaps between them.
    """
    tables, indices = [], np.empty((panel.n_haplotypes, len(counts.start)), dtype=np.int64)
    for place, sites in enumerate(_slices(counts)):
        rows = packing.select_columns(panel.bits, panel.n_sites, sites)
        patterns, indices[:, place] = np.unique(rows, axis=0, return_inverse=True)
        width = sites.stop - sites.start
        tables.append(np.packbits(packing.unpack_rows(patterns, width)).tobytes())
    packed = join_parts([pack_bytes(table) for table in tables])
    n_codes = max(2, int(counts.n_distinct.max()))
    coded = encode_codes(indices, n_codes)

    back = decode_codes(coded, *indices.shape, n_codes)
    for place, (sites, part) in enumerate(zip(_slices(counts), split_parts(packed, len(tables)))):
        n_distinct, width = int(counts.n_distinct[place]), sites.stop - sites.start
        table = np.frombuffer(unpack_bytes(part, -(-n_distinct * width // 8)), dtype=np.uint8)
        alleles = np.unpackbits(table, count=n_distinct * width).reshape(n_distinct, width)[back[:, place]]
        _check(packing.pack_rows(alleles), packing.select_columns(panel.bits, panel.n_sites, sites))
    return len(packed), len(coded)


def block_size(panel: Panel, counts: WindowCounts, level: str) -> int:
    """Bytes of the windows as blocks of the genotype codec, decoded and compared."""
    codec, n_bytes = Statistical(level), 0
    for sites in _slices(counts):
        width = sites.stop - sites.start
        rows = packing.select_columns(panel.bits, panel.n_sites, sites)
        bits = packing.pack_rows(packing.unpack_rows(rows, width).T)
        data = codec.encode(bits, panel.n_haplotypes)
        _check(codec.decode(data, width, panel.n_haplotypes), bits)
        n_bytes += len(data)
    return n_bytes


def table(records: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Rows of text, headings first, of the records of one file: bytes of each store and what it is a part of."""
    rows = [["sites", "windows", "bits", "distinct", "patterns", "indices", "together", "codec", "codec, x bits"]]
    for record in records:
        together = record["pattern_bytes"] + record["index_bytes"]
        entropy, distinct = record["mean_entropy_bits"], record["mean_distinct"]
        rows.append([
            f"{record['width']:,}", f"{record['n_windows']:,}", "-" if entropy is None else f"{entropy:.2f}",
            "-" if distinct is None else f"{distinct:,.0f}", f"{record['pattern_bytes']:,}",
            f"{record['index_bytes']:,}", f"{together:,}", f"{record['block_bytes']:,}",
            f"{record['input_bit_bytes'] / record['block_bytes']:.1f}",
        ])  # fmt: skip
    return rows


def _slices(counts: WindowCounts) -> Iterator[slice]:
    for start, stop in zip(counts.start.tolist(), counts.stop.tolist()):
        yield slice(start, stop)


def _check(back: np.ndarray, given: np.ndarray) -> None:
    if not np.array_equal(back, given):
        raise AssertionError("a window did not come back as it was stored")


def _finite(value: float) -> float | None:
    """Rounded; None for NaN, which JSON does not have."""
    return None if np.isnan(value) else round(value, 4)
