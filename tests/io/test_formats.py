"""All formats alike: told by content, the same selection, block by block, and `haploom convert` between any two."""

import itertools
import shutil
import sys

import numpy as np
import pytest
from small_panels import assert_same, random_dosages, random_panel

from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.errors import HaploomError, MissingExtraError
from haploom.io import (
    NOT_HELD,
    NOT_KEPT,
    Selection,
    iterate_blocks,
    not_held,
    read_dosages,
    read_panel,
    read_samples,
    source_format,
    write_dosages,
    write_panel,
)  # fmt: skip
from haploom.panel import DosagePanel, Panel

PHASED = {
    "x.vcf": "VCF", "x.vcf.gz": "VCF", "x.bcf": "BCF", "x.h5": "HDF5", "x.pgen": "PLINK 2", "x.vcz": "VCF Zarr",
    "x.vcz.zip": "VCF Zarr", "x.trees": "tskit",
}  # fmt: skip
UNPHASED = {"u.vcf": "VCF", "u.bcf": "BCF", "u.bed": "PLINK 1", "u.pgen": "PLINK 2", "u.zarr": "VCF Zarr"}
PAIRS = list(itertools.permutations(["x.vcf.gz", "x.bcf", "x.pgen", "x.vcz", "x.trees"], 2))
ONLY_WITH = {"PLINK 1": "bed_reader", "PLINK 2": "pgenlib", "VCF Zarr": "zarr", "tskit": "tskit"}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def panel() -> Panel:
    """One contig and no IDs, so that tskit holds all of it; both alleles at every site."""
    whole = random_panel(6, 300, one_contig=True)
    counts = whole.allele_counts()
    return whole.select_sites((counts > 0) & (counts < whole.n_haplotypes) & (whole.variants.id == "."))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The same panel in every phased format, the same dosages in every one that holds them."""
    for module in ONLY_WITH.values():
        pytest.importorskip(module)
    folder = tmp_path_factory.mktemp("formats")
    for name in PHASED:
        write_panel(panel(), folder / name)
    for name in UNPHASED:
        write_dosages(random_dosages(), folder / name)
    return folder


@pytest.mark.parametrize("name", [*PHASED, *UNPHASED])
def test_source_format__told_by_content(folder, tmp_path, name):
    wanted = {**PHASED, **UNPHASED}[name]
    assert source_format(folder / name) == wanted
    assert wanted in NOT_KEPT
    assert wanted in NOT_HELD
    if (folder / name).is_file():
        shutil.copy(folder / name, tmp_path / "no_suffix")
        assert source_format(tmp_path / "no_suffix") == wanted


@pytest.mark.parametrize("name", PHASED)
def test_read_panel__every_format_gives_the_same(folder, name):
    source, whole = folder / name, panel()
    assert_same(read_panel(source), whole)
    assert_same(read_dosages(source), DosagePanel.from_panel(whole))
    assert read_samples(source) == whole.samples
    (folder / "sites").write_text("".join(f"22\t{p}\n" for p in whole.variants.position_bp[::3]))
    for selection in (
        Selection(regions=("22:2000-2500", "chr22:4000-7000"), samples=("P5", "P0", "P3")),
        Selection(samples=("P1",), exclude_samples=True, maf=0.2),
        Selection(sites=folder / "sites", maf=0.1),
    ):
        wanted = read_panel(folder / "x.vcf", selection)
        assert 0 < wanted.n_sites < whole.n_sites
        assert_same(read_panel(source, selection), wanted)
    assert read_panel(source, Selection(regions=("22:1",))).n_sites == 0
    for wrong in (Selection(regions=("5",)), Selection(samples=("nobody",))):
        with pytest.raises(HaploomError, match=r"has no contig '5'|are not among the 6 of the file"):
            read_panel(source, wrong)


@pytest.mark.parametrize("name", PHASED)
def test_iterate_blocks__the_panel_in_parts(folder, name):
    whole = panel()
    for width in (1, 8, 50, 1_000):
        blocks = list(iterate_blocks(folder / name, Selection(), width))
        assert [block.n_sites for block in blocks[:-1]] == [width] * (len(blocks) - 1)
        assert 0 < blocks[-1].n_sites <= width
        keys = [key for block in blocks for key in block.variants.site_keys()]
        assert keys == whole.variants.site_keys()
        np.testing.assert_array_equal(np.concatenate([block.alleles() for block in blocks], axis=1), whole.alleles())
    common = list(iterate_blocks(folder / name, Selection(samples=("P2", "P4"), maf=0.2), 50))
    wanted = read_panel(folder / name, Selection(samples=("P2", "P4"), maf=0.2))
    np.testing.assert_array_equal(np.concatenate([block.alleles() for block in common], axis=1), wanted.alleles())
    (none,) = iterate_blocks(folder / name, Selection(regions=("22:1",)))
    assert (none.n_sites, none.n_samples) == (0, 6)
    with pytest.raises(ValueError, match="at least one site"):
        iterate_blocks(folder / name, Selection(), 0)


@pytest.mark.parametrize("name", UNPHASED)
def test_read_dosages__every_format_gives_the_same(folder, name):
    assert_same(read_dosages(folder / name), random_dosages())
    selection = Selection(regions=("7:1-5000",), samples=("P3", "P0"), maf=0.1)
    assert_same(read_dosages(folder / name, selection), read_dosages(folder / "u.vcf", selection))
    with pytest.raises(HaploomError, match=r"unphased|missing|does not say which allele"):
        read_panel(folder / name)


def convert(*arguments: object) -> int:
    return run(haploom, ["convert", *map(str, arguments), "--quiet"])


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_convert__between_phased_formats(folder, tmp_path, capsys, source, target):
    assert convert(folder / source, "-o", tmp_path / target) == 0
    assert_same(read_panel(tmp_path / target), panel())
    said = capsys.readouterr().err
    assert f"not kept of the {PHASED[source]} read" in said
    assert "does not hold" not in said


@pytest.mark.parametrize("source", UNPHASED)
def test_convert__unphased_formats(folder, tmp_path, capsys, source):
    for target in UNPHASED:
        to = tmp_path / target
        arguments = [] if "bed" in source + target else ["--unphased"]
        assert convert(folder / source, "-o", to, *arguments) == 0
        assert_same(read_dosages(to), random_dosages())
    assert convert(folder / source, "-o", tmp_path / "x.h5", "--unphased") == 3
    assert "HDF5 files hold phased haplotypes, and these genotypes are unphased" in capsys.readouterr().err


def test_convert__says_what_a_bed_does_not_hold(folder, tmp_path, capsys):
    assert convert(folder / "x.vcf", "-o", tmp_path / "x.bed") == 0
    said = capsys.readouterr().err
    assert "x.bed does not hold the phase, the contig lengths" in said
    assert "not kept of the VCF read, where it has them: header lines" in said
    assert_same(read_dosages(tmp_path / "x.bed"), DosagePanel.from_panel(panel()))


@pytest.mark.parametrize(("letter", "kind"), [("v", "VCF"), ("z", "VCF"), ("u", "BCF"), ("b", "BCF")])
def test_convert__output_type_beats_the_name(folder, tmp_path, letter, kind):
    assert convert(folder / "x.pgen", "-o", tmp_path / "x.h5", "-O", letter) == 0
    assert source_format(tmp_path / "x.h5") == kind
    assert_same(read_panel(tmp_path / "x.h5"), panel())


def test_not_held__names_what_this_panel_would_lose(tmp_path):
    labelled = random_panel(3).with_populations({"population": ["a", "b", "c"], "super": ["x", "y", "z"]})
    lost = {name: not_held(labelled, tmp_path / name) for name in ("x.vcf", "x.h5", "x.pgen", "x.bed", "x.trees")}
    assert lost == {
        "x.vcf": ("the labels (population, super)",),
        "x.h5": (),
        "x.pgen": (),
        "x.bed": ("the labels (population, super)", "the phase", "the contig lengths"),
        "x.trees": ("the labels (super)", "the IDs of sites"),
    }
    assert not_held(random_dosages(), tmp_path / "x.bed") == ("the contig lengths",)


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("u.bed", "bed_reader", "bed-reader"), ("x.pgen", "pgenlib", "pgenlib"), ("x.vcz", "zarr", "zarr>=3"),
        ("x.trees", "tskit", "tskit"),
    ],
)  # fmt: skip
def test_formats__an_absent_package_is_named(folder, monkeypatch, name, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"needs {package}, .*pip install 'haploom\[formats\]'"):
        read_dosages(folder / name)
