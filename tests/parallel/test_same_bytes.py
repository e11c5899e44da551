"""What is worked on in parts is the same, byte for byte, in this process, in a pool and on a Dask cluster."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.compression import compress, compress_files, writer
from haploom.compression.many_files import REPORT, archive_names
from haploom.errors import HaploomError
from haploom.io import Selection, write_panel
from haploom.parallel import Workers

POOL = Workers(count=2)
CLUSTER = Workers(count=2, dask="local")
ELSEWHERE = [POOL, pytest.param(CLUSTER, marks=pytest.mark.filterwarnings("ignore::ResourceWarning"))]


@pytest.fixture
def files(two_populations, tmp_path):
    """Three pieces of a panel, in files of their own."""
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"part{number}.vcf.gz")
        write_panel(two_populations.select_sites(slice(20 * number, 20 * number + 20)), paths[-1])
    return paths


@pytest.mark.parametrize("workers", ELSEWHERE, ids=["pool", "dask"])
def test_compress__blocks_elsewhere(workers, files, tmp_path, monkeypatch):
    monkeypatch.setitem(writer.LEVELS, "fast", writer.BlockLimits(7, 1 << 20, 1 << 20))
    for name, where in (("here", Workers()), ("there", workers)):
        compress(files[0], tmp_path / f"{name}.hlm", level="fast", workers=where)
    assert (tmp_path / "here.hlm").read_bytes() == (tmp_path / "there.hlm").read_bytes()


@pytest.mark.parametrize("workers", ELSEWHERE, ids=["pool", "dask"])
def test_compress_files__elsewhere(workers, files, tmp_path):
    for name, where in (("here", Workers()), ("there", workers)):
        compress_files(files, tmp_path / name, selection=Selection(), workers=where)
    here = {path.name: path.read_bytes() for path in (tmp_path / "here").iterdir()}
    assert here.keys() == {REPORT, "part0.hlm", "part1.hlm", "part2.hlm"}
    assert {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir()} == here


def test_compress_files__inputs_that_changed_are_another_run(files, tmp_path):
    folder, content = tmp_path / "out", files[2].read_bytes()
    files[2].write_bytes(content[:-40])
    with pytest.raises(HaploomError, match="part2"):
        compress_files(files, folder, selection=Selection(), workers=Workers())
    assert sorted(path.name for path in folder.glob("*.hlm")) == ["part0.hlm", "part1.hlm"]
    files[2].write_bytes(content)
    with pytest.raises(HaploomError, match="another run"):
        compress_files(files, folder, selection=Selection(), workers=Workers())
    compress_files(files, folder, selection=Selection(), workers=Workers(), force=True)
    assert sorted(path.name for path in folder.iterdir()) == [REPORT, "part0.hlm", "part1.hlm", "part2.hlm"]


def test_compress__the_command_stores_the_same_wherever_it_works(files, tmp_path):
    pytest.importorskip("distributed")
    made = []
    for where in ("--threads=1", "--workers=2", "--dask=local"):
        folder = tmp_path / where
        folder.mkdir()
        compress_here = [sys.executable, "-m", "haploom", "compress", *map(str, files), "-o", "archives", where]
        subprocess.run(compress_here, cwd=folder, check=True, capture_output=True)
        made.append([path.read_bytes() for path in sorted((folder / "archives").glob("*.hlm"))])
    assert len(made[0]) == 3
    assert made[0] == made[1] == made[2]


def test_compress_files__a_killed_run_redoes_only_what_was_missing(files, tmp_path, monkeypatch):
    from haploom.compression import many_files

    folder, store, stored = tmp_path / "out", many_files._store, []

    def stops(file):
        if len(stored) == 2:
            raise KeyboardInterrupt
        stored.append(file.source.name)
        return store(file)

    monkeypatch.setattr(many_files, "_store", stops)
    with pytest.raises(KeyboardInterrupt):
        compress_files(files, folder, selection=Selection(), workers=Workers())
    assert stored == ["part0.vcf.gz", "part1.vcf.gz"]
    (folder / "part1.hlm").unlink()  # as if it had been lost
    (folder / ".0123abcd.partial.part2.hlm").write_bytes(b"of a killed process")
    stored[:] = []
    monkeypatch.setattr(many_files, "_store", lambda file: stored.append(file.source.name) or store(file))
    rows = compress_files(files, folder, selection=Selection(), workers=Workers())
    assert stored == ["part1.vcf.gz", "part2.vcf.gz"]
    assert not list(folder.glob(".*"))
    assert [row["archive"] for row in rows] == ["part0.hlm", "part1.hlm", "part2.hlm"]
    with pytest.raises(HaploomError, match="exists"):
        compress_files(files, folder, selection=Selection(), workers=Workers())


def test_archive_names__two_of_one_name(tmp_path):
    assert archive_names([tmp_path / "chr1.vcf.gz", tmp_path / "chr2.bcf"]) == ["chr1.hlm", "chr2.hlm"]
    with pytest.raises(HaploomError, match=r"chr1\.hlm"):
        archive_names([tmp_path / "chr1.vcf.gz", tmp_path / "b" / "chr1.bcf"])


def test_compress__the_command_takes_several_files(files, tmp_path, capsys):
    folder = tmp_path / "archives"
    names = [str(path) for path in files]
    assert run(haploom, ["compress", *names, "-o", str(folder), "--workers", "2", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["archives"] == 3
    assert printed["sites"] == 60
    assert run(haploom, ["compress", *names, "-o", str(folder), "--memory", "lots"]) == 2
    assert run(haploom, ["compress", *names, "-o", str(folder)]) == 3


@pytest.fixture(scope="module")
def yvae(two_populations):
    """Trains the members of a Y-VAE wherever it is told to; returns its arrays."""
    torch = pytest.importorskip("torch")
    from haploom.panel import split_people
    from haploom.training.fit import train_model

    labels = two_populations.labels("population").tolist()
    split = split_people(two_populations.samples, labels, seed=1)

    def train(processes, dask=None):
        trained = train_model(
            two_populations, split, "population", kind="yvae", settings={"epochs": 2}, shape={"n_latent": 2},
            processes=processes, dask=dask,
        )  # fmt: skip
        return {name: array.tobytes() for name, array in trained.model.arrays.items()}

    assert torch is not None
    return train


def test_yvae__members_elsewhere(yvae):
    here = yvae(1)
    assert yvae(2) == here
    assert yvae(2, "local") == here


def test_yvae__a_killed_worker_changes_nothing(yvae, monkeypatch, tmp_path):
    from haploom.training import members

    here = yvae(1)
    monkeypatch.setattr(members, "_train_member", _DiesOnce(tmp_path / "died"))
    assert yvae(2) == here
    assert (tmp_path / "died").exists()


class _DiesOnce:
    """Trains a member, but the first process that is asked is killed."""

    def __init__(self, mark):
        self.mark = mark

    def __call__(self, device, job):
        from haploom.training.members import _train_member

        try:
            self.mark.touch(exist_ok=False)
        except FileExistsError:
            return _train_member(device, job)
        os.kill(os.getpid(), signal.SIGKILL)
        return None


def test_workers__nothing_below_one():
    with pytest.raises(HaploomError, match="count is 0"):
        replace(POOL, count=0)


@pytest.fixture(scope="module")
def labelled(two_populations, tmp_path_factory):
    """A folder with a panel and an ancestry model of it."""
    from haploom.ancestry.trusted_training import train_ancestry
    from haploom.io import write_populations
    from haploom.io.model_file import write_model
    from haploom.panel import split_people

    folder = tmp_path_factory.mktemp("labelled")
    labels = two_populations.labels("population").tolist()
    split = split_people(two_populations.samples, labels, (0.6, 0.2, 0.2), seed=1)
    write_panel(two_populations, folder / "panel.vcf.gz")
    write_populations(folder / "panel.tsv", two_populations.samples, two_populations.populations)
    write_model(train_ancestry(two_populations, split, "population", seed=1), folder / "ancestry.model")
    return folder


@pytest.mark.parametrize("options", [("--workers", "2"), ("--workers", "2", "--dask", "local")], ids=["pool", "dask"])
def test_classify__elsewhere(options, labelled, tmp_path, monkeypatch, capsys):
    from haploom.ancestry import many_people

    monkeypatch.setattr(many_people.classify_in_parts, "__defaults__", (0.5, 17))  # 60 people are four parts
    words = ["classify", str(labelled / "panel.vcf.gz"), "--model", str(labelled / "ancestry.model"), "-o"]
    assert run(haploom, [*words, str(tmp_path / "here.tsv")]) == 0
    assert run(haploom, [*words, str(tmp_path / "there.tsv"), *options]) == 0
    assert (tmp_path / "here.tsv").read_bytes() == (tmp_path / "there.tsv").read_bytes()
    capsys.readouterr()


def test_classify_in_parts__is_classify_panel(labelled, two_populations):
    from haploom.ancestry import classify_in_parts, classify_panel
    from haploom.io.model_file import read_model

    path = labelled / "ancestry.model"
    whole = classify_panel(two_populations, read_model(path))
    parts = classify_in_parts(two_populations, path, Workers(), people=7)
    for name in ("labels", "scores", "sets"):
        assert getattr(whole, name).tobytes() == getattr(parts, name).tobytes()
    assert (whole.samples, whole.parts, whole.classes) == (parts.samples, parts.parts, parts.classes)


def test_classify_in_parts__absent_sites_are_looked_at_once(labelled, two_populations, monkeypatch):
    from haploom.ancestry import classify_in_parts
    from haploom.ancestry.reference import Reference

    times, whole = [], Reference.log_likelihoods_left_out
    monkeypatch.setattr(
        Reference, "log_likelihoods_left_out", lambda self, called: times.append(1) or whole(self, called)
    )
    some = two_populations.select_sites(np.arange(0, two_populations.n_sites, 2))
    alone = classify_in_parts(some, labelled / "ancestry.model", Workers(), 0.4)
    parts = classify_in_parts(some, labelled / "ancestry.model", Workers(), 0.4, people=9)
    assert len(times) == 1
    assert alone.labels.tolist() == parts.labels.tolist()
    assert alone.scores.tobytes() == parts.scores.tobytes()


def test_classify__a_note_is_said_once(labelled, two_populations, tmp_path, monkeypatch, capsys):
    from haploom.ancestry import many_people

    monkeypatch.setattr(many_people.classify_in_parts, "__defaults__", (0.5, 17))  # 60 people are four parts
    write_panel(two_populations.select_sites(np.arange(1, two_populations.n_sites)), tmp_path / "some.vcf")
    words = ["classify", str(tmp_path / "some.vcf"), "--model", str(labelled / "ancestry.model"), "-o"]
    assert run(haploom, [*words, str(tmp_path / "labels.tsv")]) == 0
    told = f"{two_populations.n_sites - 1} of the model's {two_populations.n_sites} sites (99.7 %) are among"
    assert capsys.readouterr().err.count(told) == 1


def test_embed_in_parts__is_embed_panel(small_model, two_populations):
    from haploom.embedding import embed_in_parts, embed_panel
    from haploom.io.model_file import read_model

    whole = embed_panel(two_populations, read_model(small_model), uncertainty=True)
    parts = embed_in_parts(two_populations, small_model, POOL, uncertainty=True, people=25)
    np.testing.assert_allclose(parts.z, whole.z, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(parts.spread, whole.spread, rtol=1e-4)
    assert (whole.samples, whole.parts) == (parts.samples, parts.parts)
    refined = embed_in_parts(two_populations, small_model, POOL, refine=True, people=25)
    alone = embed_panel(two_populations, read_model(small_model), refine=True)
    np.testing.assert_allclose(refined.z, alone.z, atol=1e-3)  # sixty steps uphill carry last digits further
    assert np.abs(refined.z - whole.z).max() > 0.1


def test_read_model_once__sees_that_a_file_has_changed(small_model, labelled, tmp_path):
    from haploom.io.model_file import read_model_once

    path = tmp_path / "model"
    path.write_bytes(small_model.read_bytes())
    assert read_model_once(path).card.kind == "vae"
    assert read_model_once(path) is read_model_once(path)
    path.write_bytes((labelled / "ancestry.model").read_bytes())
    assert read_model_once(path).card.kind == "ancestry"
