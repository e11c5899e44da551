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

# The sound profile's but for: recombination, which would mix rows of one label, and no label may take part here; and
# the KL's weight and the depth, which give two numbers more to say. Measured: benchmarks/records/map-accuracy.jsonl.
VAE_SETTINGS: dict[str, Any] = {"crossovers_per_mb": 0.0, "beta": 0.1}
VAE_SHAPE: dict[str, Any] = {"n_latent": 2, "hidden": (128, 64), "decoder_hidden": (64, 128)}
VAE, REFINED, PLAIN, SCALED, TSNE, UMAP = "VAE", "VAE, refined", "PCA", "PCA, SNPs scaled", "t-SNE", "UMAP"
_COMPONENTS = 50  # that t-SNE and UMAP see, as is usual
_PERPLEXITY = 30.0

Placed = tuple[np.ndarray, np.ndarray]  # training rows, held-out rows: float (n, 2)
Maker = Callable[[Parts, MapSizes, int], dict[str, Placed]]


def by_vae(parts: Parts, sizes: MapSizes, seed: int) -> dict[str, Placed]:
    """Latent means as the encoder says, and refined. The epoch is chosen by the validation people's loss."""
    from haploom.models.encoder import panel_latents  # loads torch
    from haploom.models.refining import refined_latents
    from haploom.training.fit import train_model

    settings = {**VAE_SETTINGS, "seed": seed, **({"epochs": sizes.epochs} if sizes.epochs else {})}
    model = train_model(parts.everyone, parts.split, parts.level, settings=settings, shape=VAE_SHAPE).model
    train, test = parts.part("train"), parts.part("test")
    return {
        VAE: (panel_latents(model, train), panel_latents(model, test)),
        REFINED: (refined_latents(model, train), refined_latents(model, test)),
    }


def by_components(parts: Parts, sizes: MapSizes, seed: int) -> dict[str, Placed]:
    """The first two principal components of the SNPs as they are; and of each divided by sqrt(p (1 - p)).

    Scaled, rare SNPs count as much as common ones (Patterson et al. 2006).
    """
    pca = PCA(2, random_state=seed).fit(parts.part("train"))
    plain = pca.transform(parts.part("train")), pca.transform(parts.part("test"))
    return {PLAIN: plain, SCALED: _scaled_components(parts, seed)}


def _scaled_components(parts: Parts, seed: int) -> Placed:
    p = alternate_frequencies(parts.part("train"))
    weight = 1 / np.sqrt(p * (1 - p))
    train, test = (_weighted(parts.part(name), weight / weight.max()) for name in ("train", "test"))
    pca = PCA(2, random_state=seed).fit(train)
    return pca.transform(train), pca.transform(test)


def by_tsne(parts: Parts, sizes: MapSizes, seed: int) -> dict[str, Placed]:
    """t-SNE has no map for newcomers, so the held-out rows are placed together with the others."""
    try:
        from sklearn import manifold
    except ModuleNotFoundError as error:
        raise MissingExtraError("scikit-learn", "models", "t-SNE") from error
    train, test = _components(parts, seed)
    perplexity = min(_PERPLEXITY, (len(train) + len(test)) / 4)
    together = manifold.TSNE(2, perplexity=perplexity, init="pca", random_state=seed, n_jobs=1).fit_transform(
        np.concatenate([train, test]).astype(np.float32)
    )
    return {TSNE: (together[: len(train)], together[len(train) :])}


def by_umap(parts: Parts, sizes: MapSizes, seed: int) -> dict[str, Placed]:
    """UMAP fitted to the training rows, with the held-out rows placed on it afterwards."""
    try:
        import umap
    except ModuleNotFoundError as error:
        raise MissingExtraError("umap-learn", "umap", "UMAP") from error
    train, test = _components(parts, seed)
    mapper = umap.UMAP(n_components=2, n_neighbors=min(15, len(train) - 1), random_state=seed, n_jobs=1)
    placed = mapper.fit_transform(train.astype(np.float32))
    return {UMAP: (placed, mapper.transform(test.astype(np.float32)))}


# What makes maps -> the methods it has one of each of.
MAKERS: dict[Maker, tuple[str, ...]] = {
    by_vae: (VAE, REFINED), by_components: (PLAIN, SCALED), by_tsne: (TSNE,), by_umap: (UMAP,),
}  # fmt: skip


def makers_here() -> list[Maker]:
    """Those whose packages are there: UMAP is an extra of its own."""
    return [make for make in MAKERS if make is not by_umap or find_spec("umap") is not None]


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
