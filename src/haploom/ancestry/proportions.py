"""How much of a person's genome is of each label, without phase: the mixture of label frequencies that fits best.

Each of a person's alleles is drawn from a label by the person's proportions, then from that label's frequencies; sites
are taken as independent. The proportions are found by EM with the frequencies held, as the supervised mode of
ADMIXTURE does (Alexander & Lange 2011). Phased people have theirs from `local_ancestry`.
"""

from dataclasses import dataclass

import numpy as np

from haploom.ancestry.local_ancestry import Painting
from haploom.ancestry.reference import Reference, places_of_names
from haploom.errors import HaploomError
from haploom.io.model_file import ModelFile, rows_at_sites
from haploom.panel import DosagePanel, Panel
from haploom.panel.matching import MIN_COVERAGE

MOST_STEPS = 1000
_CLOSE = 1e-6  # a step that changes no proportion by more is the last
_ROWS_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Proportions:
    """samples, parts: as in `Classification`. proportions: float64 (n_samples, n_labels), rows sum to 1."""

    samples: tuple[str, ...]
    parts: tuple[str, ...]
    labels: tuple[str, ...]
    proportions: np.ndarray

    @classmethod
    def of_painting(cls, painting: Painting) -> "Proportions":
        """Those of the local ancestry."""
        return cls(painting.samples, painting.parts, painting.labels, painting.proportions)


def mixture_proportions(
    panel: Panel | DosagePanel, model: ModelFile, min_coverage: float = MIN_COVERAGE
) -> Proportions:
    """Proportions of each label in unphased people, by a model of kind ancestry whose rows are people.

    Missing calls are left out; a person without calls has even proportions. A person who has the name of one of the
    reference is measured by frequencies without that one. Raises HaploomError for another model, SiteMismatchError when
    the panel has a smaller share of the model's sites than `min_coverage`.
    """
    if model.card.kind != "ancestry" or model.ploidy != 2:
        raise HaploomError(
            f"proportions without phase need a model of kind ancestry of unphased people, and this is one of kind "
            f"{model.card.kind}: train one with --kind ancestry --unphased"
        )
    rows_here = rows_at_sites(panel, model, min_coverage)
    reference = Reference.of_model(model)
    p, labels = reference.frequencies.smoothed(), reference.labels
    named = places_of_names(panel.samples, model)
    out = np.empty((rows_here.n_rows, len(model.labels)))
    for start in range(0, len(out), _ROWS_AT_ONCE):
        rows = slice(start, min(start + _ROWS_AT_ONCE, len(out)))
        counts, called = rows_here.rows(rows)
        for person, count, known in zip(range(start, len(out)), counts, called):
            of_others = p
            if (own := named[person]) >= 0:
                of_others = p.copy()
                of_others[labels[own]] = reference.frequencies.without(labels[own], reference.counts[own])
            out[person] = fit_mixture(count[known], of_others[:, known])
    return Proportions(panel.samples, model.parts_of(panel.samples), tuple(model.labels), out)


def fit_mixture(counts: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """The likeliest proportions of one person: float64 (n_labels,), sum 1.

    counts: (n_sites,), alternate alleles, 0 to 2. frequencies: float64 (n_labels, n_sites) of them, within (0, 1).
    The likelihood is concave in the proportions: wherever the search starts, it ends at the same place.
    """
    proportions = np.full(len(frequencies), 1 / len(frequencies))
    if not len(counts):
        return proportions
    reference = 1 - frequencies
    for _ in range(MOST_STEPS):
        alternate_weight = counts / (proportions @ frequencies)
        reference_weight = (2 - counts.astype(np.float64)) / (proportions @ reference)
        drawn = proportions * (frequencies @ alternate_weight + reference @ reference_weight)
        after = drawn / drawn.sum()
        done = np.abs(after - proportions).max() < _CLOSE
        proportions = after
        if done:
            break
    return proportions
