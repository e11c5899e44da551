"""Labels of many people, batch by batch, on workers here or on a cluster."""

from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from haploom.ancestry.classification import Classification
from haploom.ancestry.classify import classify_panel
from haploom.io.model_file import read_model_once
from haploom.panel import DosagePanel, Panel
from haploom.panel.batches import AnyPanel, batches_of_people
from haploom.panel.matching import MIN_COVERAGE
from haploom.parallel import Workers, run_parts

PEOPLE = 250  # in a batch
_PEOPLE_A_THREAD = 512  # in a batch of this process


def classify_in_parts(
    panel: AnyPanel, model: Path, workers: Workers, min_coverage: float = MIN_COVERAGE,
    people: int | None = None,
) -> Classification:  # fmt: skip
    """`classify_panel`, so many people a part. A person's labels do not depend on who else is in the batch.

    panel: haplotypes or dosages, in memory or elsewhere; few batches are in memory at a time. people: in a batch; None:
    250, or 512 a thread where this process does the work. model: a model file, which workers on other machines must
    find under the same name. By a model of kind ancestry the result is the same, bit for bit, for any workers and
    batches; networks differ in the last digits between numbers of threads and batches. Raises what `classify_panel`
    raises.
    """
    people = people or (_PEOPLE_A_THREAD * workers.threads if workers.here else PEOPLE)
    work = partial(_classify, model, min_coverage, workers.threads)
    parts = batches_of_people(panel, people)
    total = -(-panel.n_samples // people)
    done = [part for _, part in run_parts(work, parts, workers, label="Classifying", total=total, ordered=True)]
    sets = [part.sets for part in done if part.sets is not None]
    return Classification(
        tuple(chain.from_iterable(part.samples for part in done)),
        np.concatenate([part.labels for part in done]),
        done[0].classes,
        np.concatenate([part.scores for part in done]),
        tuple(chain.from_iterable(part.parts for part in done)),
        done[0].ploidy,
        np.concatenate(sets) if sets else None,
    )


def _classify(model: Path, min_coverage: float, threads: int, panel: Panel | DosagePanel) -> Classification:
    return classify_panel(panel, read_model_once(model), min_coverage, threads)
