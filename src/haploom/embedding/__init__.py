"""Placing haplotypes in a model's latent space."""

from haploom.embedding.coordinates import Embedding, check_has_posterior, embed_panel, has_posterior, write_embedding

__all__ = ["Embedding", "check_has_posterior", "embed_panel", "has_posterior", "write_embedding"]
