"""Local ancestry: along each chromosome copy, which label's people a stretch comes from.

Two steps: whose haplotypes are copied at each site (`baselines.copied_label`), then a hidden Markov chain of labels
with the person's own proportions (`smoothing`). Phase is taken as given. Each person by itself: nothing depends on who
else is in the file, on order or on threads. Nobody copies the reference person of the same name: itself, as a rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from haploom.ancestry.reference import Reference, places_of_names
from haploom.ancestry.smoothing import evidence_of, site_shares, smooth_person
from haploom.baselines.copied_label import CopiedLabel
from haploom.baselines.li_stephens import distances_cm
from haploom.errors import HaploomError
from haploom.io.model_file import ModelFile, rows_at_sites
from haploom.panel import DosagePanel, GeneticMap, Panel, Variants
from haploom.panel.matching import MIN_COVERAGE

_ROWS_AT_ONCE = 256  # haplotypes; even, so that no person is cut
GENERATIONS = 10.0  # since the populations met, where nobody says: between 5 and 20 hardly anything changes


@dataclass(frozen=True, eq=False)
class Segments:
    """Stretches of one label, in order of haplotype, contig and position; all arrays (n_segments,).

    haplotype: int64, row of the panel. chrom: strings. start_bp, end_bp: int64, 1-based and inclusive; the stretches
    of a haplotype cover each contig from its first to its last site, and meet midway between two sites.
    label: int64, place among the labels. probability: float64, mean over the sites. sites: int64, how many.
    """

    haplotype: np.ndarray
    chrom: np.ndarray
    start_bp: np.ndarray
    end_bp: np.ndarray
    label: np.ndarray
    probability: np.ndarray
    sites: np.ndarray


@dataclass(frozen=True, eq=False)
class Painting:
    """Local ancestry of people. samples, parts: as in `Classification`. labels: the model's.

    proportions: float64 (n_samples, n_labels), rows sum to 1: means of the labels' probabilities over the sites of both
    haplotypes.
    """

    samples: tuple[str, ...]
    parts: tuple[str, ...]
    labels: tuple[str, ...]
    segments: Segments
    proportions: np.ndarray


def paint_panel(
    panel: Panel | DosagePanel, model: ModelFile, *, genetic_map: GeneticMap | Mapping[str, GeneticMap] | None = None,
    generations: float = GENERATIONS, min_coverage: float = MIN_COVERAGE, threads: int = 1,
) -> Painting:  # fmt: skip
    """The ancestry of each stretch of each haplotype, and each person's proportions.

    model: of kind ancestry, trained on phased haplotypes. genetic_map: see `genome_of`. generations: since the
    populations met, above 0: ancestry changes so many times a Morgan. Sites of the model that the panel lacks are left
    out. Raises HaploomError for another model, or generations that are not above 0; SiteMismatchError when the panel
    has a smaller share of the model's sites than `min_coverage`.
    """
    check_paints(model)
    if not 0 < generations < np.inf:
        raise HaploomError(f"generations={generations}: wanted a number above 0")
    rows_here = rows_at_sites(panel, model, min_coverage)
    reference = Reference.of_model(model, threads)
    assert reference.rates is not None
    sites = np.flatnonzero(rows_here.rows(slice(0, 0))[1])
    variants = rows_here.variants.select(sites)
    distance_cm = distances_cm(variants, genetic_map)
    switches_per_mb, mismatch_bits = reference.rates
    copying = CopiedLabel(
        reference.counts[:, sites], reference.start, distance_cm, switches_per_cm=switches_per_mb,
        mismatch=1 / (1 + 2**mismatch_bits), threads=threads,
    )  # fmt: skip
    switch = -np.expm1(-generations * distance_cm / 100)
    share_cm = site_shares(distance_cm)
    proportions = np.empty((panel.n_samples, len(model.labels)))
    pieces: list[Segments] = []
    named = places_of_names(panel.samples, model)
    own = np.repeat(np.where(named < 0, -1, 2 * named), 2)
    for start in range(0, rows_here.n_rows, _ROWS_AT_ONCE):
        counts, _ = rows_here.rows(slice(start, start + _ROWS_AT_ONCE))
        for rows, copied in copying.blocks(counts[:, sites], own[start : start + _ROWS_AT_ONCE]):
            for row in range(0, len(copied), 2):
                first = start + rows.start + row
                evidence = [evidence_of(each, share_cm) for each in copied[row : row + 2]]
                found, proportions[first // 2] = smooth_person(evidence, switch)
                pieces += [_segments(first + place, each, variants) for place, each in enumerate(found)]
    return Painting(
        panel.samples, model.parts_of(panel.samples), tuple(model.labels), _joined(pieces, variants), proportions
    )


def check_paints(model: ModelFile) -> None:
    """Raise HaploomError for a model without reference haplotypes: asked before genotypes are read for nothing."""
    if model.card.kind != "ancestry":
        raise HaploomError(
            f"local ancestry copies from reference haplotypes, and a model of kind {model.card.kind} has none: train "
            "one with --kind ancestry"
        )
    if model.ploidy != 1:
        raise HaploomError(
            "local ancestry needs phased haplotypes, and the model's reference people are unphased: train one on "
            "phased genotypes; without phase there are --proportions"
        )


def _segments(haplotype: int, probabilities: np.ndarray, variants: Variants) -> Segments:
    """Runs of sites with the same likeliest label. probabilities: float64 (n_sites, n_labels)."""
    label = probabilities.argmax(axis=1)
    position_bp, chrom = variants.position_bp, variants.chrom
    new_contig = np.append(True, chrom[1:] != chrom[:-1])
    place = np.append(True, (position_bp[1:] != position_bp[:-1])) | new_contig
    label = label[np.maximum.accumulate(np.where(place, np.arange(len(place)), 0))]  # no border within a position
    first = np.flatnonzero(new_contig | np.append(True, label[1:] != label[:-1]))
    last = np.append(first[1:], len(label)) - 1
    midway = np.append(0, (position_bp[:-1] + position_bp[1:]) // 2)  # where a stretch ends, before each site
    starts = np.where(new_contig[first], position_bp[first], midway[first] + 1)
    ends_contig = np.append(new_contig[1:], True)[last]
    ends = np.where(ends_contig, position_bp[last], np.append(midway[1:], 0)[last])
    sites = last - first + 1
    of_label = np.add.reduceat(probabilities[np.arange(len(label)), label], first)
    return Segments(
        np.full(len(first), haplotype), chrom[first], starts, ends, label[first], of_label / sites, sites
    )  # fmt: skip


def _joined(pieces: list[Segments], variants: Variants) -> Segments:
    if not pieces:
        none = np.zeros(0, dtype=np.int64)
        return Segments(none, variants.chrom[:0], none, none, none, np.zeros(0), none)
    names = ("haplotype", "chrom", "start_bp", "end_bp", "label", "probability", "sites")
    return Segments(*(np.concatenate([getattr(piece, name) for piece in pieces]) for name in names))
