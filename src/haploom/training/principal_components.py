"""PCA as a kind of model: fitted on the training people in one pass or a few, kept in the same kind of file."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from haploom.baselines.principal_components import pca_arrays
from haploom.errors import HaploomError
from haploom.models.model import ModelConfig
from haploom.models.to_exact import exact_axes
from haploom.popgen.allele_shares import share_blocks
from haploom.popgen.pca import PCA
from haploom.training.dataset import PanelDataset
from haploom.training.epochs import EpochFigures
from haploom.training.job import Job


@dataclass(frozen=True, kw_only=True)
class PCAConfig(ModelConfig):
    """How many axes; the training seed is that of the randomised method."""

    n_latent: int = 64


def fit_pca(job: Job) -> tuple[dict[str, np.ndarray], list[EpochFigures], Mapping[str, Any]]:
    """Arrays of the model file, its history of one epoch, and what belongs on its card.

    The loss is the squared distance of a row to the axes. Raises HaploomError when there are fewer rows or sites than
    axes.
    """
    assert isinstance(job.settings, PCAConfig)
    assert job.train.labels is not None
    most = min(len(job.train), job.train.n_sites)
    if job.settings.n_latent > most:
        raise HaploomError(
            f"n_latent={job.settings.n_latent} axes are too many for {len(job.train)} training rows at "
            f"{job.train.n_sites} sites: choose --latent {most} or fewer"
        )
    start = time.perf_counter()
    pca = PCA(job.settings.n_latent, random_state=job.config.seed).fit(job.train.panel)
    z = pca.transform(job.train.panel)
    of_label = [z[job.train.labels == place] for place in range(len(job.train.label_names))]
    arrays = {
        **pca_arrays(pca),
        **(_decoder(pca, z) if job.train.ploidy == 1 else {}),
        "labels.mean": np.stack([rows.mean(axis=0) for rows in of_label]).astype(np.float32),
        "labels.variance": np.stack([rows.var(axis=0) for rows in of_label]).astype(np.float32),
    }
    (train, _), (validation, around_mean) = _squared_errors(pca, job.train), _squared_errors(pca, job.validation)
    seconds = time.perf_counter() - start
    figures = EpochFigures(1, {"squared_error": train}, {"squared_error": validation}, validation, 0.0, seconds)
    explained = {"validation_loss": validation, "validation_explained_variance": 1 - validation / around_mean}
    return arrays, [figures], {"seed": job.config.seed, "epochs_run": 1, "kept_epoch": 1, **explained}


def _squared_errors(pca: PCA, data: PanelDataset) -> tuple[float, float]:
    """Mean over rows of the squared distance to the axes, and to the training mean, over the calls that are there."""
    to_axes = to_mean = 0.0
    for _, shares in share_blocks(data.panel):
        back = pca.inverse_transform(pca.transform(shares))
        to_axes += float(np.nansum((shares - back) ** 2))
        to_mean += float(np.nansum((shares - pca.mean_) ** 2))
    return to_axes / len(data), to_mean / len(data)


def _decoder(pca: PCA, scores: np.ndarray) -> dict[str, np.ndarray]:
    return {
        f"exact.{name}": array for name, array in exact_axes(pca.components_, pca.mean_, scores).to_tensors().items()
    }
