"""The audit: synthetic people beside held-out people, both against the people that were learned from.

Fidelity and utility: how far synthetic people are from held-out ones, beside how far training people are from them.
Privacy: how near synthetic people are to training people, beside how near held-out people are. No files.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from haploom.audit.alignment import aligned, windows_of
from haploom.audit.catalogue import MEASURES, Gate
from haploom.audit.classifiers import ancestry_accuracy, component_figures, joint_components, two_sample_accuracy
from haploom.audit.code_lengths import bits_per_allele
from haploom.audit.distances import (
    PairDistances,
    adversarial_accuracy,
    closer_outside,
    distance_figures,
    nearest,
    nearest_within,
)
from haploom.audit.frequencies import (
    AlleleCounts,
    PopulationFigures,
    frequency_figures,
    population_figures,
    rare_allele_share,
    rare_sites,
)
from haploom.audit.linkage import (
    EDGES_BP,
    SetCounts,
    common_sites,
    decay,
    draw_pairs,
    draw_triples,
    pair_figures,
    triple_figures,
)
from haploom.audit.measures import Found, Measure, alone
from haploom.audit.privacy import Likeness, copy_figures, membership_figures
from haploom.audit.sampling import Sample, bootstrap, jackknife, matched_samples, shared_populations
from haploom.errors import HaploomError, MissingExtraError
from haploom.panel import GeneticMap, Panel
from haploom.parallel import Workers, run_parts
from haploom.popgen.differences import as_words
from haploom.popgen.linkage import contig_ends, distance_scales

WINDOW = 500
MOST_PEOPLE = 1000  # of a panel in the matched samples
MOST_COMPARED = 10_000  # of a panel, in comparisons of every haplotype with every other
LEAST_PEOPLE = 20


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    """How to audit.

    maf: only sites with a minor-allele frequency above it among the training people. window: width, in sites of the
    synthetic panel, of the windows whose borders are looked at. thresholds: gates set to numbers (see
    `catalogue.checked_thresholds`). seed: of samples of people, pairs of sites and resamples.
    """

    maf: float | None = None
    window: int = WINDOW
    thresholds: Mapping[str, Gate] = field(default_factory=dict)
    seed: int = 1
    threads: int = 1


@dataclass(frozen=True, eq=False)
class Audit:
    """What was found. Where there are three of something, they are of synthetic, training and held-out people.

    measures: by name, in the catalogue's order; those that cannot be told of these people are absent.
    n_people: of the three panels. n_matched: people of each in the matched samples. populations: those compared.
    edges_bp, decays: LD by distance. components: the first two principal components, (n_haplotypes, 2) each.
    nearest, runs: of matched synthetic and held-out haplotypes to training ones, in shares of the sites and in cM.
    """

    measures: dict[str, Measure]
    n_sites: int
    n_people: tuple[int, int, int]
    n_matched: int
    populations: list[PopulationFigures]
    decays: list[np.ndarray]
    components: list[np.ndarray]
    nearest: list[np.ndarray]
    runs: list[np.ndarray]
    settings: AuditSettings
    edges_bp: np.ndarray = field(default_factory=lambda: EDGES_BP)

    @property
    def failed(self) -> list[str]:
        """Names of the measures outside their gates."""
        return [name for name, measure in self.measures.items() if not measure.passed]

    @property
    def passed(self) -> bool:
        return not self.failed


def audit_panels(
    synthetic: Panel,
    train: Panel,
    holdout: Panel,
    level: str,
    settings: AuditSettings = AuditSettings(),
    genetic_maps: Mapping[str, GeneticMap] | None = None,
    workers: Workers | None = None,
) -> Audit:
    """Audit synthetic people. train: the people they were learned from. holdout: others, not learned from.

    level: the label column that says populations; one population, of everybody, will do. genetic_maps: contig -> map,
    to say in cM how long runs are; without one, 1 cM per Mb. workers: measures are taken by these, each group of them
    by one; the figures do not depend on them.

    Raises HaploomError when a person is both training and held-out, a panel has no people or sites, no population is
    in all three, or fewer than 20 people of each are left to compare; SiteMismatchError when fewer than half of the
    training people's sites are in the others; MissingExtraError without scikit-learn.
    """
    try:
        import sklearn  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError("scikit-learn", "models", "the audit") from error
    n_people = synthetic.n_samples, train.n_samples, holdout.n_samples
    own_sites = synthetic.variants
    synthetic, train, holdout = (
        _at_most(panel, MOST_COMPARED, settings.seed) for panel in aligned(synthetic, train, holdout, settings.maf)
    )
    labels = shared_populations((synthetic, train, holdout), level)
    synthetic, holdout = (_of_populations(panel, level, labels) for panel in (synthetic, holdout))
    samples = matched_samples((synthetic, train, holdout), level, labels, MOST_PEOPLE, settings.seed)
    n_haplotypes = len(samples[0].rows)
    if n_haplotypes < 2 * LEAST_PEOPLE:
        raise HaploomError(
            f"only {n_haplotypes // 2} people of the same populations are in all three panels: wanted {LEAST_PEOPLE} "
            "or more, or chance would decide"
        )
    compared = _Compared(
        synthetic=synthetic, train=train, holdout=holdout, level=level, labels=labels, samples=samples,
        counts=[AlleleCounts.of(sample) for sample in samples],
        windows=windows_of(train.variants, own_sites, settings.window),
        position_cm=distance_scales(train.variants, genetic_maps)["cm"].position, settings=settings,
    )  # fmt: skip
    found: dict[str, Found] = {}
    drawn: dict[str, list[np.ndarray]] = {}
    work = partial(_step, compared)
    for _, (figures, pictures) in run_parts(work, tuple(STEPS), workers, label="Auditing", total=len(STEPS)):
        found |= figures
        drawn |= pictures
    return Audit(
        measures={
            name: Measure.of(name, found[name], n_haplotypes, settings.thresholds)
            for name in MEASURES
            if name in found and not np.isnan(found[name].reference.value)
        },
        n_sites=train.n_sites, n_people=n_people, n_matched=n_haplotypes // 2,
        populations=population_figures(labels, compared.counts), settings=settings, decays=drawn["decays"],
        components=drawn["components"], nearest=drawn["nearest"], runs=drawn["runs"],
    )  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class _Compared:
    """What each step of an audit is given.

    synthetic, train, holdout: at the same sites, of the populations `labels` of `level`. samples: as many people of
    each; counts: their alleles. windows: the synthetic panel's, of the sites. position_cm: of the sites, by contig.
    """

    synthetic: Panel
    train: Panel
    holdout: Panel
    level: str
    labels: Sequence[str]
    samples: list[Sample]
    counts: Sequence[AlleleCounts]
    windows: np.ndarray
    position_cm: np.ndarray
    settings: AuditSettings


Result = tuple[dict[str, Found], dict[str, list[np.ndarray]]]  # figures, and fields of Audit that pages draw


def _step(compared: _Compared, name: str) -> Result:
    return STEPS[name](compared)


def _frequencies(compared: _Compared) -> Result:
    figures = _beside(frequency_figures, compared.counts)
    return figures | {"rare_allele_leakage": _rare_alleles(compared.counts, compared.train)}, {}


def _pairs_of_sites(compared: _Compared) -> Result:
    found, decays = _linkage(compared.samples, compared.counts, compared.windows, compared.settings)
    return found, {"decays": decays}


def _pairs_of_haplotypes(compared: _Compared) -> Result:
    distances = [PairDistances.of(sample, compared.settings.seed) for sample in compared.samples]
    return _beside(distance_figures, distances) | _neighbours(compared.samples, compared.settings), {}


def _components(compared: _Compared) -> Result:
    components = joint_components(compared.samples, compared.settings.seed)
    found = _beside(component_figures, list(zip(components, compared.samples)))
    found |= _told_apart(components, compared.settings)
    return found, {"components": [each[:, :2] for each in components]}


def _codes(compared: _Compared) -> Result:
    return _code_lengths(compared.samples), {}


def _teaching(compared: _Compared) -> Result:
    if len(compared.labels) == 1:
        return {}, {}
    of = (compared.synthetic, compared.train, compared.holdout, compared.level, compared.labels, compared.settings)
    return {"utility_accuracy": _utility(*of)}, {}


def _likeness(compared: _Compared) -> Result:
    synthetic, train, holdout, seed = compared.synthetic, compared.train, compared.holdout, compared.settings.seed
    position_cm = compared.position_cm
    whole_cm = float((position_cm[contig_ends(train.variants) - 1] - position_cm).max())
    like = Likeness.of(synthetic, train, holdout, position_cm, compared.settings.threads)
    found = copy_figures(like, compared.samples[0], compared.samples[2], whole_cm, seed)
    found |= membership_figures(like, train, holdout, compared.level, seed)
    rows = (compared.samples[0].rows, compared.samples[2].rows)
    return found, {
        "nearest": [each[of] / train.n_sites for each, of in zip(like.near_training, rows)],
        "runs": [each[of] for each, of in zip(like.runs_training, rows)],
    }


# Each depends on what is compared alone, so that they may be worked on anywhere; those that take longest come first.
STEPS: Mapping[str, Callable[[_Compared], Result]] = {
    "likeness": _likeness, "pairs of sites": _pairs_of_sites, "components": _components,
    "pairs of haplotypes": _pairs_of_haplotypes, "teaching": _teaching, "codes": _codes, "frequencies": _frequencies,
}  # fmt: skip


def _at_most(panel: Panel, most_people: int, seed: int) -> Panel:
    """The panel, or so many people of it at random."""
    if panel.n_samples <= most_people:
        return panel
    chosen = np.sort(np.random.default_rng(seed).permutation(panel.n_samples)[:most_people])
    return panel.select_samples([panel.samples[person] for person in chosen])


def _of_populations(panel: Panel, level: str, labels: Sequence[str]) -> Panel:
    here = np.isin(np.array(panel.labels(level).tolist()), labels)
    return panel if here.all() else panel.select_samples([panel.samples[person] for person in np.flatnonzero(here)])


def _beside(figures: Callable[..., dict[str, float]], of: Sequence[Any]) -> dict[str, Found]:
    """Figures of synthetic against held-out people, beside training against held-out people.

    of: what `figures` takes two of, and the group of people to leave out, of the three samples.
    """
    synthetic, train, holdout = of
    ours, theirs = (jackknife(partial(figures, each, holdout)) for each in (synthetic, train))
    return {name: Found(ours[name], theirs[name]) for name in ours}


def _rare_alleles(counts: Sequence[AlleleCounts], train: Panel) -> Found:
    sites, flipped = rare_sites(train.allele_counts(), train.n_haplotypes)
    ours, theirs = (
        jackknife(lambda without, each=each: {"": rare_allele_share(each, sites, flipped, without)})[""]  # type: ignore[misc]
        for each in (counts[0], counts[2])
    )
    return Found(ours, theirs, note=f"{len(sites):,} rare alleles")


def _linkage(
    samples: Sequence[Sample], counts: Sequence[AlleleCounts], windows: np.ndarray, settings: AuditSettings
) -> tuple[dict[str, Found], list[np.ndarray]]:
    """Pairs, pairs across window borders, triples; and the LD decay of each sample."""
    variants, common = samples[0].panel.variants, common_sites(counts[1], counts[2])
    rng = np.random.default_rng(settings.seed)
    pairs = draw_pairs(variants, common, rng)
    across = draw_pairs(variants, common, rng, windows)
    triples = draw_triples(variants, common, rng)
    counted = [SetCounts.of(sample, pairs) for sample in samples]
    decays = [decay(pairs, each) for each in counted]
    found = _beside(partial(pair_figures, pairs), counted)
    borders = _beside(partial(pair_figures, across), [SetCounts.of(sample, across) for sample in samples])
    found["ld_decay_error_borders"] = borders["ld_decay_error"]._replace(
        note=f"windows of {settings.window:,} synthetic sites, {len(across.sites):,} pairs"
    )
    found |= _beside(partial(triple_figures, triples), [SetCounts.of(sample, triples) for sample in samples])
    return found, decays


def _neighbours(samples: Sequence[Sample], settings: AuditSettings) -> dict[str, Found]:
    """Adversarial accuracies of synthetic, training and held-out haplotypes, two by two."""
    words = [as_words(sample.panel.bits[sample.rows]) for sample in samples]
    within = [nearest_within(each) for each in words]

    def closer(one: int, other: int) -> tuple[np.ndarray, np.ndarray]:
        between = nearest(words[one], words[other], settings.threads)
        return closer_outside(between.of_one, within[one]), closer_outside(between.of_other, within[other])

    to_new, to_train, real = closer(0, 2), closer(0, 1), closer(1, 2)
    of_new, of_train, reference = (
        bootstrap(adversarial_accuracy, *each, seed=settings.seed) for each in (to_new, to_train, real)
    )
    loss = bootstrap(_loss, np.stack([to_new[0], to_train[0]], axis=1), to_new[1], to_train[1], seed=settings.seed)
    sides = (
        f"held-out haplotypes nearer to their own {to_new[1].mean():.3f}, synthetic to theirs {to_new[0].mean():.3f}"
    )
    return {
        "adversarial_accuracy": Found(of_new, reference, note=sides),
        "privacy_loss": Found(loss, alone(0.0), note=f"against training people {of_train.value:.3f}"),
    }


def _loss(synthetic: np.ndarray, new: np.ndarray, train: np.ndarray) -> float:
    """synthetic: `closer_outside` against held-out and against training people, (n_people, 2)."""
    return adversarial_accuracy(synthetic[:, 0], new) - adversarial_accuracy(synthetic[:, 1], train)


def _told_apart(components: Sequence[np.ndarray], settings: AuditSettings) -> dict[str, Found]:
    synthetic, train, holdout = components
    out = {}
    for kind in ("logistic", "forest"):
        ours, theirs = (
            two_sample_accuracy(kind, each, holdout, settings.seed, settings.threads) for each in (synthetic, train)
        )
        areas = f"area under the curve {ours[1]:.3f}, of training people {theirs[1]:.3f}"
        out[f"two_sample_{kind}"] = Found(ours[0], theirs[0], note=areas)
    return out


def _code_lengths(samples: Sequence[Sample]) -> dict[str, Found]:
    synthetic, train, holdout = samples
    ours, theirs = bits_per_allele([synthetic, holdout, train])
    names = ("code_length", "code_length_beside")
    return {name: Found(alone(one), alone(other)) for name, one, other in zip(names, ours, theirs)}


def _utility(
    synthetic: Panel, train: Panel, holdout: Panel, level: str, labels: Sequence[str], settings: AuditSettings
) -> Found:
    """Learned from as many synthetic as training people: held-out people need not be as many."""
    learners = matched_samples((synthetic, train), level, labels, MOST_PEOPLE, settings.seed)
    ours, theirs = (ancestry_accuracy(each, holdout, level, settings.seed) for each in learners)
    return Found(ours, theirs, note=f"learned from {len(learners[0].rows) // 2:,} people each")
