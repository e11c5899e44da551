"""`haploom embed`: standard deviations, one person alone, labels that are not there, maps beside each other."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.embedding import embed_panel, has_posterior
from haploom.errors import HaploomError
from haploom.io import write_panel, write_populations
from haploom.io.model_file import read_model, write_model
from haploom.models.model import Batch
from haploom.models.network import load_network
from haploom.panel import DosagePanel
from haploom.training.config import TrainingConfig
from haploom.training.fit import train_model


@pytest.fixture(scope="module")
def folder(two_populations, two_populations_split, small_model, tmp_path_factory):
    """People, their labels, and models: vae, pca, cvae."""
    folder = tmp_path_factory.mktemp("embed")
    write_panel(two_populations, folder / "people.vcf.gz")
    write_populations(folder / "people.tsv", two_populations.samples, two_populations.populations)
    (folder / "vae.model").write_bytes(small_model.read_bytes())
    unphased = DosagePanel.from_panel(two_populations)
    for name, kind, panel in (
        ("pca", "pca", two_populations), ("cvae", "cvae", two_populations), ("unphased", "pca", unphased)
    ):  # fmt: skip
        config = TrainingConfig(epochs=8, batch_size=24)
        trained = train_model(
            panel, two_populations_split, "population", kind=kind, config=config, shape={"n_latent": 3}
        )
        write_model(trained.model, folder / f"{name}.model")
    return folder


def test_embed__standard_deviations_are_the_encoders(two_populations, small_model):
    model = read_model(small_model)
    embedding = embed_panel(two_populations, model, uncertainty=True)
    network = load_network(model).eval()
    with torch.no_grad():
        mean, log_variance = network.encode(Batch(torch.from_numpy(two_populations.alleles()).float()))
    np.testing.assert_allclose(embedding.z, mean, atol=1e-5)
    np.testing.assert_allclose(np.square(embedding.spread), log_variance.exp(), rtol=1e-4)
    assert embed_panel(two_populations, model).spread is None


def test_embed__refined_latents_make_rows_likelier(two_populations, small_model, folder, tmp_path, capsys):
    network = load_network(read_model(small_model)).eval()
    batch = Batch(torch.from_numpy(two_populations.alleles()).float())
    nats = {}
    for name, more in (("means", []), ("refined", ["--refine"])):
        table = tmp_path / f"{name}.tsv"
        given = ["embed", f"{folder}/people.vcf.gz", "-m", f"{folder}/vae.model", "-o", f"{table}"]
        assert run(haploom, [*given, *more]) == 0
        z = torch.tensor([[float(x) for x in line.split("\t")[2:6]] for line in table.read_text().splitlines()[1:]])
        with torch.no_grad():  # the alleles and the prior, a Bernoulli and a Gaussian written out
            p = torch.sigmoid(network.decode(z)).double().clamp(1e-12, 1 - 1e-12)
        alleles = batch.counts.double()
        likelihood = (alleles * p.log() + (1 - alleles) * (1 - p).log()).sum(dim=1)
        nats[name] = -likelihood + 0.5 * z.double().square().sum(dim=1)
    assert (nats["refined"] < nats["means"] + 0.05).double().mean() > 0.98
    assert nats["refined"].mean() < nats["means"].mean()
    capsys.readouterr()


def test_embed__refining_is_refused_of_other_kinds_and_with_uncertainty(two_populations, folder, tmp_path, capsys):
    for name in ("pca", "cvae"):
        given = ["embed", f"{folder}/people.vcf.gz", "-m", f"{folder}/{name}.model", "-o", f"{tmp_path}/z.tsv"]
        assert run(haploom, [*given, "--refine"]) == 3
        assert f"a model of kind {name} cannot be refined: leave --refine out" in capsys.readouterr().err
    vae = ["embed", f"{folder}/people.vcf.gz", "-m", f"{folder}/vae.model", "-o", f"{tmp_path}/z.tsv"]
    assert run(haploom, [*vae, "--refine", "--uncertainty"]) == 2
    with pytest.raises(HaploomError, match="the encoder's, about its own means"):
        embed_panel(two_populations, read_model(folder / "vae.model"), uncertainty=True, refine=True)
    assert list(tmp_path.iterdir()) == []


def test_embed__a_point_has_no_standard_deviation(two_populations, folder):
    model = read_model(folder / "pca.model")
    assert not has_posterior(model)
    with pytest.raises(HaploomError, match="kind pca places each row at a point: leave --uncertainty out"):
        embed_panel(two_populations, model, uncertainty=True)


def test_embed__without_labels_a_cvae_takes_the_likeliest(two_populations, folder, caplog):
    model = read_model(folder / "cvae.model")
    bare = two_populations.with_populations({})
    guessed = embed_panel(bare, model).z
    assert "placed under the label of the cvae that rebuilds it best" in caplog.text
    under = {}
    for label in model.labels:
        told = two_populations.with_populations({"population": np.full(60, label)})
        under[label] = embed_panel(told, model).z
    network = load_network(model).eval()
    counts = torch.from_numpy(two_populations.alleles()).float()
    for row in range(0, 120, 7):  # slowly, a row at a time: the likelihood of what each label's own decoder makes
        nats = []
        for place, label in enumerate(model.labels):
            with torch.no_grad():
                odds = network.decode(torch.from_numpy(under[label][row : row + 1]), torch.tensor([place]))
            p = torch.sigmoid(odds[0].double())
            nats.append(float(torch.log(torch.where(counts[row] > 0, p, 1 - p)).sum()))
        likeliest = model.labels[int(np.argmax(nats))]
        np.testing.assert_allclose(guessed[row], under[likeliest][row], atol=1e-5)


def test_embed__one_person_is_where_they_are_in_the_cohort(folder, capsys):
    arguments = ["embed", f"{folder}/people.vcf.gz", "-m", f"{folder}/vae.model", "--uncertainty", "--force"]
    tables = {}
    for name, more in (("all", []), ("one", ["-s", "P07"])):
        plot = ["--plot", f"{folder}/{name}.html", "--beside", f"{folder}/pca.model", "-o", f"{folder}/{name}.tsv"]
        assert run(haploom, [*arguments, *plot, *more, "--json"]) == 0
        tables[name] = [line.split("\t") for line in (folder / f"{name}.tsv").read_text().splitlines()]
        assert (folder / f"{name}.html").read_text().startswith("<!doctype html>")
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["haplotypes"] == 2
    assert tables["one"][0] == ["sample", "haplotype", "z1", "z2", "z3", "z4", "s1", "s2", "s3", "s4", "part"]
    for alone, together in zip(tables["one"][1:], [line for line in tables["all"] if line[0] == "P07"], strict=True):
        assert alone[:2] + alone[-1:] == together[:2] + together[-1:]
        np.testing.assert_allclose([float(x) for x in alone[2:-1]], [float(x) for x in together[2:-1]], rtol=1e-4)


def test_embed__refusals_of_the_command(folder, tmp_path, capsys):
    given = ["embed", f"{folder}/people.vcf.gz", "-m", f"{folder}/vae.model", "-o", f"{tmp_path}/z.tsv"]
    assert run(haploom, [*given, "--beside", f"{folder}/pca.model"]) == 2
    assert run(haploom, [*given, "--plot", f"{tmp_path}/map.svg", "--beside", f"{folder}/pca.model"]) == 2
    for twice in (["vae"], ["pca", "pca"]):
        beside = [each for name in twice for each in ("--beside", f"{folder}/{name}.model")]
        assert run(haploom, [*given, "--plot", f"{tmp_path}/map.html", *beside]) == 2
    assert "given twice" in capsys.readouterr().err
    assert run(haploom, [*given, "--plot", f"{tmp_path}/map.gif"]) == 3
    assert ".html" in capsys.readouterr().err
    pca = ["embed", f"{folder}/people.vcf.gz", "-m", f"{folder}/pca.model", "-o", f"{tmp_path}/z.tsv"]
    assert run(haploom, [*pca, "--uncertainty"]) == 3
    assert run(haploom, [*given, "--plot", f"{tmp_path}/map.html", "--beside", f"{folder}/unphased.model"]) == 3
    assert "draw them apart" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
