"""From a trained windowed autoencoder to the integer decoder, and encoder, that lossless work uses.

As `models.to_exact`, for every window at once: batch normalisation folded into the linear layer before it, int16
weights with a power-of-two scale of their own for every output of every window, activations of one scale a layer.
Weights that windows share are written out, because each window's normalisation is folded into them.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from haploom.exact.codes import TABLE_BITS, CodeNetwork, CodeTable
from haploom.exact.network import INPUT_MAX
from haploom.exact.windows import WindowIntegerLayer, WindowNetwork
from haploom.models.normalisation import WindowNorm
from haploom.models.to_exact import LATENT_BITS, as_array, bits_after_layer, integer_arrays, weight_bits_of
from haploom.models.vqvae import VQVAE
from haploom.models.window_vae import WindowAE, WindowVAE
from haploom.models.windows import WindowLinear, apart, with_neighbours

_Layer = tuple[np.ndarray, np.ndarray]  # weight (n_windows, n_in, n_out) and bias (n_windows, 1, n_out), float64
MOST_VECTOR_BITS = 15
TYPICAL_ROWS = 256


def exact_window_decoder(model: WindowAE, latents: torch.Tensor, latent_bits: int = LATENT_BITS) -> WindowNetwork:
    """The decoder of a windowed autoencoder in integers: latents to log-odds of each allele.

    latents: (n, n_windows * n_latent), typical ones; they set the scale of the hidden activations.
    """
    layers = [*map(_folded, model.decoder_hidden), _folded(model.output)]
    seen = apart(latents, model.windows.n_windows)
    inputs = as_array(with_neighbours(seen) if model.config.couple else seen)
    n_sites, n_latents = model.config.n_sites, model.config.n_latents
    return _window_network(layers, inputs, latent_bits, n_latents, n_sites, model.config.couple)


def exact_window_encoder(model: WindowVAE, alleles: torch.Tensor) -> WindowNetwork:
    """The encoder in integers: alleles to the latent means, then the log-variances, window after window.

    alleles: (n, n_sites) of 0 and 1, typical ones.
    """
    weight, bias = (np.concatenate(pair, axis=2) for pair in zip(_folded(model.mean), _folded(model.log_variance)))
    layers = [*map(_folded, model.encoder_hidden), (weight, bias)]
    inputs = as_array(model.windows.cut(alleles))
    return _window_network(layers, inputs, 0, model.config.n_sites, 2 * model.config.n_latents, couple=False)


def exact_code_decoder(model: VQVAE, codes: torch.Tensor) -> CodeTable | CodeNetwork:
    """The decoder of a VQ-VAE in integers: code indices to log-odds. With one head, a table of all it can say.

    codes: int64 (n, n_windows, heads), typical ones (of training haplotypes).
    """
    if model.config.heads == 1 and not model.config.couple:
        return _code_table(model)
    vectors = as_array(model.codebook.vectors)
    bits = min(MOST_VECTOR_BITS, int(np.floor(np.log2(INPUT_MAX / np.abs(vectors).max()))))
    looked_up = model.codebook.look_up(codes[:TYPICAL_ROWS].transpose(0, 1))
    latents = looked_up.transpose(0, 1).flatten(1)
    network = exact_window_decoder(model, latents, latent_bits=bits)
    return CodeNetwork(np.rint(vectors * 2.0**bits).astype(np.int16), network)


@torch.no_grad()
def _code_table(model: VQVAE) -> CodeTable:
    n_windows, width, n_codes = model.windows.n_windows, model.windows.width, model.config.codes
    every = torch.arange(n_codes, device=model.frequency.device)[:, None, None].expand(-1, n_windows, 1)
    log_odds = torch.cat([model.decode_codes(some) for some in every.split(TYPICAL_ROWS)])
    steps = np.clip(np.floor(as_array(model.windows.cut(log_odds)) * 2.0 ** (TABLE_BITS - 1)), -128, 127)
    return CodeTable(
        np.ascontiguousarray(steps.reshape(n_windows, n_codes, width).astype(np.int8)), model.config.n_sites
    )


def _window_network(
    layers: Sequence[_Layer], inputs: np.ndarray, input_bits: int, n_inputs: int, n_outputs: int, couple: bool
) -> WindowNetwork:
    """inputs: float64 (n_windows, n, n_in), typical ones."""
    x, bits, integer_layers = inputs[:, :TYPICAL_ROWS], input_bits, []
    for place, (weight, bias) in enumerate(layers):
        x = x @ weight + bias
        n_windows, n_in, n_out = weight.shape
        # Outputs of all windows as those of one wide layer.
        flat, flat_bias = weight.transpose(0, 2, 1).reshape(-1, n_in), bias.ravel()
        weight_bits = weight_bits_of(flat, flat_bias, bits)
        bits_after = bits_after_layer(x, bits, weight_bits, is_last=place == len(layers) - 1)
        weights, biases, shifts = integer_arrays(flat, flat_bias, weight_bits, bits, bits_after)
        weights = np.ascontiguousarray(weights.reshape(n_windows, n_out, n_in).transpose(0, 2, 1))
        integer_layers.append(WindowIntegerLayer(weights, biases.reshape(n_windows, -1), shifts.reshape(n_windows, -1)))
        x, bits = np.maximum(x, 0), bits_after
    return WindowNetwork(tuple(integer_layers), input_bits, bits, n_inputs, n_outputs, couple)


def _folded(layer: nn.Module) -> _Layer:
    """A window layer and the (evaluation mode) batch normalisation after it."""
    linear, norm = layer.children()
    assert isinstance(linear, WindowLinear)
    assert isinstance(norm, WindowNorm)
    gain = as_array(norm.weight) / np.sqrt(as_array(norm.running_var) + norm.eps)
    return as_array(linear.weight) * gain, as_array(norm.bias) - as_array(norm.running_mean) * gain
