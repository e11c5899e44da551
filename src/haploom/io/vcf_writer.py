"""Panels as VCF text: plain or BGZF, to a file or stdout.

Every record has `.` for QUAL, FILTER and INFO, and FORMAT GT.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from haploom import progress, provenance
from haploom.errors import HaploomError
from haploom.io import vcf_kernels
from haploom.io.bgzf import bgzf_blocks
from haploom.io.byte_stream import STANDARD
from haploom.io.output import atomic_output
from haploom.io.vcf_header import FIXED_COLUMNS
from haploom.panel import DosagePanel, Panel, Variants
from haploom.panel.dosages import MISSING

_BLOCK_BYTES = 1 << 24
_UNPHASED = np.frombuffer(b"./.\t0/0\t0/1\t1/1\t", np.uint8).reshape(4, 4)  # [dosage + 1]


def write_vcf(
    panel: Panel | DosagePanel, path: Path, *, bgzf: bool, force: bool = False, header_lines: Sequence[str] = (),
    no_version: bool = False,
) -> None:  # fmt: skip
    """Write a panel as VCF 4.2: phased calls, or of dosages unphased and missing ones.

    header_lines: more `##` lines, without line ends. no_version: leave out the lines that say which version and
    command made the file, so that the same panel gives the same bytes. Raises HaploomError when the file cannot
    be written.
    """
    _write(vcf_text(panel, header_lines, no_version), path, bgzf, force)


def write_text(text: Iterator[bytes], path: Path, *, output_type: str | None = None, force: bool = False) -> None:
    """Write VCF text as it is; path and output_type as in `write_panel`, "v" or "z"."""
    bgzf = output_type == "z" or (output_type is None and path.name.endswith((".gz", ".bgz")))
    _write(text, path, bgzf, force)


def _write(text: Iterator[bytes], path: Path, bgzf: bool, force: bool) -> None:
    if bgzf:
        text = bgzf_blocks(text)
    if path == STANDARD:
        sys.stdout.buffer.writelines(text)
        sys.stdout.buffer.flush()
        return
    with atomic_output(path, force) as partial, open(partial, "wb") as file:
        file.writelines(text)


def header(variants: Variants, samples: Sequence[str], more: Sequence[str], no_version: bool) -> list[str]:
    """Lines of the header, without line ends. more: further `##` lines. Raises HaploomError for sites of nobody."""
    if not samples and len(variants):
        raise HaploomError("nobody to write: the panel has no people, and VCF and BCF hold genotypes of people")
    return [
        "##fileformat=VCFv4.2",
        *_contig_lines(variants),
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        *more,
        *([] if no_version else _version_lines()),
        "\t".join([*FIXED_COLUMNS, *samples]),
    ]


def vcf_text(panel: Panel | DosagePanel, header_lines: Sequence[str], no_version: bool) -> Iterator[bytes]:
    """The file in blocks."""
    yield "".join(f"{line}\n" for line in header(panel.variants, panel.samples, header_lines, no_version)).encode()
    # Whole bytes of eight sites.
    step = 8 * max(1, _BLOCK_BYTES // (32 * max(panel.n_samples, 1)))
    with progress.task("Writing sites", total=panel.n_sites) as advance:
        for start in range(0, panel.n_sites, step):
            sites = slice(start, min(start + step, panel.n_sites))
            yield _records(panel, sites)
            advance(sites.stop - sites.start)


def _records(panel: Panel | DosagePanel, sites: slice) -> bytes:
    calls = _unphased_calls(panel, sites) if isinstance(panel, DosagePanel) else _phased_calls(panel, sites)
    variants = panel.variants
    columns = (variants.chrom, variants.position_bp, variants.id, variants.ref, variants.alt)
    pieces: list[Any] = []  # bytes and arrays of bytes
    for fixed, line in zip(zip(*(column[sites].tolist() for column in columns)), calls):
        pieces += ["\t".join(map(str, fixed)).encode(), b"\t.\t.\t.\tGT\t", line]
    return b"".join(pieces)


def _phased_calls(panel: Panel, sites: slice) -> np.ndarray:
    """uint8 (n_sites, bytes of a line's calls, its end included)."""
    n_sites = sites.stop - sites.start
    packed = np.ascontiguousarray(panel.bits[:, sites.start // 8 : -(-sites.stop // 8)].T)
    calls = np.empty((n_sites, 2 * panel.n_haplotypes), dtype=np.uint8)
    vcf_kernels.format_calls(packed, n_sites, calls)
    return calls


def _unphased_calls(panel: DosagePanel, sites: slice) -> np.ndarray:
    """As `_phased_calls`."""
    calls = _UNPHASED[panel.dosages[:, sites].T - MISSING].reshape(sites.stop - sites.start, -1)
    calls[:, -1:] = ord("\n")
    return calls


def _contig_lines(variants: Variants) -> list[str]:
    """Those with a known length, in the source's order, then those that only have sites."""
    lengths = variants.contig_length_bp
    known = [f"##contig=<ID={name},length={length}>" for name, length in lengths.items()]
    return known + [f"##contig=<ID={name}>" for name in variants.contigs() if name not in lengths]


def _version_lines() -> list[str]:
    """As bcftools writes them: `##haploom_convertVersion=`, `##haploom_convertCommand=`."""
    command = provenance.command_line().replace("\n", " ")
    words = command.split()
    name = words[1] if len(words) > 1 else "python"
    when = time.strftime("%a %b %d %H:%M:%S %Y")
    return [f"##haploom_{name}Version={provenance.__version__}", f"##haploom_{name}Command={command}; Date={when}"]
