"""Imputed genotypes against what a network says one row at a time, and VCF text against its own meaning."""

import gzip

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("torch")

import torch

from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.errors import HaploomError, SiteMismatchError
from haploom.imputation import impute_panel, write_imputed
from haploom.imputation.expectation import expected_copies
from haploom.io import read_panel, write_panel
from haploom.io.model_file import read_model
from haploom.models.model import Batch
from haploom.models.network import build_network, load_network
from haploom.models.yvae import YVAEConfig
from haploom.panel import MISSING, DosagePanel, Variants
from haploom.training.config import TrainingConfig
from haploom.training.fit import train_model

TYPED = np.arange(300) % 3 != 1


@pytest.fixture(scope="module")
def unphased_model(two_populations, two_populations_split):
    people = DosagePanel.from_panel(two_populations)
    config = TrainingConfig(epochs=2, batch_size=12)
    return train_model(people, two_populations_split, "population", config=config, shape={"n_latent": 4}).model


def test_impute__calls_stay_and_gaps_are_the_decoders_probabilities(two_populations, small_model):
    model = read_model(small_model)
    imputed = impute_panel(two_populations.select_sites(TYPED), model)
    alleles = two_populations.alleles()
    assert_array_equal(imputed.probabilities(TYPED), alleles[:, TYPED])
    assert_array_equal(imputed.untyped, ~TYPED)
    network = load_network(model)
    away = torch.from_numpy(alleles).float() - network.frequency
    away *= torch.from_numpy(np.where(TYPED, 1 / TYPED.mean(), 0)).float()  # what is typed counts for what is not
    known = network.frequency + away
    with torch.no_grad():
        wanted = torch.sigmoid(network.decode(network.encode(Batch(known))[0])).numpy()
    assert_allclose(imputed.probabilities(~TYPED), wanted[:, ~TYPED], atol=6e-4)  # kept in thousandths
    assert_allclose(imputed.dosages()[7], imputed.probabilities()[14:16].sum(axis=0), atol=1e-6)


def test_impute__swapped_alleles_come_back_as_the_models(two_populations, small_model):
    model = read_model(small_model)
    sites = two_populations.variants
    swapped = Variants(sites.chrom, sites.position_bp, sites.id, sites.alt, sites.ref, sites.contig_length_bp)
    other = type(two_populations).from_alleles(1 - two_populations.alleles(), swapped, two_populations.samples)
    assert_array_equal(
        impute_panel(other.select_sites(TYPED), model).thousandths,
        impute_panel(two_populations.select_sites(TYPED), model).thousandths,
    )


def test_impute__better_than_the_allele_frequency(two_populations, two_populations_split, small_model):
    test = two_populations.select_samples(two_populations_split.samples("test", two_populations.samples))
    model = read_model(small_model)
    imputed = impute_panel(test.select_sites(TYPED), model).probabilities(~TYPED)
    truth = test.alleles()[:, ~TYPED]
    frequency = load_network(model).frequency.numpy()[~TYPED]
    assert ((imputed - truth) ** 2).mean() < 0.7 * ((frequency - truth) ** 2).mean()


def test_impute__unphased_people_and_missing_calls(two_populations, unphased_model):
    people = DosagePanel.from_panel(two_populations)
    dosages = people.dosages.copy()
    missing = np.random.default_rng(1).random(dosages.shape) < 0.2
    missing[:, 5] = True
    dosages[missing] = MISSING
    holes = DosagePanel(dosages, people.variants, people.samples)
    imputed = impute_panel(holes, unphased_model)
    assert imputed.ploidy == 2
    assert np.flatnonzero(imputed.untyped).tolist() == [5]
    assert_array_equal(imputed.dosages()[~missing], people.dosages[~missing])
    assert ((imputed.dosages()[missing] > 0) & (imputed.dosages()[missing] < 2)).mean() > 0.9
    # A row does not depend on the others.
    assert_array_equal(
        impute_panel(holes.select_samples(["P07"]), unphased_model).thousandths[0], imputed.thousandths[7]
    )


def test_impute__a_denoiser_of_unphased_people_fills_in_missing_calls(two_populations, two_populations_split):
    dosages = DosagePanel.from_panel(two_populations).dosages.copy()
    missing = np.random.default_rng(2).random(dosages.shape) < 0.3
    truth = dosages[missing]
    dosages[missing] = MISSING
    holes = DosagePanel(dosages, two_populations.variants, two_populations.samples, two_populations.populations)
    config = TrainingConfig(epochs=15, batch_size=12, learning_rate=8e-3, hidden_share=0.9)
    shape = {"window": 50, "context": 20, "hidden": 16}
    model = train_model(holes, two_populations_split, "population", kind="denoiser", config=config, shape=shape).model
    imputed = impute_panel(holes, model).dosages()
    frequency = 2 * np.broadcast_to(model.arrays["weights.frequency"], dosages.shape)
    assert ((imputed[missing] - truth) ** 2).mean() < 0.8 * ((frequency[missing] - truth) ** 2).mean()


