"""HDF5 files that lie about what they are, hold or need: each is a FormatError, told before memory is taken."""

import h5py
import numpy as np
import pytest

from haploom.errors import FormatError
from haploom.io import hdf5, read_panel, read_samples, write_panel
from haploom.panel import Panel, Variants

TERA = 1 << 40


@pytest.fixture
def path(tmp_path):
    """A good panel of 2 people at 3 sites, which the tests then spoil."""
    variants = Variants(["22"] * 3, [5, 6, 7], ["."] * 3, ["A"] * 3, ["C"] * 3, {"22": 100})
    alleles = np.arange(12, dtype=np.uint8).reshape(4, 3) % 2
    labels = {"population": np.array(["x", "y"])}
    write_panel(Panel.from_alleles(alleles, variants, ["a", "b"], labels), tmp_path / "in.h5")
    return tmp_path / "in.h5"


def attribute(name, value):
    return lambda file: file.attrs.__setitem__(name, value)


def put(name, value, **how):
    def change(file):
        if name in file:
            del file[name]
        file.create_dataset(name, data=value, **how)

    return change


def declared(name, shape, dtype, chunks=True):
    """A dataset of which nothing is stored."""

    def change(file):
        if name in file:
            del file[name]
        file.create_dataset(name, shape, dtype, chunks=chunks)

    return change


def link(name, to):
    def change(file):
        del file[name]
        file[name] = to

    return change


def virtual(file):
    shape = file["bits"].shape
    del file["bits"]
    layout = h5py.VirtualLayout(shape, np.uint8)
    layout[:] = h5py.VirtualSource("/elsewhere.h5", "bits", shape=shape)
    file.create_virtual_dataset("bits", layout)


def elsewhere(file):
    del file["bits"]
    file.create_dataset("bits", (4, 1), np.uint8, external=[("/etc/hostname", 0, 4)])


def null(name):
    return put(name, h5py.Empty("S3"))


def times(file):
    del file["bits"]
    h5py.h5d.create(file.id, b"bits", h5py.h5t.UNIX_D32LE, h5py.h5s.create_simple((4, 1)))


STRINGS = h5py.string_dtype()
FIXED = "S8"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (attribute("format", ["haploom panel"] * 2), "neither a Haploom panel"),
        (attribute("format", np.arange(9)), "neither a Haploom panel"),
        (attribute("format", h5py.Empty("f8")), "neither a Haploom panel"),
        (attribute("version", np.ones(2, int)), "panel version"),
        (attribute("version", "1"), "panel version 1, this"),
        (attribute("version", 1.0), "panel version"),
        (lambda file: file.create_group("snps"), None),
        (link("bits", h5py.ExternalLink("/etc/hostname", "bits")), "bits is a link to elsewhere"),
        (link("populations", h5py.ExternalLink("other.h5", "/populations")), "populations is a link"),
        (link("sites", h5py.ExternalLink("other.h5", "/sites")), "sites/position_bp is a link"),
        (link("samples", h5py.SoftLink("/populations/population")), "samples is a link"),
        (link("samples", h5py.SoftLink("/nowhere")), "samples is a link"),
        (virtual, "the data of bits are in other files"),
        (elsewhere, "the data of bits are in other files"),
        (times, "dataset bits is of a type that NumPy has no like of"),
        (null("samples"), "samples is null"),
        (put("sites/position_bp", 5), "wanted a column of integers"),
        (put("sites/position_bp", [5.0, 6.0, 7.0]), r"is float64 \(3,\), wanted a column of integers"),
        (put("sites/position_bp", [-5, 6, 7]), "goes from -5 to 7, wanted 0 to 10"),
        (put("sites/position_bp", np.array([5, 6, 2**64 - 1], np.uint64)), "to 18446744073709551615, wanted"),
        (put("sites/position_bp", [5, 6]), "3 values in sites/chrom, wanted 2"),
        (put("contigs/length_bp", [2.5]), "wanted a column of integers"),
        (put("contigs/length_bp", [-1]), "goes from -1"),
        (put("contigs/length_bp", np.array([2**64 - 1], np.uint64)), "wanted 0 to 10"),
        (put("contigs/length_bp", [100, 200]), "2 values in contigs/length_bp, wanted 1"),
        (put("contigs/name", ["2\t2"]), "a contig's name has a tab in it"),
        (put("contigs/name", [""]), "a contig's name is empty"),
        (put("sites/ref", np.array([1, 2, 3])), "wanted a column of strings"),
        (put("sites/ref", ["A", "", "A"]), "REF is empty at '22:6', site 2"),
        (put("sites/id", np.array([b".", b"a\0b", b"."], FIXED)), "ID has a NUL in it"),
        (put("sites/chrom", ["2\n2"] * 3), "CHROM has a line break in it"),
        (put("sites/alt", np.array([b"C", b"\xff", b"C"], FIXED)), "sites/alt is not UTF-8"),
        (put("samples", ["a", ""]), "none empty"),
        (put("samples", ["a", "b\nc"]), "a sample's name has a line break in it"),
        (put("samples", np.array([b"a", b"b\0c"], FIXED)), "a sample's name has a NUL in it"),
        (put("samples", [["a", "b"]]), r"samples is object \(1, 2\), wanted a column of strings"),
        (put("populations/population", ["x", "y\tz"]), "a label of population has a tab"),
        (put("populations/a\tb", ["x", "y"]), "a level of labels has a tab"),
        (lambda file: file.create_group("populations/deep"), "dataset populations/deep is absent"),
        (declared("samples", (TERA,), STRINGS), r"is said to be \(1099511627776,\), .* bytes, but 0 are stored"),
        (declared("samples", (2,), STRINGS, chunks=None), "none empty"),
        (declared("sites/position_bp", (TERA,), np.int64), "is said to be"),
        (declared("sites/chrom", (TERA,), STRINGS), "is said to be"),
        (declared("contigs/name", (TERA,), STRINGS), "is said to be"),
        (declared("bits", (TERA, 1), np.uint8), "is said to be"),
        (declared("bits", (4, 1 << 33), np.uint8, chunks=(4, 1)), "is said to be"),
        (declared("bits", (4, 1), np.dtype("V1000000000"), chunks=None), "is said to be"),
        (declared("populations/population", (TERA,), STRINGS), "is said to be"),
    ],
)  # fmt: skip
def test_read_hdf5__lies_are_told(path, change, message):
    with h5py.File(path, "r+") as file:
        change(file)
    if message is None:  # what is beside a whole panel is left aside
        assert read_panel(path).samples == ("a", "b")
        return
    with pytest.raises(FormatError, match=message):
        read_panel(path)


