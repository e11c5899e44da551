"""Labels that can be trusted: calibrated probabilities, label sets, and `unknown` for people outside the reference.

Each row is measured by itself against the reference, with integer sums: a person's answer does not depend on who else
is in the file, on their order or on threads.
"""

import numpy as np

from haploom.ancestry.centroids import Classification
from haploom.ancestry.conformal import label_sets
from haploom.ancestry.probabilities import Stack
from haploom.ancestry.reference import Reference
from haploom.ancestry.typicality import Typicality, evidence_of_people
from haploom.baselines.kernel_ridge import KernelRidge
from haploom.errors import CorruptModelError
from haploom.io.model_file import ModelFile, rows_at_sites
from haploom.panel import DosagePanel, Panel
from haploom.panel.matching import MIN_COVERAGE

UNKNOWN = "unknown"
_DISTANCES_AT_ONCE = 1 << 22  # 32 MiB


def classify_trusted(
    panel: Panel | DosagePanel, model: ModelFile, min_coverage: float = MIN_COVERAGE, threads: int = 1
) -> Classification:
    """Label every haplotype of a panel, or every person for a model of unphased people, or say `unknown`.

    A person's two haplotypes are labelled apart; whether the person is unknown is said of both. The set of an
    unknown person is empty, the probabilities are those of the labels there are and mean little. Absent sites are left
    out of what is measured. Raises SiteMismatchError when the panel has a smaller share of the model's sites than
    `min_coverage`, CorruptModelError when the model's arrays do not fit together.
    """
    try:
        reference = Reference.from_arrays(model.group("reference"), model.variants, model.ploidy, threads)
        stack = Stack.from_arrays(model.group("stack"))
        ridge_of = model.group("ridge")
        typicality = Typicality.from_arrays(model.group("typicality"))
        ridge = KernelRidge.from_weights(ridge_of["weights"], ridge_of["mean"], float(ridge_of["width"][0]))
        thresholds = model.arrays["sets.thresholds"]
    except (KeyError, ValueError, IndexError) as error:
        raise CorruptModelError(
            f"the model says it is an ancestry classifier, but its arrays are not: {error}"
        ) from error
    rows_here = rows_at_sites(panel, model, min_coverage)
    n, size = rows_here.n_rows, reference.rows_per_person
    log_likelihoods = np.empty((n, len(model.labels)))
    probabilities, scores, coverage = np.empty_like(log_likelihoods), np.empty_like(log_likelihoods), np.empty((n, 1))
    step = max(1, _DISTANCES_AT_ONCE // len(reference.counts))
    for first in range(0, n, step):
        rows = slice(first, min(first + step, n))
        counts, called = rows_here.rows(rows)
        scores[rows] = ridge.scores(reference.distances(counts, called))
        log_likelihoods[rows] = reference.log_likelihoods(counts, called)
        probabilities[rows] = stack.probabilities(log_likelihoods[rows], scores[rows])
        coverage[rows] = called.mean(axis=-1, keepdims=True)
    unknown = np.repeat(typicality.unknown(evidence_of_people(log_likelihoods, scores, coverage, size)), size)
    labels = np.where(unknown, UNKNOWN, np.array(model.labels)[probabilities.argmax(axis=1)])
    sets = label_sets(probabilities, thresholds) & ~unknown[:, None]
    parts = model.parts_of(panel.samples)
    return Classification(panel.samples, labels, tuple(model.labels), probabilities, parts, model.ploidy, sets)
