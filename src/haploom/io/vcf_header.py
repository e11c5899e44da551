"""The header of a VCF: what a reader needs of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from haploom.errors import FormatError

FIXED_COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
N_FIXED = len(FIXED_COLUMNS)
_CONTIG_ID = re.compile(rb"[<,]ID=([^,>]+)")
_CONTIG_LENGTH = re.compile(rb"[<,]length=(\d{1,18})(?!\d)")  # longer ones are no lengths: left aside


@dataclass(frozen=True)
class VcfHeader:
    """samples: names in file order, each once. contigs: those declared, with lengths where given.

    n_lines: lines of the header, for the line numbers of messages.
    """

    samples: tuple[str, ...]
    contigs: tuple[str, ...]
    contig_length_bp: Mapping[str, int]
    n_lines: int


def read_header(stream: BinaryIO, source: Path) -> VcfHeader:
    """Read up to and including the #CHROM line. Raises FormatError when this is no VCF with genotypes."""
    line = stream.readline(1 << 16)
    if not line:
        raise FormatError(f"{source} is empty: wanted a VCF")
    if not line.startswith(b"##fileformat=VCF"):
        raise FormatError(_not_a_vcf(source, line))
    n_lines, contigs, lengths = 1, [], {}
    while line.startswith(b"##"):
        name, length = contig_line(line)
        if name is not None:
            contigs.append(name)
            if length is not None:
                lengths[name] = length
        line = stream.readline()
        n_lines += 1
    if not line.startswith(b"#CHROM"):
        raise FormatError(f"{source}, line {n_lines}: the header ends without a #CHROM line: the file is damaged")
    return VcfHeader(_sample_names(line, source, n_lines), tuple(contigs), lengths, n_lines)


def contig_line(line: bytes) -> tuple[str | None, int | None]:
    """Name and length (None where not given) that a `##contig` line declares; (None, None) of another line."""
    name = _CONTIG_ID.search(line) if line.startswith(b"##contig=") else None
    if name is None:
        return None, None
    length = _CONTIG_LENGTH.search(line)
    return name[1].decode(errors="replace"), int(length[1]) if length else None


def _not_a_vcf(source: Path, line: bytes) -> str:
    if line.startswith(b"BCF"):  # from stdin: of a file, `source_format` has told before
        return f"{source} is a BCF: name the file, or pipe it through `bcftools view`"
    return (
        f"{source} is neither a VCF (its first line must be ##fileformat=VCF...) nor another format Haploom reads "
        f"(BCF, HDF5, PLINK .bed or .pgen, VCF Zarr, tskit): starts {line[:20]!r}"
    )


def _sample_names(line: bytes, source: Path, number: int) -> tuple[str, ...]:
    try:
        columns = line.decode().rstrip("\r\n").split("\t")
    except UnicodeDecodeError as error:
        raise FormatError(f"{source}, line {number}: the sample names are not UTF-8") from error
    wanted = FIXED_COLUMNS[: min(len(columns), N_FIXED)]
    if len(columns) < N_FIXED - 1 or tuple(columns[:N_FIXED]) != wanted:
        raise FormatError(
            f"{source}, line {number}: the columns are {' '.join(columns[:N_FIXED])}, "
            f"wanted {' '.join(FIXED_COLUMNS)} and sample names, separated by tabs"
        )
    samples = tuple(columns[N_FIXED:])
    if not samples:
        raise FormatError(f"{source} has no samples: wanted a VCF with genotypes")
    seen: set[str] = set()
    for sample in samples:
        if sample in seen or not sample:
            found = f"sample {sample!r} stands twice" if sample else "a sample has no name"
            raise FormatError(f"{source}, line {number}: {found}: rename it with `bcftools reheader -s`")
        seen.add(sample)
    return samples
