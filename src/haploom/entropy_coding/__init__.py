"""Bytes from alleles and back: integer kernels that give the same bytes on every machine."""
