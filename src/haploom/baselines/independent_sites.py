"""Sites as if they were independent: allele frequencies, of all people or of each population.

What any model of linkage must beat, in code length and in imputation.
"""

import numpy as np

from haploom.baselines.calls import UNKNOWN, check_calls
from haploom.errors import HaploomError
from haploom.panel import Panel
from haploom.panel.bits import column_sums


class IndependentSites:
    """Each allele a Bernoulli draw with the smoothed frequency of its site, (ones + 1) / (haplotypes + 2).

    The smoothing is Laplace's rule of succession: no allele is impossible, and half is the answer with no data.

    After `fit`: `classes_`, the labels in sorted order, or None without labels; `frequencies_`, of the alternate
    allele, float64 (n_classes or 1, n_sites), inside (0, 1).
    """

    def fit(self, X: Panel, labels: np.ndarray | None = None) -> "IndependentSites":
        """Count alleles, within each label where labels are given: one per haplotype, else ValueError."""
        if labels is None:
            self.classes_, rows = None, [np.ones(X.n_haplotypes, dtype=bool)]
        else:
            if len(labels) != X.n_haplotypes:
                raise ValueError(f"{len(labels)} labels for {X.n_haplotypes} haplotypes: wanted one for each")
            self.classes_ = np.unique(labels)
            rows = [labels == label for label in self.classes_]
        ones = np.stack([column_sums(X.bits[of_label], X.n_sites) for of_label in rows])
        n_rows = np.array([of_label.sum() for of_label in rows])
        self.frequencies_ = (ones + 1) / (n_rows[:, None] + 2)
        return self

    def log_likelihood(
        self, alleles: np.ndarray, known: np.ndarray | None = None, labels: np.ndarray | None = None
    ) -> np.ndarray:
        """Natural log of the probability of each haplotype's known alleles: float64 (n,), nats, at most 0.

        alleles: uint8 (n, n_sites) of 0 and 1; known: bool (n, n_sites) or (n_sites,), what of them counts (None:
        all); labels: (n,), wanted if, and only if, it was fitted with labels.
        Raises HaploomError for labels it was not fitted with, SiteMismatchError for another number of sites,
        ValueError for other alleles or shapes.
        """
        codes = check_calls(alleles, known, self.frequencies_.shape[1])
        log_p, log_q = np.log(self.frequencies_), np.log1p(-self.frequencies_)
        out = np.empty(len(codes))
        for place, rows in self._rows_by_place(labels, len(codes)):
            out[rows] = (codes[rows] == 1) @ log_p[place] + (codes[rows] == 0) @ log_q[place]
        return out

    def impute(self, alleles: np.ndarray, known: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Probability of the alternate allele: float32 (n, n_sites), the frequency where it is not known, else 0 or 1.

        Arguments and errors: as in `log_likelihood`.
        """
        codes = check_calls(alleles, known, self.frequencies_.shape[1])
        out = codes.astype(np.float32)
        for place, rows in self._rows_by_place(labels, len(codes)):
            out[rows] = np.where(codes[rows] == UNKNOWN, self.frequencies_[place], out[rows])
        return out

    def _rows_by_place(self, labels: np.ndarray | None, n: int) -> list[tuple[int, np.ndarray]]:
        """(row of `frequencies_`, the haplotypes it is for), for each row."""
        if self.classes_ is None and labels is None:
            return [(0, np.arange(n))]
        if self.classes_ is None or labels is None:
            raise ValueError("labels are wanted if, and only if, the frequencies were fitted with labels")
        if len(labels) != n:
            raise ValueError(f"{len(labels)} labels for {n} haplotypes: wanted one for each")
        unseen = np.setdiff1d(labels, self.classes_)
        if len(unseen):
            raise HaploomError(
                f"no allele frequencies for {', '.join(map(str, unseen[:3]))}: fitted were "
                f"{', '.join(map(str, self.classes_))}. Use those labels, or frequencies of all people"
            )
        return [(place, np.flatnonzero(labels == label)) for place, label in enumerate(self.classes_)]
