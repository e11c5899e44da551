"""Several files to a folder of archives: what a user may get wrong."""

import os
from functools import partial
from pathlib import Path

import pytest

from haploom.compression import compress_files
from haploom.compression.many_files import REPORT, REPORT_COLUMNS, plan_files
from haploom.errors import HaploomError
from haploom.io import Selection, write_panel
from haploom.io.output import make_folder
from haploom.parallel import Workers


def test_compress_files__stdin_among_them_is_refused_before_the_folder_is_made(tmp_path):
    (tmp_path / "one.vcf").write_text("##fileformat=VCFv4.2\n")
    sources = [tmp_path / "one.vcf", Path("-")]
    with pytest.raises(HaploomError, match="stored alone"):
        compress_files(sources, tmp_path / "archives", selection=Selection(), workers=Workers())
    assert not (tmp_path / "archives").exists()


def test_make_folder__a_file_in_its_place_or_above_it_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(HaploomError, match="is a file: name a folder"):
        make_folder(tmp_path / "file")
    with pytest.raises(HaploomError, match="cannot make the folder"):
        make_folder(tmp_path / "file" / "below")
    make_folder(tmp_path / "new" / "below")
    assert (tmp_path / "new" / "below").is_dir()


def test_compress_files__named_like_an_archive_is_refused(tmp_path):
    sources = [tmp_path / "one.vcf", tmp_path / "two.vcf"]
    with pytest.raises(HaploomError, match="named like an archive"):
        compress_files(sources, tmp_path / "both.hlm", selection=Selection(), workers=Workers())
    assert not (tmp_path / "both.hlm").exists()


@pytest.fixture
def pieces(two_populations, tmp_path):
    """Three pieces of a panel, in files of their own."""
    paths = [tmp_path / f"{name}.vcf" for name in ("one", "two", "three")]
    for number, path in enumerate(paths):
        write_panel(two_populations.select_sites(slice(20 * number, 20 * number + 20)), path)
    return paths


def rows_of(folder):
    head, *lines = (folder / REPORT).read_text().splitlines()
    assert tuple(head.split("\t")) == REPORT_COLUMNS
    return {line.split("\t")[1]: line for line in lines}


def test_compress_files__later_files_are_added(pieces, tmp_path):
    folder = tmp_path / "archives"
    compress_files(pieces[:2], folder, selection=Selection(), workers=Workers())
    before = {path.name: path.read_bytes() for path in folder.glob("*.hlm")}
    rows = rows_of(folder)
    assert [row["archive"] for row in compress_files(pieces[2:], folder, selection=Selection(), workers=Workers())] == [
        "three.hlm"
    ]
    assert list(rows_of(folder)) == ["one.hlm", "two.hlm", "three.hlm"]
    assert {name: rows_of(folder)[name] for name in rows} == rows
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_compress_files__finished_ones_are_stored_again_with_force_alone(pieces, tmp_path):
    folder = tmp_path / "archives"
    compress_files(pieces[:2], folder, selection=Selection(), workers=Workers())
    with pytest.raises(HaploomError, match=r"one\.hlm exists, of an earlier run: name only files that are not"):
        compress_files(pieces, folder, selection=Selection(), workers=Workers())
    assert list(rows_of(folder)) == ["one.hlm", "two.hlm"]
    (folder / "two.hlm").unlink()  # its row goes with it
    settings = {"selection": Selection(), "workers": Workers(), "level": "fast", "force": True}
    (row,) = compress_files(pieces[:1], folder, **settings)
    assert list(rows_of(folder)) == ["one.hlm"]
    assert rows_of(folder)["one.hlm"].split("\t")[4] == str(row["total_bytes"])


def test_compress_files__a_table_of_others_is_not_replaced(pieces, tmp_path):
    folder = tmp_path / "archives"
    folder.mkdir()
    (folder / REPORT).write_text("mine\n")
    for force in (False, True):
        with pytest.raises(HaploomError, match="no table of archives"):
            compress_files(pieces, folder, selection=Selection(), workers=Workers(), force=force)
    assert [path.name for path in folder.iterdir()] == [REPORT]
    assert (folder / REPORT).read_text() == "mine\n"


