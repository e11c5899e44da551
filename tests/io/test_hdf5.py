"""HDF5 panels: round trips, both layouts, streamed writing, damage."""

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from small_vcfs import Record, Vcf, written

from haploom.errors import FormatError, HaploomError
from haploom.io import Hdf5PanelWriter, Selection, read_dosages, read_panel, read_samples, write_panel, write_paper_hdf5
from haploom.panel import Panel, Variants


def random_panel(n_people: int = 5, n_sites: int = 21, seed: int = 1, first: int = 0) -> Panel:
    rng = np.random.default_rng(seed)
    half = n_sites // 2
    variants = Variants(
        ["21"] * half + ["22"] * (n_sites - half), [*range(1, half + 1), *range(5, 5 + n_sites - half)],
        ["."] * n_sites, ["A"] * n_sites, ["C"] * n_sites, {"22": 1000},
    )  # fmt: skip
    alleles = rng.integers(0, 2, (2 * n_people, n_sites), dtype=np.uint8)
    names = tuple(f"p{person}é" for person in range(first, first + n_people))
    labels = rng.choice(["AFR", "EUR"], n_people)
    return Panel.from_alleles(alleles, variants, names, {"population": labels, "sex": labels})


def assert_same(got: Panel, wanted: Panel) -> None:
    assert_array_equal(got.bits, wanted.bits)
    assert got.samples == wanted.samples
    for column in ("chrom", "position_bp", "id", "ref", "alt"):
        assert_array_equal(getattr(got.variants, column), getattr(wanted.variants, column))
    assert got.variants.contig_length_bp == wanted.variants.contig_length_bp
    assert list(got.populations) == list(wanted.populations)
    for level, labels in wanted.populations.items():
        assert_array_equal(got.populations[level], labels)


@settings(max_examples=25, deadline=None)
@given(n_people=st.integers(1, 6), n_sites=st.integers(0, 20), seed=st.integers(0, 99))
def test_write_hdf5__reads_back(tmp_path_factory, n_people, n_sites, seed):
    path = tmp_path_factory.mktemp("h5") / "out.h5"
    panel = random_panel(n_people, n_sites, seed)
    write_panel(panel, path)
    assert_same(read_panel(path), panel)
    assert read_samples(path) == panel.samples


def test_read_hdf5__selection_is_that_of_a_vcf(tmp_path):
    panel = random_panel(n_people=30, n_sites=40)
    write_panel(panel, tmp_path / "in.h5")
    write_panel(panel, tmp_path / "in.vcf")
    table = tmp_path / "labels.tsv"
    table.write_text("sample\tpopulation\tsex\n" + "".join(f"{s}\tX\tY\n" for s in panel.samples))
    (tmp_path / "sites").write_text("22 7\n22 9\n22 11\n22 13\n22 15 A C\n22 16 A G\n21 3\n")
    (tmp_path / "split").write_text("sample\tpart\n" + "".join(f"{s}\ttest\n" for s in panel.samples[2:20]))
    selection = Selection(
        regions=("22:6-18",), samples=panel.samples[25:0:-1], maf=0.4, sites=tmp_path / "sites",
        split=tmp_path / "split", part="test", populations=table,
    )  # fmt: skip
    from_hdf5, from_vcf = read_panel(tmp_path / "in.h5", selection), read_panel(tmp_path / "in.vcf", selection)
    assert_same(from_hdf5, from_vcf)
    assert from_hdf5.samples == panel.samples[19:1:-1]
    assert 0 < from_hdf5.n_sites < 5  # five sites are listed and in the region; some are not common
    assert from_hdf5.labels("population").tolist() == ["X"] * 18
    assert_array_equal(read_dosages(tmp_path / "in.h5").dosages, read_dosages(tmp_path / "in.vcf").dosages)


def test_panel_writer__streams_people(tmp_path):
    first, second = random_panel(3, seed=1), random_panel(4, seed=2, first=3)
    with Hdf5PanelWriter(tmp_path / "out.h5", first.variants, ("population",)) as writer:
        writer.append(first)
        writer.append(second)
        with pytest.raises(ValueError, match="appended before"):
            writer.append(first)
        with pytest.raises(ValueError, match="other sites"):
            writer.append(random_panel(1, n_sites=9))
    got = read_panel(tmp_path / "out.h5")
    assert_array_equal(got.bits, np.concatenate([first.bits, second.bits]))
    assert got.samples == first.samples + second.samples
    assert list(got.populations) == ["population"]


