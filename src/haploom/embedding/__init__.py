"""Placing haplotypes in a model's latent space."""

from haploom.embedding.coordinates import (
    REFINABLE,
    Embedding,
    check_has_posterior,
    check_refinable,
    embed_panel,
    has_posterior,
    write_embedding,
)

__all__ = [
    "REFINABLE", "Embedding", "check_has_posterior", "check_refinable", "embed_panel", "has_posterior",
    "write_embedding",
]  # fmt: skip
