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
from haploom.embedding.many_people import embed_in_parts

__all__ = [
    "REFINABLE", "Embedding", "check_has_posterior", "check_refinable", "embed_in_parts", "embed_panel",
    "has_posterior", "write_embedding",
]  # fmt: skip
