"""Work cut in parts, on this machine's processes or on a Dask cluster: the same result wherever it ran."""

from haploom.parallel.failures import TRIES, PartError
from haploom.parallel.part_files import PartFiles
from haploom.parallel.parts import run_parts
from haploom.parallel.workers import Workers

__all__ = ["TRIES", "PartError", "PartFiles", "Workers", "run_parts"]
