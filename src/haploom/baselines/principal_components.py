"""Principal components in a model file: placing people needs no torch.

Arrays `pca.components` float32 (n_components, n_sites), `pca.mean` float32 (n_sites,), `pca.explained_variance` float64
(n_components,), `pca.explained_variance_ratio`, `pca.noise_variance` float64 (1,).
"""

import numpy as np

from haploom.errors import CorruptModelError
from haploom.io.model_file import ModelFile, rows_at_sites
from haploom.panel import DosagePanel, Panel
from haploom.panel.matching import MIN_COVERAGE
from haploom.popgen.pca import PCA


def pca_arrays(pca: PCA) -> dict[str, np.ndarray]:
    """A fitted PCA as the arrays of a model file."""
    return {
        "pca.components": pca.components_.astype(np.float32),
        "pca.mean": pca.mean_.astype(np.float32),
        "pca.explained_variance": pca.explained_variance_,
        "pca.explained_variance_ratio": pca.explained_variance_ratio_,
        "pca.noise_variance": np.array([pca.noise_variance_]),
    }


def pca_of(model: ModelFile) -> PCA:
    """The fitted PCA of a model file. Raises CorruptModelError when its arrays do not fit together."""
    arrays = model.group("pca")
    try:
        pca = PCA(len(arrays["components"]))
        pca.components_, pca.mean_ = arrays["components"].astype(np.float64), arrays["mean"].astype(np.float64)
        pca.explained_variance_ = arrays["explained_variance"]
        pca.explained_variance_ratio_ = arrays["explained_variance_ratio"]
        pca.noise_variance_ = float(arrays["noise_variance"][0])
    except (KeyError, IndexError) as error:
        raise CorruptModelError(f"the model says it is a PCA, but its arrays are not one's: {error}") from error
    pca.n_features_in_ = len(model.variants)
    axes = (pca.n_components, pca.n_features_in_)
    if pca.components_.shape != axes or pca.mean_.shape != axes[1:] or pca.explained_variance_.shape != axes[:1]:
        raise CorruptModelError(
            f"the model's axes are {pca.components_.shape}, its mean {pca.mean_.shape}: wanted {axes} and {axes[1:]}"
        )
    return pca


def pca_latents(model: ModelFile, panel: Panel | DosagePanel, min_coverage: float = MIN_COVERAGE) -> np.ndarray:
    """Coordinates of a panel's haplotypes or people on the model's axes: float32 (n_rows, n_components).

    Absent sites and missing calls are filled with what the others say (see `popgen.pca`). Raises SiteMismatchError when
    the panel has a smaller share of the model's sites than `min_coverage`.
    """
    pca = pca_of(model)
    rows_here = rows_at_sites(panel, model, min_coverage)
    out = np.empty((rows_here.n_rows, pca.n_components), dtype=np.float32)
    for rows, counts, called in rows_here.blocks():
        out[rows] = pca.transform(np.where(called, counts / rows_here.ploidy, np.nan))
    return out
