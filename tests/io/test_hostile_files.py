"""Files made to mislead: every one is refused with a FormatError, or what is wrong with it is left aside."""

import gzip
import io
import sys
from pathlib import Path

import numpy as np
import pysam
import pytest
from small_vcfs import Record, Vcf, written

from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.errors import FormatError, HaploomError
from haploom.io import (
    Selection,
    read_dosages,
    read_genetic_map,
    read_panel,
    read_populations,
    read_samples,
    write_panel,
)
from haploom.io.regions import read_regions
from haploom.io.tables import text_lines
from haploom.panel import Panel, Variants

BOM = b"\xef\xbb\xbf"
PLAIN = Vcf(["a", "b"], [Record("22", 7, "rs1", "A", "C", ["0|0", "1|0"])]).bytes()


def bgzf(text: bytes, path: Path) -> Path:
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write(text)
    return path


@pytest.mark.parametrize("digits", ["9" * 19, "9" * 20, "9" * 5000])
def test_read_panel__contig_lengths_of_too_many_digits_are_left_aside(tmp_path, digits):
    text = PLAIN.replace(b"length=51304566", f"length={digits}".encode())
    assert read_panel(written(tmp_path, text)).variants.contig_length_bp == {}


def test_read_panel__a_contig_length_of_18_digits_is_kept(tmp_path):
    panel = read_panel(written(tmp_path, PLAIN.replace(b"length=51304566", b"length=" + b"9" * 18)))
    write_panel(panel, tmp_path / "out.h5")
    assert read_panel(tmp_path / "out.h5").variants.contig_length_bp == {"22": 10**18 - 1}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"rs1", b"r\0s", r"ID has a NUL in it at '22:7', site 1"),
        (b"\ta\tb", b"\ta\tb\0b", r"a sample's name has a NUL in it \('b\\x00b'\)"),
        (b"ID=22", b"ID=2\x002", "a contig's name has a NUL in it"),
        (b"\n22\t", b"\n\t", "CHROM is empty at ':7'"),
        (b"\n22\t", b"\n2\x002\t", "CHROM has a NUL in it"),
        (b"\tA\tC", b"\t\tC", "REF is empty at '22:7'"),
        (b"\tA\tC", b"\tA\t", "ALT is empty"),
        (b"\tA\tC", b"\tA\rA\tC", "REF has a line break in it"),
    ],
)
def test_read_panel__empty_and_unprintable_columns_are_refused(tmp_path, capfd, old, new, message):
    assert PLAIN.count(old) == 1
    path = written(tmp_path, PLAIN.replace(old, new))
    for read in (read_panel, read_dosages):
        with pytest.raises(FormatError, match=message):
            read(path)
    assert run(haploom, ["convert", str(path), "-o", str(tmp_path / "out.h5")]) == 3
    told = capfd.readouterr().err
    assert "\0" not in told
    assert "\r" not in told


def test_read_samples__refuses_what_a_panel_refuses(tmp_path):
    with pytest.raises(FormatError, match="NUL"):
        read_samples(written(tmp_path, PLAIN.replace(b"\ta\tb", b"\ta\tb\0b")))


def test_run__control_characters_of_a_file_are_not_printed(tmp_path, capfd):
    path = written(tmp_path, PLAIN.replace(b"\n22\t7", b"\n\x1b[2J\x002\tx"))
    assert run(haploom, ["convert", str(path), "-o", str(tmp_path / "out.h5")]) == 3
    told = capfd.readouterr().err
    assert "\\x1b[2J\\x002:x" in told
    assert not {"\x1b", "\0"} & set(told)


@pytest.mark.parametrize("digits", ["9" * 19, "9" * 5000])
def test_read_site_list__positions_of_too_many_digits(tmp_path, digits):
    (tmp_path / "sites").write_text(f"22 {digits}\n")
    with pytest.raises(FormatError, match=rf"line 1: position 9999.* has {len(digits)} digits, wanted at most 18"):
        read_panel(written(tmp_path, PLAIN), Selection(sites=tmp_path / "sites"))


@pytest.mark.parametrize("digits", ["9" * 20, "9" * 5000])
def test_read_genetic_map__positions_of_too_many_digits(tmp_path, digits):
    (tmp_path / "map").write_text(f"pos chr cM\n1 22 0\n{digits} 22 1\n")
    with pytest.raises(FormatError, match="line 3: pos '9999"):
        read_genetic_map(tmp_path / "map")


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/b", "/"])
def test_read_populations__columns_named_like_paths(tmp_path, name):
    (tmp_path / "labels.tsv").write_text(f"sample\t{name}\tpopulation\na\tx\ty\n")
    with pytest.raises(FormatError, match="wanted a name that is not empty"):
        read_populations(tmp_path / "labels.tsv")


@pytest.mark.parametrize("name", [".", "..", "a/b"])
def test_write_hdf5__refuses_levels_it_could_not_read_back(tmp_path, name):
    panel = Panel.from_alleles(np.zeros((2, 1), np.uint8), Variants(["1"], [1], ["."], ["A"], ["C"]), ["a"])
    with pytest.raises(HaploomError, match="wanted a name that is not empty"):
        write_panel(panel.with_populations({name: np.array(["x"])}), tmp_path / "out.h5")
    assert not list(tmp_path.iterdir())


def test_tables__a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    path = tmp_path / "table"
    path.write_bytes(BOM + b"sample\tpopulation\na\tx\n")
    assert read_populations(path).labels == {"a": {"population": "x"}}
    path.write_bytes(gzip.compress(BOM + b"#sample\tpopulation\na\tx\n"))
    assert read_populations(path).levels == ("population",)
    path.write_bytes(BOM + b"22\t5\t9\n")
    assert read_regions(path) == ("22:5-9",)
    path.write_bytes(BOM + b"b\n")
    vcf, out = written(tmp_path, PLAIN), tmp_path / "out.h5"
    assert run(haploom, ["convert", str(vcf), "-o", str(out), "-S", str(path)]) == 0
    assert read_panel(out).samples == ("b",)
    # Only the first is a mark; elsewhere it is a letter.
    path.write_bytes(BOM + BOM + b"b\n" + BOM + b"c\n")
    assert [text for _, text in text_lines(path)] == ["\ufeffb", "\ufeffc"]


def test_tables__a_nul_is_refused(tmp_path):
    (tmp_path / "labels.tsv").write_bytes(b"sample\tpopulation\na\tx\0y\n")
    with pytest.raises(FormatError, match="line 2: there is a NUL byte"):
        read_populations(tmp_path / "labels.tsv")


@pytest.mark.parametrize("n_records", [1, 3000])  # of less and of more than one block of BGZF
def test_read_panel__bgzf_on_stdin_is_refused_without_its_end_block(tmp_path, monkeypatch, n_records):
    records = [Record("22", p, ".", "A", "C", ["0|1", "1|1"]) for p in range(1, n_records + 1)]
    whole = bgzf(Vcf(["a", "b"], records).bytes(), tmp_path / "in.vcf.gz").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(whole)))
    assert read_panel(Path("-")).n_sites == n_records
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(whole[:-28])))
    with pytest.raises(FormatError, match="-: the gzip data is cut short"):
        read_panel(Path("-"))
