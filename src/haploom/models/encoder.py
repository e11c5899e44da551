"""A model file as something that encodes haplotypes."""

import numpy as np
import torch

from haploom.errors import CorruptModelError
from haploom.io.model_file import ModelFile, panel_at_sites
from haploom.models.vae import VAE, VAEConfig
from haploom.panel import Panel
from haploom.panel.bits import unpack_rows

MOST_ROWS_AT_ONCE = 1024
ALLELES_AT_ONCE = 1 << 25  # as float32: 128 MiB


def rows_at_once(n_sites: int) -> int:
    """Haplotypes that go through a network together outside of training, so that memory is bounded at any width."""
    return min(MOST_ROWS_AT_ONCE, max(2, ALLELES_AT_ONCE // n_sites))


def load_vae(model: ModelFile) -> VAE:
    """The float model, in evaluation mode. Raises CorruptModelError when the weights do not fit its settings."""
    network = VAE(VAEConfig.from_dict(dict(model.card.config)))
    weights = {name: torch.from_numpy(array) for name, array in model.group("weights").items()}
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise CorruptModelError(f"the model's weights do not fit its settings: {error}") from error
    return network.eval()


@torch.no_grad()
def encode_means(network: VAE, bits: np.ndarray) -> np.ndarray:
    """Latent means of packed rows over the model's sites: float32 (n_rows, n_latent), in evaluation mode."""
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    means = np.empty((len(bits), network.config.n_latent), dtype=np.float32)
    step = rows_at_once(network.config.n_sites)
    for start in range(0, len(bits), step):
        alleles = torch.from_numpy(unpack_rows(bits[start : start + step], network.config.n_sites))
        mean, _ = network.encode(alleles.to(device, torch.float32))
        means[start : start + step] = mean.cpu().numpy()
    network.train(was_training)
    return means


def panel_latents(model: ModelFile, panel: Panel) -> np.ndarray:
    """Latent means of a panel's haplotypes: float32 (n_haplotypes, n_latent).

    The panel may have more sites than the model; raises SiteMismatchError when it lacks some.
    """
    return encode_means(load_vae(model), panel_at_sites(panel, model).bits)
