"""Why a line of a VCF cannot be read: one slow look at one line, after a kernel found it wrong."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from haploom.errors import FormatError
from haploom.io import vcf_kernels
from haploom.io.vcf_header import N_FIXED


def line_error(
    source: Path, number: int | None, line: bytes, samples: Sequence[str], wanted: np.ndarray, phased: bool
) -> FormatError:
    """What is wrong with a record, where, and what to do about it.

    number: line in the file, None where an index was used. line: without its line break.
    wanted: bool (n_samples,), people whose calls count.
    phased: whether calls must be phased and there.
    """
    fields = line.decode(errors="replace").split("\t")
    site = ":".join(fields[:2])[:80]
    where = f"{source}, {f'line {number}, ' if number else ''}{site}"
    if len(fields) != N_FIXED + len(samples):
        return FormatError(
            f"{where}: {len(fields)} columns, wanted {N_FIXED + len(samples)} "
            f"({N_FIXED} and {len(samples)} samples): is the file cut short or not separated by tabs?"
        )
    if not (fields[1].isascii() and fields[1].isdecimal() and len(fields[1]) < vcf_kernels.POSITION_DIGITS):
        return FormatError(f"{where}: POS {fields[1][:40]!r} is not a whole number of a possible size")
    if "," in fields[4]:
        return FormatError(
            f"{where}: {fields[3]}>{fields[4]} has more than two alleles: split such sites with `bcftools norm -m-`, "
            "or leave them out with `bcftools view -M2`"
        )
    if fields[8].split(":")[0] != "GT":
        return FormatError(f"{where}: FORMAT is {fields[8]!r}, which does not begin with GT: there are no genotypes")
    highest = 0 if fields[4] == "." else 1
    for sample, chosen, field in zip(samples, wanted.tolist(), fields[N_FIXED:]):
        call = field.split(":")[0]
        if chosen and (problem := _call_problem(call, highest, phased)):
            return FormatError(f"{where}, sample {sample}: call {call!r} {problem}")
    raise AssertionError(f"{where}: a kernel refused this line, but nothing is wrong with it")


def _call_problem(call: str, highest: int, phased: bool) -> str | None:
    alleles = call.replace("/", "|").split("|")
    if call == ".":
        return _MISSING if phased else None
    if len(alleles) == 1:
        return "is haploid: wanted diploid people (for chrX, leave men out with -S, or see `bcftools +fixploidy`)"
    if len(alleles) > 2:
        return f"has {len(alleles)} alleles: wanted diploid people"
    for allele in alleles:
        if allele != "." and not (
            allele.isascii() and allele.isdecimal() and len(allele) == 1 and int(allele) <= highest
        ):
            return f"has allele {allele!r}, wanted 0{' or 1' if highest else ' (the site has no ALT)'}"
    if not phased:
        return None
    if "." in alleles:
        return _MISSING
    return _UNPHASED if "/" in call else None


_REMEDY = "haplotypes need phased calls without gaps: phase and impute with SHAPEIT5 or Beagle"
_MISSING = f"is missing or half missing; {_REMEDY}"
_UNPHASED = f"is unphased; {_REMEDY}"


def order_error(source: Path, number: int | None, chrom: str, position_bp: int, before: str) -> FormatError:
    """A record that comes before the one it follows, or a contig that had ended."""
    where = f"{source}, {f'line {number}, ' if number else ''}{chrom}:{position_bp}"
    return FormatError(f"{where}: comes after {before}: sort the file with `bcftools sort`")
