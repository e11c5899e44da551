"""Datasets of an HDF5 file that may lie: checked to be inside the file, of the right kind, and of a possible size."""

import math
from pathlib import Path

import h5py
import numpy as np

from haploom.errors import FormatError
from haploom.io.panel_checks import MAX_POSITION_BP
from haploom.panel.variants import STRING

# No filter of HDF5 itself shrinks further than deflate, 1032 to 1.
_MAX_RATIO = 1100
# So much may be declared without being stored: HDF5 leaves out chunks nobody wrote to.
_FREE_BYTES = 1 << 20


def find(file: h5py.File, source: Path, name: str) -> h5py.Group | h5py.Dataset | None:
    """What is at that path; None where nothing is. Raises FormatError for links, which may lead out of the file."""
    here = file
    for part in name.split("/"):
        link = here.get(part, getlink=True) if isinstance(here, h5py.Group) else None
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise FormatError(f"{source}: {name} is a link to elsewhere, which is not followed: copy the data there")
        try:
            here = here[part]
        except KeyError as error:
            raise FormatError(f"{source}: HDF5 cannot open {name} ({error}): get the file again") from error
    return here


def find_dataset(file: h5py.File, source: Path, name: str) -> h5py.Dataset | None:
    """The dataset at that path; None where there is none.

    Raises FormatError where the path or the data lead out of the file, where more is declared than the file can
    hold, and for a type NumPy does not have.
    """
    here = find(file, source, name)
    if not isinstance(here, h5py.Dataset):
        return None
    if here.external or here.is_virtual:
        raise FormatError(f"{source}: the data of {name} are in other files, which are not opened: copy them there")
    _check_size(here, source, name)
    try:
        here.dtype  # noqa: B018
    except (TypeError, ValueError) as error:
        raise FormatError(f"{source}: dataset {name} is of a type that NumPy has no like of ({error})") from error
    return here


def dataset(file: h5py.File, source: Path, name: str) -> h5py.Dataset:
    """`find_dataset`, of one that must be there."""
    found = find_dataset(file, source, name)
    if found is None:
        raise FormatError(f"{source}: dataset {name} is absent: the file is not a whole panel")
    return found


def strings(file: h5py.File, source: Path, name: str, n: int | None = None) -> np.ndarray:
    """A column of strings, (n,); n: None for any number. Raises FormatError."""
    column = dataset(file, source, name)
    if h5py.check_string_dtype(column.dtype) is None or column.ndim != 1:
        raise FormatError(f"{source}: dataset {name} is {column.dtype} {column.shape}, wanted a column of strings")
    _check_length(column, source, name, n)
    try:
        return np.array(column.asstr()[()].tolist(), dtype=STRING)
    except UnicodeDecodeError as error:
        raise FormatError(f"{source}: dataset {name} is not UTF-8 text") from error


def base_pairs(file: h5py.File, source: Path, name: str, n: int | None = None) -> np.ndarray:
    """A column of positions or lengths in bp, int64 (n,), from 0 to MAX_POSITION_BP. Raises FormatError."""
    column = dataset(file, source, name)
    if column.dtype.kind not in "iu" or column.ndim != 1:
        raise FormatError(f"{source}: dataset {name} is {column.dtype} {column.shape}, wanted a column of integers")
    _check_length(column, source, name, n)
    values = column[()]
    if values.size and (values.min() < 0 or values.max() > MAX_POSITION_BP):
        raise FormatError(f"{source}: dataset {name} goes from {values.min()} to {values.max()}, wanted 0 to 10^18 bp")
    return values.astype(np.int64)


def _check_length(column: h5py.Dataset, source: Path, name: str, n: int | None) -> None:
    if n is not None and len(column) != n:
        raise FormatError(f"{source}: {len(column)} values in {name}, wanted {n}")


def _check_size(found: h5py.Dataset, source: Path, name: str) -> None:
    """Before anything takes memory for it. A dimension of 0 counts as 1: names are made up for rows without sites."""
    if found.shape is None:
        raise FormatError(f"{source}: dataset {name} is null: the file is not a whole panel")
    stored = min(found.id.get_storage_size(), source.stat().st_size)
    chunks = found.chunks or found.shape
    declared = math.prod(max(1, *pair) for pair in zip(found.shape, chunks)) * found.id.get_type().get_size()
    if declared > max(_FREE_BYTES, _MAX_RATIO * stored):
        raise FormatError(
            f"{source}: dataset {name} is said to be {found.shape}, {declared:,} bytes, but {stored:,} are stored: "
            "is it damaged? Get the file again"
        )
