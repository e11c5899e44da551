"""Panels as BCF 2.2: compressed in BGZF, or as it is (`-O u`, for a pipe).

Every record has no QUAL, FILTER and INFO, and FORMAT GT: the same as our VCF. Source: VCF specification 4.3,
section 6.3.
"""

import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from haploom import progress
from haploom.io.bgzf import bgzf_blocks
from haploom.io.byte_stream import STANDARD
from haploom.io.output import atomic_output
from haploom.io.vcf_writer import header
from haploom.panel import DosagePanel, Panel
from haploom.panel.dosages import MISSING

_MAGIC = b"BCF\x02\x02"
# CHROM, POS (from 0), length of REF, QUAL, number of INFO fields and alleles, of samples and FORMAT fields.
_SITE = struct.Struct("<iiiIHHI")
_LENGTHS = struct.Struct("<II")  # of the part above with ID, alleles and FILTER after it, and of the calls
_NO_QUAL = 0x7F800001  # the float that means missing
_INT8, _INT16, _INT32, _CHAR = 1, 2, 3, 7  # types of values
_GT = 1  # place of GT in the dictionary of strings; 0 is PASS, always
# A call is (allele + 1) << 1 for each of the two, and the last bit of the second says they are phased.
_PHASED = np.array([2, 4, 3, 5], dtype=np.uint8).reshape(2, 2)  # [haplotype, allele]
_UNPHASED = np.array([[0, 0], [2, 2], [2, 4], [4, 4]], dtype=np.uint8)  # [dosage + 1]
_BLOCK_BYTES = 1 << 24


def write_bcf(
    panel: Panel | DosagePanel, path: Path, *, compressed: bool = True, force: bool = False,
    header_lines: Sequence[str] = (), no_version: bool = False,
) -> None:  # fmt: skip
    """Write a panel as BCF 2.2; the arguments are those of `write_vcf`. `-` is stdout."""
    data = _data(panel, header_lines, no_version)
    if compressed:
        data = bgzf_blocks(data)
    if path == STANDARD:
        sys.stdout.buffer.writelines(data)
        sys.stdout.buffer.flush()
        return
    with atomic_output(path, force) as partial, open(partial, "wb") as file:
        file.writelines(data)


def _data(panel: Panel | DosagePanel, header_lines: Sequence[str], no_version: bool) -> Iterator[bytes]:
    text = "\n".join(header(panel.variants, panel.samples, header_lines, no_version)).encode() + b"\n\0"
    yield _MAGIC + struct.pack("<I", len(text)) + text
    contigs = dict.fromkeys([*panel.variants.contig_length_bp, *panel.variants.contigs()])
    number_of = {name: number for number, name in enumerate(contigs)}
    step = 8 * max(1, _BLOCK_BYTES // (16 * max(panel.n_samples, 1)))
    with progress.task("Writing sites", total=panel.n_sites) as advance:
        for start in range(0, panel.n_sites, step):
            sites = slice(start, min(start + step, panel.n_sites))
            yield _records(panel, sites, number_of)
            advance(sites.stop - sites.start)


def _records(panel: Panel | DosagePanel, sites: slice, number_of: dict[str, int]) -> bytes:
    calls = _calls(panel, sites)
    before_calls = _typed_int(_GT) + bytes([2 << 4 | _INT8])  # two int8 a person
    counts = 1 << 24 | panel.n_samples  # one FORMAT field
    variants = panel.variants
    columns = (variants.chrom, variants.position_bp, variants.id, variants.ref, variants.alt)
    pieces: list[bytes] = []
    for (chrom, position, id_, ref, alt), row in zip(zip(*(column[sites].tolist() for column in columns)), calls):
        alleles = [ref] if alt == "." else [ref, alt]
        n_bases = len(ref.encode())
        site = _SITE.pack(number_of[chrom], position - 1, n_bases, _NO_QUAL, 0, len(alleles), counts)
        texts = b"".join(_typed_text(text) for text in ("" if id_ == "." else id_, *alleles))
        no_filter = b"\x00"
        shared = site + texts + no_filter
        pieces += [_LENGTHS.pack(len(shared), len(before_calls) + len(row)), shared, before_calls, row.tobytes()]
    return b"".join(pieces)


def _calls(panel: Panel | DosagePanel, sites: slice) -> np.ndarray:
    """uint8 (n_sites, 2 * n_samples)."""
    n_sites = sites.stop - sites.start
    if isinstance(panel, DosagePanel):
        return _UNPHASED[panel.dosages[:, sites].T - MISSING].reshape(n_sites, -1)
    alleles = np.unpackbits(panel.bits[:, sites.start // 8 : -(-sites.stop // 8)], axis=1, count=n_sites).T
    calls = np.empty(alleles.shape, dtype=np.uint8)
    for haplotype in (0, 1):
        calls[:, haplotype::2] = _PHASED[haplotype][alleles[:, haplotype::2]]
    return calls


def _typed_text(text: str) -> bytes:
    data = text.encode()
    if len(data) < 15:
        return bytes([len(data) << 4 | _CHAR]) + data
    return bytes([15 << 4 | _CHAR]) + _typed_int(len(data)) + data


def _typed_int(value: int) -> bytes:
    """A number from 0 on, in the smallest of the types (whose lowest values mean missing and the like)."""
    for kind, code, most in ((_INT8, "<b", 127), (_INT16, "<h", 32767), (_INT32, "<i", 2**31 - 1)):
        if value <= most:
            return bytes([1 << 4 | kind]) + struct.pack(code, value)
    raise AssertionError(f"{value} bases do not fit into BCF")
