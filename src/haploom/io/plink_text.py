"""The text files beside PLINK's genotypes: people (.fam, .psam) and sites (.bim, .pvar).

Sources: the file format pages of PLINK 1.9 and PLINK 2.0 (cog-genomics.org).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from haploom.errors import FormatError, HaploomError
from haploom.io.tables import text_lines
from haploom.panel import Variants
from haploom.panel.variants import STRING

# Numeric codes of human sex chromosomes and the mitochondrion; a file of a species with more chromosomes numbers on.
_NUMERIC_CODES = {"23": "X", "24": "Y", "26": "MT"}
_LAST_HUMAN_CODE = 26
_NOT_DIPLOID = {"X": "X", "Y": "Y", "MT": "MT", "M": "MT"}
FEMALE = "2"


def rows_of(path: Path, n_columns: int) -> Iterator[tuple[int, list[str]]]:
    """(line number, fields) of a file whose columns are separated by blanks. Raises FormatError for a short row."""
    for number, text in text_lines(path):
        fields = text.split()
        if len(fields) < n_columns:
            raise FormatError(f"{path}, line {number}: {len(fields)} columns, wanted {n_columns}: is it cut short?")
        yield number, fields


def beside(genotypes: Path, *suffixes: str) -> Path:
    """The first of the files that has the name of the genotypes but another suffix. Raises HaploomError."""
    for suffix in suffixes:
        if (path := genotypes.with_suffix(suffix)).exists():
            return path
    wanted = " or ".join(genotypes.with_suffix(suffix).name for suffix in suffixes)
    raise HaploomError(f"{genotypes} needs {wanted} beside it: a PLINK data set is three files")


def sample_names(path: Path, families: Sequence[str], individuals: Sequence[str]) -> tuple[str, ...]:
    """IIDs, or `FID_IID` (as plink's own VCFs have them) where an IID stands twice. Raises FormatError."""
    names = tuple(individuals)
    if len(set(names)) < len(names):
        names = tuple(f"{family}_{individual}" for family, individual in zip(families, individuals))
    if len(set(names)) < len(names) or not names:
        problem = "the same FID and IID stand twice" if names else "there are no people"
        raise FormatError(f"{path}: {problem}")
    return names


def positions_bp(path: Path, rows: Sequence[tuple[int, list[str]]], column: int) -> np.ndarray:
    """int64 (n_rows,). Raises FormatError for one that is no number, or is negative (plink: to be ignored)."""
    for number, fields in rows:
        if not (fields[column].isdecimal() and len(fields[column]) < 11):
            raise FormatError(
                f"{path}, line {number}: position {fields[column][:40]!r} is not a whole number from 0 on"
            )
    return np.array([int(fields[column]) for _, fields in rows], dtype=np.int64)


def first_not_diploid(chrom: np.ndarray, chosen: np.ndarray, all_female: bool) -> int | None:
    """The first of the chosen sites whose calls PLINK writes as diploid though people may have one copy; or None.

    X counts unless everyone is female. 23, 24 and 26 are X, Y and MT unless the file has chromosomes above 26,
    as the wolf's does. Pseudo-autosomal sites have codes of their own (XY, 25, PAR1, PAR2).
    """
    names = dict.fromkeys(chrom.tolist())
    human = all(int(bare) <= _LAST_HUMAN_CODE for name in names if (bare := name.removeprefix("chr")).isdecimal())
    refused = []
    for name in names:
        bare = name.removeprefix("chr")
        kind = _NOT_DIPLOID.get(bare) or (_NUMERIC_CODES.get(bare) if human else None)
        if kind is not None and not (kind == "X" and all_female):
            refused.append(name)
    if not refused:
        return None
    places = np.flatnonzero(np.isin(chrom[chosen], np.array(refused, dtype=STRING)))
    return int(chosen[places[0]]) if len(places) else None


NOT_DIPLOID = (
    "is on a chromosome of which some people have one copy, which PLINK writes as two: "
    "leave it out (or men, on X, where the sex is given), or start from the VCF"
)


def check_writable(variants: Variants, samples: Sequence[str], path: Path) -> None:
    """Raise HaploomError for what the text of a PLINK data set cannot say."""
    for name in samples:
        if len(name.split()) != 1 or name == "0" or name.startswith("#"):
            raise HaploomError(f"cannot write {path}: PLINK has no sample name like {name!r}: rename it")
    site = first_not_diploid(variants.chrom, np.arange(len(variants)), all_female=False)
    if site is not None:
        where = f"{variants.chrom[site]}:{variants.position_bp[site]}"
        raise HaploomError(
            f"cannot write {path}: {where} is on a chromosome whose copies PLINK counts by sex, "
            "which a panel does not hold: choose other regions, or another format"
        )


def site_columns(variants: Variants) -> Iterator[tuple[str, int, str, str, str]]:
    """(chrom, position, id, ref, alt) of each site."""
    columns: Mapping[str, np.ndarray] = vars(variants)
    return zip(*(columns[name].tolist() for name in ("chrom", "position_bp", "id", "ref", "alt")))
