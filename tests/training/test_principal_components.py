"""PCA as a kind of model: trained, written, read and used as the others are, but without torch."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

pytest.importorskip("torch")

from haploom.ancestry import classify_panel
from haploom.embedding import embed_panel
from haploom.errors import CorruptModelError, HaploomError, SiteMismatchError
from haploom.io import write_panel
from haploom.io.model_file import ModelFile, describe_model, read_model, write_model
from haploom.panel import DosagePanel
from haploom.popgen.pca import PCA
from haploom.training.fit import train_model


def train_pca(panel, split, n_latent=3, **settings):
    return train_model(panel, split, "population", kind="pca", shape={"n_latent": n_latent}, **settings)


@pytest.fixture(scope="module")
def pca_model(two_populations, two_populations_split, tmp_path_factory):
    path = tmp_path_factory.mktemp("pca") / "pca.model"
    write_model(train_pca(two_populations, two_populations_split).model, path)
    return path


def test_pca_model__axes_are_those_of_the_training_people(pca_model, two_populations, two_populations_split):
    train = two_populations.select_samples(two_populations_split.samples("train", two_populations.samples))
    model = read_model(pca_model)
    wanted = PCA(3, random_state=1).fit(train)
    assert_allclose(embed_panel(two_populations, model).z, wanted.transform(two_populations), atol=1e-5)
    z, labels = wanted.transform(train), train.labels("population", per="haplotype")
    for place, name in enumerate(model.labels):
        assert_allclose(model.arrays["labels.mean"][place], z[labels == name].mean(axis=0), atol=1e-5)
        assert_allclose(model.arrays["labels.variance"][place], z[labels == name].var(axis=0), rtol=1e-4)


def test_pca_model__one_person_is_placed_as_in_the_cohort(pca_model, two_populations):
    model = read_model(pca_model)
    together, alone = (
        embed_panel(panel, model) for panel in (two_populations, two_populations.select_samples(["P07"]))
    )
    assert_allclose(alone.z, together.z[14:16], atol=1e-6)


def test_pca_model__labels_people_and_says_what_it_is(pca_model, two_populations, two_populations_split):
    test = two_populations.select_samples(two_populations_split.samples("test", two_populations.samples))
    got = classify_panel(test, read_model(pca_model))
    assert (got.labels == test.labels("population", per="haplotype")).mean() > 0.9
    about = describe_model(pca_model)
    assert (about["kind"], about["config"]["n_latent"], about["parameters"]) == ("pca", 3, 4 * 300)
    assert 0.2 < about["training"]["validation_explained_variance"] < 1


def test_pca_model__absent_sites_and_too_many_of_them(pca_model, two_populations):
    model = read_model(pca_model)
    whole = embed_panel(two_populations, model).z
    part = embed_panel(two_populations.select_sites(slice(0, 220)), model).z
    assert (np.corrcoef(whole[:, 0], part[:, 0])[0, 1]) > 0.98
    assert 0.8 < np.polyfit(whole[:, 0], part[:, 0], 1)[0] < 1.2
    with pytest.raises(SiteMismatchError):
        embed_panel(two_populations.select_sites(slice(0, 100)), model)


def test_pca_model__of_people_without_phase(two_populations, two_populations_split):
    people = DosagePanel.from_panel(two_populations)
    dosages = people.dosages.copy()
    dosages[np.random.default_rng(1).random(dosages.shape) < 0.1] = -1
    model = train_pca(DosagePanel(dosages, people.variants, people.samples, people.populations),
                      two_populations_split).model  # fmt: skip
    assert model.card.config["ploidy"] == 2
    assert model.arrays["pca.mean"].max() <= 1


def test_pca_model__used_without_torch(pca_model, two_populations, tmp_path):
    write_panel(two_populations, tmp_path / "in.vcf.gz")
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from haploom.cli import main; sys.argv = ['haploom', *sys.argv[1:]]; main()\n"
    )
    for command in ("embed", "classify"):
        run = [sys.executable, "-c", program, command, "in.vcf.gz", "--model", str(pca_model), "-o", f"{command}.tsv"]
        done = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert len((tmp_path / f"{command}.tsv").read_text().splitlines()) == 121


def test_pca_model__damage_and_too_many_axes_are_told(pca_model, two_populations, two_populations_split):
    model = read_model(pca_model)
    cut = {**model.arrays, "pca.components": model.arrays["pca.components"][:, :-1]}
    with pytest.raises(CorruptModelError, match="wanted \\(3, 300\\)"):
        embed_panel(two_populations, ModelFile(model.card, model.variants, cut))
    with pytest.raises(HaploomError, match=r"n_latent=500 .* --latent \d+ or fewer"):
        train_pca(two_populations, two_populations_split, 500)
