"""Principal components of haplotypes or people, straight from packed bits.

The mean haplotype is subtracted on the way in and added back on the way out. Alleles are unpacked a block of
rows at a time, so memory grows with haplotypes + sites, never with their product. NumPy only, in float64 throughout.

Missing calls. In `fit` they count as the site's mean, as in smartpca and PLINK. A row projected so would be pulled
towards the centre, the more the more it lacks. So `transform` fills each missing call with what the row's own
coordinates say of it, each axis shrunk by its share of noise: the fixed point of regularised iterative PCA (Josse &
Husson 2012), solved directly. A row without missing calls is simply projected, one without any call lies at 0.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from haploom.errors import HaploomError, SiteMismatchError
from haploom.panel import DosagePanel, Panel
from haploom.popgen.allele_shares import Genotypes, rows_and_sites, share_blocks

EXACT_SIZE = 2000  # up to this many sites or haplotypes, all pairs of them are worked out: a second or two
OVERSAMPLING = 20  # directions followed beyond those asked for, and ...
POWER_ITERATIONS = 8  # ... passes over the data: genotypes' spectra fall slowly, so more than usual of both


class PCA:
    """Principal component analysis with scikit-learn's contract.

    X, everywhere: a `Panel` (rows are haplotypes), a `DosagePanel` (rows are people, their dosages halved, so that a
    person lies midway between the two haplotypes) or an array (n, n_sites) of alleles, 0 or 1, or probabilities
    between; NaN or -1 where a call is missing.

    n_components: how many axes. random_state: seed of the randomised method; the same seed gives the same
    axes. Chance plays a part only beyond EXACT_SIZE haplotypes and as many sites.

    After `fit`: `components_` float64 (n_components, n_sites), orthonormal rows, the largest entry of each
    positive; `mean_` float64 (n_sites,), the alternate-allele frequencies; `explained_variance_`,
    `explained_variance_ratio_`, `singular_values_` float64 (n_components,), largest first; `noise_variance_`, the mean
    over the axes left out; `n_features_in_`; `feature_names_in_`, the site keys, when fitted on a panel.

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

    def fit(self, X: Genotypes, y: None = None) -> "PCA":
        """Find the axes of X.

        Raises HaploomError when X has fewer rows or sites than `n_components` or no variation at all, and ValueError
        when an array is not of alleles.
        """
        n_rows, n_sites = rows_and_sites(X)
        if not 1 <= self.n_components <= min(n_rows, n_sites):
            raise HaploomError(
                f"n_components={self.n_components} must be between 1 and {min(n_rows, n_sites)}, "
                f"the smaller of {n_rows} haplotypes and {n_sites} sites"
            )
        mean, total_variance = _mean_and_variance(X)
        if total_variance <= 1e-12 * n_rows:
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
        left_out = max(0.0, total_variance - float((self.singular_values_**2).sum()))
        self.noise_variance_ = left_out / max(n_rows - 1, 1) / max(min(n_rows - 1, n_sites) - self.n_components, 1)
        self.n_features_in_ = n_sites
        if isinstance(X, Panel | DosagePanel):
            self.feature_names_in_ = np.array(X.variants.site_keys(), dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        return self

    def transform(self, X: Genotypes) -> np.ndarray:
        """Coordinates of rows, new ones included: float64 (n_rows, n_components).

        Each row's coordinates are its own: they do not depend on the others in X, rounding apart.
        Raises SiteMismatchError when X has other sites than those fitted.
        """
        self._check_sites(X)
        out = np.empty((rows_and_sites(X)[0], len(self.components_)))
        for rows, shares in share_blocks(X):
            shares -= self.mean_
            missing = np.isnan(shares)
            shares[missing] = 0
            out[rows] = self._undo_missing(shares @ self.components_.T, missing)
        return out

    def _undo_missing(self, coordinates: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """Coordinates (n, n_components) of rows whose missing calls (n, n_sites) were filled with the mean.

        With z0 the coordinates and G = the products of the axes over the missing sites: z = z0 + G S z, where S
        shrinks each axis by its share of noise. G is at most 1 and S below it, so there is one solution.
        """
        variance = np.maximum(self.explained_variance_, 1e-300)
        shrink = np.maximum(0, 1 - self.noise_variance_ / variance) * (1 - 1e-9)
        patterns, of_row = np.unique(np.packbits(missing, axis=1), axis=0, return_inverse=True)
        for place, bits in enumerate(patterns):
            if bits.any():
                rows = of_row == place
                axes = self.components_[:, np.unpackbits(bits, count=missing.shape[1]).view(bool)]
                pull = np.eye(len(axes)) - axes @ axes.T * shrink
                coordinates[rows] = np.linalg.solve(pull, coordinates[rows].T).T
        return coordinates

    def fit_transform(self, X: Genotypes, y: None = None) -> np.ndarray:
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

    def _check_sites(self, X: Genotypes) -> None:
        n_sites = rows_and_sites(X)[1]
        if n_sites != self.n_features_in_:
            raise SiteMismatchError(
                f"the haplotypes have {n_sites:,} sites but the PCA was fitted on {self.n_features_in_:,}: "
                "select its sites first, or fit again"
            )
        if isinstance(X, Panel | DosagePanel) and hasattr(self, "feature_names_in_"):
            differs = np.array(X.variants.site_keys(), dtype=object) != self.feature_names_in_
            if differs.any():
                site = int(differs.argmax())
                raise SiteMismatchError(
                    f"site {site} is {X.variants.site_keys()[site]} but the PCA was fitted on "
                    f"{self.feature_names_in_[site]}: select its sites first, or fit again"
                )

    def _basis(self, X: Genotypes, mean: np.ndarray) -> np.ndarray:
        """Orthonormal columns (n_sites, >= n_components) that span the leading axes."""
        n_rows, n_sites = rows_and_sites(X)
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


def _mean_and_variance(X: Genotypes) -> tuple[np.ndarray, float]:
    """Mean of the calls that are there, float64 (n_sites,), 0.5 where none is; and the sum of squares around it."""
    n_sites = rows_and_sites(X)[1]
    sums, squares, calls = np.zeros(n_sites), np.zeros(n_sites), np.zeros(n_sites)
    for _, shares in share_blocks(X):
        calls += (~np.isnan(shares)).sum(axis=0)
        np.nan_to_num(shares, copy=False)
        sums += shares.sum(axis=0)
        squares += (shares * shares).sum(axis=0)
    mean = np.divide(sums, calls, out=np.full(n_sites, 0.5), where=calls > 0)
    return mean, float((squares - sums * mean).sum())


def _filled_blocks(X: Genotypes, mean: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """`share_blocks` with the mean for what is missing."""
    for rows, shares in share_blocks(X):
        missing = np.isnan(shares)
        yield rows, np.where(missing, mean, shares) if missing.any() else shares


# The mean is taken off the products, not off the alleles: (X - 1 m) B = X B - 1 (m B), and likewise for the others.


def _project(X: Genotypes, mean: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """(X - mean) @ basis: float64 (n_haplotypes, width)."""
    out = np.empty((rows_and_sites(X)[0], basis.shape[1]))
    for rows, block in _filled_blocks(X, mean):
        out[rows] = block @ basis
    return out - mean @ basis


def _combine(X: Genotypes, mean: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(X - mean).T @ weights: float64 (n_sites, width)."""
    out = np.zeros((len(mean), weights.shape[1]))
    for rows, block in _filled_blocks(X, mean):
        out += block.T @ weights[rows]
    return out - np.outer(mean, weights.sum(axis=0))


def _site_covariance(X: Genotypes, mean: np.ndarray) -> np.ndarray:
    """(X - mean).T @ (X - mean): float64 (n_sites, n_sites)."""
    out = np.zeros((len(mean), len(mean)))
    for _, block in _filled_blocks(X, mean):
        out += block.T @ block
    return out - rows_and_sites(X)[0] * np.outer(mean, mean)


def _haplotype_products(X: Genotypes, mean: np.ndarray) -> np.ndarray:
    """(X - mean) @ (X - mean).T: float64 (n_haplotypes, n_haplotypes)."""
    n_rows = rows_and_sites(X)[0]
    products = np.empty((n_rows, n_rows))
    for rows, block in _filled_blocks(X, mean):
        block -= mean
        for others, other in _filled_blocks(X, mean):
            if others.start > rows.start:
                break
            products[rows, others] = block @ (other - mean).T
            products[others, rows] = products[rows, others].T
    return products


def _leading_eigenvectors(symmetric: np.ndarray, count: int) -> np.ndarray:
    """Eigenvectors of the `count` largest eigenvalues, as columns."""
    return np.linalg.eigh(symmetric)[1][:, ::-1][:, :count]
