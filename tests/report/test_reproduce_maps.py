"""Table 3 and the figures of maps: who is scored against what, at sizes of seconds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("msprime")
pytest.importorskip("matplotlib")

from haploom.errors import HaploomError
from haploom.io import write_dosages, write_panel
from haploom.panel import DosagePanel, Panel
from haploom.popgen import breeds
from haploom.report.reproduce import catalogue, map_pages, map_rows, table3
from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.map_data import MAF, SIZES, Genotyped, given, parts_of
from haploom.report.reproduce.map_figures import map_figures
from haploom.report.reproduce.map_methods import SCALED, TSNE, by_components, by_tsne, by_vae, genotype_distances
from haploom.report.reproduce.table3 import table3_claims, winners

TINY = replace(SIZES["quick"], people=12, sites=80, dog_sites=80, epochs=2, distance_rows=60)


@pytest.fixture
def tiny(monkeypatch):
    """Small, and without UMAP, whose kernels take long to compile."""
    monkeypatch.setitem(SIZES, "quick", TINY)
    monkeypatch.setattr(breeds, "CHROMOSOMES", 2)
    for module in (table3, map_pages):
        monkeypatch.setattr(module, "makers_here", lambda: [by_vae, by_components, by_tsne])


@pytest.fixture
def people(two_populations) -> Genotyped:
    return Genotyped("two", two_populations, ("population",))


def test_parts__no_label_is_left_to_learn_from(people):
    parts = parts_of(people, 1)
    assert set(parts.everyone.populations) == {parts.level}
    assert len(set(parts.everyone.labels(parts.level).tolist())) == 1
    train, test = parts.part("train"), parts.part("test")
    assert set(train.samples).isdisjoint(test.samples)
    assert train.minor_allele_frequencies().min() > MAF
    # Split within the real labels all the same: a fifth of 30 people of each.
    assert sorted(people.labels("population", test.samples).tolist()) == ["north"] * 12 + ["south"] * 12


def test_scaled_components__as_of_the_scaled_matrix(people):
    parts = parts_of(people, 1)
    train, test = by_components(parts, TINY, 1)[SCALED]
    X = parts.part("train").alleles().astype(float)
    p = X.mean(axis=0)
    scale = 1 / np.sqrt(p * (1 - p))
    _, _, axes = np.linalg.svd((X - p) * scale, full_matrices=False)
    for ours, alleles in ((train, X), (test, parts.part("test").alleles())):
        theirs = ((alleles - p) * scale) @ axes[:2].T
        for axis in range(2):
            assert abs(np.corrcoef(ours[:, axis], theirs[:, axis])[0, 1]) > 0.99999


def test_genotype_distances__by_hand(two_populations):
    variants = two_populations.variants.select(slice(0, 3))
    dosages = DosagePanel(np.array([[0, 2, 1], [2, 2, -1], [0, 0, 1]], np.int8), variants, ("a", "b", "c"))
    # Halved: a = (0, 1, 1/2), b = (1, 1, mean 1/2), c = (0, 0, 1/2).
    want = np.array([[0, 1, 1], [1, 0, np.sqrt(2)], [1, np.sqrt(2), 0]])
    np.testing.assert_allclose(genotype_distances(dosages), want, atol=1e-6)


def test_table3__every_row_and_a_second_run_measures_nothing(tiny, tmp_path, monkeypatch):
    request = Request(name="table3", size="quick")
    written = table3.reproduce(request, tmp_path)
    assert [path.suffix for path in written] == [".txt", ".html", ".json", ".tsv"]
    lines = (tmp_path / "table3.tsv").read_text().splitlines()
    assert len(lines) == 1 + 2 * 5 * 2  # data sets, methods, training and held-out people
    text = written[0].read_text()
    assert "dogs: silhouette 0.120 by PCA, 0.070 by the VAE" in text

    monkeypatch.setattr(map_rows, "_rows", lambda *given: pytest.fail("measured again"))
    assert table3.reproduce(request, tmp_path)[0].read_text() == text


def test_table3__points_that_are_gone_are_made_again(tiny, tmp_path, people):
    sizes = replace(TINY, splits=1)
    request = Request(name="table3", size="quick")
    for _ in range(2):
        file = table3.row_file(request, sizes, tmp_path)
        measured = map_rows.measure_maps(people, sizes, 1, file, tmp_path, [by_components])
        points = map_rows.points_file(tmp_path, people, SCALED)
        assert len(map_figures(people, tmp_path, {row["method"]: None for row in measured})) == 2
        points.unlink()


@pytest.mark.parametrize("name", ["fig-s6", "fig-s7", "fig-s8"])
def test_map_pages__pictures_and_claims(tiny, tmp_path, name):
    written = catalogue.reproduce(Request(name=name, size="quick"), tmp_path)
    page = written[1].read_text()
    assert page.count("<img") == {"fig-s6": 2, "fig-s7": 8, "fig-s8": 8}[name]
    assert "The paper and this run" in page


def _scores(method, people="held out", **scores):
    empty = dict.fromkeys(map_rows.SCORES)
    return {"data": "simulated dogs", "method": method, "people": people, "seed": 1} | empty | scores


def test_winners__lower_is_better_for_davies_bouldin_alone():
    rows = [
        _scores("VAE", pseudo_f=2.0, davies_bouldin=2.0),
        _scores("PCA", pseudo_f=1.0, davies_bouldin=1.0),
        _scores("t-SNE", pseudo_f=3.0, davies_bouldin=3.0),
    ]
    assert winners(rows).rows == [
        ["pseudo-F", "t-SNE (3.0)", "VAE (2.0)"], ["Davies-Bouldin", "PCA (1.00)", "PCA (1.00)"],
    ]  # fmt: skip


def test_table3_claims__follow_from_the_rows():
    # The paper: pseudo-F better by the VAE, silhouette better by PCA, Davies-Bouldin lower by the VAE.
    better = {"pseudo_f": 2.0, "silhouette": 0.5, "davies_bouldin": 1.0}
    worse = {"pseudo_f": 1.0, "silhouette": 0.1, "davies_bouldin": 3.0}
    rows = [_scores("VAE", "training", **better), _scores("PCA", "training", **worse)]
    verdicts = {claim.paper.split(" ")[1]: claim.agrees for claim in table3_claims(rows) if claim.paper[:4] == "dogs"}
    assert verdicts == {"pseudo-F": True, "silhouette": False, "Davies-Bouldin": True}
    assert all(claim.agrees is None for claim in table3_claims(rows) if claim.paper.startswith("people"))


def _table(path: Path, samples, columns) -> Path:
    rows = ["\t".join(["sample", *columns]), *("\t".join(row) for row in zip(samples, *columns.values()))]
    path.write_text("\n".join(rows) + "\n")
    return path


def test_given__phased_people_with_labels_and_places(two_populations, tmp_path):
    write_panel(two_populations, tmp_path / "in.vcf")
    samples = two_populations.samples
    n = len(samples)
    table = {"longitude": ["-0.5"] * n, "latitude": ["89.5"] * n, "population": ["a", "b"] * (n // 2)}
    path = _table(tmp_path / "t.tsv", samples, table)
    data = given(Request(name="table3", genotypes=tmp_path / "in.vcf", populations=path))
    assert isinstance(data.genotypes, Panel)
    assert data.levels == ("population",)
    longitude, latitude = data.coordinates(samples[:2])
    assert longitude.tolist() == [-0.5] * 4
    assert latitude.tolist() == [89.5] * 4


def test_given__unphased_animals_without_labels(two_populations, tmp_path, tiny):
    pytest.importorskip("bed_reader")
    dosages = DosagePanel.from_panel(two_populations)
    write_dosages(dosages, tmp_path / "in.bed")
    rng = np.random.default_rng(1)
    table = {"longitude": [f"{x:.2f}" for x in rng.uniform(-9, 9, 60)], "latitude": ["1"] * 60}
    path = _table(tmp_path / "t.tsv", dosages.samples, table)
    request = Request(name="table3", size="quick", genotypes=tmp_path / "in.bed", populations=path)
    text = table3.reproduce(request, tmp_path)[0].read_text()
    assert "correlation, ground" in text
    scores = text.partition("method ")[2].splitlines()[0]
    assert "correlation, genotypes" in scores
    assert "k-NN" not in scores

    _table(tmp_path / "t.tsv", dosages.samples, {**table, "latitude": ["1"] * 59 + ["91"]})
    with pytest.raises(HaploomError, match="column 'latitude' leaves -90 to 90"):
        given(request)


def test_tsne__places_everyone_together(people):
    train, test = by_tsne(parts_of(people, 1), TINY, 1)[TSNE]
    assert train.shape == (84, 2)
    assert test.shape == (24, 2)
    assert np.isfinite(train).all()
