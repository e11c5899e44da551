"""Genotypes on disk between reading and use: what a reader gives, whoever is asked for."""

import signal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_panels import assert_same, random_dosages, random_panel

from haploom.errors import FormatError, HaploomError
from haploom.io import Selection, read_dosages, read_panel, site_blocks, write_dosages, write_panel
from haploom.io.scratch import ScratchFile
from haploom.io.stored_panels import stored_panel
from haploom.panel.batches import batches_of_people


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The same people phased and unphased, in formats read line by line, site by site and all at once."""
    folder = tmp_path_factory.mktemp("stored")
    for module in ("zarr", "bed_reader"):
        pytest.importorskip(module)
    for name in ("x.vcf.gz", "x.bcf", "x.h5", "x.vcz"):
        write_panel(random_panel(9), folder / name)
    for name in ("u.vcf", "u.bed"):
        write_dosages(random_dosages(9), folder / name)
    rows = "".join(f"P{person}\t{'AB'[person % 2]}\n" for person in range(9))
    (folder / "labels.tsv").write_text("sample\tgroup\n" + rows)
    return folder


@settings(max_examples=60, deadline=None)
@given(
    block_bytes=st.integers(1, 200),
    chosen=st.permutations([f"P{person}" for person in range(9)]),
    n=st.integers(0, 7),
    maf=st.sampled_from([None, 0.2]),
    name=st.sampled_from(["x.vcf.gz", "x.bcf", "x.h5", "x.vcz"]),
    unphased=st.sampled_from(["u.vcf", "u.bed"]),
)
def test_stored_panel__as_read(folder, block_bytes, chosen, n, maf, name, unphased):
    selection = Selection(samples=tuple(chosen[2:]), maf=maf)
    people = sorted(chosen[2:])[:n]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site_blocks, "_BLOCK_BYTES", block_bytes)
        for source, read in ((name, read_panel), (name, read_dosages), (unphased, read_dosages)):
            with stored_panel(folder / source, selection, phased=read is read_panel) as stored:
                found = stored.select_samples(people)
            assert_same(found, read(folder / source, selection).select_samples(people))


def test_stored_panel__batches_have_labels_and_the_same_sites(folder, monkeypatch):
    monkeypatch.setattr(site_blocks, "_BLOCK_BYTES", 100)
    with stored_panel(folder / "x.bcf", Selection(populations=folder / "labels.tsv"), phased=True) as stored:
        batches = list(batches_of_people(stored, 4))
    assert [batch.n_samples for batch in batches] == [4, 4, 1]
    assert np.concatenate([batch.labels("group") for batch in batches]).tolist() == list("ABABABABA")
    assert stored.labels("group").tolist() == list("ABABABABA")
    assert all(batch.variants is stored.variants for batch in batches)  # so they are matched with a model's once


def test_stored_panel__no_sites(folder):
    with stored_panel(folder / "x.bcf", Selection(regions=("22:9500-9600",)), phased=True) as stored:
        assert stored.select_samples(("P3",)).alleles().shape == (2, 0)


def test_stored_panel__bad_input(folder):
    with (
        pytest.raises(FormatError, match=r"missing|unphased"),
        stored_panel(folder / "u.vcf", Selection(), phased=True),
    ):
        pass
    table = folder / "others.tsv"
    table.write_text("sample\tgroup\nP1\tA\n")
    with (
        pytest.raises(HaploomError, match="P0"),
        stored_panel(folder / "x.bcf", Selection(populations=table), phased=True),
    ):
        pass


def test_stored_panel__a_folder_that_cannot_be_written(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(site_blocks, "_BLOCK_BYTES", 100)
    with (
        pytest.raises(HaploomError, match="gone, which cannot be made"),
        stored_panel(folder / "x.bcf", Selection(), phased=True, folder=tmp_path / "gone"),
    ):
        pass


def test_scratch_file__full_and_short():
    resource = pytest.importorskip("resource")
    rows = np.arange(4000, dtype=np.uint16).astype(np.uint8)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    sent = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
        with ScratchFile() as file:
            file.write(rows, 0)
            with pytest.raises(HaploomError, match=r"written to after 5,000 bytes.*File too large"):
                file.write(rows, 4000)
            back = np.zeros((2, 2000), dtype=np.uint8)
            file.read(back, 0)
            assert back.ravel().tolist() == rows.tolist()
            with pytest.raises(HaploomError, match="it ends at 5,000 bytes"):
                file.read(back, 3000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, sent)
