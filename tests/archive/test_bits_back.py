"""Bits-back coding: true round trips, lengths against the evidence bound, the same bytes everywhere, damage."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

torch = pytest.importorskip("torch")

from haploom.archive.bits_back import BitsBack  # noqa: E402
from haploom.entropy_coding.normal_bins import (  # noqa: E402
    LOG_VARIANCE_BITS,
    REACH,
    TOTAL_BITS,
    VALUE_BITS,
    normal_frequencies,
    prior_below,
)
from haploom.exact import IntegerNetwork  # noqa: E402
from haploom.io import Selection, read_panel  # noqa: E402
from haploom.models.model import Batch  # noqa: E402
from haploom.models.to_exact import exact_decoder, exact_encoder  # noqa: E402
from haploom.models.vae import VAE, VAEConfig  # noqa: E402


def as_batch(alleles: np.ndarray) -> Batch:
    return Batch(torch.from_numpy(alleles).float())


def trained_vae(alleles: np.ndarray, n_steps: int, batch_size: int, **shape) -> VAE:
    """A VAE after a short training."""
    torch.manual_seed(1)
    model = VAE(VAEConfig(n_sites=alleles.shape[1], **shape))
    model.start_at(torch.from_numpy(alleles.mean(axis=0)).float())
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    rng = np.random.default_rng(1)
    for _ in range(n_steps):
        optimizer.zero_grad()
        batch = as_batch(alleles[rng.choice(len(alleles), batch_size, replace=False)])
        terms = model(batch, torch.randn(batch_size, model.config.n_latent))
        sum(term.mean() for term in terms.losses.values()).backward()
        optimizer.step()
    return model.eval()


@torch.no_grad()
def float_bound_bits(model: VAE, alleles: np.ndarray, n_draws: int = 5) -> float:
    """The float model's negative evidence lower bound, bits per haplotype."""
    torch.manual_seed(2)
    draws = [model(as_batch(alleles), torch.randn(len(alleles), model.config.n_latent)) for _ in range(n_draws)]
    return float(np.mean([sum(t.mean().item() for t in terms.losses.values()) for terms in draws]) / np.log(2))


@torch.no_grad()
def codec_of(model: VAE, alleles: np.ndarray) -> BitsBack:
    return BitsBack(
        exact_encoder(model, torch.from_numpy(alleles).float()),
        exact_decoder(model, model.encode(as_batch(alleles))[0]),
    )


@pytest.fixture(scope="module")
def alleles(two_populations):
    return two_populations.alleles()


@pytest.fixture(scope="module")
def model(alleles):
    return trained_vae(alleles, 60, 40, n_latent=6, hidden=(48, 24), decoder_hidden=(24, 48))


@pytest.fixture(scope="module")
def codec(model, alleles):
    return codec_of(model, alleles)


@pytest.mark.parametrize("n_rows", [0, 1, 2, 120])
def test_bits_back__decode_inverts_encode(codec, alleles, n_rows):
    rows = alleles[:n_rows]
    assert_array_equal(codec.decode(codec.encode(rows), n_rows), rows)


def test_bits_back__rows_unlike_any_the_model_has_seen(codec, alleles):
    rng = np.random.default_rng(4)
    odd = np.stack([np.ones(300), np.zeros(300), *rng.integers(0, 2, (30, 300)), *(1 - alleles[:9])]).astype(np.uint8)
    assert_array_equal(codec.decode(codec.encode(odd), len(odd)), odd)


def test_bits_back__more_latents_than_alleles():
    # Draws take more bits than the haplotypes before them left.
    rng = np.random.default_rng(4)
    rows = rng.integers(0, 2, (50, 3), dtype=np.uint8)
    codec = codec_of(trained_vae(rows, 2, 40, n_latent=40, hidden=(8,), decoder_hidden=(8,)), rows)
    assert_array_equal(codec.decode(codec.encode(rows), 50), rows)


def test_bits_back__length_is_the_bound_of_the_same_integers(codec, alleles):
    # Expectations over the bins in floats: the divergence exactly, the alleles' term from draws of NumPy's.
    step_bits, bits = codec.decoder.input_bits, codec.encoder.output_bits
    latents = np.arange(-REACH << step_bits, REACH << step_bits).astype(np.int16)
    prior = np.diff(prior_below(step_bits)) / 2**TOTAL_BITS
    mean, log_variance = np.split(codec.encoder.logits(alleles.astype(np.int16)), 2, axis=1)
    mean, log_variance = (
        mean * 2 ** (VALUE_BITS - bits),
        np.floor(log_variance * 2.0 ** (LOG_VARIANCE_BITS - bits) + 0.5),
    )
    rng, divergence, draws = np.random.default_rng(8), 0.0, np.empty((40, *mean.shape), dtype=np.int16)
    for place in np.ndindex(mean.shape):
        gaussian = [np.full(len(latents), each[place], dtype=np.int64) for each in (mean, log_variance)]
        q = normal_frequencies(*gaussian, latents, step_bits)[1] / 2**TOTAL_BITS
        divergence += (q * np.log2(np.where(q > 0, q, 1) / prior)).sum() / len(alleles)
        draws[:, *place] = rng.choice(latents, 40, p=q)
    log_odds = codec.decoder.logits(draws.reshape(-1, mean.shape[1])).reshape(40, *alleles.shape)
    log_odds /= 2**codec.decoder.output_bits
    reconstruction = (np.logaddexp(0, log_odds) - alleles * log_odds).sum(axis=2).mean() / np.log(2)
    # The first draw's bits do not come back: at most TOTAL_BITS a latent.
    stored = 8 * len(codec.encode(np.tile(alleles, (20, 1)))) / (20 * len(alleles))
    assert stored == pytest.approx(reconstruction + divergence, rel=0.01)


