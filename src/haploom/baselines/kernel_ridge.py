"""Labels by kernel ridge regression on genotypes: least squares in the space of a Gaussian kernel.

Close to support vectors in accuracy, and what it would say of each training person had that person been left out comes
in closed form. Source: Saunders et al. 1998; leaving out, Cook & Weisberg 1982.
"""

import numpy as np

from haploom.exact.products import fixed_point_product

WIDTHS = (0.5, 1.0)  # of the kernel: exp(-width * distance / mean distance)
RIDGES = (0.03, 0.1, 0.3)
_SITES_AT_ONCE = 4096
_KERNEL_BITS, _WEIGHT_BITS = 20, 18


class KernelRidge:
    """Scores of labels from the squared distances to reference rows, about 1 for the right label and 0 for others.

    After `fit`: `weights_` float64 (n_reference, n_labels); `mean_` float64 (n_labels,), the share of each label;
    `width_`, the kernel's, by squared allele count; `ridge_`; `left_out_` float64 (n_reference, n_labels), the
    score of each reference row without its own person.
    """

    def fit(self, distances: np.ndarray, labels: np.ndarray, rows_per_person: int) -> "KernelRidge":
        """Choose width and ridge by the left-out squared error, and keep the weights.

        distances: float64 (n, n), squared, from `squared_distances`. labels: int64 (n,), 0 to n_labels - 1. The rows
        of one person, so many of them, stand together. Memory: four matrices n x n of float64.
        """
        targets = np.eye(labels.max() + 1)[labels]
        self.mean_ = targets.mean(axis=0)
        n, typical = len(labels), distances.mean()
        best = np.inf
        for width in WIDTHS:
            kernel = np.exp(-width / typical * distances)
            for ridge in RIDGES:
                inverse = np.linalg.inv(kernel + ridge * np.eye(n))
                weights = inverse @ (targets - self.mean_)
                left_out = targets - _left_out_errors(inverse, weights, rows_per_person)
                error = float(((targets - left_out) ** 2).mean())
                if error < best:
                    best = error
                    self.width_, self.ridge_ = width / typical, ridge
                    self.weights_, self.left_out_ = weights, left_out
        return self

    @classmethod
    def from_weights(cls, weights: np.ndarray, mean: np.ndarray, width: float) -> "KernelRidge":
        """A fitted one from what another fit learned."""
        known = cls()
        known.weights_, known.mean_, known.width_ = weights, mean, width
        return known

    def scores(self, distances: np.ndarray) -> np.ndarray:
        """float64 (n, n_labels), in fixed point: the same whoever shares the block. distances: (n, n_reference)."""
        kernel = np.exp(-self.width_ * distances)
        return self.mean_ + fixed_point_product(kernel, self.weights_, _KERNEL_BITS, _WEIGHT_BITS)


def squared_distances(counts: np.ndarray, called: np.ndarray | np.bool_, reference: np.ndarray) -> np.ndarray:
    """Between rows and reference rows over the sites called, scaled up to all sites: float64 (n, n_reference).

    counts: uint8 (n, n_sites), 0 where not called; called: bool (n, n_sites) or (n_sites,); reference: uint8
    (n_reference, n_sites). Sums are of integers below 2^24, so float32 products are exact. A row without a call has
    distance 0 to all.
    """
    n_sites = counts.shape[1]
    called = np.broadcast_to(called, counts.shape if np.ndim(called) == 2 else (1, n_sites))
    out = np.zeros((len(counts), len(reference)))
    for first in range(0, n_sites, _SITES_AT_ONCE):
        sites = slice(first, first + _SITES_AT_ONCE)
        x, r = counts[:, sites].astype(np.float32), reference[:, sites].astype(np.float32)
        out += np.square(x).sum(axis=1, dtype=np.float64)[:, None] - 2 * (x @ r.T).astype(np.float64)
        here = called[:, sites]
        squares = np.square(r, out=r)
        out += squares.sum(axis=1, dtype=np.float64) if here.all() else here.astype(np.float32) @ squares.T
    return out * (n_sites / np.maximum(called.sum(axis=1), 1))[:, None]


def _left_out_errors(inverse: np.ndarray, weights: np.ndarray, rows_per_person: int) -> np.ndarray:
    """Targets minus what a fit without each person says of them."""
    n, size = len(inverse), rows_per_person
    people = np.arange(n).reshape(-1, size)
    own = inverse[people[:, :, None], people[:, None, :]]
    return np.linalg.solve(own, weights.reshape(-1, size, weights.shape[1])).reshape(n, -1)
