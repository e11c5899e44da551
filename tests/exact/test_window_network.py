"""Integer networks of windows, tables and codes against a slow oracle in Python's own integers, and against floats."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from haploom.exact import CodeNetwork, CodeTable, WindowNetwork
from haploom.exact.network import ACTIVATION_MAX, INPUT_MAX
from haploom.exact.windows import WindowIntegerLayer


def random_windows(rng, n_windows, widths, n_inputs, n_outputs, couple=False):
    """widths: of a window's inputs, hidden layers and outputs, its neighbours' inputs left out."""
    layers = []
    for place, (n_in, n_out) in enumerate(pairwise(widths)):
        n_seen = 3 * n_in if couple and place == 0 else n_in
        layers.append(
            WindowIntegerLayer(
                rng.integers(-2000, 2001, (n_windows, n_seen, n_out)).astype(np.int16),
                rng.integers(-(10**6), 10**6, (n_windows, n_out)),
                rng.integers(0, 20, (n_windows, n_out)).astype(np.uint8),
            )
        )
    return WindowNetwork(tuple(layers), 5, 12, n_inputs, n_outputs, couple)


def oracle(network, z):
    """Window by window, number by number, with integers that have no bounds."""
    n_windows, n_seen, _ = network.layers[0].weight.shape
    width = n_seen // 3 if network.couple else n_seen
    rows = []
    for row in z.tolist():
        row = row + [0] * (n_windows * width - len(row))
        out = []
        for window in range(n_windows):
            first, past = window * width, (window + 1) * width
            if network.couple:
                first, past = first - width, past + width
            x = [row[i] if 0 <= i < len(row) else 0 for i in range(first, past)]
            for place, layer in enumerate(network.layers):
                if place:
                    x = [min(max(value, 0), ACTIVATION_MAX) for value in x]
                weight, bias, shift = (getattr(layer, name)[window].tolist() for name in ("weight", "bias", "shift"))
                x = [(sum(w[j] * v for w, v in zip(weight, x)) + bias[j]) >> shift[j] for j in range(len(bias))]
            out += x
        rows.append(out[: network.n_outputs])
    return np.array(rows, dtype=np.float64).reshape(len(z), network.n_outputs)


@given(st.integers(0, 2**32), st.integers(0, 4), st.booleans())
def test_window_network__equals_python_integers(seed, n_rows, couple):
    rng = np.random.default_rng(seed)
    network = random_windows(rng, 3, (4, 6, 5), 11, 13, couple)  # the last window lacks an input and two outputs
    z = rng.integers(-INPUT_MAX, INPUT_MAX + 1, (n_rows, 11)).astype(np.int16)
    expected = oracle(network, z)
    assert_array_equal(network.logits(z), expected)
    assert_array_equal(network.decide(z), expected > 0)
    assert_array_equal(WindowNetwork.from_tensors(network.to_tensors()).logits(z), expected)


@given(st.integers(0, 2**32), st.booleans())
def test_code_network__is_the_network_of_its_vectors(seed, book_per_window):
    rng = np.random.default_rng(seed)
    network = random_windows(rng, 3, (6, 5, 4), 18, 10)
    vectors = rng.integers(-INPUT_MAX, INPUT_MAX, (3 if book_per_window else 1, 2, 7, 3)).astype(np.int16)
    codes = rng.integers(0, 7, (5, 6))
    z = [
        [
            vectors[window if book_per_window else 0, head, row[2 * window + head]].tolist()
            for window in range(3)
            for head in range(2)
        ]
        for row in codes.tolist()
    ]
    decoder = CodeNetwork.from_tensors(CodeNetwork(vectors, network).to_tensors())
    assert_array_equal(decoder.logits(codes), oracle(network, np.array(z, dtype=np.int16).reshape(5, 18)))


def test_code_table__says_what_the_codes_say():
    steps = np.arange(-12, 12, dtype=np.int8).reshape(2, 3, 4)
    table = CodeTable.from_tensors(CodeTable(steps, 7).to_tensors())
    # Code 2 of the first window, 0 of the second: odd sixteenths of a nat, never 0.
    assert table.logits(np.array([[2, 0]])).tolist() == [[-7, -5, -3, -1, 1, 3, 5]]
    assert table.decide(np.array([[2, 0]])).tolist() == [[0, 0, 0, 0, 1, 1, 1]]
    for codes in (np.array([[3, 0]]), np.array([[-1, 0]]), np.array([[0]]), np.array([[0.0, 1.0]])):
        with pytest.raises(ValueError, match="code"):
            table.logits(codes)


@pytest.mark.parametrize("change", ["weight", "bias", "sites", "absent", "sums"])
def test_window_network__what_does_not_fit_is_refused(change):
    network = random_windows(np.random.default_rng(1), 3, (4, 6, 5), 11, 13)
    tensors = network.to_tensors()
    if change == "absent":
        del tensors["1.shift"]
    elif change == "sites":
        tensors["window_bits"] = np.array([5, 12, 11, 10, 0])
    elif change == "sums":
        tensors["1.bias"] = np.full((3, 5), 2**53)
    else:
        tensors[f"0.{change}"] = tensors[f"0.{change}"][:2]
    with pytest.raises(ValueError, match=r"wanted|meets|not|exact"):
        WindowNetwork.from_tensors(tensors)


def test_exact_windows__agree_with_the_float_networks():
    torch = pytest.importorskip("torch")
    from haploom.models.model import Batch
    from haploom.models.vqvae import VQVAE, VQVAEConfig
    from haploom.models.window_vae import WindowConfig, WindowVAE
    from haploom.models.windows_to_exact import exact_code_decoder, exact_window_decoder, exact_window_encoder

    torch.manual_seed(3)
    x = (torch.rand(200, 230) < torch.rand(230) ** 2).float()
    batch, alleles = Batch(x), x.numpy()

    def trained(model):
        optimizer = torch.optim.Adam(model.parameters(), 1e-2)
        for _ in range(25):
            noise = None if model.noise_shape is None else torch.randn(200, *model.noise_shape)
            loss = sum(term.mean() for term in model(batch, noise).losses.values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return model.eval()

    def bits(log_odds):
        return (np.logaddexp(0, log_odds) - alleles * log_odds).sum() / np.log(2)

    with torch.no_grad():
        for heads in (1, 4):
            with torch.enable_grad():
                model = trained(VQVAE(VQVAEConfig(n_sites=230, window=50, n_latent=8, heads=heads, codes=16)))
            codes = model.codes(batch)
            decoder = exact_code_decoder(model, codes)
            wanted = model.decode_codes(codes).double().numpy()
            got = np.asarray(decoder.logits(codes.flatten(1).numpy()), dtype=float) / 2**decoder.output_bits
            assert bits(got) < 1.01 * bits(wanted)
            assert np.abs(got - wanted).max() < (0.07 if heads == 1 else 0.02)
        for couple in (False, True):
            with torch.enable_grad():
                model = trained(WindowVAE(WindowConfig(n_sites=230, window=50, n_latent=3, couple=couple)))
            mean, log_variance = model.encode(batch)
            decoder = exact_window_decoder(model, mean, latent_bits=5)
            got = decoder.logits(decoder.quantise_input(mean.numpy())) / 2**decoder.output_bits
            assert bits(got) < 1.01 * bits(model.decode(mean).double().numpy())
            encoder = exact_window_encoder(model, x)
            numbers = encoder.logits(alleles.astype(np.int16)).reshape(200, -1, 2, 3) / 2**encoder.output_bits
            assert np.abs(numbers[:, :, 0].reshape(200, -1) - mean.numpy()).max() < 0.02
            assert np.abs(numbers[:, :, 1].reshape(200, -1) - log_variance.numpy()).max() < 0.02