def stopped(monkeypatch, pieces, folder, name, **settings):
    """A run that was stopped as it came to the file of this name."""
    from haploom.compression import many_files

    store = many_files._store

    def stops(file):
        if file.source.name == name:
            raise KeyboardInterrupt
        return store(file)

    with monkeypatch.context() as patched:
        patched.setattr(many_files, "_store", stops)
        with pytest.raises(KeyboardInterrupt):
            compress_files(pieces, folder, **{"selection": Selection(), "workers": Workers(), **settings})


def test_compress_files__what_another_run_began_lets_no_archive_be_replaced(pieces, tmp_path, monkeypatch):
    folder, elsewhere = tmp_path / "archives", tmp_path / "elsewhere"
    compress_files(pieces[:2], folder, selection=Selection(), workers=Workers())
    before = (folder / "one.hlm").read_bytes()
    stopped(monkeypatch, pieces[2:], folder, "three.vcf")  # before it had finished any
    elsewhere.mkdir()
    pieces[2].rename(elsewhere / "one.vcf")
    with pytest.raises(HaploomError, match=r"one\.hlm exists, of an earlier run"):
        compress_files([elsewhere / "one.vcf"], folder, selection=Selection(), workers=Workers())
    assert (folder / "one.hlm").read_bytes() == before


@pytest.mark.parametrize("what", ["source", "labels", "settings"])
def test_compress_files__a_stopped_run_goes_on_with_the_same_alone(pieces, tmp_path, monkeypatch, what):
    folder, labels = tmp_path / "archives", tmp_path / "labels.tsv"
    names = pieces[0].read_text().split("#CHROM")[1].splitlines()[0].split("\t")[9:]
    labels.write_text("\n".join(["sample\tpopulation", *(f"{name}\tA" for name in names)]) + "\n")
    settings = {"selection": Selection(populations=labels), "level": "fast"}
    stopped(monkeypatch, pieces, folder, "two.vcf", **settings)
    assert plan_files(pieces, folder, **settings) == {
        folder / "one.hlm": True, folder / "two.hlm": False, folder / "three.hlm": False
    }  # fmt: skip
    if what == "settings":
        settings["level"] = "default"
    else:
        changed = labels if what == "labels" else pieces[0]
        changed.write_text(changed.read_text().replace("A\n", "B\n").replace("0|1", "1|0"))
        os.utime(changed, ns=(1, 1))
    for run in (plan_files, partial(compress_files, workers=Workers())):
        with pytest.raises(HaploomError, match="holds parts of another run"):
            run(pieces, folder, **settings)
    assert len(compress_files(pieces, folder, workers=Workers(), force=True, **settings)) == 3


def test_plan_files__a_file_where_the_folder_should_be(pieces, tmp_path):
    for folder in (pieces[2], pieces[2] / "below"):
        with pytest.raises(HaploomError, match="is a file"):
            plan_files(pieces[:2], folder, selection=Selection())


@pytest.mark.parametrize("name", ["a\tb.vcf", "a\nb.vcf", "a\udcff.vcf"])
def test_plan_files__names_that_no_table_can_hold(pieces, tmp_path, name):
    with pytest.raises(HaploomError, match=r"archives\.tsv cannot hold: rename it"):
        plan_files([*pieces, tmp_path / name], tmp_path / "archives", selection=Selection())


@pytest.mark.parametrize("damage", [b"one line more\n", b"\xff\tfour.hlm\n"])
def test_compress_files__a_damaged_table_is_said(pieces, tmp_path, damage):
    folder = tmp_path / "archives"
    compress_files(pieces[:1], folder, selection=Selection(), workers=Workers())
    with (folder / REPORT).open("ab") as file:
        file.write(damage)
    with pytest.raises(HaploomError, match="no table of archives"):
        compress_files(pieces[1:], folder, selection=Selection(), workers=Workers())
    assert sorted(path.name for path in folder.iterdir()) == [REPORT, "one.hlm"]