@pytest.mark.parametrize(
    ("snps", "labels", "message"),
    [
        (declared("snps", (TERA, 100), bool), put("populations", ["x"]), "snps is said to be"),
        (declared("snps", (TERA, 0), bool, chunks=None), put("populations", ["x"]), "snps is said to be"),
        (declared("snps", (2, TERA), bool), put("populations", ["x"]), "snps is said to be"),
        (
            lambda file: (file.pop("snps"), file.create_group("snps")),
            put("populations", ["x"]),
            "neither a Haploom panel",
        ),
        (link("snps", h5py.ExternalLink("/etc/hostname", "x")), put("populations", ["x"]), "snps is a link"),
        (put("snps", np.zeros((2, 3), bool)), declared("populations", (TERA,), STRINGS), "populations is said to be"),
        (put("snps", np.zeros((2, 3), bool)), put("populations", ["x\ty"]), "a label of population has a tab"),
        (put("snps", np.zeros((2, 3), bool)), put("populations", np.array([b"\xff"], FIXED)), "is not UTF-8"),
        (put("snps", h5py.Empty(bool)), put("populations", ["x"]), "snps is null"),
    ],
)
def test_paper_layout__lies_are_told(tmp_path, snps, labels, message):
    path = tmp_path / "in.h5"
    with h5py.File(path, "w") as file:
        file["snps"] = 0
        snps(file)
        labels(file)
    with pytest.raises(FormatError, match=message):
        read_panel(path)


def test_read_samples__checks_names_too(path):
    with h5py.File(path, "r+") as file:
        put("samples", ["a", "b\tc"])(file)
    with pytest.raises(FormatError, match="a sample's name has a tab"):
        read_samples(path)


def test_paper_layout__compressed_and_unwritten_chunks_are_no_lies(tmp_path):
    # As others write it: zeros that deflate as far as deflate goes, or are not stored at all.
    path = tmp_path / "in.h5"
    with h5py.File(path, "w", rdcc_nbytes=1 << 24) as file:
        snps = file.create_dataset("snps", (100, 100_000), bool, compression="gzip", chunks=(100, 50_000))
        snps[:] = False
        assert snps.size / snps.id.get_storage_size() > 900
        file["populations"] = ["x"] * 50
    assert not read_panel(path).bits.any()
    with h5py.File(path, "w") as file:
        snps = file.create_dataset("snps", (100, 1000), bool, chunks=(1, 1000))
        assert snps.id.get_storage_size() == 0
        file["populations"] = ["x"] * 50
    assert not read_panel(path).bits.any()


def test_read_hdf5__memory_that_is_not_there_is_told(path, monkeypatch):
    def too_much(*_):
        raise MemoryError

    monkeypatch.setattr(hdf5, "_checked_bits", too_much)
    with pytest.raises(FormatError, match="does not fit into memory"):
        read_panel(path)
