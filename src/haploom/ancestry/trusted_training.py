"""Fitting the trusted classifier: reference, evidence of each person left out, stack, label sets, typicality."""

from typing import Any

import numpy as np

from haploom import provenance
from haploom.ancestry.conformal import COVERAGE, label_sets, set_thresholds
from haploom.ancestry.oddness import Oddness
from haploom.ancestry.probabilities import fit_stack
from haploom.ancestry.reference import Reference
from haploom.baselines.kernel_ridge import KernelRidge
from haploom.errors import HaploomError
from haploom.io.model_file import ModelCard, ModelFile
from haploom.panel import PARTS, DosagePanel, Panel, Split
from haploom.panel.dosages import MISSING

MOST_REFERENCE_ROWS = 8000  # kernel ridge holds four float64 matrices of this many rows and columns: 2 GB
FEWEST_PEOPLE = 5  # of a label

_LIMITS = (
    "It holds the genotypes of its training and validation people: share it only where they may be shared.",
    "Validation people are fitted too, each judged by what is learned without them: they are not held out.",
    "Probabilities and label sets hold for people drawn as the reference was, of its labels.",
)


def train_ancestry(
    panel: Panel | DosagePanel, split: Split, level: str, *, maf: float = 0.0, seed: int = 1, threads: int = 1
) -> ModelFile:
    """Fit to the training and validation people of a split, each measured by the others alone.

    panel: phased haplotypes (rows of the model are haplotypes) or unphased dosages (rows are people; a missing call
    counts as its label-free mean, rounded). level: the labels learned. maf: only sites whose minor-allele frequency
    among those people is above it. The same input gives the same file; seed: which people are kept where there are
    more than MOST_REFERENCE_ROWS rows. The split's test people are not looked at.

    Raises HaploomError with fewer than two labels, a label of fewer than FEWEST_PEOPLE people, or people all alike.
    """
    everyone = panel.samples
    fitted = [name for name in everyone if split.part_of.get(name) in ("train", "validation")]
    here = panel.select_samples(fitted)
    if maf > 0:
        here = here.common(maf)
    names, places = np.unique(here.labels(level), return_inverse=True)
    people_of = np.bincount(places)
    if len(names) < 2 or people_of.min() < FEWEST_PEOPLE or not here.n_sites:
        found = ", ".join(f"{name} {count}" for name, count in zip(names, people_of)) or "none"
        raise HaploomError(
            f"the ancestry classifier needs two labels or more with {FEWEST_PEOPLE} people each, at one site or more; "
            f"found {found}, at {here.n_sites:,} sites. Leave small labels out with -S, or give more people"
        )
    chosen = _kept_people(places, isinstance(panel, Panel), seed)
    here = here.select_samples([here.samples[i] for i in chosen])
    places = places[chosen]
    reference = _reference(here, places, threads)
    size = reference.rows_per_person
    labels, people = reference.labels, np.arange(len(reference.counts)) // size

    distances = reference.distances(reference.counts, np.True_)
    if not distances.any():
        raise HaploomError(
            f"all {here.n_samples:,} people are alike at all {here.n_sites:,} sites: nothing tells their labels apart; "
            "give sites that vary"
        )
    with_all = reference.log_likelihoods_left_out()
    log_likelihoods = with_all[:, : len(names)]
    ridge = KernelRidge().fit(distances, labels, size)
    stack, probabilities = fit_stack(log_likelihoods, ridge.left_out_, labels, people)
    thresholds = set_thresholds(probabilities, labels)

    if reference.ploidy == 1:
        oddness = Oddness.of_haplotypes(with_all, ridge.left_out_, labels[::size])
    else:
        oddness = Oddness.of_unphased(distances, reference.start)

    arrays = {
        **{f"reference.{name}": array for name, array in reference.to_arrays().items()},
        **{f"stack.{name}": array for name, array in stack.to_arrays().items()},
        "ridge.weights": ridge.weights_, "ridge.mean": ridge.mean_, "ridge.width": np.array([ridge.width_]),
        "sets.thresholds": thresholds, "left_out.probabilities": probabilities,
        **oddness.to_arrays(),
    }  # fmt: skip
    facts: dict[str, Any] = {
        "maf": maf, "seed": seed, "coverage": COVERAGE, "ridge": ridge.ridge_, "rates": reference.rates,
        "reference_people": list(here.samples),
        **_left_out_figures(probabilities, thresholds, labels),
    }  # fmt: skip
    card = ModelCard(
        kind="ancestry",
        profile="sound",
        config={"n_sites": here.n_sites, "ploidy": reference.ploidy},
        label_level=level,
        labels={str(name): int(count) for name, count in zip(names, np.bincount(places))},
        contig_length_bp=dict(here.variants.contig_length_bp),
        site_fingerprint=here.variants.fingerprint(),
        part_of={sample: part for part in PARTS for sample in everyone if split.part_of.get(sample) == part},
        training=facts,
        history=[],
        limits=list(_LIMITS),
        made_by=provenance.record(seed),
    )
    return ModelFile(card, here.variants, arrays)


def expected_calibration_error(probabilities: np.ndarray, right: np.ndarray, n_bins: int = 15) -> float:
    """Mean distance of confidence and accuracy over bins of confidence (Guo et al. 2017), 0 to 1.

    probabilities: float64 (n, n_labels); right: bool (n,), whether the top label is.
    """
    confidence = probabilities.max(axis=1)
    bins = np.minimum((confidence * n_bins).astype(np.int64), n_bins - 1)
    gaps = np.abs(np.bincount(bins, confidence - right, minlength=n_bins))
    return float(gaps.sum() / len(confidence))


def _kept_people(places: np.ndarray, phased: bool, seed: int) -> np.ndarray:
    """Places of the people to keep, those of one label together; an equal share of each label's where too many."""
    most = MOST_REFERENCE_ROWS // (2 if phased else 1)
    order = np.random.default_rng(seed).permutation(len(places))
    if len(places) > most:
        shares = np.bincount(places) * most // len(places)
        order = np.concatenate(
            [order[places[order] == label][: max(share, FEWEST_PEOPLE)] for label, share in enumerate(shares)]
        )
    return order[np.argsort(places[order], kind="stable")]


def _reference(panel: Panel | DosagePanel, places: np.ndarray, threads: int) -> Reference:
    start = np.searchsorted(places, np.arange(places.max() + 2))
    if isinstance(panel, Panel):
        reference = Reference(panel.alleles(), 2 * start, panel.variants, 1, threads=threads)
        copying = reference.copying().fit_rates()
        rates = (copying.switches_per_mb, copying.mismatch_bits)
        return Reference(reference.counts, 2 * start, panel.variants, 1, rates, threads)
    mean = np.rint(2 * np.nan_to_num(panel.alternate_frequencies())).astype(np.int8)
    counts = np.where(panel.dosages == MISSING, mean, panel.dosages).astype(np.uint8)
    return Reference(counts, start, panel.variants, 2, threads=threads)


def _left_out_figures(probabilities: np.ndarray, thresholds: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """What the classifier reaches on its own people, each left out."""
    rows = np.arange(len(labels))
    right = probabilities.argmax(axis=1) == labels
    sets = label_sets(probabilities, thresholds)
    return {
        "left_out_accuracy": float(right.mean()),
        "left_out_nats": float(-np.log(np.maximum(probabilities[rows, labels], 1e-30)).mean()),
        "left_out_calibration_error": expected_calibration_error(probabilities, right),
        "left_out_coverage": float(sets[rows, labels].mean()),
        "left_out_set_size": float(sets.sum(axis=1).mean()),
    }
