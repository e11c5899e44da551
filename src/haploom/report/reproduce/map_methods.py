"""Ways to place people on a map of two coordinates: the VAE, principal components, t-SNE, UMAP. None sees a label."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from haploom.errors import MissingExtraError
from haploom.panel import DosagePanel, Panel
from haploom.popgen.allele_shares import Genotypes, rows_and_sites, share_blocks
from haploom.popgen.pca import PCA
from haploom.report.reproduce.map_data import MapSizes, Parts, alternate_frequencies

# The sound profile's but for recombination, which would mix people of all labels: no label may take part here.
VAE_SETTINGS: dict[str, Any] = {"crossovers_per_mb": 0.0}
VAE_SHAPE: dict[str, Any] = {"n_latent": 2}
_COMPONENTS = 50  # that t-SNE and UMAP see, as is usual
_PERPLEXITY = 30.0

Placed = tuple[np.ndarray, np.ndarray]  # training rows, held-out rows: float (n, 2)


def by_vae(parts: Parts, sizes: MapSizes, seed: int) -> Placed:
    """Latent means. The epoch is chosen by the validation people's loss."""
    from haploom.models.encoder import panel_latents  # loads torch
    from haploom.training.fit import train_model

    settings = {**VAE_SETTINGS, "seed": seed, **({"epochs": sizes.epochs} if sizes.epochs else {})}
    model = train_model(parts.everyone, parts.split, parts.level, settings=settings, shape=VAE_SHAPE).model
    return panel_latents(model, parts.part("train")), panel_latents(model, parts.part("test"))


def by_components(parts: Parts, sizes: MapSizes, seed: int) -> Placed:
    """The first two principal components."""
    pca = PCA(2, random_state=seed).fit(parts.part("train"))
    return pca.transform(parts.part("train")), pca.transform(parts.part("test"))


def by_scaled_components(parts: Parts, sizes: MapSizes, seed: int) -> Placed:
    """Each SNP first divided by sqrt(p (1 - p)), so that rare ones count as much as common ones (Patterson 2006)."""
    p = alternate_frequencies(parts.part("train"))
    weight = 1 / np.sqrt(p * (1 - p))
    train, test = (_weighted(parts.part(name), weight / weight.max()) for name in ("train", "test"))
    pca = PCA(2, random_state=seed).fit(train)
    return pca.transform(train), pca.transform(test)


def by_tsne(parts: Parts, sizes: MapSizes, seed: int) -> Placed:
    """t-SNE has no map for newcomers, so the held-out rows are placed together with the others."""
    try:
        from sklearn.manifold import TSNE
    except ModuleNotFoundError as error:
        raise MissingExtraError("scikit-learn", "models", "t-SNE") from error
    train, test = _components(parts, seed)
    perplexity = min(_PERPLEXITY, (len(train) + len(test)) / 4)
    together = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, n_jobs=1).fit_transform(
        np.concatenate([train, test]).astype(np.float32)
    )
    return together[: len(train)], together[len(train) :]


def by_umap(parts: Parts, sizes: MapSizes, seed: int) -> Placed:
    """UMAP fitted to the training rows, with the held-out rows placed on it afterwards."""
    try:
        from umap import UMAP
    except ModuleNotFoundError as error:
        raise MissingExtraError("umap-learn", "umap", "UMAP") from error
    train, test = _components(parts, seed)
    umap = UMAP(n_components=2, n_neighbors=min(15, len(train) - 1), random_state=seed, n_jobs=1)
    return umap.fit_transform(train.astype(np.float32)), umap.transform(test.astype(np.float32))


METHODS: dict[str, Callable[[Parts, MapSizes, int], Placed]] = {
    "VAE": by_vae, "PCA": by_components, "PCA, SNPs scaled": by_scaled_components, "t-SNE": by_tsne, "UMAP": by_umap,
}  # fmt: skip


def methods_here() -> list[str]:
    """Those whose packages are there: UMAP is an extra of its own."""
    return [name for name in METHODS if name != "UMAP" or find_spec("umap") is not None]


def genotype_distances(genotypes: Panel | DosagePanel) -> np.ndarray:
    """Euclidean, between all rows, missing calls taken as the mean: float64 (n, n)."""
    shares = _weighted(genotypes, np.ones(genotypes.n_sites))
    missing = np.isnan(shares)
    shares[missing] = 0
    shares -= shares.sum(axis=0) / np.maximum((~missing).sum(axis=0), 1)
    shares[missing] = 0
    squares = np.square(shares).sum(axis=1, dtype=np.float64)
    products = (shares @ shares.T).astype(np.float64)
    distances = np.sqrt(np.maximum(np.add.outer(squares, squares) - 2 * products, 0))
    np.fill_diagonal(distances, 0)
    return distances


def _components(parts: Parts, seed: int) -> Placed:
    train = parts.part("train")
    pca = PCA(min(_COMPONENTS, *(size - 1 for size in rows_and_sites(train))), random_state=seed).fit(train)
    return pca.transform(train), pca.transform(parts.part("test"))


def _weighted(genotypes: Genotypes, weight: np.ndarray) -> np.ndarray:
    """Shares of the alternate allele times a weight of each site: float32 (n_rows, n_sites), NaN where missing."""
    out = np.empty(rows_and_sites(genotypes), dtype=np.float32)
    for rows, shares in share_blocks(genotypes):
        out[rows] = shares * weight
    return out
