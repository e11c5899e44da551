"""Placing haplotypes in a model's latent space."""

from haploom.embedding.coordinates import Embedding, embed_panel, write_embedding

__all__ = ["Embedding", "embed_panel", "write_embedding"]
