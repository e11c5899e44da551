"""Where results go: nothing that is read is replaced, nothing is written twice, and names fit the file system."""

import os
from pathlib import Path

import pytest

from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.errors import HaploomError
from haploom.io import atomic_output, check_outputs

SIMULATED = ("--people", "3", "--sites", "20", "--min-count", "1")


@pytest.fixture
def founders(tmp_path):
    """panel.h5 with its own labels, panel.populations.tsv."""
    out = tmp_path / "panel.h5"
    assert run(haploom, ["simulate", "-o", str(out), *SIMULATED, "--quiet"]) == 0
    return out


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("output", ["panel.h5", "panel.vcf.gz", "./panel.h5", "linked.h5"])
def test_breed__does_not_replace_what_it_reads(founders, capsys, output):
    folder = founders.parent
    labels = folder / "panel.populations.tsv"
    (folder / "linked.h5").hardlink_to(founders)
    before = contents(folder)
    arguments = ["breed", str(founders), "--populations", str(labels), "--generations", "1", "--size", "2", "--force"]
    assert run(haploom, [*arguments, "-o", f"{folder}/{output}"]) == 3
    assert "is read by this command, and would be replaced" in capsys.readouterr().err
    assert contents(folder) == before
    assert run(haploom, [*arguments, "-o", str(folder / "bred.h5")]) == 0


def test_breed__tracks_and_panel_are_two_files(founders, capsys):
    before = contents(founders.parent)
    out = str(founders.parent / "bred.h5")
    assert run(haploom, ["breed", str(founders), "--generations", "1", "-o", out, "--tracks", out]) == 3
    assert "would be written twice" in capsys.readouterr().err
    assert contents(founders.parent) == before


def test_simulate__does_not_replace_its_map(tmp_path, capsys):
    genetic_map = tmp_path / "out.populations.tsv"
    genetic_map.write_text("pos chr cM\n1 22 0\n90000000 22 100\n")
    arguments = ["simulate", *SIMULATED, "--map", str(genetic_map), "--force", "-o", str(tmp_path / "out.vcf")]
    assert run(haploom, arguments) == 3
    assert "is read by this command" in capsys.readouterr().err
    assert list(contents(tmp_path)) == ["out.populations.tsv"]


def test_simulate__nothing_is_written_where_the_labels_cannot_be(tmp_path, capsys):
    # The panel's own name is short enough; that of its labels, 13 bytes longer, is not.
    name = "x" * 225 + ".h5"
    assert run(haploom, ["simulate", *SIMULATED, "-o", str(tmp_path / name)]) == 3
    assert "choose a shorter one" in capsys.readouterr().err
    assert not contents(tmp_path)


def test_check_outputs__passes_over_what_is_no_file(tmp_path):
    check_outputs((Path("-"), tmp_path / "b"), (None, Path("-"), tmp_path / "c"), force=False)


@pytest.mark.parametrize("letter", ["x", "é"])
def test_atomic_output__names_as_long_as_they_may_be(tmp_path, letter):
    longest = os.pathconf(tmp_path, "PC_NAME_MAX") - len(".01234567.replaced.")
    name = letter * (longest // len(letter.encode()))
    with atomic_output(tmp_path / name) as partial:
        partial.write_text("whole")
    assert contents(tmp_path) == {name: b"whole"}
    for n_more in (1, 19, 1000):
        with (
            pytest.raises(HaploomError, match=r"cannot write .* (at most|File name too long)"),
            atomic_output(tmp_path / (name + n_more * letter)),
        ):
            pytest.fail("the block ran")
