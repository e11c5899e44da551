"""Made-up people are the same whichever workers draw them."""

import pytest

from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.io.model_file import write_model
from haploom.training.config import TrainingConfig
from haploom.training.fit import train_model

ELSEWHERE = {
    "pool": ["--workers", "2"],
    "dask": ["--workers", "2", "--dask", "local"],
}


@pytest.fixture(scope="module")
def generator(two_populations, two_populations_split, tmp_path_factory):
    """An autoregressive model of a few sites, whose haplotypes are drawn in floats."""
    few = two_populations.select_sites(slice(0, 40))
    config, path = TrainingConfig(epochs=1, batch_size=24), tmp_path_factory.mktemp("model") / "a.model"
    trained = train_model(
        few, two_populations_split, "population", kind="autoregressive", config=config, by_label=True, processes=1
    )
    write_model(trained.model, path)
    return path


def made(model, folder, name, *options):
    command = ["synthesize", "-m", model, "-n", 300, "--no-version", "--threads", 1, "-o", folder / name, *options]
    assert run(haploom, [str(word) for word in command]) == 0
    return (folder / name).read_bytes()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("where", ELSEWHERE)
def test_synthesize__workers_change_no_byte(small_model, tmp_path, where):
    """300 people take two blocks of each population, of the second only a part."""
    if where == "dask":
        pytest.importorskip("distributed")
    here = made(small_model, tmp_path, "here.vcf", "--sampled")
    assert made(small_model, tmp_path, "there.vcf", "--sampled", *ELSEWHERE[where]) == here


def test_synthesize__workers_change_no_byte_of_what_floats_draw(generator, tmp_path):
    here = made(generator, tmp_path, "here.vcf")
    assert made(generator, tmp_path, "there.vcf", *ELSEWHERE["pool"]) == here


def test_synthesize__workers_are_for_a_model(tmp_path, capsys):
    (tmp_path / "f.vcf").write_text("##fileformat=VCFv4.2\n")
    command = ["synthesize", "--from", str(tmp_path / "f.vcf"), "-n", "1", "-o", str(tmp_path / "a.vcf")]
    assert run(haploom, [*command, "--workers", "2"]) == 2
    assert "for --model" in capsys.readouterr().err
