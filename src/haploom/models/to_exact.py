"""From a trained float encoder or decoder to the integer network that lossless work uses.

Batch normalisation is folded into the linear layer before it, in float64; weights then become int16 with a
power-of-two scale of their own for every output, activations 16-bit integers.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from haploom.exact.network import ACTIVATION_MAX, INPUT_MAX, MAX_SHIFT, IntegerLayer, IntegerNetwork
from haploom.models.vae import VAE

WEIGHT_MAX = 2**15 - 1
LATENT_BITS = 5  # a latent step of 1/32: finer ones do not make the residual smaller
LOGIT_BITS = 12
MAX_WEIGHT_BITS = 24
MAX_ACTIVATION_BITS = 16
MAX_BIAS_BITS = 50  # with sums of int16 by 16 bits beside it, far within float64's exact integers
ACTIVATION_HEADROOM = 8.0  # the largest activation seen is in range with this to spare


def exact_decoder(model: VAE, latents: torch.Tensor, latent_bits: int = LATENT_BITS) -> IntegerNetwork:
    """The decoder of a trained VAE in integers: latents to log-odds of each allele.

    latents: (n, n_latent), typical ones (training means); they set the scale of the hidden activations. A C-VAE's are
    followed by the one-hot label: (n, n_latent + n_labels).
    latent_bits: a latent step is 1 / 2^latent_bits.
    """
    layers = [*map(_folded, model.decoder_hidden), _folded(model.output)]
    return _integer_network(layers, as_array(latents), latent_bits)


def exact_encoder(model: VAE, alleles: torch.Tensor) -> IntegerNetwork:
    """The encoder of a trained VAE in integers: alleles to the latent means, then the log-variances.

    alleles: (n, n_sites) of 0 and 1, typical ones (some hundred training haplotypes); they set the scale of the hidden
    activations. The network takes alleles as int16 and gives 2 n_latent numbers.
    """
    weight, bias = (np.concatenate(pair) for pair in zip(_folded(model.mean), _folded(model.log_variance)))
    layers = [*map(_folded, model.encoder_hidden), (weight, bias)]
    return _integer_network(layers, as_array(alleles), input_bits=0)


def exact_axes(components: np.ndarray, mean: np.ndarray, scores: np.ndarray) -> IntegerNetwork:
    """The way back from scores on principal axes, in integers: to the alleles, less one half.

    So that an allele is likelier 1 where the number is above 0; they are no log-odds.
    components: float64 (n_axes, n_sites). mean: float64 (n_sites,). scores: float64 (n, n_axes), typical ones.
    """
    bits = min(LATENT_BITS, int(np.floor(np.log2(INPUT_MAX / max(1.0, 2 * float(np.abs(scores).max()))))))
    return _integer_network([(components.T, mean - 0.5)], scores, bits)


def _integer_network(
    layers: Sequence[tuple[np.ndarray, np.ndarray]], inputs: np.ndarray, input_bits: int
) -> IntegerNetwork:
    """Dense layers with a ReLU between them, in integers.

    layers: weight (n_out, n_in) and bias (n_out,) of each. inputs: float64 (n, n_in), typical ones.
    """
    x, bits, integer_layers = inputs, input_bits, []
    for place, (weight, bias) in enumerate(layers):
        is_last = place == len(layers) - 1
        x = x @ weight.T + bias
        weight_bits = weight_bits_of(weight, bias, bits)
        bits_after = bits_after_layer(x, bits, weight_bits, is_last)
        integer_layers.append(IntegerLayer(*integer_arrays(weight, bias, weight_bits, bits, bits_after)))
        x, bits = np.maximum(x, 0), bits_after
    return IntegerNetwork(tuple(integer_layers), input_bits=input_bits, output_bits=bits)


def bits_after_layer(outputs: np.ndarray, input_bits: int, weight_bits: np.ndarray, is_last: bool) -> int:
    """The scale of a layer's outputs, as a power of two. outputs: typical ones, before the ReLU, in float."""
    # A layer only drops bits: the sums of each output must have at least as many as what goes on.
    most = input_bits + int(weight_bits.min())
    if is_last:
        return min(LOGIT_BITS, most)
    in_range = int(np.floor(np.log2(ACTIVATION_MAX / (outputs.max(initial=1e-6) * ACTIVATION_HEADROOM))))
    return min(in_range, MAX_ACTIVATION_BITS, most)


def as_array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().double().numpy()


def _folded(block: nn.Module) -> tuple[np.ndarray, np.ndarray]:
    """Weight and bias, float64, of a linear layer and the (evaluation mode) batch normalisation after it, if any."""
    linear, *norms = block.children()
    assert isinstance(linear, nn.Linear)
    weight, bias = as_array(linear.weight), as_array(linear.bias)
    for norm in norms:
        assert isinstance(norm, nn.BatchNorm1d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        gain = as_array(norm.weight) / np.sqrt(as_array(norm.running_var) + norm.eps)
        weight, bias = weight * gain[:, None], (bias - as_array(norm.running_mean)) * gain + as_array(norm.bias)
    return weight, bias


def weight_bits_of(weight: np.ndarray, bias: np.ndarray, input_bits: int) -> np.ndarray:
    """For each output, the largest power of two that keeps its scaled weights in int16 and its bias exact."""
    largest = np.maximum(np.abs(weight).max(axis=1), 1e-30)
    of_bias = MAX_BIAS_BITS - input_bits - np.ceil(np.log2(np.maximum(np.abs(bias), 1e-30)))
    return np.minimum.reduce([np.floor(np.log2(WEIGHT_MAX / largest)), of_bias, np.full(len(bias), MAX_WEIGHT_BITS)])


def integer_arrays(
    weight: np.ndarray, bias: np.ndarray, weight_bits: np.ndarray, input_bits: int, output_bits: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weight, bias and shift of an integer layer. weight: (n_out, n_in); weight_bits: (n_out,)."""
    weight_bits = np.minimum(weight_bits, MAX_SHIFT + output_bits - input_bits)
    product_bits = weight_bits + input_bits
    return (
        np.rint(weight * np.exp2(weight_bits)[:, None]).astype(np.int16),
        np.rint(bias * np.exp2(product_bits)).astype(np.int64),
        (product_bits - output_bits).astype(np.uint8),
    )
