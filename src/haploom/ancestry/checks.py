"""Why a person has the label it has, or none: what was measured, and which checks it fails."""

from dataclasses import dataclass

import numpy as np

from haploom.ancestry.classification import Classification
from haploom.ancestry.trusted import Measured, TrustedClassifier
from haploom.ancestry.typicality import FALSE_REJECTION
from haploom.io.model_file import ModelFile

LEAST_OVERLAP = 0.95
SURE = 0.9


@dataclass(frozen=True)
class PersonChecks:
    """Of one person. labels, probabilities: of each row, the top label's probability. overlap: share of the model's
    sites called, 0 to 1. oddness: how far outside the reference, in multiples of the limit's distance from the mean:
    above 1 is `unknown` (where reference people are all alike the limit is at the mean: 1 and what lies above it).
    nearest: reference people, the most alike first, as (name, label, squared difference a site). failed: sentences,
    none where all is well.
    """

    sample: str
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    overlap: float
    oddness: float
    nearest: tuple[tuple[str, str, float], ...]
    failed: tuple[str, ...]


def check_people(
    classification: Classification, measured: Measured, classifier: TrustedClassifier, model: ModelFile
) -> list[PersonChecks]:
    """Of every person, in order. The arguments are of one another: see `TrustedClassifier`."""
    size = classifier.reference.rows_per_person
    names = model.card.training["reference_people"]
    label_of = np.array(model.labels)[classifier.reference.labels[::size]]
    limit = measured.threshold
    tops = np.array(classification.classes)[classification.scores.argmax(axis=1)]
    out = []
    for person, sample in enumerate(classification.samples):
        rows = slice(size * person, size * (person + 1))
        nearest = tuple(
            (names[place], str(label_of[place]), float(apart))
            for place, apart in zip(measured.nearest[person], measured.differences[person])
        )
        about = PersonChecks(
            sample, tuple(map(str, classification.labels[rows])),
            tuple(classification.scores[rows].max(axis=1).tolist()), float(measured.coverage[person]),
            1 + float(measured.oddness[person] - limit) / (limit if limit > 0 else 1.0), nearest, (),
        )  # fmt: skip
        part, is_own = classification.parts[person], bool(measured.own[person] >= 0)
        failed = _failed(about, tuple(map(str, tops[rows])), part, is_own, measured.min_coverage)
        out.append(PersonChecks(**{**vars(about), "failed": failed}))
    return out


def _failed(
    about: PersonChecks, tops: tuple[str, ...], part: str, is_own: bool, min_coverage: float
) -> tuple[str, ...]:
    """tops: the likeliest label of each row, of unknown people too."""
    failed = []
    if is_own:
        failed.append(f"is one of the model's own people ({part}): this is what was said of it when it was left out")
    elif part in ("train", "validation"):
        failed.append(f"has the name of one of the model's own people ({part}), but not the genotypes the model holds")
    if about.overlap < min_coverage:
        called, wanted = 100 * about.overlap, 100 * min_coverage
        failed.append(
            f"{called:.1f} % of the model's sites are called, fewer than --min-coverage {wanted:g} %: unknown"
        )
    elif about.overlap < LEAST_OVERLAP:
        failed.append(f"{100 * about.overlap:.1f} % of the model's sites are called, wanted {100 * LEAST_OVERLAP:g} %")
    if about.oddness > 1:
        failed.append(
            f"lies farther outside the reference than {100 * (1 - FALSE_REJECTION):g} % of its people: unknown"
        )
    if min(about.probabilities) < SURE:
        failed.append(f"the likeliest label has a probability of {min(about.probabilities):.2f}, below {SURE:g}")
    if len(set(tops)) > 1:
        failed.append(f"the two haplotypes are most like different populations: {' and '.join(tops)}")
    if about.nearest[0][1] not in tops:
        failed.append(
            f"the most alike reference person, {about.nearest[0][0]}, is of another label: {about.nearest[0][1]}"
        )
    return tuple(failed)
