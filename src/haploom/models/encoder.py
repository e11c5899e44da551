"""A model file as something that encodes haplotypes."""

import numpy as np
import torch

from haploom.errors import CorruptModelError
from haploom.io.model_file import ModelFile, model_columns
from haploom.models.vae import VAE, VAEConfig
from haploom.panel import Panel
from haploom.panel.bits import unpack_rows

ROWS_AT_ONCE = 1024


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
    for start in range(0, len(bits), ROWS_AT_ONCE):
        alleles = torch.from_numpy(unpack_rows(bits[start : start + ROWS_AT_ONCE], network.config.n_sites))
        mean, _ = network.encode(alleles.to(device, torch.float32))
        means[start : start + ROWS_AT_ONCE] = mean.cpu().numpy()
    network.train(was_training)
    return means


def panel_latents(model: ModelFile, panel: Panel) -> np.ndarray:
    """Latent means of a panel's haplotypes: float32 (n_haplotypes, n_latent).

    The panel may have more sites than the model; raises SiteMismatchError when it lacks some.
    """
    return encode_means(load_vae(model), panel.select_sites(model_columns(panel.variants, model)).bits)
