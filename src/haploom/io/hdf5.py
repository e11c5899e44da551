"""Panels in HDF5: our layout, and the paper's (see `hdf5_paper`), told apart by what is in the file.

Our layout, version 1:

    attributes      format = "haploom panel", version = 1; made_by, what made haplotypes that are not of people
    bits            uint8 (haplotypes, ceil(sites / 8)): eight sites a byte, the first the highest bit
    sites/          chrom, id, ref, alt: strings (sites,); position_bp: int64 (sites,)
    contigs/        name: strings (n,); length_bp: int64 (n,)
    samples         strings (people,); person i is rows 2i and 2i + 1
    populations/    strings (people,), one dataset a label level
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np

from haploom import progress
from haploom.errors import FormatError, HaploomError
from haploom.io import hdf5_paper
from haploom.io.hdf5_access import base_pairs, dataset, find, strings
from haploom.io.output import atomic_output
from haploom.io.populations import level_problem
from haploom.io.selection import Selection
from haploom.panel import Panel, Variants
from haploom.panel.bits import row_blocks, row_bytes, select_columns

FORMAT, VERSION = "haploom panel", 1
_STRING = h5py.string_dtype()
_SITE_STRINGS = ("chrom", "id", "ref", "alt")
_CHUNK_BYTES = 1 << 20
_CACHE_BYTES = 1 << 24  # several chunks, so that one filled in steps is not written and read again


def read_hdf5(source: Path, selection: Selection) -> Panel:
    """The chosen people and sites of an HDF5 panel, with their labels. Raises FormatError."""
    with _open(source) as file:
        samples = _samples(file, source)
        variants = _variants(file, source)
        people = selection.people(samples)
        wanted = selection.site_filter()
        chosen = None if wanted.takes_all else np.flatnonzero(wanted.mask(variants))
        wanted.regions.check_contigs([*variants.contigs(), *variants.contig_length_bp], source)
        place_of = {name: place for place, name in enumerate(samples)}
        kept = np.array([place_of[name] for name in people], dtype=np.int64)
        rows = np.stack([2 * kept, 2 * kept + 1], axis=1).ravel()
        bits = _bits(file, source, rows, len(variants), chosen)
        if chosen is not None:
            variants = variants.select(chosen)
            wanted.note_absent(len(variants), source)
        populations = {level: labels[kept] for level, labels in _populations(file, source, len(samples)).items()}
    return Panel(bits, variants, people, populations)


def read_hdf5_samples(source: Path) -> tuple[str, ...]:
    """Names of the people, without the genotypes."""
    with _open(source) as file:
        return _samples(file, source)


def write_hdf5(panel: Panel, path: Path, force: bool = False) -> None:
    """Write a panel in our layout."""
    with Hdf5PanelWriter(path, panel.variants, tuple(panel.populations), force) as writer:
        writer.append(panel)


class Hdf5PanelWriter:
    """Write haplotypes into an HDF5 panel, some people at a time; the file appears when the `with` block ends well.

    variants: the sites, the same for everyone. levels: label levels every appended panel must have.
    made_by: what made the haplotypes, kept as an attribute of the file; left out where empty.
    Raises HaploomError for a level that HDF5 would take for a path, or when `path` exists and not `force`;
    ValueError when an appended panel does not fit.
    """

    def __init__(
        self, path: Path, variants: Variants, levels: Sequence[str] = (), force: bool = False,
        made_by: str = "",
    ) -> None:  # fmt: skip
        self._made_by = made_by
        self._path, self._variants, self._levels, self._force = path, variants, tuple(levels), force
        if problem := next(filter(None, map(level_problem, self._levels)), None):
            raise HaploomError(f"cannot write {path}: {problem}: rename it")
        self._fingerprint = variants.fingerprint()
        self._seen: set[str] = set()
        self._stack = ExitStack()

    def __enter__(self) -> "Hdf5PanelWriter":
        with ExitStack() as stack:
            partial = stack.enter_context(atomic_output(self._path, self._force))
            self._file = stack.enter_context(h5py.File(partial, "w", rdcc_nbytes=_CACHE_BYTES, libver="latest"))
            self._lay_out()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return self._stack.__exit__(kind, error, traceback)

    def append(self, panel: Panel) -> None:
        """Add the people of a panel after those already there; their names must be new."""
        if panel.variants is not self._variants and panel.variants.fingerprint() != self._fingerprint:
            raise ValueError("the appended panel has other sites")
        if twice := self._seen.intersection(panel.samples):
            raise ValueError(f"sample {min(twice)!r} was appended before")
        self._seen.update(panel.samples)
        columns: dict[str, Any] = {
            "bits": panel.bits,
            "samples": np.array(panel.samples, dtype=object),
            **{f"populations/{level}": panel.labels(level).astype(object) for level in self._levels},
        }
        for name, values in columns.items():
            dataset = self._file[name]
            there = len(dataset)
            dataset.resize(there + len(values), axis=0)
            dataset[there:] = values

    def _lay_out(self) -> None:
        file, variants = self._file, self._variants
        file.attrs["format"], file.attrs["version"] = FORMAT, VERSION
        if self._made_by:
            file.attrs["made_by"] = self._made_by
        for name in _SITE_STRINGS:
            file.create_dataset(f"sites/{name}", data=getattr(variants, name).astype(object), dtype=_STRING)
        file["sites/position_bp"] = variants.position_bp
        lengths = variants.contig_length_bp
        file.create_dataset("contigs/name", data=np.array(list(lengths), dtype=object), dtype=_STRING)
        file["contigs/length_bp"] = np.array(list(lengths.values()), dtype=np.int64)
        width = row_bytes(len(variants))
        chunk = (max(2, _CHUNK_BYTES // max(width, 1)), max(width, 1))
        file.create_dataset("bits", (0, width), np.uint8, maxshape=(None, width or None), chunks=chunk)
        file.create_group("populations", track_order=True)  # levels in the order given
        for name in ("samples", *(f"populations/{level}" for level in self._levels)):
            file.create_dataset(name, (0,), _STRING, maxshape=(None,), chunks=(1 << 14,))


@contextmanager
def _open(source: Path) -> Iterator[h5py.File]:
    """The file, checked to be one of the two layouts; damage that HDF5 finds later is a FormatError too."""
    try:
        with h5py.File(source, "r", rdcc_nbytes=_CACHE_BYTES) as file:
            if not hdf5_paper.is_paper_layout(file, source):
                _check_ours(file, source)
            yield file
    except (OSError, RuntimeError) as error:
        raise FormatError(f"{source}: HDF5 cannot read it ({error}): is it cut short? Get the file again") from error
    except MemoryError as error:
        raise FormatError(f"{source}: what it declares does not fit into memory: is it damaged?") from error


def _check_ours(file: h5py.File, source: Path) -> None:
    found, version = _attribute(file, source, "format"), _attribute(file, source, "version")
    if not isinstance(found, str) or found != FORMAT:
        raise FormatError(
            f"{source} is HDF5, but neither a Haploom panel (attribute format {str(found)[:40]!r}, wanted {FORMAT!r}) "
            "nor the paper's layout (datasets `snps` and `populations`): it has "
            f"{', '.join(list(file)[:10]) or 'nothing'}"
        )
    if not isinstance(version, (int, np.integer)) or version != VERSION:
        raise FormatError(
            f"{source}: panel version {str(version)[:40]}, this Haploom reads {VERSION}: use a release that reads it"
        )


def _attribute(file: h5py.File, source: Path, name: str) -> Any:
    try:
        return file.attrs.get(name)
    except (TypeError, ValueError) as error:  # of a type that Python has no like of
        raise FormatError(f"{source}: the attribute {name} cannot be read ({error})") from error


def _samples(file: h5py.File, source: Path) -> tuple[str, ...]:
    if hdf5_paper.is_paper_layout(file, source):
        return hdf5_paper.samples(file, source)
    names = tuple(strings(file, source, "samples").tolist())
    if len(set(names)) != len(names) or not all(names) or not names:
        raise FormatError(f"{source}: dataset samples must hold names, each once and none empty")
    return names


def _variants(file: h5py.File, source: Path) -> Variants:
    if hdf5_paper.is_paper_layout(file, source):
        return hdf5_paper.variants(file, source)
    positions = base_pairs(file, source, "sites/position_bp")
    columns = {name: strings(file, source, f"sites/{name}", len(positions)) for name in _SITE_STRINGS}
    names = strings(file, source, "contigs/name").tolist()
    lengths = base_pairs(file, source, "contigs/length_bp", len(names)).tolist()
    try:
        return Variants(position_bp=positions, **columns, contig_length_bp=dict(zip(names, lengths)))
    except ValueError as error:
        raise FormatError(f"{source}: {error}") from error


def _populations(file: h5py.File, source: Path, n_samples: int) -> dict[str, np.ndarray]:
    if hdf5_paper.is_paper_layout(file, source):
        return hdf5_paper.populations(file, source)
    levels = find(file, source, "populations") or ()
    return {level: strings(file, source, f"populations/{level}", n_samples) for level in levels}


def _bits(file: h5py.File, source: Path, rows: np.ndarray, n_sites: int, sites: np.ndarray | None) -> np.ndarray:
    """Packed rows of the chosen haplotypes and sites (None: all), read in blocks of the file's rows."""
    if hdf5_paper.is_paper_layout(file, source):
        blocks = hdf5_paper.packed_blocks(file)
    else:
        blocks = _packed_blocks(source, _checked_bits(file, source, n_sites), n_sites)
    n_kept = n_sites if sites is None else len(sites)
    bits = np.empty((len(rows), row_bytes(n_kept)), dtype=np.uint8)
    with progress.task("Reading haplotypes", total=len(rows)) as advance:
        for block, packed in blocks:
            wanted = np.flatnonzero((rows >= block.start) & (rows < block.stop))
            chosen = packed[rows[wanted] - block.start]
            bits[wanted] = chosen if sites is None else select_columns(chosen, n_sites, sites)
            advance(len(wanted))
    return bits


def _checked_bits(file: h5py.File, source: Path, n_sites: int) -> h5py.Dataset:
    bits = dataset(file, source, "bits")
    wanted = (2 * len(file["samples"]), row_bytes(n_sites))
    if bits.shape != wanted or bits.dtype != np.uint8:
        raise FormatError(f"{source}: bits are {bits.dtype} {bits.shape}, wanted uint8 {wanted}")
    return bits


def _packed_blocks(source: Path, bits: h5py.Dataset, n_sites: int) -> Iterator[tuple[slice, np.ndarray]]:
    past_end = 0xFF >> n_sites % 8 if n_sites % 8 else 0
    for block in row_blocks(len(bits), n_sites):
        packed = bits[block]
        if past_end and (packed[:, -1] & past_end).any():
            raise FormatError(f"{source}: bits past the last site are not zero: the file is damaged")
        yield block, packed
