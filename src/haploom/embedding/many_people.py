"""Coordinates of many people, batch by batch, on workers here or on a cluster."""

from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from haploom.embedding.coordinates import Embedding, embed_panel
from haploom.io.model_file import read_model_once
from haploom.panel import DosagePanel, Panel
from haploom.panel.batches import AnyPanel, batches_of_people
from haploom.panel.matching import MIN_COVERAGE
from haploom.parallel import Workers, run_parts

PEOPLE = 1024  # in a batch


def embed_in_parts(
    panel: AnyPanel, model: Path, workers: Workers, min_coverage: float = MIN_COVERAGE, *,
    uncertainty: bool = False, refine: bool = False, people: int = PEOPLE,
) -> Embedding:  # fmt: skip
    """`embed_panel`, so many people a part. model: a file that workers on other machines find under the same name.

    panel: haplotypes or dosages, in memory or elsewhere; few batches are in memory at a time.
    Networks differ in the last digits between numbers of threads and batches. Raises what `embed_panel` raises.
    """
    work = partial(_embed, model, min_coverage, uncertainty, refine)
    parts = batches_of_people(panel, people)
    total = -(-panel.n_samples // people)
    done = [part for _, part in run_parts(work, parts, workers, label="Embedding", total=total, ordered=True)]
    spread = [part.spread for part in done if part.spread is not None]
    return Embedding(
        tuple(chain.from_iterable(part.samples for part in done)),
        tuple(chain.from_iterable(part.parts for part in done)),
        np.concatenate([part.z for part in done]),
        done[0].ploidy,
        np.concatenate(spread) if spread else None,
    )


def _embed(model: Path, min_coverage: float, uncertainty: bool, refine: bool, panel: Panel | DosagePanel) -> Embedding:
    return embed_panel(panel, read_model_once(model), min_coverage, uncertainty=uncertainty, refine=refine)
