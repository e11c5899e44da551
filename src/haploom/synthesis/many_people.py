"""Haplotypes of a model, block by block, on workers here or on a cluster."""

from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from haploom.io.model_file import ModelFile, read_model_once
from haploom.parallel import Workers, run_parts
from haploom.synthesis.from_models import Latents, model_source
from haploom.synthesis.sources import Block, Draw, stream_of


def drawn_in_parts(
    model: Path, sampled: bool, latents: Latents | None, seed: int, workers: Workers, blocks: Sequence[Block]
) -> Iterator[np.ndarray]:
    """What `model_source` of these draws for each block, in order: the `draw` of `people_blocks`, but for the blocks.

    model: a file that workers on other machines find under the same name. Raises what `model_source` raises.
    """
    work = partial(_drawn, model, sampled, latents, seed)
    parts = run_parts(work, blocks, workers, label="Drawing haplotypes", total=len(blocks), ordered=True)
    return (bits for _, bits in parts)


def _drawn(model: Path, sampled: bool, latents: Latents | None, seed: int, block: Block) -> np.ndarray:
    return _draw_of(read_model_once(model), sampled, latents, block[0])(stream_of(seed, block))


@lru_cache(maxsize=1)
def _draw_of(model: ModelFile, sampled: bool, latents: Latents | None, place: int) -> Draw:
    """Remembered, because a worker is given one block after another of the same population."""
    return model_source(model, sampled=sampled, latents=latents).draw_of(place)
