"""Panels as VCF Zarr (see `vcf_zarr`), with the arrays vcztools needs to give a VCF back and to find regions."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from haploom import progress, provenance
from haploom.io.extras import load
from haploom.io.output import atomic_output
from haploom.panel import DosagePanel, Panel, Variants
from haploom.panel.dosages import MISSING

_VERSION = "0.5"
# Chunks as bio2zarr's: regions and people can be read apart, and a chunk is large enough to compress well.
_SITES_PER_CHUNK, _PEOPLE_PER_CHUNK = 1_000, 10_000
_UNPHASED = np.array([[MISSING, MISSING], [0, 0], [0, 1], [1, 1]], dtype=np.int8)  # [dosage + 1]


def write_vcf_zarr(panel: Panel | DosagePanel, path: Path, force: bool = False) -> None:
    """Write a panel as a folder, or as one zip file when the name ends in .zip.

    Raises HaploomError when it exists and not `force`; MissingExtraError without zarr.
    """
    zarr = load("zarr", "zarr>=3", "Writing VCF Zarr")
    with atomic_output(path, force) as partial, ExitStack() as stack:
        store: Any = partial
        if path.suffix == ".zip":
            store = stack.enter_context(zarr.storage.ZipStore(partial, mode="w"))
        attributes = {"vcf_zarr_version": _VERSION, "source": f"haploom-{provenance.__version__}"}
        group = zarr.create_group(store, zarr_format=2, attributes=attributes)
        _write_columns(group, panel)
        _write_calls(group, panel)


def _write_columns(group: Any, panel: Panel | DosagePanel) -> None:
    variants = panel.variants
    contigs = list(dict.fromkeys([*variants.contig_length_bp, *variants.contigs()]))
    number_of = {name: number for number, name in enumerate(contigs)}
    contig_of = np.array([number_of[name] for name in variants.chrom.tolist()], dtype=np.int32)
    text = np.array(panel.samples, dtype=object)
    _add(group, "sample_id", text, ["samples"])
    _add(group, "contig_id", np.array(contigs, dtype=object), ["contigs"])
    if all(name in variants.contig_length_bp for name in contigs):
        _add(group, "contig_length", np.array(list(variants.contig_length_bp.values()), dtype=np.int64), ["contigs"])
    _add(group, "variant_contig", contig_of, ["variants"])
    _add(group, "variant_position", variants.position_bp.astype(np.int32), ["variants"])
    _add(group, "variant_length", np.strings.str_len(variants.ref).astype(np.int32), ["variants"])
    alternate = np.where(variants.alt == ".", "", variants.alt.astype(object))
    alleles = np.stack([variants.ref.astype(object), alternate], axis=1)
    _add(group, "variant_allele", alleles, ["variants", "alleles"])
    _add(group, "variant_id", variants.id.astype(object), ["variants"])
    _add(group, "variant_id_mask", variants.id == ".", ["variants"])
    _add(group, "variant_quality", _no_quality(panel.n_sites), ["variants"])
    _add(group, "variant_filter", np.zeros((panel.n_sites, 1), dtype=bool), ["variants", "filters"])
    _add(group, "filter_id", np.array(["PASS"], dtype=object), ["filters"])
    _add(group, "region_index", _region_index(variants, contig_of), ["region_index_values", "region_index_fields"])


def _no_quality(n_sites: int) -> np.ndarray:
    """float32 of the NaN that means missing in BCF and VCF Zarr."""
    return np.full(n_sites, 0x7F800001, dtype=np.uint32).view(np.float32)


def _region_index(variants: Variants, contig_of: np.ndarray) -> np.ndarray:
    """int32 (n, 6), a row for each contig in each chunk of sites: chunk, contig, first and last position, last base
    of any of its REFs, and how many sites."""
    ends_bp = variants.position_bp + np.strings.str_len(variants.ref) - 1
    rows = []
    for chunk, start in enumerate(range(0, len(variants), _SITES_PER_CHUNK)):
        contigs = contig_of[start : start + _SITES_PER_CHUNK]
        for first in np.flatnonzero(np.diff(contigs, prepend=-1)).tolist():
            n = int(np.count_nonzero(contigs == contigs[first]))
            span = slice(start + first, start + first + n)
            positions = variants.position_bp[span]
            rows.append((chunk, contigs[first], positions[0], positions[-1], ends_bp[span].max(), n))
    return np.array(rows, dtype=np.int32).reshape(-1, 6)


def _write_calls(group: Any, panel: Panel | DosagePanel) -> None:
    n_sites, n_people = panel.n_sites, panel.n_samples
    shape, chunks = (n_sites, n_people), (_SITES_PER_CHUNK, _PEOPLE_PER_CHUNK)
    dimensions = ["variants", "samples", "ploidy"]
    packer = load("numcodecs", "zarr>=3", "Writing VCF Zarr").Blosc("zstd", clevel=7, shuffle=2)  # 2: of bits
    genotypes = _create(group, "call_genotype", (*shape, 2), (*chunks, 2), np.int8, dimensions, packer)
    mask = _create(group, "call_genotype_mask", (*shape, 2), (*chunks, 2), np.bool_, dimensions, packer)
    phased = _create(group, "call_genotype_phased", shape, chunks, np.bool_, dimensions[:2], packer)
    with progress.task("Writing sites", total=n_sites) as advance:
        for start in range(0, n_sites, _SITES_PER_CHUNK):
            sites = slice(start, min(start + _SITES_PER_CHUNK, n_sites))
            alleles = _alleles(panel, sites)
            genotypes[sites] = alleles
            mask[sites] = alleles < 0
            phased[sites] = np.full(alleles.shape[:2], isinstance(panel, Panel))
            advance(sites.stop - sites.start)


def _alleles(panel: Panel | DosagePanel, sites: slice) -> np.ndarray:
    """int8 (n_sites, n_people, 2)."""
    if isinstance(panel, DosagePanel):
        return _UNPHASED[panel.dosages[:, sites].T - MISSING]
    # A chunk starts at a multiple of eight sites.
    packed = panel.bits[:, sites.start // 8 : -(-sites.stop // 8)]
    alleles = np.unpackbits(packed, axis=1, count=sites.stop - sites.start)
    return np.ascontiguousarray(alleles.T, dtype=np.int8).reshape(-1, panel.n_samples, 2)


def _add(group: Any, name: str, values: np.ndarray, dimensions: list[str]) -> None:
    chunk = _SITES_PER_CHUNK if dimensions[0] == "variants" else max(len(values), 1)
    dtype = str if values.dtype == object else values.dtype
    array = _create(group, name, values.shape, (chunk, *values.shape[1:]), dtype, dimensions)
    array[:] = values


def _create(
    group: Any, name: str, shape: tuple, chunks: tuple, dtype: Any, dimensions: list[str], packer: Any = "auto"
) -> Any:
    attributes = {"_ARRAY_DIMENSIONS": dimensions}
    chunks = tuple(max(1, min(chunk, size)) for chunk, size in zip(chunks, shape))
    return group.create_array(name, shape=shape, chunks=chunks, dtype=dtype, attributes=attributes, compressors=packer)