def test_impute__labels_are_averaged_by_how_well_each_explains_the_row(two_populations):
    torch.manual_seed(1)
    network = build_network("yvae", YVAEConfig(n_sites=6, n_labels=2, n_latent=2, hidden=(4,), decoder_hidden=(4,)))
    network.eval()
    batch = Batch(torch.tensor([[0.0, 1, 1, 0, 0, 1], [1, 1, 0, 0, 1, 0]]), torch.arange(6) < 4)
    likelihoods, shares = [], []
    with torch.no_grad():
        for member in network.members:
            terms = member(batch)
            likelihoods.append(torch.exp(-terms.losses["reconstruction"] - terms.losses["kl"]))
            shares.append(torch.sigmoid(member.decode(member.encode(batch)[0])))
    a, b = likelihoods
    wanted = (a[:, None] * shares[0] + b[:, None] * shares[1]) / (a + b)[:, None]
    got = expected_copies(network, batch)
    assert_allclose(got[:, 4:], wanted[:, 4:], rtol=1e-4)
    assert_array_equal(got[:, :4], batch.counts[:, :4])


def test_impute__refusals(two_populations, two_populations_split, small_model):
    config = TrainingConfig(epochs=1)
    causal = train_model(two_populations, two_populations_split, "population", kind="autoregressive", config=config)
    with pytest.raises(HaploomError, match="kind autoregressive cannot impute"):
        impute_panel(two_populations, causal.model)
    model = read_model(small_model)
    with pytest.raises(HaploomError, match="phase them first"):
        impute_panel(DosagePanel.from_panel(two_populations), model)
    with pytest.raises(SiteMismatchError, match="at least 50 %"):
        impute_panel(two_populations.select_sites(slice(10)), model, min_coverage=0.5)


def cells(path):
    """Header lines, and the cells of each record, of a VCF in gzip."""
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    return [line for line in lines if line.startswith("##")], [
        line.split("\t") for line in lines if not line.startswith("#")
    ]


def test_impute_command__the_file_says_what_the_model_thinks(two_populations, small_model, tmp_path, capsys):
    write_panel(two_populations.select_sites(TYPED), tmp_path / "typed.vcf")
    out = tmp_path / "out.vcf.gz"
    assert run(haploom, ["impute", str(tmp_path / "typed.vcf"), "--model", str(small_model), "-o", str(out)]) == 0
    assert "200 of the model's 300 sites" in capsys.readouterr().err
    imputed = impute_panel(two_populations.select_sites(TYPED), read_model(small_model))
    head, records = cells(out)
    assert any(line.startswith('##imputation=<Source="haploom",Model="') for line in head)
    h = imputed.probabilities()
    for site, (record, typed) in enumerate(zip(records, TYPED)):
        info = dict(pair.partition("=")[::2] for pair in record[7].split(";"))
        assert abs(float(info["AF"]) - h[:, site].mean()) < 1e-5
        assert ("IMPUTED" in info) == (not typed)
        assert ("R2" in info) == (not typed)
        if not typed:
            p = h[:, site].mean(dtype=np.float64)
            assert abs(float(info["R2"]) - h[:, site].var(dtype=np.float64) / (p * (1 - p))) < 1e-4
        for person, cell in enumerate(record[9:]):
            gt, ds, hds = cell.split(":")
            pair = h[2 * person : 2 * person + 2, site]
            assert gt == "|".join(str(int(p > 0.5)) for p in np.round(pair, 3))
            assert_allclose([float(x) for x in hds.split(",")], pair, atol=1e-6)
            assert_allclose(float(ds), pair.sum(), atol=1e-6)
    again = read_panel(out)
    assert_array_equal(again.alleles()[:, TYPED], two_populations.alleles()[:, TYPED])
    assert again.variants.fingerprint() == two_populations.variants.fingerprint()


def test_write_imputed__likeliest_genotypes_of_people(two_populations, unphased_model, tmp_path):
    imputed = impute_panel(DosagePanel.from_panel(two_populations.select_sites(TYPED)), unphased_model)
    write_imputed(imputed, unphased_model, "0" * 64, tmp_path / "x.vcf.gz", no_version=True)
    _, records = cells(tmp_path / "x.vcf.gz")
    for site, record in enumerate(records):
        assert record[8] == "GT:DS"
        for dosage, cell in zip(imputed.dosages()[:, site], record[9:]):
            gt, ds = cell.split(":")
            o = float(dosage) / 2
            chances = [(1 - o) ** 2, 2 * o * (1 - o), o**2]
            assert gt == ("0/0", "0/1", "1/1")[int(np.argmax(chances))]
            assert float(ds) == pytest.approx(dosage, abs=1e-6)


def test_impute_command__refuses_bcf_before_reading(small_model, tmp_path, capsys):
    (tmp_path / "x.vcf").write_text("no VCF")
    command = ["impute", str(tmp_path / "x.vcf"), "--model", str(small_model), "-o", str(tmp_path / "x.bcf")]
    assert run(haploom, command) == 3
    assert "bcftools view -Ob" in capsys.readouterr().err
