"""Haploom: store, map, classify and simulate genomes with what autoencoders learn from SNP haplotypes."""

from haploom.provenance import __version__

__all__ = ["__version__"]
