"""New haplotypes from a model."""

from haploom.synthesis.latents import header_lines, populations_of, synthesize_panel

__all__ = ["header_lines", "populations_of", "synthesize_panel"]
