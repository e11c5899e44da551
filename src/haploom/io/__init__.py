"""Files in and out: panels, dosages, label tables, splits, genetic maps.

Nothing is loaded before it is used, so that importing this room costs neither numba nor pysam nor h5py.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from haploom.io.formats import NOT_HELD, NOT_KEPT, source_format
    from haploom.io.genetic_maps import genetic_map_contigs, read_genetic_map
    from haploom.io.hdf5 import Hdf5PanelWriter
    from haploom.io.hdf5_paper import write_paper_hdf5
    from haploom.io.output import atomic_output, check_outputs, refuse_to_replace
    from haploom.io.panels import (
        iterate_blocks,
        not_held,
        read_dosages,
        read_panel,
        read_samples,
        write_dosages,
        write_panel,
    )
    from haploom.io.populations import PopulationTable, label_level, read_populations, write_populations
    from haploom.io.selection import Selection
    from haploom.io.split_files import read_split, write_split

_HOME = {
    "NOT_HELD": "formats",
    "NOT_KEPT": "formats",
    "Hdf5PanelWriter": "hdf5",
    "PopulationTable": "populations",
    "Selection": "selection",
    "atomic_output": "output",
    "check_outputs": "output",
    "genetic_map_contigs": "genetic_maps",
    "iterate_blocks": "panels",
    "label_level": "populations",
    "not_held": "panels",
    "read_dosages": "panels",
    "read_genetic_map": "genetic_maps",
    "read_panel": "panels",
    "read_populations": "populations",
    "read_samples": "panels",
    "read_split": "split_files",
    "refuse_to_replace": "output",
    "source_format": "formats",
    "write_dosages": "panels",
    "write_panel": "panels",
    "write_paper_hdf5": "hdf5_paper",
    "write_populations": "populations",
    "write_split": "split_files",
}

__all__ = [
    "NOT_HELD",
    "NOT_KEPT",
    "Hdf5PanelWriter",
    "PopulationTable",
    "Selection",
    "atomic_output",
    "check_outputs",
    "genetic_map_contigs",
    "iterate_blocks",
    "label_level",
    "not_held",
    "read_dosages",
    "read_genetic_map",
    "read_panel",
    "read_populations",
    "read_samples",
    "read_split",
    "refuse_to_replace",
    "source_format",
    "write_dosages",
    "write_panel",
    "write_paper_hdf5",
    "write_populations",
    "write_split",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"haploom.io.{_HOME[name]}"), name)
