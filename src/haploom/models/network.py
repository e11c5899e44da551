"""Kinds of models by name, made anew or from a model file."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch

from haploom.errors import CorruptModelError, HaploomError
from haploom.io.model_file import ModelFile
from haploom.models.autoregressive import Autoregressive, AutoregressiveConfig
from haploom.models.denoiser import Denoiser, DenoiserConfig
from haploom.models.gmmn import GMMN, GMMNConfig
from haploom.models.model import HaplotypeModel, ModelConfig
from haploom.models.vae import VAE, VAEConfig
from haploom.models.vqvae import VQVAE, VQVAEConfig
from haploom.models.window_vae import WindowAE, WindowConfig, WindowVAE
from haploom.models.yvae import YVAE, YVAEConfig

KINDS: dict[str, tuple[type[ModelConfig], type[HaplotypeModel]]] = {
    "vae": (VAEConfig, VAE),
    "cvae": (VAEConfig, VAE),
    "yvae": (YVAEConfig, YVAE),
    "window-ae": (WindowConfig, WindowAE),
    "window-vae": (WindowConfig, WindowVAE),
    "vqvae": (VQVAEConfig, VQVAE),
    "autoregressive": (AutoregressiveConfig, Autoregressive),
    "denoiser": (DenoiserConfig, Denoiser),
    "gmmn": (GMMNConfig, GMMN),
}
CONDITIONED = frozenset({"cvae", "yvae", "gmmn"})  # need a label for each row; a gmmn unless told not to


@lru_cache(maxsize=1)
def network_of(model: ModelFile) -> HaplotypeModel:
    """`load_network`, remembered for batches of people, one after another; to be used, not to be trained."""
    return load_network(model)


def build_network(kind: str, config: ModelConfig) -> HaplotypeModel:
    """A new network of a kind, its weights drawn from torch's random state."""
    network: HaplotypeModel = KINDS[kind][1](config)
    return network


def load_network(model: ModelFile) -> HaplotypeModel:
    """The float network of a model file, in evaluation mode.

    Raises HaploomError for a kind without a network, CorruptModelError when the weights do not fit the settings.
    """
    card = model.card
    if card.kind not in KINDS:
        raise HaploomError(f"a model of kind {card.kind} has no network; kinds that do: {', '.join(KINDS)}")
    weights = model.group("weights")
    try:
        settings = KINDS[card.kind][0].from_dict(dict(card.config))
        if settings.n_sites != len(model.variants) or settings.n_labels not in (0, len(card.labels)):
            raise CorruptModelError(
                f"the model's sites and labels do not fit its settings: it has {len(model.variants):,} and "
                f"{len(card.labels):,}, and they are of {settings.n_sites:,} and {settings.n_labels:,}"
            )
        with torch.device("meta"):  # takes no memory, whatever the settings say
            wanted = {name: _shape(tensor) for name, tensor in build_network(card.kind, settings).state_dict().items()}
        if wanted != {name: _shape(array) for name, array in weights.items()}:
            raise CorruptModelError("the model's weights do not fit its settings: their names or shapes are others")
        network = build_network(card.kind, settings)
        load_weights(network, weights)
    except (RuntimeError, TypeError, ValueError, ArithmeticError) as error:
        raise CorruptModelError(f"the model's weights do not fit its settings: {error}") from error
    return network.eval()


def _shape(array: np.ndarray | torch.Tensor) -> tuple[int, ...]:
    return tuple(array.shape) or (1,)  # a model file holds a single number as an array of one


def load_weights(network: HaplotypeModel, weights: Mapping[str, np.ndarray]) -> None:
    """Put arrays into a network. Raises RuntimeError when names or shapes are others."""
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
