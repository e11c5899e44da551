"""Why lossless work goes through integers: the same test, passed by the integer decoder, failed by the float one."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from haploom.models.model import Batch  # noqa: E402
from haploom.models.to_exact import exact_decoder, exact_encoder  # noqa: E402
from haploom.models.vae import VAE, VAEConfig  # noqa: E402

BATCHES = (1, 7, 1024)
N_ROWS = 1024


@pytest.fixture(scope="module")
def decoder():
    torch.manual_seed(1)
    model = VAE(VAEConfig(n_sites=1000, n_latent=16)).eval()
    latents = torch.randn(N_ROWS, 16, generator=torch.Generator().manual_seed(2))
    return model, latents


def digest(decode, z, batch):
    """SHA-256 of what a 16-bit coder would be given, decoded `batch` rows at a time."""
    rows = [decode(z[start : start + batch]) for start in range(0, len(z), batch)]
    return hashlib.sha256(np.ascontiguousarray(np.concatenate(rows)).tobytes()).hexdigest()


def test_same_everywhere__integer_decoder_passes(decoder):
    model, latents = decoder
    network = exact_decoder(model, latents)
    z = network.quantise_input(latents.numpy())
    assert len({digest(network.logits, z, batch) for batch in BATCHES}) == 1


def test_same_everywhere__float_decoder_fails():
    # Kept to show that the test above asks for something: 16-bit probabilities of a float network differ. Where and
    # how often depends on the processor and its linear algebra, so several shapes are tried.
    @torch.no_grad()
    def probabilities(z):
        return np.rint(torch.sigmoid(model.decode(z)).numpy() * 65535).astype(np.uint16)

    for n_sites, n_latent, n_hidden in ((1000, 16, 512), (999, 64, 512), (2000, 48, 100), (300, 4, 2048)):
        torch.manual_seed(1)
        model = VAE(
            VAEConfig(n_sites=n_sites, n_latent=n_latent, hidden=(n_hidden,), decoder_hidden=(n_hidden,))
        ).eval()
        latents = torch.randn(N_ROWS, n_latent)
        if len({digest(probabilities, latents, batch) for batch in (*BATCHES, 2, 33)}) > 1:
            return
    pytest.skip("the linear algebra of this machine rounds alike at every batch size tried")


def test_same_everywhere__threads_do_not_matter(tmp_path, decoder):
    model, latents = decoder
    network = exact_decoder(model, latents)
    np.savez(tmp_path / "decoder.npz", z=network.quantise_input(latents.numpy()), **network.to_tensors())
    program = (
        "import sys, hashlib, numpy as np\n"
        "from haploom.exact import IntegerNetwork\n"
        "arrays = dict(np.load(sys.argv[1])); z = arrays.pop('z')\n"
        "print(hashlib.sha256(IntegerNetwork.from_tensors(arrays).logits(z).tobytes()).hexdigest())\n"
    )
    digests = set()
    for threads in ("1", "2"):
        environment = dict(os.environ, OMP_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads)
        run = [sys.executable, "-c", program, str(tmp_path / "decoder.npz")]
        digests.add(subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout)
    assert len(digests) == 1


def test_exact_decoder__agrees_with_the_float_network(decoder):
    model, latents = decoder
    network = exact_decoder(model, latents)
    with torch.no_grad():
        wanted = model.decode(latents).numpy()
    got = network.logits(network.quantise_input(latents.numpy())) / 2.0**network.output_bits
    # Latents are rounded to 1/32; the log-odds have a spread near 1.
    assert np.abs(got - wanted).max() < 0.1
    assert np.mean((got > 0) != (wanted > 0)) < 0.01


@pytest.mark.parametrize("size", [1e-12, 1e-3, 1.0, 1e3, 1e6])
@pytest.mark.parametrize("layer", ["decoder_hidden", "output"])
def test_exact_decoder__bounds_hold_whatever_the_size_of_the_activations(layer, size):
    torch.manual_seed(1)
    model = VAE(VAEConfig(n_sites=50, n_latent=4, hidden=(32,), decoder_hidden=(32,))).eval()
    with torch.no_grad():
        block = model.output if layer == "output" else model.decoder_hidden[0]
        for tensor in block[1].parameters():  # scale and offset of the batch normalisation
            tensor.mul_(size)
        if layer == "decoder_hidden" and size < 1:
            model.decoder_hidden[0][0].weight[3] *= 1e5  # weights far larger than what the layer gives
        latents = torch.randn(200, 4)
        wanted = model.decode(latents).numpy()
    network = exact_decoder(model, latents)  # the network checks its own bounds
    got = network.logits(network.quantise_input(latents.numpy())) / 2.0**network.output_bits
    assert np.abs(got - wanted).max() < 0.1 * max(1.0, np.abs(wanted).max())


@pytest.mark.parametrize("size", [1e-12, 1e-3, 1.0, 1e3, 1e6])
@pytest.mark.parametrize("layer", ["encoder_hidden", "mean", "log_variance"])
def test_exact_encoder__bounds_hold_whatever_the_size_of_the_activations(layer, size):
    torch.manual_seed(1)
    model = VAE(VAEConfig(n_sites=50, n_latent=4, hidden=(32, 16))).eval()
    alleles = torch.randint(0, 2, (200, 50))
    with torch.no_grad():
        block = getattr(model, layer)
        for tensor in (block[-1] if layer == "encoder_hidden" else block)[1].parameters():
            tensor.mul_(size)
        wanted = torch.cat(model.encode(Batch(alleles.float())), dim=1).numpy()
    network = exact_encoder(model, alleles)
    got = network.logits(alleles.numpy().astype(np.int16)) / 2.0**network.output_bits
    assert np.abs(got - wanted).max() < 1e-3 * max(1.0, np.abs(wanted).max())
