"""VCF Zarr: a Zarr group of arrays over sites and people, as a folder or in one zip file.

Read in Zarr format 2 and 3, whatever wrote it; written in format 2, as the specification has it.
Source: VCF Zarr specification 0.5 (github.com/sgkit-dev/vcf-zarr-spec).
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from haploom.errors import FormatError
from haploom.io.extras import load
from haploom.io.site_tables import NO_ALLELE, Calls, SiteTable, checked_variants
from haploom.panel.variants import STRING


@dataclass(frozen=True, eq=False)
class _ZarrTable(SiteTable):
    genotypes: Any  # Zarr array int (n_sites, n_people, ploidy)
    phased: Any  # Zarr array bool (n_sites, n_people), or None: the specification says all are unphased then

    def calls(self, sites: np.ndarray, people: np.ndarray) -> Calls:
        # Of all people first: chunks are decompressed whole anyway.
        alleles = _rows(self.genotypes, sites).take(people, axis=1)
        if alleles.shape[2] == 1:
            alleles = np.concatenate([alleles, np.full_like(alleles, NO_ALLELE)], axis=2)
        if self.phased is None:
            phased = np.zeros(alleles.shape[:2], dtype=bool)
        else:
            phased = _rows(self.phased, sites).take(people, axis=1)
        return Calls(alleles.astype(np.int8), phased)


def _rows(array: Any, sites: np.ndarray) -> np.ndarray:
    """All people at ascending sites."""
    neighbours = len(sites) and sites[-1] - sites[0] == len(sites) - 1
    return np.asarray(array[int(sites[0]) : int(sites[-1]) + 1] if neighbours else array.oindex[sites])


@contextmanager
def open_table(source: Path) -> Iterator[SiteTable]:
    """The group in folder or zip file `source`. Raises FormatError, MissingExtraError."""
    zarr = load("zarr", "zarr>=3", "Reading VCF Zarr")
    # What zarr raises for damage depends on store and codec; messages of ours are HaploomError, which goes through.
    damage = (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error)
    with ExitStack() as stack:
        try:
            if source.is_dir():
                group = zarr.open_group(source, mode="r")
            else:
                group = zarr.open_group(stack.enter_context(zarr.storage.ZipStore(source, mode="r")), mode="r")
            yield _table(group, source)
        except damage as error:
            raise FormatError(f"{source}: Zarr cannot read it ({error}): is it whole, and VCF Zarr?") from error


def _table(group: Any, source: Path) -> SiteTable:
    samples = tuple(_column(group, source, "sample_id").tolist())
    if len(set(samples)) < len(samples) or "" in samples or not samples:
        raise FormatError(f"{source}: sample_id must hold names, each once")
    contigs = _column(group, source, "contig_id").tolist()
    lengths = group["contig_length"][:].tolist() if "contig_length" in group else []
    contig_of = _array(group, source, "variant_contig")[:]
    position_bp = _array(group, source, "variant_position")[:]
    n_sites = len(position_bp)
    if len(contig_of) and not 0 <= contig_of.min() <= contig_of.max() < len(contigs):
        raise FormatError(f"{source}: variant_contig names contig {contig_of.max()} of {len(contigs)}")
    alleles = np.array(_array(group, source, "variant_allele")[:], dtype=STRING).reshape(n_sites, -1 if n_sites else 2)
    alt = alleles[:, 1].copy() if alleles.shape[1] > 1 else np.full(n_sites, "", dtype=STRING)
    for more in alleles[:, 2:].T:
        alt = np.where(more != "", np.strings.add(np.strings.add(alt, ","), more), alt).astype(STRING)
    id_ = _column(group, source, "variant_id") if "variant_id" in group else np.full(n_sites, ".", dtype=STRING)
    columns = {
        "chrom": np.array(contigs, dtype=STRING)[contig_of],
        "position_bp": position_bp,
        "id": np.where(id_ == "", ".", id_).astype(STRING),
        "ref": alleles[:, 0],
        "alt": np.where(alt == "", ".", alt).astype(STRING),
        "contig_length_bp": {name: int(length) for name, length in zip(contigs, lengths) if length > 0},
    }
    variants = checked_variants(source, columns, "sort the VCF with `bcftools sort` and convert it again")
    genotypes = _array(group, source, "call_genotype")
    if genotypes.ndim != 3 or genotypes.shape[:2] != (n_sites, len(samples)) or genotypes.shape[2] not in (1, 2):
        raise FormatError(
            f"{source}: call_genotype is {genotypes.shape}, wanted ({n_sites} sites, {len(samples)} people, 2 alleles)"
        )
    phased = group.get("call_genotype_phased")
    return _ZarrTable(source, samples, variants, {}, genotypes, phased)


def _array(group: Any, source: Path, name: str) -> Any:
    if name not in group:
        raise FormatError(f"{source} is Zarr, but not VCF Zarr with genotypes: it has no array {name}")
    return group[name]


def _column(group: Any, source: Path, name: str) -> np.ndarray:
    return np.array(_array(group, source, name)[:], dtype=STRING)
