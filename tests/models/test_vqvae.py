"""The VQ-VAE: gradients that go where equation 9 says, codebooks that live, codes that cost what they say."""

import math

import pytest
from numpy.testing import assert_allclose, assert_array_equal

torch = pytest.importorskip("torch")

import torch.distributed as dist  # noqa: E402
import torch.multiprocessing as mp  # noqa: E402

from haploom.errors import HaploomError  # noqa: E402
from haploom.models.codebook import Codebook, perplexity  # noqa: E402
from haploom.models.model import Batch  # noqa: E402
from haploom.models.normalisation import WindowNorm  # noqa: E402
from haploom.models.vqvae import VQVAE, VQVAEConfig  # noqa: E402
from haploom.models.windows import together  # noqa: E402

SHAPE = {
    "n_sites": 23, "window": 5, "n_latent": 4, "heads": 2, "codes": 8, "hidden": (7,), "decoder_hidden": (6,),
}  # fmt: skip


def model_of(seed=1, **changes):
    torch.manual_seed(seed)
    return VQVAE(VQVAEConfig(**{**SHAPE, **changes}))


def rows(n=16):
    return torch.randint(0, 2, (n, 23), generator=torch.Generator().manual_seed(2)).float()


def encoder_gradient(model, loss):
    weights = list(model.encoder_hidden.parameters())
    return [
        torch.zeros_like(w) if g is None else g
        for w, g in zip(weights, torch.autograd.grad(loss, weights, allow_unused=True, retain_graph=True))
    ]


def codebook_of(**changes):
    torch.manual_seed(1)
    settings = {"n_books": 1, "heads": 2, "size": 4, "n_features": 6, "by_gradient": True, "revive_below": 0.0}
    return Codebook(**{**settings, **changes})


def test_straight_through__the_decoders_loss_reaches_the_encoder():
    model = model_of()
    reconstruction = model(Batch(rows())).losses["reconstruction"].sum()
    first = encoder_gradient(model, reconstruction)
    assert any((gradient != 0).any() for gradient in first)
    # Another decoder's loss: the same codes, but other log-odds.
    model.output[1].weight.data *= 2
    second = encoder_gradient(model, model(Batch(rows())).losses["reconstruction"].sum())
    assert any((a - b).abs().max() > 1e-3 * a.abs().max() > 0 for a, b in zip(first, second))


def test_straight_through__the_gradient_is_that_of_the_quantised_values():
    # What the encoder's values get is the decoder's gradient at the vectors, copied.
    model = model_of().eval()
    values = torch.tanh(model.mean(model.encoder_hidden(model.windows.cut(rows())))).detach().requires_grad_()
    quantised = model.codebook(values).values.detach().requires_grad_()
    model._values = lambda batch: values
    through = torch.autograd.grad(model(Batch(rows())).losses["reconstruction"].sum(), values)[0]
    logits = super(VQVAE, model).decode(together(quantised))
    nats = torch.nn.functional.binary_cross_entropy_with_logits(logits, rows(), reduction="sum")
    assert_allclose(through, torch.autograd.grad(nats, quantised)[0], rtol=1e-4, atol=1e-6)


def test_equation_9__each_term_moves_what_it_should():
    model = model_of(commitment=0.25)
    losses = model(Batch(rows())).losses
    assert set(losses) == {"reconstruction", "codes", "codebook", "commitment"}
    assert_allclose(losses["commitment"].detach(), 0.25 * losses["codebook"].detach(), rtol=1e-5)
    for name, moves_encoder, moves_vectors in (
        ("reconstruction", True, False), ("codebook", False, True), ("commitment", True, False), ("codes", False, False)
    ):  # fmt: skip
        loss = losses[name].sum()
        assert any((g != 0).any() for g in encoder_gradient(model, loss)) == moves_encoder, name
        (of_vectors,) = torch.autograd.grad(loss, [model.codebook.vectors], allow_unused=True, retain_graph=True)
        assert (of_vectors is not None and bool((of_vectors != 0).any())) == moves_vectors, name


def test_codebook__gradient_by_hand():
    # One window, one head of one feature, codes at 0 and 1; values .2, .4 and .9: 2 (code - value), summed.
    book = codebook_of(heads=1, size=2, n_features=1)
    book.vectors.data = torch.tensor([0.0, 1.0]).reshape(1, 1, 2, 1)
    values = torch.tensor([0.2, 0.4, 0.9]).reshape(1, 3, 1)
    quantised = book(values)
    assert_array_equal(quantised.codes.flatten(), [0, 0, 1])
    assert_array_equal(quantised.values.detach().flatten(), [0, 0, 1])
    (quantised.values - values).square().sum().backward()
    assert_allclose(book.vectors.grad.flatten(), [2 * (-0.2 - 0.4), 2 * 0.1], rtol=1e-5)


@pytest.mark.parametrize("n_books", [1, 3])
def test_codebook__finds_the_nearest_vector_of_each_head(n_books):
    book = codebook_of(n_books=n_books)
    values = torch.randn(3, 10, 6)
    quantised = book(values)
    for window in range(3):
        for row in range(10):
            for head in range(2):
                vectors = book.vectors.detach()[window if n_books > 1 else 0, head]
                own = values[window, row, 3 * head : 3 * head + 3]
                nearest = (vectors - own).square().sum(dim=1).argmin()
                assert quantised.codes[window, row, head] == nearest
                found = quantised.values[window, row, 3 * head : 3 * head + 3].detach()
                assert_array_equal(found, vectors[nearest])


