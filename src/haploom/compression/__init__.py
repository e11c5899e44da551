"""Storing a panel: choosing a codec for each block, and proving that the archive gives back what went in."""

from haploom.compression.writer import CODECS, compress_panel, verify_against

__all__ = ["CODECS", "compress_panel", "verify_against"]
