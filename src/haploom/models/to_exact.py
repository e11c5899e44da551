"""From a trained float decoder to the integer network that lossless work uses.

Batch normalisation is folded into the linear layer before it, in float64; weights then become int16 with a
power-of-two scale of their own for every output, activations 16-bit integers.
"""

import numpy as np
import torch
from torch import nn

from haploom.exact.network import ACTIVATION_MAX, MAX_SHIFT, IntegerLayer, IntegerNetwork
from haploom.models.vae import VAE

WEIGHT_MAX = 2**15 - 1
LATENT_BITS = 5  # a latent step of 1/32: finer ones do not make the residual smaller
LOGIT_BITS = 12
MAX_WEIGHT_BITS = 24
MAX_ACTIVATION_BITS = 16
MAX_BIAS_BITS = 50  # with sums of int16 by 16 bits beside it, far within float64's exact integers
ACTIVATION_HEADROOM = 8.0  # the largest activation seen is in range with this to spare


def exact_decoder(model: VAE, latents: torch.Tensor) -> IntegerNetwork:
    """The decoder of a trained VAE in integers.

    latents: (n, n_latent), typical ones (training means); they set the scale of the hidden activations.
    """
    hidden_weight, hidden_bias = _folded(model.decoder_hidden)
    output_weight, output_bias = _folded(model.output)
    z = latents.detach().cpu().double().numpy()
    largest = np.maximum(z @ hidden_weight.T + hidden_bias, 0).max(initial=1e-6)
    hidden_bits = _weight_bits(hidden_weight, hidden_bias, LATENT_BITS)
    activation_bits = min(
        int(np.floor(np.log2(ACTIVATION_MAX / (largest * ACTIVATION_HEADROOM)))),
        MAX_ACTIVATION_BITS,
        # A layer only drops bits: the sums of each output must have at least as many as what goes on.
        LATENT_BITS + int(hidden_bits.min()),
    )
    output_bits = _weight_bits(output_weight, output_bias, activation_bits)
    logit_bits = min(LOGIT_BITS, activation_bits + int(output_bits.min()))
    return IntegerNetwork(
        (
            _integer_layer(hidden_weight, hidden_bias, hidden_bits, LATENT_BITS, activation_bits),
            _integer_layer(output_weight, output_bias, output_bits, activation_bits, logit_bits),
        ),
        input_bits=LATENT_BITS,
        output_bits=logit_bits,
    )


def _folded(block: nn.Sequential) -> tuple[np.ndarray, np.ndarray]:
    """Weight and bias, float64, of a linear layer and the (evaluation mode) batch normalisation after it."""
    linear, norm = block[0], block[1]
    assert isinstance(linear, nn.Linear)
    assert isinstance(norm, nn.BatchNorm1d)
    numbers = {
        name: tensor.detach().cpu().double().numpy()
        for name, tensor in (
            ("weight", linear.weight), ("bias", linear.bias), ("scale", norm.weight), ("offset", norm.bias),
            ("mean", norm.running_mean), ("variance", norm.running_var),
        )
        if tensor is not None
    }  # fmt: skip
    gain = numbers["scale"] / np.sqrt(numbers["variance"] + norm.eps)
    return numbers["weight"] * gain[:, None], (numbers["bias"] - numbers["mean"]) * gain + numbers["offset"]


def _weight_bits(weight: np.ndarray, bias: np.ndarray, input_bits: int) -> np.ndarray:
    """For each output, the largest power of two that keeps its scaled weights in int16 and its bias exact."""
    largest = np.maximum(np.abs(weight).max(axis=1), 1e-30)
    of_bias = MAX_BIAS_BITS - input_bits - np.ceil(np.log2(np.maximum(np.abs(bias), 1e-30)))
    return np.minimum.reduce([np.floor(np.log2(WEIGHT_MAX / largest)), of_bias, np.full(len(bias), MAX_WEIGHT_BITS)])


def _integer_layer(
    weight: np.ndarray, bias: np.ndarray, weight_bits: np.ndarray, input_bits: int, output_bits: int
) -> IntegerLayer:
    weight_bits = np.minimum(weight_bits, MAX_SHIFT + output_bits - input_bits)
    product_bits = weight_bits + input_bits
    return IntegerLayer(
        np.rint(weight * np.exp2(weight_bits)[:, None]).astype(np.int16),
        np.rint(bias * np.exp2(product_bits)).astype(np.int64),
        (product_bits - output_bits).astype(np.uint8),
    )