@pytest.mark.parametrize("n_books", [1, 2])
def test_codebook__moving_averages_settle_on_the_means(n_books):
    book = codebook_of(n_books=n_books, heads=1, size=2, n_features=1, by_gradient=False)
    assert not list(book.parameters())
    book.vectors.copy_(torch.tensor([0.0, 1.0])[:, None])
    values = torch.tensor([[-0.3, 0.1, 0.8, 1.6], [-0.5, 0.1, 0.8, 1.8]])[..., None]
    for _ in range(400):
        book(values)
    per_window = torch.tensor([[-0.1, 1.2], [-0.2, 1.3]])
    wanted = per_window if n_books == 2 else per_window.mean(dim=0, keepdim=True)
    assert_allclose(book.vectors.flatten(1), wanted, atol=1e-4)
    assert_allclose(book.usage.flatten(), 1, rtol=1e-3)


def test_codebook__dead_codes_revive_where_values_are():
    values = torch.rand(3, 50, 6)

    def trained(revive_below):
        book = codebook_of(n_books=3, size=8, revive_below=revive_below)
        book.vectors.data[:, :, 1:] = 100.0  # out of reach
        for _ in range(5):
            codes = book(values).codes
        return book, perplexity(codes, 8)

    dead, few = trained(0.0)
    alive, many = trained(0.1)
    assert few == 1
    assert many > 4
    assert (dead.vectors == 100).any()
    assert not (alive.vectors == 100).any()
    # Every vector is a value of its own window and head.
    for window in range(3):
        for head in range(2):
            own = values[window, :, 3 * head : 3 * head + 3]
            distance = torch.cdist(alive.vectors[window, head].detach(), own).min(dim=1).values
            assert distance.max() < 1e-3


def test_codebook__evaluation_changes_nothing():
    book = codebook_of(by_gradient=False, revive_below=0.5).eval()
    before = {name: tensor.clone() for name, tensor in book.state_dict().items()}
    book(torch.randn(3, 10, 6))
    for name, tensor in book.state_dict().items():
        assert_array_equal(tensor, before[name], err_msg=name)


def _one_of_two(rank, values, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    mine = values[:, [slice(0, 7), slice(7, 20)][rank]]  # shares of unequal size
    torch.save(_steps(mine), folder / f"{rank}.pt")
    dist.destroy_process_group()


def _steps(values):
    torch.manual_seed(1)
    norm = WindowNorm(3, 6)
    shared, own = (Codebook(n_books, 2, 4, 6, by_gradient=False, revive_below=0.6) for n_books in (1, 3))
    for _ in range(4):
        normalised = norm(values)
        shared(normalised), own(normalised)
    return {f"{name}.{key}": tensor.detach() for name, module in (("norm", norm), ("shared", shared), ("own", own))
            for key, tensor in module.state_dict().items()}  # fmt: skip


def test_codebook__two_processes_do_what_one_does(tmp_path):
    values = torch.randn(3, 20, 6, generator=torch.Generator().manual_seed(4))
    with torch.random.fork_rng():
        alone = _steps(values)
    mp.start_processes(_one_of_two, (values, tmp_path), nprocs=2, start_method="spawn")
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    for name, tensor in alone.items():
        assert_array_equal(first[name], second[name], err_msg=name)
        assert_allclose(first[name], tensor, rtol=1e-4, atol=1e-5, err_msg=name)


def test_perplexity__by_hand():
    # Window 0: all rows one code, perplexity 1; window 1: two codes alike, 2.
    codes = torch.tensor([[3, 3, 3, 3], [0, 5, 0, 5]])[..., None]
    assert perplexity(codes, 8).item() == pytest.approx(1.5)


def test_vqvae__codes_say_all_the_decoder_needs():
    model = model_of().eval()
    batch = Batch(rows())
    codes = model.codes(batch)
    assert codes.dtype == torch.int64
    assert codes.shape == (16, 5, 2)
    z, log_variance = model.encode(batch)
    assert z.shape == (16, 20)
    assert (torch.exp(log_variance) == 0).all()
    assert_array_equal(model.decode_codes(codes).detach(), model.decode(z).detach())
    wanted = torch.nn.functional.binary_cross_entropy_with_logits(model.decode_codes(codes), rows(), reduction="none")
    assert_allclose(model(batch).losses["reconstruction"].detach(), wanted.sum(dim=1).detach(), rtol=1e-5)


def test_vqvae__codes_alike_cost_log_k_each():
    losses = model_of(prior=False)(Batch(rows())).losses
    assert_allclose(losses["codes"], 5 * 2 * math.log(8))


def test_vqvae__the_prior_is_a_distribution_given_the_window_before():
    # Window 1 has one head of 3 codes: over all of them probabilities sum to 1, whatever window 0 is, and depend on it.
    model = model_of(n_sites=10, heads=1, codes=3).eval()
    totals, seen = [], []
    for before in range(3):
        codes = torch.tensor([[before, after] for after in range(3)])[..., None].transpose(0, 1)
        nats = model.code_nats(model.codebook.look_up(codes), codes)
        totals.append(torch.exp(-nats).sum().item())
        seen.append((nats - nats[0]).detach())
    assert sum(totals) == pytest.approx(1, rel=1e-5)
    assert not torch.allclose(seen[0], seen[1])


def test_vqvae__weights_start_as_xavier_says():
    model = model_of(n_sites=400, window=200, hidden=(100,))
    weight = model.encoder_hidden[0][0].weight
    assert weight.abs().max() <= math.sqrt(6 / 300)
    assert weight.std().item() == pytest.approx(math.sqrt(2 / 300), rel=0.02)


def test_vqvae_config__features_are_shared_out_among_heads():
    with pytest.raises(HaploomError, match="n_latent=4 must be a multiple of heads=3"):
        VQVAEConfig(**{**SHAPE, "heads": 3})
