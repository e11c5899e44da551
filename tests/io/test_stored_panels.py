"""Genotypes on disk between reading and use: what a reader gives, whoever is asked for."""

import errno
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_panels import assert_same, random_dosages, random_panel

from haploom.errors import FormatError, HaploomError
from haploom.io import Selection, read_dosages, read_panel, site_blocks, stored_panels, write_dosages, write_panel
from haploom.io.stored_panels import stored_panel
from haploom.panel.batches import batches_of_people


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The same people phased and unphased, in formats read line by line, site by site and all at once."""
    folder = tmp_path_factory.mktemp("stored")
    for name in ("x.vcf.gz", "x.bcf", "x.h5"):
        write_panel(random_panel(9), folder / name)
    write_dosages(random_dosages(9), folder / "u.vcf")
    rows = "".join(f"P{person}\t{'AB'[person % 2]}\n" for person in range(9))
    (folder / "labels.tsv").write_text("sample\tgroup\n" + rows)
    return folder


@settings(max_examples=40, deadline=None)
@given(
    block_bytes=st.integers(1, 200),
    people=st.permutations([f"P{person}" for person in range(9)]),
    n=st.integers(0, 9),
    maf=st.sampled_from([None, 0.2]),
    name=st.sampled_from(["x.vcf.gz", "x.bcf", "x.h5"]),
)
def test_stored_panel__as_read(folder, block_bytes, people, n, maf, name):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site_blocks, "_BLOCK_BYTES", block_bytes)
        selection = Selection(samples=tuple(sorted(people)), maf=maf)
        for source, read in ((name, read_panel), (name, read_dosages), ("u.vcf", read_dosages)):
            with stored_panel(folder / source, selection, read is read_panel) as stored:
                found = stored.select_samples(people[:n])
            assert_same(found, read(folder / source, selection).select_samples(people[:n]))


def test_stored_panel__batches_have_labels_and_the_same_sites(folder, monkeypatch):
    monkeypatch.setattr(site_blocks, "_BLOCK_BYTES", 100)
    with stored_panel(folder / "x.bcf", Selection(populations=folder / "labels.tsv"), True) as stored:
        batches = list(batches_of_people(stored, 4))
    assert [batch.n_samples for batch in batches] == [4, 4, 1]
    assert np.concatenate([batch.labels("group") for batch in batches]).tolist() == list("ABABABABA")
    assert stored.labels("group").tolist() == list("ABABABABA")
    assert all(batch.variants is stored.variants for batch in batches)  # so they are matched with a model's once


def test_stored_panel__no_sites(folder):
    with stored_panel(folder / "x.bcf", Selection(regions=("22:9500-9600",)), True) as stored:
        assert stored.select_samples(("P3",)).alleles().shape == (2, 0)


def test_stored_panel__bad_input_and_a_full_disk(folder, monkeypatch):
    with pytest.raises(FormatError, match=r"missing|unphased"), stored_panel(folder / "u.vcf", Selection(), True):
        pass
    table = folder / "others.tsv"
    table.write_text("sample\tgroup\nP1\tA\n")
    with pytest.raises(HaploomError, match="P0"), stored_panel(folder / "x.bcf", Selection(populations=table), True):
        pass

    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(stored_panels.tempfile, "TemporaryFile", Full)
    with pytest.raises(HaploomError, match=r"No space left.*TMPDIR"), stored_panel(folder / "x.bcf", Selection(), True):
        pass
