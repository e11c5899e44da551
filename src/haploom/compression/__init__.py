"""Storing genotypes: from text or a panel to an archive, and the proof that the archive gives back what went in."""

from haploom.compression.checks import verify_against
from haploom.compression.many_files import compress_files, plan_files
from haploom.compression.writer import CODECS, LEVELS, compress, compress_panel

__all__ = ["CODECS", "LEVELS", "compress", "compress_files", "compress_panel", "plan_files", "verify_against"]
