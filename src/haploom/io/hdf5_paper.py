"""The HDF5 layout of Geleta et al. 2026: alleles and labels, nothing else.

    snps          bool (haplotypes, sites)
    populations   strings (haplotypes,) or (people,)

It holds no sites and no names, so reading makes some up: people are consecutive pairs of rows named S1, S2, ...;
sites are contig "unknown", positions 1, 2, ..., REF "N", ALT "<ALT>". Labels go to level "population".
"""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from haploom.errors import FormatError
from haploom.io.hdf5_access import find_dataset, strings
from haploom.io.output import atomic_output
from haploom.panel import Panel, Variants
from haploom.panel.bits import pack_rows, row_blocks
from haploom.panel.variants import STRING

LEVEL = "population"


def is_paper_layout(file: h5py.File, source: Path) -> bool:
    """Whether the file has the paper's two datasets. Raises FormatError as `find_dataset` does."""
    return all(find_dataset(file, source, name) is not None for name in ("snps", "populations"))


def samples(file: h5py.File, source: Path) -> tuple[str, ...]:
    """S1, S2, ...; raises FormatError unless `snps` is bool, two-dimensional, with an even number of rows."""
    snps = file["snps"]
    if snps.dtype != np.bool_ or snps.ndim != 2 or len(snps) % 2 or not len(snps):
        raise FormatError(
            f"{source}: dataset snps is {snps.dtype} {snps.shape}, wanted bool (haplotypes, sites) "
            "with two haplotypes a person"
        )
    return tuple(f"S{person}" for person in range(1, len(snps) // 2 + 1))


def variants(file: h5py.File, source: Path) -> Variants:
    """Made-up sites, one a column."""
    n_sites = file["snps"].shape[1]
    chrom, id_, ref, alt = (np.full(n_sites, text, dtype=STRING) for text in ("unknown", ".", "N", "<ALT>"))
    return Variants(chrom, np.arange(1, n_sites + 1), id_, ref, alt)


def populations(file: h5py.File, source: Path) -> dict[str, np.ndarray]:
    """One label a person. Raises FormatError when the two haplotypes of a person differ or the length does not fit."""
    dataset, n_haplotypes = file["populations"], len(file["snps"])
    if h5py.check_string_dtype(dataset.dtype) is None or dataset.shape not in ((n_haplotypes,), (n_haplotypes // 2,)):
        raise FormatError(
            f"{source}: dataset populations is {dataset.dtype} {dataset.shape}, wanted strings "
            f"({n_haplotypes},) or ({n_haplotypes // 2},)"
        )
    labels = strings(file, source, "populations")
    if len(labels) == n_haplotypes:
        pairs = labels.reshape(-1, 2)
        differ = np.flatnonzero(pairs[:, 0] != pairs[:, 1])
        if len(differ):
            person = int(differ[0])
            raise FormatError(
                f"{source}: haplotypes {2 * person} and {2 * person + 1} are labelled {pairs[person, 0]} and "
                f"{pairs[person, 1]}, but rows must come in pairs of one person: reorder them"
            )
        labels = pairs[:, 0]
    return {LEVEL: labels}


def packed_blocks(file: h5py.File) -> Iterator[tuple[slice, np.ndarray]]:
    """(rows, their alleles packed), from first to last."""
    snps = file["snps"]
    for rows in row_blocks(*snps.shape):
        yield rows, pack_rows(snps[rows])


def write_paper_hdf5(panel: Panel, path: Path, level: str, force: bool = False) -> None:
    """Write alleles and the labels of one level, one a haplotype. Sites, names and other levels are lost.

    Raises HaploomError for a level that is not there, or when `path` exists and not `force`.
    """
    labels = panel.labels(level, per="haplotype")
    with atomic_output(path, force) as partial, h5py.File(partial, "w") as file:
        snps = file.create_dataset("snps", (panel.n_haplotypes, panel.n_sites), np.bool_)
        for rows, alleles in panel.blocks():
            snps[rows] = alleles.astype(np.bool_)
        file.create_dataset("populations", data=labels.astype(object), dtype=h5py.string_dtype())
