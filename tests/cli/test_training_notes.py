"""What `train`, and the commands that use its models, say of options and kinds that do not go together."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")

from haploom.bench.train import train_records
from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.errors import HaploomError
from haploom.imputation import impute_panel
from haploom.io import Selection, write_panel, write_populations
from haploom.io.model_file import read_model, write_model
from haploom.io.model_kinds import CODES, WITHOUT_LATENTS
from haploom.models.network import KINDS
from haploom.report import training_curves
from haploom.training.fit import train_model


@pytest.fixture
def files(two_populations, tmp_path):
    write_panel(two_populations, tmp_path / "panel.vcf")
    write_populations(tmp_path / "labels.tsv", two_populations.samples, two_populations.populations)
    return tmp_path


def train(files, *options, source="panel.vcf"):
    labels = ["--populations", files / "labels.tsv", "-o", files / "m"]
    return run(haploom, [str(each) for each in ["train", files / source, *labels, *options]])


@pytest.fixture(scope="module")
def pca(two_populations, two_populations_split):
    return train_model(two_populations, two_populations_split, "population", kind="pca", shape={"n_latent": 2}).model


def test_kinds__codes_and_latents_are_those_of_the_networks():
    assert set(CODES) == {kind for kind, (_, network) in KINDS.items() if network.code_terms}
    config = {kind: settings(n_sites=4, n_labels=2 if kind == "yvae" else 0) for kind, (settings, _) in KINDS.items()}
    assert set(WITHOUT_LATENTS) == {kind for kind, (_, network) in KINDS.items() if not network(config[kind]).n_latents}


@pytest.mark.parametrize("command", ["embed", "classify"])
@pytest.mark.parametrize("kind", WITHOUT_LATENTS)
def test_embed_and_classify__without_latents_nothing_is_read(small_model, tmp_path, capsys, kind, command):
    model = read_model(small_model)
    write_model(replace(model, card=model.card.model_copy(update={"kind": kind})), tmp_path / "m")
    (tmp_path / "panel.vcf").write_text("no VCF\n")
    assert run(haploom, [command, f"{tmp_path}/panel.vcf", "-m", f"{tmp_path}/m", "-o", f"{tmp_path}/x"]) == 3
    assert f"a model of kind {kind} has no latent space: train one with --kind pca or vae" in capsys.readouterr().err


def test_impute__a_pca_cannot(pca, two_populations):
    with pytest.raises(HaploomError, match="kind pca cannot impute: train one with --kind denoiser"):
        impute_panel(two_populations, pca)


def test_train__options_that_do_nothing_for_a_pca(files, capsys):
    assert train(files, "--kind", "pca", "--latent", "2", "--epochs", "3", "--batch-size", "8", "--resume") == 0
    assert "--epochs, --batch-size, --resume does nothing here" in capsys.readouterr().err


def test_train__resume_without_a_checkpoint(files, capsys):
    assert train(files, "--latent", "2", "--epochs", "1", "--resume") == 0
    assert f"no checkpoint at {files / 'm.checkpoint'}: starts from the beginning" in capsys.readouterr().err


def test_train__interrupted_before_the_first_checkpoint(files, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("haploom.training.fit.train_model", interrupted)
    assert train(files) == 130
    assert "no checkpoint yet: nothing to resume" in capsys.readouterr().err


def test_train__unphased_input_names_the_option(files, capsys):
    (files / "bad.vcf").write_text((files / "panel.vcf").read_text().replace("0|1", "0/1"))
    assert train(files, source="bad.vcf") == 3
    assert "haploom train --unphased" in capsys.readouterr().err


def test_train__more_latents_than_memory(files, capsys):
    for latent in (10**12, 10**17, 10**30):
        assert train(files, "--latent", latent) == 3
        assert "choose a smaller --latent" in capsys.readouterr().err


def test_maf__nan_is_refused(files, capsys):
    assert train(files, "--maf", "nan") == 3
    assert "from 0 to 0.5: nan" in capsys.readouterr().err
    with pytest.raises(HaploomError, match=r"from 0 to 0\.5: -0\.1"):
        Selection(maf=-0.1)


def test_bench_train__a_profile_a_kind_has_not_is_told(two_populations, two_populations_split, caplog):
    wanted = [("autoregressive", "paper")]
    records = train_records(
        "task", two_populations, two_populations_split, "population", wanted, maf=0.0, settings={}
    )  # fmt: skip
    assert list(records) == []
    assert "autoregressive has no profile paper: skipped" in caplog.text


def test_loss_plot__of_a_pca_is_points_and_not_nats(pca, tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    drawing = SimpleNamespace(save_figure=lambda draw, *_: draw(ax))
    monkeypatch.setattr(training_curves, "figures", drawing)
    training_curves.save_loss_plot(pca, tmp_path / "loss.svg")
    assert ax.get_ylabel() == "Loss per haplotype"
    assert [line.get_label() for line in ax.get_lines()] == ["squared error", "squared error, validation"]
    assert all(line.get_marker() not in ("None", None, "") for line in ax.get_lines())
    ticks = ax.get_xticks()
    assert np.array_equal(ticks, np.rint(ticks))
