"""Rows on disk come back as they went in, and files of every format are the same as from memory."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from haploom.archive import open_archive
from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.cli.synthesize import _LATENTS, _METHODS, _MISMATCH, _SWITCHES_PER_CM
from haploom.io import read_dosages, read_panel, write_panel, write_populations
from haploom.synthesis import from_models, from_people, people_on_disk, people_source, rows_on_disk, synthesize
from haploom.synthesis.rows_on_disk import TurnedRows


@pytest.mark.parametrize("memory", [0, 1 << 20])
def test_turned_rows__come_back(memory, tmp_path, monkeypatch):
    monkeypatch.setattr(rows_on_disk, "MEMORY_BYTES", memory)
    monkeypatch.setattr(rows_on_disk, "_PAGE_ROWS", 64)
    rows = np.random.default_rng(1).integers(0, 256, (1000, 37), dtype=np.uint8)
    with TurnedRows(1000, 37, tmp_path) as turned:
        for first in range(0, 1000, 48):
            turned.append(rows[first : first + 48])
        back = turned.bits()
        assert back.flags.f_contiguous
        assert_array_equal(back, rows)
    assert list(tmp_path.iterdir()) == []


def test_turned_rows__rows_that_have_not_come_are_told(tmp_path):
    with TurnedRows(10, 3, tmp_path) as turned:
        turned.append(np.zeros((9, 3), np.uint8))
        with pytest.raises(ValueError, match="9 rows have come, wanted 10"):
            turned.bits()


def test_people_on_disk__are_those_in_memory(two_populations, tmp_path, monkeypatch):
    monkeypatch.setattr(rows_on_disk, "MEMORY_BYTES", 0)
    source = people_source(two_populations, "population", "mosaic")
    wanted = synthesize(source, ["south", "north"], 700, seed=4)
    with people_on_disk(source, ["south", "north"], 700, 4, 2, tmp_path) as panel:
        assert isinstance(panel.bits, np.memmap)
        assert_array_equal(panel.bits, wanted.bits)
        assert panel.samples == wanted.samples
        assert panel.labels("population").tolist() == wanted.labels("population").tolist()
        for name in ("disk.vcf", "disk.bcf"):
            write_panel(panel, tmp_path / name, no_version=True)
            write_panel(wanted, tmp_path / f"memory-{name}", no_version=True)
            assert (tmp_path / name).read_bytes() == (tmp_path / f"memory-{name}").read_bytes()


@pytest.fixture(scope="module")
def founders(two_populations, tmp_path_factory):
    """A VCF and its labels."""
    folder = tmp_path_factory.mktemp("founders")
    write_panel(two_populations, folder / "f.vcf.gz")
    write_populations(folder / "f.tsv", two_populations.samples, two_populations.populations)
    return folder / "f.vcf.gz", folder / "f.tsv"


def synthesize_to(founders, output, *more):
    vcf, labels = founders
    arguments = ["synthesize", "--from", vcf, "--populations", labels, "-n", 3, "-o", output, "--no-version", *more]
    assert run(haploom, [str(each) for each in arguments]) == 0


@pytest.mark.parametrize("name", ["a.vcf", "a.vcf.gz", "a.bcf", "a.h5", "a.pgen", "a.bed", "a.hlm"])
def test_synthesize__every_format_holds_the_same_people(name, founders, two_populations, tmp_path):
    suffix = name.partition(".")[2]
    if suffix == "pgen":
        pytest.importorskip("pgenlib")
    if suffix == "bed":
        pytest.importorskip("bed_reader")
    source = people_source(two_populations, "population", "mosaic")
    wanted = synthesize(source, ["north", "south"], 3)
    synthesize_to(founders, tmp_path / name)
    if suffix == "hlm":
        archive = open_archive(tmp_path / name)
        assert b"##synthetic=" in b"".join(archive.text())
        found = archive.read()
    elif suffix == "bed":
        found = read_dosages(tmp_path / name)
        assert_array_equal(found.dosages, wanted.alleles()[::2] + wanted.alleles()[1::2])
    else:
        found = read_panel(tmp_path / name)
        assert_array_equal(found.bits, wanted.bits)
    assert found.samples == wanted.samples
    assert found.samples[0] == "SYN_north_00001"
    assert (tmp_path / "a.populations.tsv").read_text().splitlines()[1] == "SYN_north_00001\tnorth"


def test_synthesize__the_header_says_what_they_are(founders, tmp_path):
    synthesize_to(founders, tmp_path / "a.vcf", "--method", "copying", "--seed", 5)
    header = next(line for line in (tmp_path / "a.vcf").read_text().splitlines() if "synthetic" in line)
    assert header == '##synthetic=<Source="haploom",Method="copying",Haplotypes=120,Seed=5>'
    h5py = pytest.importorskip("h5py")
    synthesize_to(founders, tmp_path / "a.h5", "--method", "copying", "--seed", 5, "--force")
    with h5py.File(tmp_path / "a.h5") as file:
        assert file.attrs["made_by"] == header


def test_synthesize__threads_change_no_byte(founders, tmp_path):
    synthesize_to(founders, tmp_path / "one.vcf.gz", "--threads", 1)
    synthesize_to(founders, tmp_path / "two.vcf.gz", "--threads", 3)
    assert (tmp_path / "one.vcf.gz").read_bytes() == (tmp_path / "two.vcf.gz").read_bytes()


def test_synthesize__needs_one_thing_to_make_people_from(tmp_path, founders):
    assert run(haploom, ["synthesize", "-n", "1", "-o", str(tmp_path / "a.vcf")]) == 2
    both = ["--from", str(founders[0]), "--model", str(founders[0])]
    assert run(haploom, ["synthesize", *both, "-n", "1", "-o", str(tmp_path / "a.vcf")]) == 2


def test_synthesize__the_commands_defaults_are_the_methods():
    assert (from_people.SWITCHES_PER_CM, from_people.MISMATCH) == (_SWITCHES_PER_CM, _MISMATCH)
    assert from_people.Method.__args__ == _METHODS
    assert from_models.Latents.__args__ == _LATENTS
