"""Latents of each row refined by its own alleles: what the encoder guesses in one step, finished by the decoder.

An encoder learns one rule for all rows, and fits those it was trained on better than newcomers. Here the decoder is
held fixed and each row's latents go uphill from the encoder's mean to where the row is likeliest, rows of training and
new ones by the same rule. Source: Cremer, Li & Duvenaud 2018 (the amortisation gap).
"""

import numpy as np
import torch
from torch import Tensor

from haploom.io.model_file import ModelFile, rows_at_sites
from haploom.models.encoder import matched_batches
from haploom.models.losses import binomial_nats
from haploom.models.model import Batch
from haploom.models.network import network_of
from haploom.models.vae import VAE
from haploom.panel import DosagePanel, Panel
from haploom.panel.matching import MIN_COVERAGE

STEPS = 60
_STEP_SIZE = 0.05  # of Adam, in standard deviations of the prior


def refined_latents(model: ModelFile, panel: Panel | DosagePanel, min_coverage: float = MIN_COVERAGE) -> np.ndarray:
    """The most probable latents of each row given its alleles, near the encoder's mean: float32 (n_rows, n_latents).

    model: a VAE. Takes about as long as `STEPS` epochs of the decoder over these rows. Raises ValueError for another
    kind, SiteMismatchError when the panel has a smaller share of the model's sites than `min_coverage`.
    """
    network = network_of(model)
    if not isinstance(network, VAE) or network.config.n_labels:
        raise ValueError(f"latents of a {model.card.kind} cannot be refined: wanted a vae")
    network.eval().requires_grad_(False)
    found = [np.empty((0, network.n_latents), dtype=np.float32)]
    for batch in matched_batches(rows_at_sites(panel, model, min_coverage)):
        found.append(refined(network, batch).cpu().numpy())
    return np.concatenate(found)


def refined(network: VAE, batch: Batch, steps: int = STEPS) -> Tensor:
    """Of one batch: (n, n_latent). The network is in evaluation mode, its weights without gradients."""
    batch = batch.to(network.frequency.device)
    z = network.encode(batch)[0].detach().clone().requires_grad_(True)
    optimizer = torch.optim.Adam([z], lr=_STEP_SIZE)
    for _ in range(steps):
        optimizer.zero_grad()
        negative_log_posterior(network, batch, z).sum().backward()
        optimizer.step()
    return z.detach()


def negative_log_posterior(network: VAE, batch: Batch, z: Tensor) -> Tensor:
    """Minus log p(alleles | z) p(z) of each row, up to a constant, in nats: (n,)."""
    likelihood = binomial_nats(batch.counts, network.decode(z), network.config.ploidy, batch.called)
    return likelihood + 0.5 * z.square().sum(dim=1)
