"""Is the simulated history calibrated? The long check behind tests/popgen/test_calibration.py.

    python validation/simulate_calibration.py [--seeds 40] [--lr-seeds 3]

Simulates the default panel (7 x 100 people, 10,000 sequential sites) for each seed and prints, for every figure
of docs/simulate.md, the mean and the range over the seeds. About 2 minutes on one core with the defaults; needs
the extras `simulate` and `models` (scikit-learn).
"""

import argparse
from collections.abc import Iterable

import numpy as np

from haploom.panel import Panel, split_people
from haploom.popgen.coalescent import LEVEL, simulate_panel
from haploom.popgen.demography import POPULATIONS
from haploom.popgen.differentiation import fst_matrix, population_counts
from haploom.popgen.entropy import population_entropies


def logistic_accuracy(panel: Panel, seed: int) -> float:
    """Haplotype accuracy on held-out people of logistic regression on the raw sites, C tuned on validation people."""
    from sklearn.linear_model import LogisticRegression

    split = split_people(panel.samples, panel.labels(LEVEL).tolist(), seed=seed)
    parts = {part: panel.select_samples(split.samples(part, panel.samples)) for part in ("train", "validation", "test")}
    X = {part: people.alleles().astype(np.float32) for part, people in parts.items()}
    y = {part: np.array(people.labels(LEVEL, per="haplotype").tolist()) for part, people in parts.items()}
    models = [LogisticRegression(C=c, max_iter=1000).fit(X["train"], y["train"]) for c in (0.003, 0.01, 0.03, 0.1)]
    best = max(models, key=lambda model: model.score(X["validation"], y["validation"]))
    return float(best.score(X["test"], y["test"]))


def line(name: str, values: Iterable[float]) -> None:
    values = np.array(list(values))
    print(f"{name:<24} mean {values.mean():.3f}   range {values.min():.3f} to {values.max():.3f}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=int, default=40)
    arguments.add_argument("--lr-seeds", type=int, default=3)
    chosen = arguments.parse_args()

    density, entropies, fst, accuracies = [], [], [], []
    for seed in range(1, chosen.seeds + 1):
        panel = simulate_panel(seed=seed)
        density.append(1000 * panel.n_sites / panel.variants.position_bp[-1])
        entropies.append([sites.mean() for sites in population_entropies(panel).values()])
        fst.append(fst_matrix(population_counts(panel)))
        if seed <= chosen.lr_seeds:
            accuracies.append(logistic_accuracy(panel, seed))

    line("sites per kb", density)
    for place, label in enumerate(POPULATIONS):
        line(f"entropy {label} (bits)", (each[place] for each in entropies))
    for a, label in enumerate(POPULATIONS):
        for b in range(a):
            line(f"Fst {POPULATIONS[b]}-{label}", (each[a, b] for each in fst))
    line("logistic regression", accuracies)


if __name__ == "__main__":
    main()