def test_panel_writer__leaves_nothing_after_an_error(tmp_path):
    def interrupted():
        with Hdf5PanelWriter(tmp_path / "out.h5", random_panel().variants) as writer:
            writer.append(random_panel())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.iterdir())


def test_paper_layout__reads_what_h5py_wrote(tmp_path):
    alleles = np.array([[0, 1, 1], [1, 0, 0], [1, 1, 1], [0, 0, 0]], dtype=bool)
    for labels in ([b"AFR", b"AFR", b"EUR", b"EUR"], [b"AFR", b"EUR"]):
        with h5py.File(tmp_path / "in.h5", "w") as file:
            file["snps"] = alleles
            file["populations"] = labels
        panel = read_panel(tmp_path / "in.h5")
        assert_array_equal(panel.alleles(), alleles)
        assert panel.samples == ("S1", "S2")
        assert panel.labels("population").tolist() == ["AFR", "EUR"]
        assert panel.variants.site_keys() == ["unknown:1:N:<ALT>", "unknown:2:N:<ALT>", "unknown:3:N:<ALT>"]
    part = read_panel(tmp_path / "in.h5", Selection(samples=("S2",), regions=("unknown:2-",)))
    assert part.alleles().tolist() == [[1, 1], [0, 0]]


def test_paper_layout__writes_alleles_and_labels(tmp_path):
    panel = random_panel()
    write_paper_hdf5(panel, tmp_path / "out.h5", "population")
    with h5py.File(tmp_path / "out.h5") as file:
        assert set(file) == {"snps", "populations"}
        assert file["snps"].dtype == np.bool_
        assert_array_equal(file["snps"][()], panel.alleles())
        assert file["populations"].asstr()[()].tolist() == panel.labels("population", per="haplotype").tolist()
    with pytest.raises(HaploomError, match="no label level"):
        write_paper_hdf5(panel, tmp_path / "out.h5", "tribe", force=True)


def put(name, value):
    def change(file):
        del file[name]
        file[name] = value

    return change


def drop(name):
    return lambda file: file.__delitem__(name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.attrs.__setitem__("version", 2), "panel version 2, this Haploom reads 1"),
        (lambda file: file.attrs.__delitem__("format"), "neither a Haploom panel"),
        (put("bits", np.zeros((10, 2), np.uint8)), r"bits are uint8 \(10, 2\), wanted uint8 \(10, 3\)"),
        (put("bits", np.zeros((10, 3), np.int8)), "bits are int8"),
        (put("bits", np.full((10, 3), 255, np.uint8)), "past the last site"),
        (drop("bits"), "dataset bits is absent"),
        (drop("sites"), "dataset sites/position_bp is absent"),
        (drop("sites/ref"), "dataset sites/ref is absent"),
        (drop("samples"), "dataset samples is absent"),
        (put("samples", ["a", "a", "b", "c", "d"]), "each once"),
        (put("samples", np.arange(5)), "wanted a column of strings"),
        (put("sites/alt", ["C"]), "wanted"),
        (put("sites/position_bp", np.arange(21)[::-1]), "goes back"),
        (put("populations/sex", ["a"]), "1 values in populations/sex, wanted 5"),
    ],
)  # fmt: skip
def test_read_hdf5__damage_is_reported(tmp_path, change, message):
    path = tmp_path / "in.h5"
    write_panel(random_panel(), path)
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(FormatError, match=message):
        read_panel(path)


@pytest.mark.parametrize(
    ("snps", "labels", "message"),
    [
        (np.zeros((4, 3), bool), ["a", "b", "c", "c"], "haplotypes 0 and 1 are labelled a and b"),
        (np.zeros((3, 3), bool), ["a", "a", "b"], "wanted bool"),
        (np.zeros((4, 3), np.int64), ["a", "a"], "wanted bool"),
        (np.zeros((4, 3), bool), ["a", "a", "b"], "wanted strings"),
    ],
)
def test_paper_layout__damage_is_reported(tmp_path, snps, labels, message):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["snps"], file["populations"] = snps, labels
    with pytest.raises(FormatError, match=message):
        read_panel(tmp_path / "in.h5")


def test_read_hdf5__cut_short(tmp_path):
    path = tmp_path / "in.h5"
    write_panel(random_panel(), path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(FormatError, match="HDF5 cannot read it"):
        read_panel(path)


def test_read_panel__format_is_told_by_content_not_by_name(tmp_path):
    vcf = Vcf(["a"], [Record("22", 5, ".", "A", "C", ["0|1"])])
    assert read_panel(written(tmp_path, vcf, "in.h5")).n_sites == 1
