"""Lossless codings of integers and bits: run lengths and general byte codecs. No files, no networks."""
