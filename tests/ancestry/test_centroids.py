import numpy as np
import pytest
from numpy.testing import assert_allclose

pytest.importorskip("torch")

import torch

from haploom.ancestry import classify_panel, compare_classifiers, write_classification
from haploom.embedding import embed_panel, write_embedding
from haploom.errors import SiteMismatchError
from haploom.io.model_file import read_model
from haploom.models.encoder import encode_batches, packed_batches
from haploom.models.model import Batch
from haploom.models.network import load_network


def test_classify__nearest_mean_by_hand(two_populations, small_model):
    model = read_model(small_model)
    got = classify_panel(two_populations, model)
    z = encode_batches(load_network(model), packed_batches(two_populations.bits, two_populations.n_sites))
    for row in range(0, len(z), 7):
        distances = [np.sqrt(((z[row] - centre) ** 2).sum()) for centre in model.arrays["labels.mean"]]
        assert got.labels[row] == model.labels[int(np.argmin(distances))]


def test_classify__held_out_people_of_distinct_populations(two_populations, two_populations_split, small_model):
    test = two_populations.select_samples(two_populations_split.samples("test", two_populations.samples))
    got = classify_panel(test, read_model(small_model))
    assert (got.labels == test.labels("population", per="haplotype")).mean() > 0.9
    assert set(got.parts) == {"test"}


def test_classify__absent_sites_are_missing_and_too_few_are_refused(two_populations, small_model):
    model = read_model(small_model)
    some = two_populations.select_sites(slice(0, None, 3))
    with pytest.raises(SiteMismatchError, match=r"33\.3 %"):
        classify_panel(some, model)
    labels = classify_panel(some, model, min_coverage=0.3).labels
    assert (labels == two_populations.labels("population", per="haplotype")).mean() > 0.8


def test_embed__known_sites_count_for_absent_ones(two_populations, small_model):
    model = read_model(small_model)
    z = embed_panel(two_populations.select_sites(slice(200)), model).z
    alleles = torch.from_numpy(two_populations.alleles()).float()
    network = load_network(model)
    away = alleles - network.frequency
    away[:, :200] *= 300 / 200
    away[:, 200:] = 0
    with torch.no_grad():
        wanted = network.encode(Batch(network.frequency + away))[0]
    assert_allclose(z, wanted.numpy(), atol=1e-5)


def test_classify__table(two_populations, small_model, tmp_path):
    model = read_model(small_model)
    got = classify_panel(two_populations, model)
    write_classification(got, tmp_path / "labels.tsv")
    lines = [line.split("\t") for line in (tmp_path / "labels.tsv").read_text().splitlines()]
    assert lines[0] == ["sample", "haplotype", "label", "set", "p_north", "p_south", "part"]
    assert len(lines) == 1 + 120
    assert lines[1][:2] == ["P00", "1"]
    assert lines[2][:2] == ["P00", "2"]
    for line in lines[1:]:
        assert abs(float(line[4]) + float(line[5]) - 1) < 2e-4
        assert line[2] == ("north" if float(line[4]) >= float(line[5]) else "south")
        assert line[6] == model.card.part_of[line[0]]


def test_embed__table(two_populations, small_model, tmp_path):
    model = read_model(small_model)
    renamed = type(two_populations)(
        two_populations.bits, two_populations.variants, tuple(f"new{i}" for i in range(60)), {}
    )
    embedding = embed_panel(renamed, model)
    write_embedding(embedding, tmp_path / "z.tsv")
    lines = [line.split("\t") for line in (tmp_path / "z.tsv").read_text().splitlines()]
    assert lines[0] == ["sample", "haplotype", "z1", "z2", "z3", "z4", "part"]
    assert {line[-1] for line in lines[1:]} == {"new"}
    np.testing.assert_allclose([[float(v) for v in line[2:6]] for line in lines[1:]], embedding.z, rtol=1e-5)


def test_compare__same_people_for_every_method(two_populations, small_model):
    pytest.importorskip("sklearn")
    rows = list(compare_classifiers(two_populations, read_model(small_model)))
    assert rows[0].method.startswith("VAE")
    assert len({row.method for row in rows}) == len(rows) >= 3
    assert {row.accuracy.n_people for row in rows} == {12}
    assert all(row.accuracy.plain.value > 0.9 for row in rows)
