"""Placing haplotypes in a model's latent space."""

from haploom.embedding.coordinates import Embedding, check_has_posterior, embed_panel, has_posterior, write_embedding
from haploom.embedding.many_people import embed_in_parts

__all__ = ["Embedding", "check_has_posterior", "embed_in_parts", "embed_panel", "has_posterior", "write_embedding"]
