"""Where people are from: simulated clines, the parts against theory, tables, the command, and the wolves."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from haploom.baselines.neighbour_places import neighbour_places
from haploom.cli.frame import run
from haploom.cli.main import haploom as program
from haploom.embedding.place_regression import PlaceRegression, RegressionSettings
from haploom.embedding.place_training import km_of_spread, leave_out, train_coordinates
from haploom.embedding.places import locate_panel, write_places
from haploom.errors import FormatError, HaploomError
from haploom.io import read_dosages, write_dosages
from haploom.io.model_file import read_model, write_model
from haploom.io.place_tables import read_places
from haploom.panel import DosagePanel, Panel, Split, Variants
from haploom.panel.dosages import MISSING
from haploom.popgen.geography import great_circle_km


@pytest.fixture(scope="module")
def cline():
    """(people, places): 80 people in a square of 2,000 km, allele frequencies that change evenly across it."""
    rng = np.random.default_rng(8)
    n, n_sites = 80, 600
    places = np.stack([rng.uniform(170, 200, n), rng.uniform(50, 68, n)], axis=1)
    places[:, 0] = (places[:, 0] + 180) % 360 - 180  # across the date line
    east, north = (places[:, 0] % 360 - 185) / 15, (places[:, 1] - 59) / 9
    slope = rng.normal(0, 0.25, (2, n_sites))
    p = np.clip(0.5 + np.stack([east, north], axis=1) @ slope, 0.02, 0.98)
    dosages = rng.binomial(2, p).astype(np.int8)
    dosages[rng.random(dosages.shape) < 0.03] = MISSING
    variants = Variants(
        np.full(n_sites, "1"), np.arange(1, n_sites + 1) * 1000, np.full(n_sites, "."), np.full(n_sites, "A"),
        np.full(n_sites, "C"), {},
    )  # fmt: skip
    return DosagePanel(dosages, variants, [f"W{i:02d}" for i in range(n)]), places


@pytest.fixture(scope="module")
def model(cline):
    panel, places = cline
    parts = {name: "train" if i < 60 else "test" for i, name in enumerate(panel.samples)}
    return train_coordinates(panel, places, Split(parts))


def test_places__new_people_are_placed_within_their_radius(cline, model):
    panel, places = cline
    new = panel.select_samples(panel.samples[60:])
    found = locate_panel(new, model)
    km = great_circle_km(found.degrees, places[60:])
    assert np.median(km) < 250  # everybody in the middle: about 700
    assert (km <= found.radius_km).mean() >= 0.7
    assert set(found.parts) == {"test"}
    facts = model.card.training
    assert facts["left_out_mean_km"] < facts["left_out_neighbours_mean_km"] < facts["left_out_middle_mean_km"]
    assert facts["people"] == 60


def test_places__same_alone_and_without_half_of_the_sites(cline, model):
    panel, places = cline
    new = panel.select_samples(panel.samples[60:])
    cohort = locate_panel(new, model)
    alone = locate_panel(panel.select_samples(panel.samples[65:66]), model)
    assert_allclose(alone.degrees[0], cohort.degrees[5], atol=1e-4)
    half = locate_panel(new.select_sites(slice(0, None, 2)), model)
    assert np.median(great_circle_km(half.degrees, places[60:])) < 400


def test_places__phased_people_are_taken_too(cline, model):
    panel, _ = cline
    alleles = np.repeat((panel.dosages[60:] >= 1).astype(np.uint8), 2, axis=0)
    phased = Panel.from_alleles(alleles, panel.variants, panel.samples[60:])
    assert_array_equal(locate_panel(phased, model).degrees, locate_panel(DosagePanel.from_panel(phased), model).degrees)


def test_places__far_from_everyone_the_radius_is_larger(cline, model):
    panel, _ = cline
    beyond = (2 * (model.arrays["pca.components"][:1] > 0)).astype(np.int8)  # past all people along the first axis
    lone = locate_panel(DosagePanel(beyond, panel.variants, ["S"]), model)
    assert lone.radius_km[0] > locate_panel(panel, model).radius_km.max()


def test_places__few_people_and_other_models_are_refused(cline, model):
    panel, places = cline
    few = panel.select_samples(panel.samples[:5])
    with pytest.raises(HaploomError, match="found 5"):
        train_coordinates(few, places[:5], Split(dict.fromkeys(few.samples, "train")))
    with pytest.raises(HaploomError, match="knows no places"):
        locate_panel(panel, replace(model, card=model.card.model_copy(update={"kind": "pca"})))


def test_regression__is_that_of_a_gaussian_process():
    # Two people: the 2 x 2 system is solved by hand. Latents 0 and 1, so the typical squared distance is 1.
    places = np.array([[0.0, 0.0], [90.0, 0.0]])
    fitted = PlaceRegression(RegressionSettings(1, 1.0, 0.5)).fit(np.array([[0.0], [1.0]]), places)
    found, spread = fitted.predict(np.array([[0.0], [0.5], [100.0]]))
    e = np.exp(-1)
    k = np.array([1, e])
    inverse = np.array([[1.5, -e], [-e, 1.5]]) / (1.5**2 - e**2)
    x, y = 0.5 + k @ inverse @ [0.5, -0.5], 0.5 + k @ inverse @ [-0.5, 0.5]
    assert found[0] == pytest.approx([np.degrees(np.arctan2(y, x)), 0])
    assert spread[0] == pytest.approx(np.sqrt(1.5 - k @ inverse @ k))
    assert found[1] == pytest.approx([45, 0])  # by symmetry
    assert found[2] == pytest.approx([45, 0])  # far from both: the middle
    assert spread[2] == pytest.approx(np.sqrt(1.5))
    many, of_many = fitted.predict(np.full((2500, 1), 0.5))  # more than are taken at once
    assert_allclose(many, [[45, 0]] * 2500, atol=1e-9)
    assert_allclose(of_many, spread[1])
    again = PlaceRegression.from_arrays(fitted.to_arrays())
    assert_array_equal(again.predict(np.array([[0.3]]))[0], fitted.predict(np.array([[0.3]]))[0])
    with pytest.raises(ValueError, match="latents"):
        PlaceRegression.from_arrays(fitted.to_arrays() | {"inverse": np.eye(3)})


def test_neighbours__mean_of_the_nearest_on_the_sphere():
    latents = np.array([[0.0], [1.0], [10.0]])
    places = np.array([[170.0, 0.0], [-170.0, 0.0], [0.0, 60.0]])
    found = neighbour_places(latents, places, np.array([[0.4], [9.0]]), 2)
    assert abs(found[0]) == pytest.approx([180, 0])  # not the mean of the numbers, which is 0
    assert neighbour_places(latents, places, np.array([[9.0]]), 1)[0] == pytest.approx([0, 60])


def test_radius__holds_nine_of_ten():
    # Of 19 ratios the conformal quantile is number ceil(0.9 * 20) = 18.
    km, spread = np.arange(1.0, 20.0) * 2, np.full(19, 2.0)
    assert km_of_spread(km, spread) == 18


def test_leave_out__nobody_is_placed_by_their_own_place(cline):
    # With places that have nothing to do with genotypes, nobody can be placed better than in the middle.
    panel, places = cline
    shuffled = places[np.random.default_rng(3).permutation(len(places))]
    left_out = leave_out(panel, shuffled)
    found, middle = (great_circle_km(each, shuffled).mean() for each in (left_out.places, left_out.middle_places))
    assert found > 0.9 * middle


def test_place_tables__by_name_or_in_order(tmp_path):
    table = tmp_path / "t.tsv"
    table.write_text("sample\tlatitude\tlongitude\nB\t10\t-20.5\nA\t1\t2\n")
    assert_array_equal(read_places(table, ["A", "B", "C"]), [[2, 1], [-20.5, 10], [np.nan, np.nan]])
    table.write_text("-9.445e+01 4.9e+01\n2 1\n")
    assert_array_equal(read_places(table, ["A", "B"]), [[-94.45, 49], [2, 1]])


BAD_TABLES = {
    "1 2\n3 4\n5 6\n": "3 lines without names, and there are 2 people",
    "1 2\n3\n": "line 2: 1 columns",
    "200 2\n3 4\n": "line 1: longitude '200'",
    "sample\tlongitude\nA\t3\n": "columns sample, longitude; wanted",
    "sample\tlongitude\tlatitude\nA\t3\tnorth\n": "line 2: longitude '3', latitude 'north'",
    "sample\tlongitude\tlatitude\nA\t3\t3\nA\t3\t3\n": "line 3: sample 'A' stands twice",
    "": "empty",
}


@pytest.mark.parametrize(("text", "says"), BAD_TABLES.items(), ids=range(len(BAD_TABLES)))
def test_place_tables__bad_ones_are_refused(text, says, tmp_path):
    (tmp_path / "t.tsv").write_text(text)
    with pytest.raises(FormatError, match=says):
        read_places(tmp_path / "t.tsv", ["A", "B"])


def test_locate__by_command(cline, tmp_path, capsys):
    panel, places = cline
    write_dosages(panel, tmp_path / "x.vcf")
    rows = [f"{name}\t{x}\t{y}" for name, (x, y) in zip(panel.samples, places.tolist())][:-1]
    (tmp_path / "places.tsv").write_text("\n".join(["sample\tlongitude\tlatitude", *rows]) + "\n")
    model = tmp_path / "m.model"
    train = ["train", str(tmp_path / "x.vcf"), "--kind", "coordinates", "-o", str(model), "--json"]
    assert run(program, train) == 2
    assert "--coordinates" in capsys.readouterr().err
    assert run(program, [*train, "--coordinates", str(tmp_path / "places.tsv")]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["left_out_median_km"] < 250
    assert "1 of 80 people have no place" in said.err
    locate = ["locate", str(tmp_path / "x.vcf"), "-m", str(model), "-o", str(tmp_path / "o.tsv"), "--json"]
    plot = ["--plot", str(tmp_path / "map.svg"), "--coordinates", str(tmp_path / "places.tsv")]
    assert run(program, [*locate, *plot]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["people_train"], result["people_new"]) == (79, 1)
    header, *lines = (tmp_path / "o.tsv").read_text().splitlines()
    assert header == "sample\tlongitude\tlatitude\tradius_km\tpart"
    assert len(lines) == 80
    assert "<svg" in (tmp_path / "map.svg").read_text()
    split = [f"{name}\t{'train' if i % 2 else 'validation'}" for i, name in enumerate(panel.samples)]
    (tmp_path / "split.tsv").write_text("\n".join(["sample\tpart", *split]) + "\n")
    fitted = ["--split", str(tmp_path / "split.tsv"), "--coordinates", str(tmp_path / "places.tsv"), "--force"]
    assert run(program, [*train, *fitted]) == 0
    capsys.readouterr()
    assert run(program, [*locate, "--force"]) == 0
    assert "trained on 79 of these 80 people" in capsys.readouterr().err  # validation people were fitted too
    # Places without names are those of everyone in the file, whoever is chosen of them.
    (tmp_path / "unnamed.txt").write_text("".join(f"{x} {y}\n" for x, y in places.tolist()))
    figures = []
    for table in ("places.tsv", "unnamed.txt"):
        part = ["--split", str(tmp_path / "split.tsv"), "--part", "train", "--coordinates", str(tmp_path / table)]
        few = ["-s", ",".join(panel.samples[41:20:-2])]
        assert run(program, [*locate, *part, *few, "--force"]) == 0
        figures.append(json.loads(capsys.readouterr().out))
    assert figures[0] == figures[1]
    assert figures[0]["people"] == 11
    for command in ("embed", "classify"):
        assert run(program, [command, str(tmp_path / "x.vcf"), "-m", str(model), "-o", str(tmp_path / "e.tsv")]) == 3
        assert "haploom locate" in capsys.readouterr().err
    assert run(program, ["inspect", str(model)]) == 0


def test_places__of_the_wolves(real_data, tmp_path):
    wolves = read_dosages(real_data / "wolves.bed")
    places = read_places(real_data / "wolves.coord", wolves.samples)
    assert places[0] == pytest.approx([-94.45, 49.81])
    some = wolves.select_sites(slice(0, None, 4))
    model = train_coordinates(some, places, Split(dict.fromkeys(some.samples, "train")))
    assert model.card.training["left_out_median_km"] < 600 < model.card.training["left_out_middle_median_km"]
    write_model(model, tmp_path / "m.model")
    write_places(locate_panel(some, read_model(tmp_path / "m.model")), tmp_path / "p.tsv")
    assert len((tmp_path / "p.tsv").read_text().splitlines()) == 112
