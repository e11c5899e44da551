"""A model file as something that encodes haplotypes or people."""

from collections.abc import Iterable

import numpy as np
import torch

from haploom.errors import HaploomError
from haploom.io.model_file import ModelFile, check_has_latents, rows_at_sites
from haploom.models.model import Batch, HaplotypeModel
from haploom.models.network import CONDITIONED, load_network
from haploom.panel import DosagePanel, MatchedRows, Panel
from haploom.panel.bits import unpack_rows
from haploom.panel.matching import MIN_COVERAGE

MOST_ROWS_AT_ONCE = 1024
ALLELES_AT_ONCE = 1 << 25  # as float32: 128 MiB


def rows_at_once(n_sites: int) -> int:
    """Rows that go through a network together outside of training, so that memory is bounded at any width."""
    return min(MOST_ROWS_AT_ONCE, max(2, ALLELES_AT_ONCE // n_sites))


@torch.no_grad()
def encode_batches(network: HaplotypeModel, batches: Iterable[Batch]) -> np.ndarray:
    """Latent means of all rows: float32 (n_rows, n_latents), in evaluation mode; the mode is restored."""
    device = network.frequency.device
    was_training = network.training
    network.eval()
    means = [np.empty((0, network.n_latents), dtype=np.float32)]
    for batch in batches:
        mean, _ = network.encode(batch.to(device))
        means.append(mean.flatten(1).cpu().numpy())
    network.train(was_training)
    return np.concatenate(means)


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
    """Latent means of a panel's haplotypes, or people where the model's rows are those: float32 (n_rows, n_latents).

    The panel may have other sites than the model: more do not matter, and where some are absent the training
    frequency stands in for them. Raises SiteMismatchError when it has a smaller share of them than `min_coverage`,
    HaploomError for unphased genotypes and a model of haplotypes, a model without a latent space, or where a model
    needs labels the panel has not.
    """
    check_has_latents(model)
    rows = rows_at_sites(panel, model, min_coverage)
    network = load_network(model)
    labels = _label_places(model, panel) if model.card.kind in CONDITIONED else None
    return encode_batches(network, matched_batches(rows, labels))


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
