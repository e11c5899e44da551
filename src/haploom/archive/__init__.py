"""The `.hlm` archive: bytes to a file and back, checked. Reading never needs torch.

The format is in docs/spec/archive-1.md.
"""

from haploom.archive.container import is_archive_file
from haploom.archive.reader import Archive, open_archive

__all__ = ["Archive", "is_archive_file", "open_archive"]
