"""Labels that can be trusted: calibrated probabilities, label sets, and `unknown` for people outside the reference.

Each row is measured by itself against the reference, with integer sums: a person's answer does not depend on who else
is in the file, on their order or on threads. A reference person, who would copy itself, is told what was said of it in
training, where it was left out.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from haploom import progress
from haploom.ancestry.classification import Classification
from haploom.ancestry.conformal import label_sets
from haploom.ancestry.oddness import Oddness
from haploom.ancestry.probabilities import Stack
from haploom.ancestry.reference import Reference, places_of_names
from haploom.ancestry.typicality import NEAREST
from haploom.baselines.kernel_ridge import KernelRidge
from haploom.errors import CorruptModelError
from haploom.io.model_file import ModelFile, rows_at_sites
from haploom.panel import DosagePanel, Panel
from haploom.panel.matching import MIN_COVERAGE

logger = logging.getLogger(__name__)

UNKNOWN = "unknown"
_ROWS_AT_ONCE = 512  # a thread, 10 MB at 20,000 sites
# Of the sites: with fewer, oddness of unphased people is found anew, which takes as long as their training. With 90 %
# of calls 5.6 % of people are falsely unknown instead of 5.0 (benchmarks/records/ancestry-trials.jsonl).
_MOST_OF_THE_SITES = 0.95


@dataclass(frozen=True, eq=False)
class Measured:
    """What is measured of people: rows are their haplotypes, or unphased people.

    log_likelihoods, scores: float64 (n_rows, n_labels), nats under each label and kernel scores. coverage: float64
    (n_people,), the share of the model's sites that are called. oddness: float64 (n_people,), see `typicality`.
    nearest: int64 (n_people, NEAREST), places of reference people, the most alike first;
    differences: float64 (n_people, NEAREST), how far they are: squared difference of alleles a site, mean over rows.
    threshold: the oddness above which a person is unknown; min_coverage: the share of sites called below which it
    is. own: int64 (n_people,), the place of the reference person of the same name and genotypes, whose oddness and
    nearest are without itself; -1 for others.
    """

    log_likelihoods: np.ndarray
    scores: np.ndarray
    coverage: np.ndarray
    oddness: np.ndarray
    nearest: np.ndarray
    differences: np.ndarray
    threshold: float
    min_coverage: float
    own: np.ndarray


@dataclass(frozen=True, eq=False)
class TrustedClassifier:
    """The parts of a trained classifier.

    left_out: float64 (n_reference_rows, n_labels), probabilities of the reference rows, each without its own person.
    """

    reference: Reference
    ridge: KernelRidge
    stack: Stack
    oddness: Oddness
    thresholds: np.ndarray
    left_out: np.ndarray
    _at_sites: dict[bytes, Oddness] = field(default_factory=dict, repr=False)

    @classmethod
    def from_model(cls, model: ModelFile, threads: int = 1) -> "TrustedClassifier":
        """Raises CorruptModelError when the model's arrays do not fit together."""
        try:
            ridge_of = model.group("ridge")
            reference = Reference.from_arrays(model.group("reference"), model.variants, model.ploidy, threads)
            n_people, left_out = len(model.card.training["reference_people"]), model.arrays["left_out.probabilities"]
            wanted = (n_people * reference.rows_per_person, len(model.labels))
            if not left_out.shape == (len(reference.counts), len(reference.start) - 1) == wanted:
                raise ValueError(f"left-out probabilities are {left_out.shape}, wanted {wanted}")
            oddness = Oddness.from_groups(model.group, model.ploidy)
            if (shape := oddness.typicality.left_out.shape) != (n_people,):
                raise ValueError(f"left-out oddness is {shape}, wanted {(n_people,)}")
            return cls(
                reference,
                KernelRidge.from_weights(ridge_of["weights"], ridge_of["mean"], float(ridge_of["width"][0])),
                Stack.from_arrays(model.group("stack")),
                oddness,
                model.arrays["sets.thresholds"],
                left_out,
            )
        except (KeyError, ValueError, IndexError) as error:
            raise CorruptModelError(
                f"the model says it is an ancestry classifier, but its arrays are not: {error}. One made by an earlier "
                "version has to be trained again"
            ) from error

    def measure(self, panel: Panel | DosagePanel, model: ModelFile, min_coverage: float = MIN_COVERAGE) -> Measured:
        """Block by block. Raises SiteMismatchError below `min_coverage` of the model's sites.

        Where sites are absent, what is odd is found anew, on the reference people at the sites there are.
        """
        rows_here = rows_at_sites(panel, model, min_coverage)
        if (found := float(rows_here.found.mean())) < MIN_COVERAGE:
            logger.warning(
                "%.1f %% of the model's sites are here: below %g %% probabilities and label sets are too sure",
                100 * found, 100 * MIN_COVERAGE,
            )  # fmt: skip
        size, oddness = self.reference.rows_per_person, self._oddness_at(rows_here.found)
        if self.reference.ploidy == 1:
            self.reference.copying(rows_here.found)  # made once, not by each thread
        named = places_of_names(panel.samples, model)

        def block(first: int) -> tuple[np.ndarray, ...]:
            rows = slice(first, min(first + _ROWS_AT_ONCE, rows_here.n_rows))
            people = slice(rows.start // size, rows.stop // size)
            return self._block(*rows_here.rows(rows), named[people], oddness)

        blocks, starts = [], range(0, max(rows_here.n_rows, 1), _ROWS_AT_ONCE)
        with (
            ThreadPoolExecutor(self.reference.threads) as pool,
            progress.task("Measuring", total=rows_here.n_rows) as advance,
        ):
            for each in pool.map(block, starts):
                blocks.append(each)
                advance(len(each[0]))
        likelihoods, scores, coverage, odd, nearest, apart, own = (np.concatenate(each) for each in zip(*blocks))
        threshold = oddness.typicality.threshold
        return Measured(likelihoods, scores, coverage, odd, nearest, apart, threshold, min_coverage, own)

    def _oddness_at(self, found: np.ndarray) -> Oddness:
        """At the sites of a file, bool (n_sites,): kept for the next batch of its people, as it takes a while."""
        reference = self.reference
        if found.mean() >= (1 if reference.ploidy == 1 else _MOST_OF_THE_SITES):
            return self.oddness
        key = found.tobytes()
        if key not in self._at_sites:  # of one file's sites after another's
            self._at_sites.clear()
            if reference.ploidy == 1:
                left_out = reference.log_likelihoods_left_out(found)
                labels = reference.labels[:: reference.rows_per_person]
                self._at_sites[key] = Oddness.of_haplotypes(left_out, None, labels)
            else:
                distances = reference.distances(reference.counts * found, found)
                self._at_sites[key] = Oddness.of_unphased(distances, reference.start)
        return self._at_sites[key]

    def _block(
        self, counts: np.ndarray, called: np.ndarray, named: np.ndarray, oddness: Oddness
    ) -> tuple[np.ndarray, ...]:
        """The arrays of Measured, of some people. named: int64 (n_people,), reference people of these names, or -1."""
        size, n_labels = self.reference.rows_per_person, len(self.reference.start) - 1
        distances = self.reference.distances(counts, called)
        scores = self.ridge.scores(distances)
        likelihoods = self.reference.log_likelihoods(counts, called)
        coverage = np.broadcast_to(called, counts.shape).mean(axis=1)[::size]
        # A reference person is as near as the nearest of its rows, on the mean over the person's own.
        by_person = distances.reshape(-1, size, len(self.reference.counts) // size, size)
        apart = by_person.min(axis=3).mean(axis=1)
        people = np.arange(len(named))
        same = by_person[people, :, named][:, range(size), range(size)].max(axis=1) == 0
        own = np.where((named >= 0) & same & (coverage > 0), named, -1)
        apart[people[own >= 0], own[own >= 0]] = np.inf
        odd = np.where(own >= 0, oddness.typicality.left_out[own], oddness.of(likelihoods, scores, distances))
        nearest = np.argsort(apart, axis=1, kind="stable")[:, :NEAREST]
        return (
            likelihoods[:, :n_labels], scores, coverage, odd,
            nearest, np.take_along_axis(apart, nearest, axis=1) / counts.shape[1], own,
        )  # fmt: skip

    def classification(self, measured: Measured, panel: Panel | DosagePanel, model: ModelFile) -> Classification:
        """Labels, probabilities and sets of the people measured.

        Likelihoods are taken as large as they would be, had all sites been called: the stack knows those. Kernel scores
        are of distances that are taken so already.
        """
        size = self.reference.rows_per_person
        share_called = np.repeat(np.where(measured.coverage > 0, measured.coverage, 1), size)[:, None]
        probabilities = self.stack.probabilities(measured.log_likelihoods / share_called, measured.scores)
        own, n_labels = np.flatnonzero(measured.own >= 0), probabilities.shape[1]
        left_out = self.left_out.reshape(-1, size, n_labels)[measured.own[own]]
        probabilities.reshape(-1, size, n_labels)[own] = left_out
        too_little = (measured.coverage < measured.min_coverage) | (measured.coverage == 0)
        unknown = np.repeat((measured.oddness > measured.threshold) | too_little, size)
        labels = np.where(unknown, UNKNOWN, np.array(model.labels)[probabilities.argmax(axis=1)])
        sets = label_sets(probabilities, self.thresholds) & ~unknown[:, None]
        parts = model.parts_of(panel.samples)
        return Classification(panel.samples, labels, tuple(model.labels), probabilities, parts, model.ploidy, sets)


def classify_trusted(
    panel: Panel | DosagePanel, model: ModelFile, min_coverage: float = MIN_COVERAGE, threads: int = 1
) -> Classification:
    """Label every haplotype of a panel, or every person for a model of unphased people, or say `unknown`.

    A person's two haplotypes are labelled apart; whether the person is unknown is said of both. The set of an
    unknown person is empty, the probabilities are those of the labels there are and mean little. Absent sites are
    left out of what is measured. People of the reference, by name and genotypes, are told what was said of them in
    training, each left out. A person with a smaller share of the model's sites called than `min_coverage` is
    unknown. Raises SiteMismatchError when the panel has a smaller share of them, CorruptModelError when the model's
    arrays do not fit together.
    """
    classifier = classifier_of(model, threads)
    return classifier.classification(classifier.measure(panel, model, min_coverage), panel, model)


@lru_cache(maxsize=1)
def classifier_of(model: ModelFile, threads: int) -> TrustedClassifier:
    """`TrustedClassifier.from_model`, remembered for batches of people, one after another, by one model."""
    return TrustedClassifier.from_model(model, threads)