def test_bits_back__length_is_the_float_models_bound_on_real_people(real_data):
    panel = read_panel(real_data / "chr22-dense.vcf.gz", Selection(regions=("22:50250000-50350000",)))
    panel = panel.select_sites(panel.minor_allele_frequencies() > 0.01)
    held_out = np.arange(panel.n_haplotypes) // 2 % 5 == 0  # every fifth person
    train, test = panel.alleles()[~held_out], panel.alleles()[held_out]
    model = trained_vae(train, 100, 128, n_latent=16, hidden=(128,), decoder_hidden=(128,))
    codec = codec_of(model, train[:500])
    data = codec.encode(test)
    assert_array_equal(codec.decode(data, len(test)), test)
    bound = float_bound_bits(model, test)
    assert 8 * len(data) / len(test) == pytest.approx(bound, rel=0.01)
    # The model has learned something, so the bound is one worth reaching.
    p = (train.sum(axis=0) + 0.5) / (len(train) + 1)
    assert bound < 0.7 * -(test * np.log2(p) + (1 - test) * np.log2(1 - p)).sum(axis=1).mean()


def test_exact_encoder__agrees_with_the_float_network(codec, model, alleles):
    got = codec.encoder.logits(alleles.astype(np.int16)) / 2**codec.encoder.output_bits
    with torch.no_grad():
        wanted = torch.cat(model.encode(as_batch(alleles)), dim=1).numpy()
    assert np.abs(got - wanted).max() < 0.01


def test_bits_back__the_same_bytes_however_many_rows_a_network_takes(codec, alleles, monkeypatch):
    wanted, whole = codec.encode(alleles), IntegerNetwork.logits
    for n_rows in (1, 7):

        def in_batches(network, z, n_rows=n_rows):
            return np.concatenate([whole(network, z[start : start + n_rows]) for start in range(0, len(z), n_rows)])

        monkeypatch.setattr(IntegerNetwork, "logits", in_batches)
        assert codec.encode(alleles) == wanted


def test_bits_back__the_same_bytes_with_any_number_of_threads(codec, alleles, tmp_path):
    for name in ("encoder", "decoder"):
        np.savez(tmp_path / f"{name}.npz", **getattr(codec, name).to_tensors())
    np.save(tmp_path / "alleles.npy", alleles)
    program = (
        "import sys, hashlib, numpy as np\n"
        "from haploom.archive.bits_back import BitsBack\n"
        "from haploom.exact import IntegerNetwork\n"
        "networks = [IntegerNetwork.from_tensors(dict(np.load(sys.argv[1] + f'/{name}.npz')))\n"
        "            for name in ('encoder', 'decoder')]\n"
        "print(hashlib.sha256(BitsBack(*networks).encode(np.load(sys.argv[1] + '/alleles.npy'))).hexdigest())\n"
    )
    wanted = hashlib.sha256(codec.encode(alleles)).hexdigest()
    for threads in ("1", "2"):
        environment = dict(os.environ, OMP_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads)
        run = [sys.executable, "-c", program, str(tmp_path)]
        got = subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout
        assert got.strip() == wanted


def test_bits_back__damage_is_reported(codec, alleles):
    data = codec.encode(alleles)
    places = np.random.default_rng(6).integers(0, len(data), 30)
    damaged = [data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :] for place in places.tolist()]
    for each in [*damaged, data[:-1], data[:-4], data[4:], data + b"\0\0\0\0", b""]:
        with pytest.raises(ValueError, match=r"stack|no place"):
            codec.decode(each, len(alleles))
    for n_rows in (len(alleles) - 1, len(alleles) + 1):
        with pytest.raises(ValueError, match=r"stack|no place"):
            codec.decode(data, n_rows)


def test_bits_back__another_model_is_reported(codec, alleles):
    layer = codec.decoder.layers[-1]
    other = IntegerNetwork(
        (*codec.decoder.layers[:-1], replace(layer, bias=layer.bias + (1 << 30))),
        codec.decoder.input_bits,
        codec.decoder.output_bits,
    )
    with pytest.raises(ValueError, match=r"stack|no place"):
        BitsBack(codec.encoder, other).decode(codec.encode(alleles), len(alleles))


def test_bits_back__networks_that_do_not_fit_are_refused(codec, model):
    with pytest.raises(ValueError, match="does not fit"):
        BitsBack(codec.decoder, codec.encoder)
    with pytest.raises(ValueError, match=r"steps of 2\*\*-11"):
        BitsBack(codec.encoder, exact_decoder(model, torch.zeros(3, 6), latent_bits=11))
