"""A model file as something that encodes haplotypes or people."""

import logging
from collections.abc import Iterable

import numpy as np
import torch

from haploom.errors import HaploomError
from haploom.io.model_file import ModelFile, check_has_latents, rows_at_sites
from haploom.models.label_scores import label_scores
from haploom.models.model import Batch, HaplotypeModel
from haploom.models.network import CONDITIONED, network_of
from haploom.panel import DosagePanel, MatchedRows, Panel
from haploom.panel.bits import unpack_rows
from haploom.panel.matching import MIN_COVERAGE

MOST_ROWS_AT_ONCE = 1024
ALLELES_AT_ONCE = 1 << 25  # as float32: 128 MiB

logger = logging.getLogger(__name__)


def rows_at_once(n_sites: int) -> int:
    """Rows that go through a network together outside of training, so that memory is bounded at any width."""
    return min(MOST_ROWS_AT_ONCE, max(2, ALLELES_AT_ONCE // n_sites))


def encode_batches(network: HaplotypeModel, batches: Iterable[Batch]) -> np.ndarray:
    """Latent means of all rows: float32 (n_rows, n_latents), in evaluation mode; the mode is restored."""
    return posterior_of_batches(network, batches)[0]


@torch.no_grad()
def posterior_of_batches(network: HaplotypeModel, batches: Iterable[Batch]) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of the latents of all rows, each float32 (n_rows, n_latents).

    In evaluation mode; the mode is restored. The standard deviations of an encoder that gives one point are 0.
    """
    device = network.frequency.device
    was_training = network.training
    network.eval()
    means, spreads = ([np.empty((0, network.n_latents), dtype=np.float32)] for _ in range(2))
    for batch in batches:
        mean, log_variance = network.encode(batch.to(device))
        means.append(mean.flatten(1).cpu().numpy())
        spreads.append((log_variance / 2).exp().flatten(1).cpu().numpy())
    network.train(was_training)
    return np.concatenate(means), np.concatenate(spreads)


def packed_batches(bits: np.ndarray, n_sites: int, labels: np.ndarray | None = None) -> Iterable[Batch]:
    """Batches of packed haplotypes, in order; labels: int64 (n_rows,) or None."""
    step = rows_at_once(n_sites)
    for start in range(0, len(bits), step):
        rows = slice(start, start + step)
        counts = torch.from_numpy(unpack_rows(bits[rows], n_sites)).float()
        yield Batch(counts, None, None if labels is None else torch.from_numpy(labels[rows]))


def matched_batches(rows: MatchedRows, labels: np.ndarray | None = None) -> Iterable[Batch]:
    """Batches of all rows at a model's sites, in order; absent sites and missing calls are not called.

    labels: int64 (n_rows,) or None.
    """
    step = rows_at_once(rows.n_sites)
    for start in range(0, rows.n_rows, step):
        here = slice(start, start + step)
        counts, called = rows.rows(here)
        mask = None if called.all() else torch.from_numpy(called)
        yield Batch(torch.from_numpy(counts).float(), mask, None if labels is None else torch.from_numpy(labels[here]))


def panel_latents(model: ModelFile, panel: Panel | DosagePanel, min_coverage: float = MIN_COVERAGE) -> np.ndarray:
    """Latent means of a panel, float32 (n_rows, n_latents): see `panel_posterior`."""
    return panel_posterior(model, panel, min_coverage)[0]


def panel_posterior(
    model: ModelFile, panel: Panel | DosagePanel, min_coverage: float = MIN_COVERAGE
) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of the latents of a panel's rows, each float32 (n_rows, n_latents).

    Rows are haplotypes, or people where the model's rows are those. The panel may have other sites than the model:
    more do not matter. For absent ones the training frequency stands in, and a VAE, C-VAE or Y-VAE has what is known
    count for them. A model that is told labels is told those of the panel; of a panel without any, the label under
    which it rebuilds each row best (Geleta et al. 2026, Eq. 14), and a note says so.

    Raises SiteMismatchError when the panel has a smaller share of the sites than `min_coverage`, HaploomError for
    unphased genotypes and a model of haplotypes, a model without a latent space, and for labels that the model does
    not know.
    """
    check_has_latents(model)
    if model.card.kind == "ancestry":  # which classifies without latents, so check_has_latents lets it pass
        raise HaploomError(
            "a model of kind ancestry has no latent space: use it with `haploom classify`, or train one with "
            "--kind pca or vae"
        )
    rows = rows_at_sites(panel, model, min_coverage)
    network = network_of(model)
    labels = None
    if model.card.kind in CONDITIONED and panel.populations:
        labels = _label_places(model, panel)
    elif model.card.kind in CONDITIONED:
        labels = label_scores(network, matched_batches(rows))[0].argmax(axis=1)
        logger.warning(
            "no labels were given: each row is placed under the label of the %s that rebuilds it best; "
            "--populations gives labels", model.card.kind,
        )  # fmt: skip
    return posterior_of_batches(network, matched_batches(rows, labels))


def _label_places(model: ModelFile, panel: Panel | DosagePanel) -> np.ndarray:
    """Each row's place in the model's labels: int64 (n_rows,)."""
    level = model.card.label_level
    if level not in panel.populations:
        raise HaploomError(
            f"a {model.card.kind} encodes people by their label, and there is no column {level!r} of labels here: give "
            "a table that has one with --populations"
        )
    places = {label: place for place, label in enumerate(model.labels)}
    names = panel.labels(level).tolist()
    if unknown := sorted(set(names) - places.keys()):
        raise HaploomError(f"the model does not know the label {unknown[0]!r}: it knows {', '.join(model.labels)}")
    return np.repeat(np.array([places[name] for name in names], dtype=np.int64), 2 // model.ploidy)
