"""How likely unphased people are under each label's allele frequencies, sites taken as independent."""

import numpy as np

from haploom.exact.products import fixed_point_product

_TABLE_BITS = 20
_ADDED = 0.5  # to the counts of both alleles: an allele a label's people do not have is rare, not impossible


class LabelFrequencies:
    """Log-likelihoods of allele counts, Binomial(2, p) under Hardy-Weinberg proportions, for each label.

    alternate, total: int64 (n_labels, n_sites), alternate alleles and all alleles called among each label's people.
    """

    def __init__(self, alternate: np.ndarray, total: np.ndarray) -> None:
        self.alternate, self.total = alternate, total

    def smoothed(self) -> np.ndarray:
        """The alternate-allele frequency of each label, float64 (n_labels, n_sites), never 0 or 1."""
        return (self.alternate + _ADDED) / (self.total + 2 * _ADDED)

    def without(self, label: int, counts: np.ndarray, called: np.ndarray | np.bool_ = np.True_) -> np.ndarray:
        """As `smoothed`, of one label and without one of its people: float64 (n_sites,).

        counts: uint8 (n_sites,), the person's alternate alleles; called: bool (n_sites,).
        """
        alternate = self.alternate[label] - counts.astype(np.int64)
        return (alternate + _ADDED) / (self.total[label] - 2 * called.astype(np.int64) + 2 * _ADDED)

    def log_likelihoods(self, counts: np.ndarray, called: np.ndarray | np.bool_) -> np.ndarray:
        """Nats, float64 (n, n_labels), up to a term all labels share. counts: uint8 (n, n_sites); called: bool."""
        p = self.smoothed()
        called = np.broadcast_to(called, counts.shape)
        heads = fixed_point_product(counts.astype(np.float64), (np.log(p) - np.log1p(-p)).T, 0, _TABLE_BITS)
        return heads + fixed_point_product(called.astype(np.float64), 2 * np.log1p(-p).T, 0, _TABLE_BITS)

    def left_out(self, counts: np.ndarray, called: np.ndarray | np.bool_, labels: np.ndarray) -> np.ndarray:
        """As `log_likelihoods` of these labels' own people, each under its label's frequencies without itself."""
        out = self.log_likelihoods(counts, called)
        called = np.broadcast_to(called, counts.shape)
        for row, label in enumerate(labels):
            alternate = counts[row].astype(np.int64)
            p = self.without(label, counts[row], called[row])
            nats = alternate * np.log(p) + (2 - alternate) * np.log1p(-p)
            out[row, label] = nats.sum(where=called[row])
        return out
