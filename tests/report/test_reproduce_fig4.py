"""Figures 4 and S3 to S5: whom they show, what is counted, and a run that goes on."""

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from haploom.embedding import Embedding
from haploom.errors import HaploomError
from haploom.io import write_panel, write_populations
from haploom.panel import Panel, Variants
from haploom.report.reproduce import fig4
from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.fig4 import Mapped, finer_level, reproduce
from haploom.report.reproduce.map_data import SIZES, Genotyped

REGIONS = {"AFR": ("a1", "a2"), "AMR": ("m1", "m2"), "EUR": ("e1",)}


@pytest.fixture(scope="module")
def panel() -> Panel:
    """12 people of each of five towns in three regions, at 60 sites whose frequencies the towns differ in."""
    rng = np.random.default_rng(5)
    towns = [town for towns in REGIONS.values() for town in towns]
    region_of = {town: region for region, towns in REGIONS.items() for town in towns}
    alleles = (rng.random((len(towns), 24, 60)) < rng.beta(0.5, 0.5, (len(towns), 1, 60))).astype(np.uint8)
    variants = Variants(
        np.full(60, "1"), 100 * np.arange(1, 61), np.full(60, "."), np.full(60, "A"), np.full(60, "C"), {"1": 10_000}
    )
    names = [f"{town}-{number}" for town in towns for number in range(12)]
    labels = {
        "region": np.repeat([region_of[town] for town in towns], 12), "town": np.repeat(towns, 12),
        "name": np.array(names), "both": np.tile(["x", "y"], 30),
    }  # fmt: skip
    return Panel.from_alleles(alleles.reshape(-1, 60), variants, names, labels)


@pytest.fixture
def request_of(panel, tmp_path, monkeypatch):
    monkeypatch.setitem(SIZES, "quick", replace(SIZES["quick"], epochs=2))
    write_panel(panel, tmp_path / "people.vcf.gz")
    write_populations(tmp_path / "people.tsv", panel.samples, panel.populations)
    return lambda name: Request(
        name=name, size="quick", genotypes=tmp_path / "people.vcf.gz", populations=tmp_path / "people.tsv",
        label="region",
    )  # fmt: skip


def test_finer_level__is_the_one_within(panel):
    assert finer_level(panel.populations, "region") == "town"  # neither names, one each, nor `both`, in all regions
    assert finer_level(panel.populations, "town") is None


def test_fig4__files_regions_and_a_second_run_that_places_nobody(request_of, tmp_path, monkeypatch):
    folder = tmp_path / "out"
    folder.mkdir()
    written = reproduce(request_of("fig4"), folder)
    pictures = [f"fig4-{whom}-{method}.{kind}" for whom in ("people", "afr", "amr") for method in ("pca", "vae")
                for kind in ("svg", "png")]  # fmt: skip
    assert [path.name for path in written] == ["fig4.txt", "fig4.html", "fig4.claims.json", "fig4-map.html", *pictures]
    assert all(path.stat().st_size > 0 for path in written)
    first = [path.read_bytes() for path in written]
    rows = [json.loads(line) for line in (folder / "rows-fig4.jsonl").read_text().splitlines()[1:]]
    train, test = rows[0]["rows"]
    assert set(train["samples"]).isdisjoint(test["samples"])
    assert {name[:2] for name in test["samples"]} == {"a1", "a2", "m1", "m2", "e1"}  # split within each town
    monkeypatch.setattr(fig4, "SHOWN", dict.fromkeys(fig4.SHOWN))  # nobody makes them
    assert [path.read_bytes() for path in reproduce(request_of("fig4"), folder)] == first
    # The other figures take the same places.
    names = [path.name for path in reproduce(request_of("fig-s3"), folder)]
    assert names[4:] == [name.replace("fig4", "fig-s3") for name in pictures if "-afr-" in name]
    with pytest.raises(HaploomError, match=r"others than AFR and AMR: .* has those of AFR, AMR"):
        reproduce(request_of("fig-s5"), folder)  # EUR has one town
    text = (folder / "fig4.txt").read_text()
    assert "the VAE tells subpopulations of AFR apart" in text
    assert "not measured" in text


def mapped(panel: Panel, of_town: dict[str, tuple[float, float]]) -> Mapped:
    """Everybody near the place of the town by the VAE, all in one place but for chance by PCA."""
    rng = np.random.default_rng(1)
    towns = panel.labels("town", per="haplotype").tolist()
    parts = tuple("test" if int(name[3:]) < 3 else "train" for name in panel.samples)
    noise = rng.normal(scale=0.01, size=(len(towns), 2))
    places = {"VAE": np.array([of_town[town] for town in towns]) + noise, "PCA": noise}
    maps = {method: Embedding(panel.samples, parts, places[method]) for method in ("PCA", "VAE")}
    return Mapped(Genotyped("made up", panel, ("region", "town")), maps, ("region", "town"), panel.populations)


def test_accuracy__one_where_towns_lie_apart_and_chance_where_not(panel):
    places = {"a1": (0, 0), "a2": (1, 0), "m1": (5, 0), "m2": (5, 1), "e1": (9, 9)}
    people = mapped(panel, places)
    assert people.regions() == ["AFR", "AMR"]
    for region in people.regions():
        found = fig4._told_apart(people, region)
        assert (found.rows, found.people) == (12, 6)  # 2 towns, 3 people held out, 2 haplotypes
        assert found.chance == 0.5
        assert found.by["VAE"].value == 1
        assert found.by["PCA"].value < 0.95
        assert found.gain.value == pytest.approx(1 - found.by["PCA"].value)


def test_vicinity__rank_correlation_by_hand():
    # Ranks 0 1 2 3 and 1 0 2 3: 1 - 6 * 2 / (4 * 15) = 0.8 (Spearman).
    assert fig4._rank_correlation(np.array([1.0, 2, 30, 40]), np.array([0.2, 0.1, 0.3, 0.9])) == pytest.approx(0.8)
