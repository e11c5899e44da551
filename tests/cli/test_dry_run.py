"""`--dry-run` says what the command then does, and does nothing."""

import json

import pytest

from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.io import write_panel, write_populations
from haploom.io.model_file import describe_model
from haploom.synthesis import disk_bytes
from haploom.synthesis.rows_on_disk import MEMORY_BYTES

pytest.importorskip("torch")


@pytest.fixture
def folder(two_populations, small_model, tmp_path, monkeypatch):
    """Two pieces of a panel, labels and a model of it, in the folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    for name, sites in (("one", slice(0, 40)), ("two", slice(40, 90)), ("panel", slice(0, 300))):
        write_panel(two_populations.select_sites(sites), tmp_path / f"{name}.vcf.gz")
    write_populations(tmp_path / "labels.tsv", two_populations.samples, two_populations.populations)
    (tmp_path / "m.model").write_bytes(small_model.read_bytes())
    return tmp_path


def files_in(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def planned(capsys, folder, *arguments):
    """The plan, for which nothing was written."""
    before = files_in(folder)
    assert run(haploom, [*arguments, "--dry-run", "--json"]) == 0
    assert files_in(folder) == before
    plan = json.loads(capsys.readouterr().out)
    assert plan["dry_run"]
    return plan


@pytest.mark.parametrize(
    "command",
    [
        ["compress", "panel.vcf.gz", "-o", "panel.hlm"],
        ["compress", "one.vcf.gz", "two.vcf.gz", "-o", "archives"],
        ["synthesize", "-m", "m.model", "-n", "2", "-o", "new.vcf.gz"],
        ["synthesize", "--from", "one.vcf.gz", "--populations", "labels.tsv", "-n", "2", "-o", "new.h5"],
        ["train", "one.vcf.gz", "--populations", "labels.tsv", "--kind", "pca", "--latent", "2", "-o", "one.model"],
    ],
    ids=["a file", "files", "of a model", "of people", "train"],
)
def test_dry_run__names_what_is_then_read_and_written(folder, capsys, command):
    plan, before = planned(capsys, folder, *command), files_in(folder)
    assert plan["reads"] == {name: len(before[name]) for name in plan["reads"]}
    assert set(command) & set(before) == set(plan["reads"])
    assert run(haploom, command) == 0
    assert set(plan["writes"]) == files_in(folder).keys() - before.keys()


def test_dry_run__compress_tells_what_a_stopped_run_has_left(folder, capsys, monkeypatch):
    from haploom.compression import many_files

    store = many_files._store

    def stops(file):
        if file.source.name == "two.vcf.gz":
            raise KeyboardInterrupt
        return store(file)

    command = ["compress", "one.vcf.gz", "two.vcf.gz", "-o", "archives"]
    with monkeypatch.context() as patched:
        patched.setattr(many_files, "_store", stops)
        assert run(haploom, command) == 130
    capsys.readouterr()
    plan = planned(capsys, folder, *command)
    assert plan["writes"] == ["archives/two.hlm", "archives/archives.tsv"]
    assert {name: about["state"] for name, about in plan["archives"].items()} == {
        "archives/one.hlm": "there, of a run that was stopped",
        "archives/two.hlm": "to do",
    }


def test_dry_run__compress_tells_the_records_of_a_block(folder, capsys, two_populations, monkeypatch):
    from haploom.compression import writer

    monkeypatch.setitem(writer.LEVELS, "fast", writer.BlockLimits(8192, 2 * two_populations.n_samples * 70, 1 << 20))
    plan = planned(capsys, folder, "compress", "panel.vcf.gz", "-o", "panel.hlm", "--level", "fast")
    assert plan["archives"]["panel.hlm"]["records_per_block"] == 70
    assert run(haploom, ["compress", "panel.vcf.gz", "-o", "panel.hlm", "--level", "fast", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["blocks"] == {"genotypes/1": 5}  # 300 sites


def test_dry_run__train_counts_the_people_the_model_learns_from(folder, capsys):
    command = [
        "train",
        "one.vcf.gz",
        "--populations",
        "labels.tsv",
        "--epochs",
        "1",
        "--latent",
        "2",
        "-o",
        "one.model",
    ]
    plan = planned(capsys, folder, *command)
    assert (plan["epochs_at_most"], plan["least_steps"]) == (1, 0)
    assert run(haploom, command) == 0
    model = describe_model(folder / "one.model")
    assert plan["people_by_part"]["train"] == sum(model["labels"].values())
    for name in ("epochs_at_most", "least_steps", "batch_size", "learning_rate"):
        assert plan[name] == model["training"][name], name


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["compress", "one.vcf.gz", "-o", "labels.tsv"], "labels.tsv exists"),
        (["compress", "one.vcf.gz", "two.vcf.gz", "-o", "both.hlm"], "named like an archive"),
        (["compress", "one.vcf.gz", "two.vcf.gz", "-o", "labels.tsv"], "labels.tsv is a file"),
        (["synthesize", "-m", "m.model", "-n", "2", "--population", "none", "-o", "n.vcf"], "no population 'none'"),
        (["train", "one.vcf.gz", "--populations", "labels.tsv", "-o", "m.model"], "m.model exists"),
        (["demo", "-o", "."], "holds files that are not of a demo"),
    ],
)
def test_dry_run__refuses_what_the_command_would(folder, capsys, command, says):
    before = files_in(folder)
    for more in ([], ["--dry-run"]):
        assert run(haploom, [*command, *more]) == 3
        assert says in capsys.readouterr().err
    assert files_in(folder) == before


def test_dry_run__demo_and_reproduce_list_their_steps(folder, capsys):
    plan = planned(capsys, folder, "demo", "-o", "new")
    commands = [line.split()[1] for lines in plan["steps"].values() for line in lines]
    assert commands[0] == "simulate"
    assert {"train", "compress", "audit", "synthesize"} <= set(commands)
    plan = planned(capsys, folder, "reproduce", "fig1", "--quick", "-o", "figures")
    assert (plan["size"], plan["writes"]) == ("quick", ["figures/fig1.html"])
    assert list(plan["results"]) == ["fig1"]
    (folder / "figures").mkdir()
    (folder / "figures" / "fig3.html").write_text("an earlier page")
    assert planned(capsys, folder, "reproduce", "all", "-o", "figures")["there_from_earlier"] == ["fig3.html"]


def test_disk_bytes__none_while_memory_holds_them():
    assert disk_bytes(1000, 80) == 0
    assert disk_bytes(MEMORY_BYTES // 10 + 1, 80) == 10 * (MEMORY_BYTES // 10 + 1)
