"""What this installation can do here: versions, threads, memory, devices, extras, programs, disk, machine code.

Nothing is judged by import alone where importing is slow: a package is there when its metadata is.
"""

import os
import platform
import shutil
import tempfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from haploom.provenance import package_versions

# Extra -> the modules it brings.
EXTRAS = {
    "models": ("torch", "lightning_fabric", "sklearn"), "simulate": ("msprime",),
    "formats": ("bed_reader", "pgenlib", "zarr", "tskit", "tszip"), "plots": ("matplotlib", "jinja2"),
    "dask": ("distributed",), "umap": ("umap",), "blosc2": ("blosc2",),
}  # fmt: skip
# Others' programs that benchmarks and some codecs run.
PROGRAMS = ("bcftools", "tabix", "plink2", "zpaq", "bref3", "genozip", "chromium")
_CORE = ("numba", "h5py", "pysam", "pydantic", "zstandard", "safetensors", "click")


def describe_machine() -> dict[str, Any]:
    """Versions, cores, memory, devices, extras, programs, disk and folders, as JSON values."""
    return {
        "versions": package_versions() | {name: _version(name) for name in _CORE},
        "system": platform.platform(),
        "cores": _usable_cores(),
        "memory_bytes": _memory_bytes(),
        "devices": _devices(),
        "extras": {extra: _missing(modules) for extra, modules in EXTRAS.items()},
        "programs": {name: shutil.which(name) is not None for name in PROGRAMS},
        "free_bytes": {
            "here": shutil.disk_usage(Path.cwd()).free, "temporary": shutil.disk_usage(tempfile.gettempdir()).free,
        },
        "kernel_folder": _kernel_folder(),
    }  # fmt: skip


def _version(package: str) -> str:
    """Also of an installation that lacks what it needs: that is when this is asked."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None


def _devices() -> list[str]:
    """What `--device` may name; empty without torch."""
    if find_spec("torch") is None:
        return []
    import torch

    cards = [f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())]
    return ["cpu", *cards, *(["mps"] if torch.backends.mps.is_available() else [])]


def _missing(modules: tuple[str, ...]) -> list[str]:
    """Those that are not installed."""
    return [name for name in modules if find_spec(name) is None]


def _kernel_folder() -> str | None:
    """Where compiled code is kept; None: nowhere, so that each command compiles anew."""
    from haploom.kernels import writable_folder

    folder = writable_folder()
    return str(folder) if folder else None
