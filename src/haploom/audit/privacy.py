"""How much synthetic haplotypes give away of the people they were learned from."""

from dataclasses import dataclass

import numpy as np

from haploom.audit.distances import nearest
from haploom.audit.measures import Found, alone
from haploom.audit.membership import (
    FALSE_POSITIVES,
    area_under_curve,
    chance_area,
    chance_share,
    person_scores,
    worst_share,
)
from haploom.audit.sampling import Sample, bootstrap
from haploom.audit.shared_runs import longest_shared_runs
from haploom.panel import Panel
from haploom.popgen.differences import as_words

_NEAR = 0.05  # of the held-out haplotypes count as near
_LONG = 0.001  # of them count as having a long run


@dataclass(frozen=True, eq=False)
class Likeness:
    """How like each other the haplotypes of two panels are, of each to the most alike in the other.

    near_training: of the (synthetic, held-out) haplotypes: differences from the nearest training haplotype, int64.
    runs_training: their longest run shared with one, float64, in cM. near_synthetic, runs_synthetic: of the
    (training, held-out) haplotypes to synthetic ones.
    """

    near_training: tuple[np.ndarray, np.ndarray]
    runs_training: tuple[np.ndarray, np.ndarray]
    near_synthetic: tuple[np.ndarray, np.ndarray]
    runs_synthetic: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, synthetic: Panel, train: Panel, holdout: Panel, position: np.ndarray, threads: int) -> "Likeness":
        """Every haplotype with every other. position: float64 (n_sites,), cM."""
        made, learned, new = (as_words(panel.bits) for panel in (synthetic, train, holdout))
        to_train = nearest(made, learned, threads)
        held_out, to_made = nearest(new, learned, threads), nearest(new, made, threads)
        runs = longest_shared_runs((synthetic, train, holdout), position)
        first, second = synthetic.n_haplotypes, synthetic.n_haplotypes + train.n_haplotypes
        return cls(
            near_training=(to_train.of_one, held_out.of_one), runs_training=(runs[:first, 1], runs[second:, 1]),
            near_synthetic=(to_train.of_other, to_made.of_one),
            runs_synthetic=(runs[first:second, 0], runs[second:, 0]),
        )  # fmt: skip


def copy_figures(
    like: Likeness, synthetic: Sample, holdout: Sample, whole_cm: float, seed: int
) -> dict[str, Found]:  # fmt: skip
    """Copies and near copies of training haplotypes, and long runs shared with them.

    synthetic, holdout: as many people of each population from both; exact copies are looked for among all. whole_cm:
    length of the longest contig, first to last site.
    """
    n_sites = synthetic.panel.n_sites
    made, new = like.near_training
    copies, real_copies = made == 0, new == 0
    n_copies = int(real_copies.sum())
    near, real_near = made[synthetic.rows], new[holdout.rows]
    runs, real_runs = like.runs_training[0][synthetic.rows], like.runs_training[1][holdout.rows]
    n, n_real = len(near), len(real_near)
    n_near, n_long = max(1, int(_NEAR * n_real)), max(1, int(_LONG * n_real))
    limit_near, limit_run = np.sort(real_near)[n_near - 1], np.sort(real_runs)[n_real - n_long]
    mean, real_mean = (bootstrap(_mean, _by_person(each) / n_sites, seed=seed) for each in (near, real_near))
    found = {
        "exact_copies": Found(
            alone(float(copies.mean())), alone(float(real_copies.mean())),
            chance_share(len(copies), len(new), n_copies + 1) if n_copies else 0.0,
            f"{int(copies.sum()):,} of {len(copies):,} haplotypes",
        ),
        "nearest_training": Found(mean, real_mean),
    }  # fmt: skip
    # Where many held-out haplotypes are copies, nothing is nearer; where they share everything, nothing is longer.
    if limit_near > 0:
        found["near_copies"] = Found(
            bootstrap(_mean, _by_person(near < limit_near), seed=seed), alone(n_near / n_real),
            chance_share(n, n_real, n_near), f"fewer than {limit_near:,} differences",
        )  # fmt: skip
    if limit_run < whole_cm:
        found["long_shared_runs"] = Found(
            bootstrap(_mean, _by_person(runs > limit_run), seed=seed), alone(_LONG),
            chance_share(n, n_real, n_long),
            f"beyond {limit_run:.3g} cM; the longest of all {like.runs_training[0].max():.3g} cM, of held-out people "
            f"{like.runs_training[1].max():.3g} cM",
        )  # fmt: skip
    return found


def membership_figures(like: Likeness, train: Panel, holdout: Panel, level: str, seed: int) -> dict[str, Found]:
    """Attacks that tell training people from held-out ones, by the nearest and by the longest-sharing haplotype."""
    labels = np.concatenate([np.array(panel.labels(level).tolist()) for panel in (train, holdout)])
    held_out = np.repeat([False, True], [train.n_samples, holdout.n_samples])
    known = np.isin(labels, np.unique(labels[held_out]))
    n, n_others = int((known & ~held_out).sum()), int(held_out.sum())
    allowed = int(FALSE_POSITIVES * n_others)
    out = {}
    for name, (of_train, of_holdout), sign in (
        ("distance", like.near_synthetic, -1), ("run", like.runs_synthetic, 1),
    ):  # fmt: skip
        scores = person_scores(sign * np.concatenate([of_train, of_holdout]), labels, held_out)
        members, others = scores[known & ~held_out], scores[held_out]
        out[f"membership_{name}"] = Found(
            bootstrap(area_under_curve, members, others, seed=seed), alone(0.5), chance_area(n, n_others),
            f"once in 1,000 chance would give {chance_area(n, n_others):.3f}",
        )  # fmt: skip
        out[f"worst_membership_{name}"] = Found(
            bootstrap(worst_share, members, others, seed=seed), alone(FALSE_POSITIVES),
            chance_share(n, n_others, allowed + 1),
            f"above all but {allowed} of {n_others:,} held-out people",
        )  # fmt: skip
    return out


def _by_person(of_haplotypes: np.ndarray) -> np.ndarray:
    return of_haplotypes.reshape(-1, 2).mean(axis=1)


def _mean(values: np.ndarray) -> float:
    return float(values.mean())
