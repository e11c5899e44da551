"""The integer network against a slow oracle in Python's own integers, and against itself cut in other batches."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from haploom.exact import IntegerLayer, IntegerNetwork
from haploom.exact.network import ACTIVATION_MAX


def random_network(rng, widths=(5, 7, 11), size=2000):
    layers = []
    for n_in, n_out in itertools.pairwise(widths):
        layers.append(
            IntegerLayer(
                rng.integers(-size, size + 1, (n_out, n_in)).astype(np.int16),
                rng.integers(-(10**6), 10**6, n_out),
                rng.integers(0, 20, n_out).astype(np.uint8),
            )
        )
    return IntegerNetwork(tuple(layers), input_bits=5, output_bits=12)


def oracle_logits(network, z):
    """The same sums with unbounded integers, one at a time."""
    out = []
    for row in z.tolist():
        x = row
        for place, layer in enumerate(network.layers):
            y = []
            for weights, bias, shift in zip(layer.weight.tolist(), layer.bias.tolist(), layer.shift.tolist()):
                y.append((sum(w * v for w, v in zip(weights, x)) + bias) >> shift)
            last = place == len(network.layers) - 1
            x = y if last else [min(max(v, 0), ACTIVATION_MAX) for v in y]
        out.append(x)
    return np.array(out, dtype=np.float64).reshape(len(z), network.n_outputs)


@given(st.integers(0, 2**32), st.integers(0, 6))
def test_integer_network__equals_python_integers(seed, n_rows):
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    z = rng.integers(-(2**15) + 1, 2**15, (n_rows, 5)).astype(np.int16)
    expected = oracle_logits(network, z)
    assert_array_equal(network.logits(z), expected)
    assert_array_equal(network.decide(z), expected > 0)


def test_integer_network__extreme_weights_are_exact():
    # The largest sums the types allow: 512 activations of 65,535 by weights of 32,767.
    layer = IntegerLayer(np.full((1, 512), 2**15 - 1, np.int16), np.array([1]), np.zeros(1, np.uint8))
    first = IntegerLayer(np.full((512, 1), 2**15 - 1, np.int16), np.zeros(512, np.int64), np.zeros(512, np.uint8))
    network = IntegerNetwork((first, layer), input_bits=5, output_bits=12)
    assert network.logits(np.array([[2**15 - 1]], np.int16))[0, 0] == 512 * 65535 * (2**15 - 1) + 1


def test_integer_network__sums_beyond_float64_are_refused():
    huge = IntegerLayer(np.ones((1, 1), np.int16), np.array([2**53]), np.zeros(1, np.uint8))
    with pytest.raises(ValueError, match="not exact"):
        IntegerNetwork((huge,), input_bits=5, output_bits=12)


def test_integer_network__layers_that_do_not_fit_are_refused():
    rng = np.random.default_rng(1)
    a, b = random_network(rng, (3, 4)).layers[0], random_network(rng, (5, 2)).layers[0]
    with pytest.raises(ValueError, match="meets one of 5 inputs"):
        IntegerNetwork((a, b), input_bits=5, output_bits=12)


def test_integer_network__tensors_bring_it_back():
    network = random_network(np.random.default_rng(3))
    again = IntegerNetwork.from_tensors(network.to_tensors())
    z = np.arange(-10, 10, dtype=np.int16).reshape(4, 5)
    assert_array_equal(again.logits(z), network.logits(z))
    assert (again.input_bits, again.output_bits) == (5, 12)


@pytest.mark.parametrize("damage", ["bits", "0.bias", "1.shift"])
def test_integer_network__absent_tensors_are_refused(damage):
    tensors = random_network(np.random.default_rng(3)).to_tensors()
    del tensors[damage]
    with pytest.raises(ValueError, match="not an integer network"):
        IntegerNetwork.from_tensors(tensors)


def test_integer_network__wrong_dtype_is_refused():
    tensors = random_network(np.random.default_rng(3)).to_tensors()
    tensors["0.weight"] = tensors["0.weight"].astype(np.int32)
    with pytest.raises(ValueError, match="weight is int32"):
        IntegerNetwork.from_tensors(tensors)


def test_integer_network__inputs_are_rounded_and_cut():
    network = random_network(np.random.default_rng(3))
    # A step is 1/32: 0.05 is 1.6 steps, 1e9 is past the range.
    assert_array_equal(
        network.quantise_input(np.array([0.05, -0.05, 1e9, -1e9, 0.0])), [2, -2, 2**15 - 1, -(2**15) + 1, 0]
    )
