"""Synthetic people from a source of haplotypes: in memory, or straight to a file however many they are."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np

from haploom import progress
from haploom.io.model_file import ModelFile
from haploom.panel import Panel
from haploom.panel.bits import row_bytes
from haploom.synthesis.from_models import Latents, model_source
from haploom.synthesis.rows_on_disk import TurnedRows
from haploom.synthesis.sources import ROWS, Block, DrawBlocks, Source, stream_of


def people_blocks(
    source: Source, populations: Sequence[str], people: int, seed: int = 1, threads: int = 1,
    draw: DrawBlocks | None = None,
) -> Iterator[Panel]:  # fmt: skip
    """`people` synthetic people, two haplotypes each, of every population named, some at a time.

    Samples are called SYN_<population>_<number>; the labels are under the source's label level. Memory is that of a
    few blocks. The same seed gives the same people, whatever `threads`; a population's do not depend on which others
    are asked for, nor its first on how many more there are. draw: how blocks of the source's haplotypes are drawn by
    this seed, such as `drawn_in_parts`; in this process, if not said.

    Raises HaploomError for a population that the source does not know.
    """
    source.check_populations(populations)
    per_population = range(-(-2 * people // ROWS))
    blocks = [(source.populations.index(population), line) for population in populations for line in per_population]
    draw = draw or partial(_in_threads, source, seed, threads)
    for (place, line), bits in zip(blocks, draw(blocks), strict=True):
        population, first = source.populations[place], line * ROWS // 2
        kept = bits[: 2 * (people - first)]
        names = tuple(f"SYN_{population}_{first + i + 1:05d}" for i in range(len(kept) // 2))
        yield Panel(kept, source.variants, names, {source.level: np.full(len(names), population, dtype=object)})


def _in_threads(source: Source, seed: int, threads: int, blocks: Sequence[Block]) -> Iterator[np.ndarray]:
    """The blocks in order, no more of them under way than there are threads and one."""
    pending: deque[Future[np.ndarray]] = deque()
    with progress.task("Drawing haplotypes", len(blocks)) as advance, ThreadPoolExecutor(threads) as pool:

        def first() -> np.ndarray:
            advance()
            return pending.popleft().result()

        for place, of_population in groupby(blocks, itemgetter(0)):
            draw = source.draw_of(place)
            for block in of_population:
                pending.append(pool.submit(draw, stream_of(seed, block)))
                if len(pending) > threads:
                    yield first()
        while pending:
            yield first()


def synthesize(source: Source, populations: Sequence[str], people: int, seed: int = 1, threads: int = 1) -> Panel:
    """The people of `people_blocks` in one panel, in memory. Raises HaploomError as it does."""
    bits = [np.empty((0, row_bytes(len(source.variants))), dtype=np.uint8)]
    names: list[str] = []
    labels: list[np.ndarray] = []
    for block in people_blocks(source, populations, people, seed, threads):
        bits.append(block.bits)
        names += block.samples
        labels.append(block.labels(source.level))
    columns = {source.level: np.concatenate(labels) if labels else np.empty(0, dtype=object)}
    return Panel(np.concatenate(bits), source.variants, tuple(names), columns)


def synthesize_panel(
    model: ModelFile, populations: Sequence[str], people: int, seed: int = 1, *, sampled: bool = False,
    latents: Latents | None = None,
) -> Panel:  # fmt: skip
    """`people` people of each population as a model makes them: `synthesize` of `model_source`.

    Deciding every allele for the likelier one makes rare alleles rarer than in life: such haplotypes are less diverse
    than real ones. sampled: draw them by their probabilities (vae, cvae, yvae). latents: of a cvae or yvae, from
    around those of the label's training people (None, "training"), or from the "prior", as in the paper.

    Raises HaploomError for a population the model does not know, or a model that cannot make haplotypes.
    """
    return synthesize(model_source(model, sampled=sampled, latents=latents), populations, people, seed)


@contextmanager
def people_on_disk(
    source: Source, populations: Sequence[str], people: int, seed: int, threads: int, folder: Path,
    draw: DrawBlocks | None = None,
) -> Iterator[Panel]:  # fmt: skip
    """`synthesize`, with the alleles in a temporary file in `folder` where they are many: for writers of sites.

    The panel's bits lie on their side there, so that blocks of sites are read in one go. The file has no name and is
    gone when the block ends.
    """
    names: list[str] = []
    with TurnedRows(2 * people * len(populations), row_bytes(len(source.variants)), folder) as rows:
        for block in people_blocks(source, populations, people, seed, threads, draw):
            rows.append(block.bits)
            names += block.samples
        labels = np.repeat(np.array(populations, dtype=object), people)
        yield Panel(rows.bits(), source.variants, tuple(names), {source.level: labels})
