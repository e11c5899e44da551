"""New haplotypes: from a model, or from those of real people."""

from haploom.synthesis.from_models import Latents, model_source, populations_of
from haploom.synthesis.from_people import MosaicSettings, people_source
from haploom.synthesis.many_people import drawn_in_parts
from haploom.synthesis.people import people_blocks, people_on_disk, synthesize, synthesize_panel
from haploom.synthesis.rows_on_disk import disk_bytes
from haploom.synthesis.sources import Source

__all__ = [
    "Latents", "MosaicSettings", "Source", "disk_bytes", "drawn_in_parts", "model_source", "people_blocks",
    "people_on_disk", "people_source", "populations_of", "synthesize", "synthesize_panel",
]  # fmt: skip
