"""Local ancestry the plain way: logistic regression on the SNPs of each window, smoothed by a hidden Markov chain.

The base classifier and smoother of window methods (Maples et al. 2013; Hilmarsson et al. 2021) in their simplest form:
what local ancestry by copying is compared with.
"""

import numpy as np

from haploom import progress
from haploom.errors import HaploomError, MissingExtraError
from haploom.panel import GeneticMap, Panel
from haploom.panel.bits import select_columns, unpack_rows

WINDOW_SITES = 100
PENALTIES = (0.1, 1.0, 10.0)  # scikit-learn's C, strongest penalty first
_TRIED_WINDOWS = 20  # that the penalty is chosen on ...
_LEFT_OUT = 5  # ... by one person in so many
TEMPERATURE = 0.5  # of a window's log probabilities; the best of 0.5 and 1 on simulated people
STEPS = 6  # of the search for a haplotype's proportions
_MAX_ITERATIONS = 1000


class WindowLogistic:
    """Probability of each label at each site of a phased haplotype.

    window: sites. temperature: of a window's log probabilities. generations: since the populations met. genetic_map:
    of the one contig there is; without it 1 cM per Mb.

    After `fit`: `classes_`, the labels in sorted order; `C_`, the penalty of all windows, under which people left out
    are likeliest in a few of them.
    """

    def __init__(
        self, *, window: int = WINDOW_SITES, temperature: float = TEMPERATURE,
        generations: float = 10, genetic_map: GeneticMap | None = None,
    ) -> None:  # fmt: skip
        self.window, self.temperature = window, temperature
        self.generations, self.genetic_map = generations, genetic_map

    def fit(self, X: Panel, labels: np.ndarray) -> "WindowLogistic":
        """labels: one per haplotype. The last window takes the sites that are left over.

        Raises HaploomError for sites of several contigs or fewer than two labels, MissingExtraError without
        scikit-learn.
        """
        try:
            from sklearn.linear_model import LogisticRegression
            from threadpoolctl import threadpool_limits
        except ModuleNotFoundError as error:
            raise MissingExtraError("scikit-learn", "models", "logistic regression") from error
        self.classes_, places = np.unique(labels, return_inverse=True)
        if (n_contigs := len(X.variants.contigs())) != 1 or len(self.classes_) < 2:
            raise HaploomError(
                f"windows are of one contig and tell two labels or more apart; found {n_contigs} contigs and "
                f"{len(self.classes_)} labels"
            )
        n_windows = max(1, X.n_sites // self.window)
        self._edges = np.append(np.arange(n_windows) * self.window, X.n_sites)
        position_bp = X.variants.position_bp
        genetic = self.genetic_map or GeneticMap.uniform(int(position_bp[0]), int(position_bp[-1]) + 1)
        middle = position_bp[(self._edges[:-1] + self._edges[1:]) // 2]
        morgans = np.diff(genetic.cm_at(middle), prepend=-np.inf) / 100
        self._switch = -np.expm1(-self.generations * morgans)
        self._models = []
        tried = [self._window(X, place) for place in range(0, n_windows, max(1, n_windows // _TRIED_WINDOWS))]
        out = _left_out(places)

        def loss(C: float) -> float:
            fitted = (LogisticRegression(C=C, max_iter=_MAX_ITERATIONS).fit(each[~out], places[~out]) for each in tried)
            of_truth = [m.predict_proba(each[out])[np.arange(out.sum()), places[out]] for m, each in zip(fitted, tried)]
            return float(-np.log(np.maximum(of_truth, 1e-30)).mean())

        with threadpool_limits(1), progress.task("Logistic windows", total=n_windows) as advance:
            self.C_ = min(PENALTIES, key=loss) if out.any() else PENALTIES[0]
            for place in range(n_windows):
                model = LogisticRegression(C=self.C_, max_iter=_MAX_ITERATIONS)
                self._models.append(model.fit(self._window(X, place), places))
                advance(1)
        return self

    def predict_proba(self, X: Panel) -> np.ndarray:
        """float64 (n_haplotypes, n_sites, n_classes), the same at all sites of a window. X: the sites fitted on."""
        of_windows = [model.predict_proba(self._window(X, place)) for place, model in enumerate(self._models)]
        raw = np.stack(of_windows, axis=1)
        smoothed = _smooth(raw.astype(np.float64) ** self.temperature, self._switch)
        return np.repeat(smoothed, np.diff(self._edges), axis=1)

    def _window(self, X: Panel, place: int) -> np.ndarray:
        """The alleles of one window: float32 (n_haplotypes, n_sites)."""
        sites = slice(int(self._edges[place]), int(self._edges[place + 1]))
        packed = select_columns(X.bits, X.n_sites, sites)
        return unpack_rows(packed, sites.stop - sites.start).astype(np.float32)


def _left_out(places: np.ndarray) -> np.ndarray:
    """One person in _LEFT_OUT of each label, never its first: bool (n_haplotypes,). places: int64, of the labels."""
    out = np.zeros(len(places), dtype=bool)
    for label in range(places.max() + 1):
        rows = np.flatnonzero(places == label)
        person = np.unique(rows // 2, return_inverse=True)[1]
        out[rows] = person % _LEFT_OUT == 1
    return out


def _smooth(weights: np.ndarray, switch: np.ndarray) -> np.ndarray:
    """Forward and backward over windows, float64 (n, n_windows, n_classes), with each haplotype's own proportions."""
    n, n_windows, n_classes = weights.shape
    proportions = np.full((n, n_classes), 1 / n_classes)
    for _ in range(STEPS):
        forward, later = np.empty_like(weights), np.ones_like(weights)
        before = np.zeros((n, n_classes))
        for place in range(n_windows):
            before = ((1 - switch[place]) * before + switch[place] * proportions) * weights[:, place]
            before /= before.sum(axis=1, keepdims=True)
            forward[:, place] = before
        for place in range(n_windows - 2, -1, -1):
            after = later[:, place + 1] * weights[:, place + 1]
            drawn = (proportions * after).sum(axis=1, keepdims=True)
            after = (1 - switch[place + 1]) * after + switch[place + 1] * drawn
            later[:, place] = after / after.max(axis=1, keepdims=True)
        found = forward * later
        found /= found.sum(axis=2, keepdims=True)
        proportions = (found.mean(axis=1) + 0.01) / (1 + 0.01 * n_classes)
    return found
