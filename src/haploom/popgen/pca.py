"""Principal components of haplotypes, straight from packed bits.

The mean haplotype is subtracted on the way in and added back on the way out. Alleles are unpacked a block of
rows at a time, so memory grows with haplotypes + sites, never with their product. NumPy only.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from haploom.errors import HaploomError, SiteMismatchError
from haploom.panel import Panel

EXACT_SIZE = 2000  # up to this many sites or haplotypes, all pairs of them are worked out: a second or two
OVERSAMPLING = 20  # directions followed beyond those asked for, and ...
POWER_ITERATIONS = 8  # ... passes over the data: genotypes' spectra fall slowly, so more than usual of both
_BLOCK_BYTES = 1 << 26  # float64 alleles held at a time
_LEAST_ROWS = 64  # but never fewer rows than this: a matrix product of a few rows is slow


class PCA:
    """Principal component analysis with scikit-learn's contract; needs a `Panel` or 0/1 alleles.

    n_components: how many axes. random_state: seed of the randomised method; the same seed gives the same
    axes. Chance plays a part only beyond EXACT_SIZE haplotypes and as many sites.

    After `fit`: `components_` float64 (n_components, n_sites), orthonormal rows, the largest entry of each
    positive; `mean_` float64 (n_sites,), the alternate-allele frequencies; `explained_variance_`,
    `explained_variance_ratio_`, `singular_values_` float64 (n_components,), largest first; `n_features_in_`;
    `feature_names_in_`, the site keys, when fitted on a `Panel`.

    Exact method: eigenvectors of the covariance of sites or haplotypes, whichever are fewer. Randomised
    method: Halko, Martinsson & Tropp 2011, algorithm 4.4, with a Rayleigh-Ritz step at the end.
    """

    def __init__(self, n_components: int = 64, *, random_state: int = 0) -> None:
        self.n_components = n_components
        self.random_state = random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings, as scikit-learn's `clone` wants them."""
        return {"n_components": self.n_components, "random_state": self.random_state}

    def set_params(self, **settings: Any) -> "PCA":
        """Change settings. Raises ValueError for an unknown one."""
        for name, value in settings.items():
            if name not in self.get_params():
                raise ValueError(f"PCA has no setting {name!r}: there is {', '.join(self.get_params())}")
            setattr(self, name, value)
        return self

    def fit(self, X: Panel | np.ndarray, y: None = None) -> "PCA":
        """Find the axes of haplotypes X, a Panel or 0/1 (n_haplotypes, n_sites).

        Raises HaploomError when X has fewer haplotypes or sites than `n_components` or no variation at all,
        and ValueError when an array is not of 0 and 1.
        """
        n_rows, n_sites = _shape(X)
        if not 1 <= self.n_components <= min(n_rows, n_sites):
            raise HaploomError(
                f"n_components={self.n_components} must be between 1 and {min(n_rows, n_sites)}, "
                f"the smaller of {n_rows} haplotypes and {n_sites} sites"
            )
        mean = sum(block.sum(axis=0) for _, block in _blocks(X)) / n_rows
        total_variance = float((mean * (1 - mean)).sum()) * n_rows
        if total_variance == 0:
            raise HaploomError(
                f"all {n_rows} haplotypes are the same at all {n_sites} sites: there are no axes to find"
            )

        basis = self._basis(X, mean)
        # Rayleigh-Ritz: the best axes within the space found, whatever method found it.
        _, singular_values, rotation = np.linalg.svd(_project(X, mean, basis), full_matrices=False)
        components = (basis @ rotation[: self.n_components].T).T
        largest = np.abs(components).argmax(axis=1)
        components *= np.where(np.take_along_axis(components, largest[:, None], axis=1) < 0, -1.0, 1.0)

        self.components_ = np.ascontiguousarray(components)
        self.mean_ = mean
        self.singular_values_ = singular_values[: self.n_components]
        self.explained_variance_ = self.singular_values_**2 / max(n_rows - 1, 1)
        self.explained_variance_ratio_ = self.singular_values_**2 / total_variance
        self.n_features_in_ = n_sites
        if isinstance(X, Panel):
            self.feature_names_in_ = np.array(X.variants.site_keys(), dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        return self

    def transform(self, X: Panel | np.ndarray) -> np.ndarray:
        """Coordinates of haplotypes, new ones included: float64 (n_haplotypes, n_components).

        Each haplotype's coordinates are its own: they do not depend on the others in X, rounding apart.
        Raises SiteMismatchError when X has other sites than those fitted.
        """
        self._check_sites(X)
        return _project(X, self.mean_, self.components_.T)

    def fit_transform(self, X: Panel | np.ndarray, y: None = None) -> np.ndarray:
        """`fit(X)`, then `transform(X)`."""
        return self.fit(X).transform(X)

    def inverse_transform(self, Z: np.ndarray) -> np.ndarray:
        """Haplotypes at coordinates Z (n, n_components): float64 (n, n_sites), near 0..1 but not clipped.

        A float matrix of all of Z: give a block of rows at a time. Alleles are `> 0.5`.
        """
        return Z @ self.components_ + self.mean_

    def get_feature_names_out(self, input_features: None = None) -> np.ndarray:
        """Names of the axes: pca0, pca1, ..."""
        return np.array([f"pca{axis}" for axis in range(len(self.components_))], dtype=object)

    def _check_sites(self, X: Panel | np.ndarray) -> None:
        n_sites = _shape(X)[1]
        if n_sites != self.n_features_in_:
            raise SiteMismatchError(
                f"the haplotypes have {n_sites:,} sites but the PCA was fitted on {self.n_features_in_:,}: "
                "select its sites first, or fit again"
            )
        if isinstance(X, Panel) and hasattr(self, "feature_names_in_"):
            differs = np.array(X.variants.site_keys(), dtype=object) != self.feature_names_in_
            if differs.any():
                site = int(differs.argmax())
                raise SiteMismatchError(
                    f"site {site} is {X.variants.site_keys()[site]} but the PCA was fitted on "
                    f"{self.feature_names_in_[site]}: select its sites first, or fit again"
                )

    def _basis(self, X: Panel | np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Orthonormal columns (n_sites, >= n_components) that span the leading axes."""
        n_rows, n_sites = _shape(X)
        if n_sites <= EXACT_SIZE:
            return _leading_eigenvectors(_site_covariance(X, mean), self.n_components)
        if n_rows <= EXACT_SIZE:
            weights = _leading_eigenvectors(_haplotype_products(X, mean), self.n_components)
            return np.linalg.qr(_combine(X, mean, weights))[0]
        width = min(self.n_components + OVERSAMPLING, n_rows, n_sites)
        basis = np.random.default_rng(self.random_state).standard_normal((n_sites, width))
        for _ in range(POWER_ITERATIONS):
            weights = np.linalg.qr(_project(X, mean, basis))[0]
            basis = np.linalg.qr(_combine(X, mean, weights))[0]
        return basis


def _shape(X: Panel | np.ndarray) -> tuple[int, int]:
    if isinstance(X, Panel):
        return X.n_haplotypes, X.n_sites
    if np.ndim(X) != 2:
        raise ValueError(f"alleles must be (haplotypes, sites), got shape {np.shape(X)}")
    return X.shape


def _blocks(X: Panel | np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """All haplotypes as (rows, float64 alleles). Raises ValueError when an array is not of 0 and 1."""
    n_rows, n_sites = _shape(X)
    step = max(_LEAST_ROWS, _BLOCK_BYTES // (8 * max(n_sites, 1)))
    for start in range(0, n_rows, step):
        rows = slice(start, min(start + step, n_rows))
        alleles = X.alleles(rows) if isinstance(X, Panel) else X[rows]
        if not isinstance(X, Panel) and not ((alleles == 0) | (alleles == 1)).all():
            raise ValueError("PCA takes alleles, each 0 or 1; missing calls and dosages have to be dealt with first")
        yield rows, alleles.astype(np.float64)


# The mean is taken off the products, not off the alleles: (X - 1 m) B = X B - 1 (m B), and likewise for the others.


def _project(X: Panel | np.ndarray, mean: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """(X - mean) @ basis: float64 (n_haplotypes, width)."""
    out = np.empty((_shape(X)[0], basis.shape[1]))
    for rows, block in _blocks(X):
        out[rows] = block @ basis
    return out - mean @ basis


def _combine(X: Panel | np.ndarray, mean: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(X - mean).T @ weights: float64 (n_sites, width)."""
    out = np.zeros((len(mean), weights.shape[1]))
    for rows, block in _blocks(X):
        out += block.T @ weights[rows]
    return out - np.outer(mean, weights.sum(axis=0))


def _site_covariance(X: Panel | np.ndarray, mean: np.ndarray) -> np.ndarray:
    """(X - mean).T @ (X - mean): float64 (n_sites, n_sites)."""
    out = np.zeros((len(mean), len(mean)))
    for _, block in _blocks(X):
        out += block.T @ block
    return out - _shape(X)[0] * np.outer(mean, mean)


def _haplotype_products(X: Panel | np.ndarray, mean: np.ndarray) -> np.ndarray:
    """(X - mean) @ (X - mean).T: float64 (n_haplotypes, n_haplotypes)."""
    n_rows = _shape(X)[0]
    products = np.empty((n_rows, n_rows))
    for rows, block in _blocks(X):
        block -= mean
        for others, other in _blocks(X):
            if others.start > rows.start:
                break
            products[rows, others] = block @ (other - mean).T
            products[others, rows] = products[rows, others].T
    return products


def _leading_eigenvectors(symmetric: np.ndarray, count: int) -> np.ndarray:
    """Eigenvectors of the `count` largest eigenvalues, as columns."""
    return np.linalg.eigh(symmetric)[1][:, ::-1][:, :count]
