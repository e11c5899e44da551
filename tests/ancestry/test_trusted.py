"""The trusted classifier on people of two populations, and its parts against slow or known answers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("sklearn")

from haploom.ancestry import classify_panel, compare_classifiers, write_classification
from haploom.ancestry.checks import check_people
from haploom.ancestry.conformal import label_sets, set_thresholds
from haploom.ancestry.label_mixtures import LabelMixtures
from haploom.ancestry.principal_coordinates import PrincipalCoordinates
from haploom.ancestry.probabilities import Stack, evidence, fit_stack, softmax
from haploom.ancestry.reference import Reference
from haploom.ancestry.trusted import TrustedClassifier
from haploom.ancestry.trusted_training import expected_calibration_error, train_ancestry
from haploom.ancestry.typicality import Typicality
from haploom.baselines.kernel_ridge import squared_distances
from haploom.cli.frame import run
from haploom.cli.main import haploom as program
from haploom.errors import CorruptModelError, HaploomError, SiteMismatchError
from haploom.io import write_panel, write_populations, write_split
from haploom.io.model_file import read_model, write_model
from haploom.panel import DosagePanel, Split
from haploom.report.why import write_why


@pytest.fixture(scope="module")
def trained(two_populations, two_populations_split, tmp_path_factory):
    path = tmp_path_factory.mktemp("ancestry") / "trusted.model"
    write_model(train_ancestry(two_populations, two_populations_split, "population"), path)
    return read_model(path)


@pytest.fixture(scope="module")
def held_out(two_populations, two_populations_split):
    return two_populations.select_samples(two_populations_split.samples("test", two_populations.samples))


def test_trusted__labels_held_out_people(trained, held_out):
    got = classify_panel(held_out, trained)
    truth = held_out.labels("population", per="haplotype")
    assert (np.array(got.classes)[got.scores.argmax(axis=1)] == truth).mean() > 0.95
    assert np.allclose(got.scores.sum(axis=1), 1)
    assert (got.sets.any(axis=1) == (got.labels != "unknown")).all()


def test_trusted__unphased_people(two_populations, two_populations_split, held_out):
    unphased = DosagePanel.from_panel(two_populations)
    model = train_ancestry(unphased, two_populations_split, "population")
    got = classify_panel(held_out, model)  # phased people are taken as dosages
    assert got.ploidy == 2
    truth = held_out.labels("population")
    assert (np.array(got.classes)[got.scores.argmax(axis=1)] == truth).mean() > 0.95


def test_trusted__nobody_has_no_labels(trained, two_populations):
    got = classify_panel(two_populations.select_samples([]), trained)
    assert got.labels.shape == (0,)
    assert got.scores.shape == got.sets.shape == (0, 2)


def test_trusted__same_bytes_alone_in_a_cohort_in_another_order_and_by_threads(trained, two_populations, tmp_path):
    def lines(panel, threads=1):
        got = classify_panel(panel, trained, threads=threads)
        write_classification(got, tmp_path / "labels.tsv", force=True)
        return set((tmp_path / "labels.tsv").read_text().splitlines()[1:]), got.scores

    cohort, scores = lines(two_populations)
    turned, turned_scores = lines(two_populations.select_samples(two_populations.samples[::-1]), threads=2)
    assert cohort == turned
    assert_array_equal(scores.reshape(-1, 4), turned_scores.reshape(-1, 4)[::-1])
    for place in (0, 17, 59):
        alone, alone_scores = lines(two_populations.select_samples([two_populations.samples[place]]))
        assert alone < cohort
        assert len(alone) == 2
        assert_array_equal(alone_scores, scores[2 * place : 2 * place + 2])


@pytest.mark.parametrize("unphased", [False, True])
def test_trusted__reference_people_are_answered_as_left_out(two_populations, two_populations_split, unphased):
    everyone = DosagePanel.from_panel(two_populations) if unphased else two_populations
    model = train_ancestry(everyone, two_populations_split, "population")
    fitted = [name for name in everyone.samples if two_populations_split.part_of[name] != "test"]
    of_model = classify_panel(everyone.select_samples(fitted), model)
    assert (of_model.labels == "unknown").mean() == pytest.approx(0.05, abs=1 / len(fitted))  # as many as asked
    size = 1 if unphased else 2
    for name in (fitted[0], fitted[-1]):
        parts = {**two_populations_split.part_of, name: "test"}
        without = classify_panel(everyone.select_samples([name]), train_ancestry(everyone, Split(parts), "population"))
        row = size * fitted.index(name)
        assert_allclose(of_model.scores[row : row + size], without.scores, atol=0.02)


def test_trusted__only_name_and_genotypes_together_make_a_reference_person(trained, two_populations):
    first, second, *_ = trained.card.training["reference_people"]
    alleles = two_populations.select_samples([first]).alleles()

    def labelled(name, alleles=alleles):
        return classify_panel(type(two_populations).from_alleles(alleles, trained.variants, [name]), trained)

    own, renamed, stranger = labelled(first), labelled("somebody"), labelled(second)
    place = 2 * trained.card.training["reference_people"].index(first)
    assert_array_equal(own.scores, trained.arrays["left_out.probabilities"][place : place + 2])
    assert_array_equal(stranger.scores, renamed.scores)  # the name of another reference person is no more than a name
    assert (renamed.scores != own.scores).any()
    flipped = alleles.copy()
    flipped[0, 5] = 1 - flipped[0, 5]
    assert_array_equal(labelled(first, flipped).scores, labelled("somebody", flipped).scores)


@pytest.mark.parametrize("array", ["left_out.probabilities", "typicality.left_out", "stack.weight"])
def test_trusted__models_without_what_they_need_are_refused(trained, held_out, array):
    arrays = {name: each for name, each in trained.arrays.items() if name != array}
    with pytest.raises(CorruptModelError, match="trained again"):
        classify_panel(held_out, replace(trained, arrays=arrays))
    for name, says in (("left_out.probabilities", "left-out probabilities are"), ("typicality.left_out", "oddness is")):
        with pytest.raises(CorruptModelError, match=says):
            classify_panel(held_out, replace(trained, arrays={**trained.arrays, name: trained.arrays[name][:-1]}))


def test_trusted__same_training_same_bytes(trained, two_populations, two_populations_split):
    again = train_ancestry(two_populations, two_populations_split, "population", threads=2)
    assert again.arrays.keys() == trained.arrays.keys()
    for name, array in again.arrays.items():
        assert_array_equal(array, trained.arrays[name], err_msg=name)


def test_trusted__half_of_the_sites_missing_few_refused_swapped_alleles_recoded(trained, held_out):
    truth = held_out.labels("population", per="haplotype")
    half = held_out.select_sites(slice(0, None, 2))
    got = classify_panel(half, trained)
    assert (np.array(got.classes)[got.scores.argmax(axis=1)] == truth).mean() > 0.9
    assert (got.labels == "unknown").mean() <= (classify_panel(held_out, trained).labels == "unknown").mean() + 0.25
    with pytest.raises(SiteMismatchError, match=r"2 of the model's 300 sites \(0\.7 %\)"):
        classify_panel(held_out.select_sites(slice(0, 2)), trained)
    v = held_out.variants
    swapped = type(held_out).from_alleles(
        1 - held_out.alleles(), replace(v, ref=v.alt, alt=v.ref), held_out.samples, held_out.populations
    )
    assert_array_equal(classify_panel(swapped, trained).scores, classify_panel(held_out, trained).scores)


def test_trusted__sites_without_a_copy_of_each_say_the_same(two_populations, two_populations_split):
    """Unphased people's sites count as independent: one of two equal sites says half as much, of half the sites."""
    v, twice = two_populations.variants, np.repeat(np.arange(two_populations.n_sites), 2)
    position = v.position_bp[twice] * 2 + np.tile([0, 1], two_populations.n_sites)
    doubled = type(two_populations).from_alleles(
        two_populations.alleles()[:, twice],
        replace(v.select(twice), position_bp=position, contig_length_bp={}),
        two_populations.samples, two_populations.populations,
    )  # fmt: skip
    model = train_ancestry(DosagePanel.from_panel(doubled), two_populations_split, "population")
    test = doubled.select_samples(two_populations_split.samples("test", doubled.samples))
    once = test.select_sites(slice(0, None, 2))
    assert_allclose(classify_panel(once, model).scores, classify_panel(test, model).scores, atol=1e-5)


def test_trusted__unphased_people_are_as_odd_at_half_the_sites_as_by_a_model_of_those(
    two_populations, two_populations_split, held_out
):  # fmt: skip
    half = slice(0, None, 2)
    model = train_ancestry(DosagePanel.from_panel(two_populations), two_populations_split, "population")
    of_half = DosagePanel.from_panel(two_populations.select_sites(half))
    of_those = train_ancestry(of_half, two_populations_split, "population")
    people = held_out.select_sites(half)
    got, wanted = (TrustedClassifier.from_model(each).measure(people, each) for each in (model, of_those))
    assert_allclose(got.threshold, wanted.threshold, rtol=1e-3)
    assert_allclose(got.oddness, wanted.oddness, atol=1e-3)
    nearly_all = held_out.select_sites(slice(10, None))  # 97 % of the sites: not found anew
    assert (
        TrustedClassifier.from_model(model).measure(nearly_all, model).threshold == model.arrays["typicality.threshold"]
    )


def test_trusted__people_with_few_calls_are_unknown(two_populations, two_populations_split, held_out):
    """However sure so few calls would make it: nobody gets a label for three sites, or for none."""
    model = train_ancestry(DosagePanel.from_panel(two_populations), two_populations_split, "population")
    here = DosagePanel.from_panel(held_out)
    dosages = here.dosages.copy()
    dosages[0], dosages[1, 3:], dosages[2, 100:], dosages[3, 160:] = -1, -1, -1, -1
    few = DosagePanel(dosages, here.variants, here.samples, here.populations)
    classifier = TrustedClassifier.from_model(model)
    labels = classify_panel(few, model).labels
    assert labels[:3].tolist() == ["unknown"] * 3
    assert (labels[3:] == classify_panel(few, model, min_coverage=0.3).labels[3:]).all()
    assert (labels[4:] == classify_panel(here, model).labels[4:]).all()
    assert classify_panel(few, model, min_coverage=0.0).labels[0] == "unknown"  # nothing is called
    measured = classifier.measure(few, model, min_coverage=0.3)
    lower = classifier.classification(measured, few, model)
    assert lower.labels[:2].tolist() == ["unknown"] * 2
    assert ((lower.labels == "unknown") == (measured.oddness > measured.threshold))[2:].all()
    failed = check_people(classifier.classification(classifier.measure(few, model), few, model),
                          classifier.measure(few, model), classifier, model)[1].failed  # fmt: skip
    assert "1.0 % of the model's sites are called, fewer than --min-coverage 50 %: unknown" in failed


def test_trusted__a_site_at_which_the_reference_is_alike(trained, held_out, caplog):
    """Nothing is odd at it, and it says nothing."""
    alike = np.flatnonzero(np.ptp(TrustedClassifier.from_model(trained).reference.counts, axis=0) == 0)[:1]
    assert len(alike)
    got = classify_panel(held_out.select_sites(alike), trained, min_coverage=0.0)
    assert (got.scores.round(6) == got.scores[0].round(6)).all()
    assert "0.3 % of the model's sites are here: below 50 % probabilities and label sets are too sure" in caplog.text


def test_stack__large_weights_stay_exact():
    """As trained on hardly any sites: within what the bits allow, and the same alone."""
    rng = np.random.default_rng(2)
    stack = Stack(rng.normal(size=(6, 3)) * 1e5, np.zeros(3), 0.1, 1e5)
    nats, scores = 300 * rng.normal(size=(50, 3)), rng.normal(size=(50, 3))
    got = stack.probabilities(nats, scores)
    assert_allclose(got, softmax(evidence(nats, scores, 0.1) @ stack.weight / 1e5), atol=1e-4)
    assert_array_equal(stack.probabilities(nats[7:8], scores[7:8])[0], got[7])


@pytest.fixture
def strangers(held_out):
    """Noise: people of no population."""
    noise = np.random.default_rng(3).integers(0, 2, (held_out.n_haplotypes, held_out.n_sites), dtype=np.uint8)
    return type(held_out).from_alleles(noise, held_out.variants, [f"S{i}" for i in range(held_out.n_samples)])


def test_trusted__strangers_are_unknown_and_their_sets_empty(trained, strangers, tmp_path):
    got = classify_panel(strangers, trained)
    assert set(got.labels.tolist()) == {"unknown"}
    write_classification(got, tmp_path / "labels.tsv")
    cells = (tmp_path / "labels.tsv").read_text().splitlines()[1].split("\t")
    assert cells[:4] == ["S0", "1", "unknown", "."]


def test_classify__a_file_of_strangers_is_noted(trained, held_out, strangers, tmp_path, capsys):
    write_model(trained, tmp_path / "x.model")
    one = strangers.select_samples(strangers.samples[:1])
    for name, panel, noted in (("strangers", strangers, True), ("one", one, False), ("known", held_out, False)):
        write_panel(panel, tmp_path / f"{name}.vcf")
        command = ["classify", str(tmp_path / f"{name}.vcf"), "-m", str(tmp_path / "x.model")]
        assert run(program, [*command, "-o", str(tmp_path / f"{name}.tsv")]) == 0
        assert ("100 % of the people are unknown" in capsys.readouterr().err) == noted


def test_trusted__one_label_is_refused(two_populations):
    north = two_populations.select_samples(two_populations.samples[:30])
    with pytest.raises(HaploomError, match="two labels"):
        train_ancestry(north, Split(dict.fromkeys(north.samples, "train")), "population")


def test_label_sets__cover_new_draws_and_hold_the_top_label():
    # Labels are drawn from the probabilities themselves, so these are perfect: coverage must come out as asked.
    rng = np.random.default_rng(5)
    probabilities = softmax(2 * rng.normal(size=(40_000, 5)) + [2, 1, 0, 0, -1])
    labels = (rng.random((40_000, 1)) > probabilities.cumsum(axis=1)).sum(axis=1).clip(max=4)
    known, new = slice(20_000), slice(20_000, None)
    sets = label_sets(probabilities[new], set_thresholds(probabilities[known], labels[known]))
    held = sets[np.arange(20_000), labels[new]]
    assert 0.89 < held.mean() < 0.92
    assert min(held[labels[new] == label].mean() for label in range(5)) > 0.84
    assert sets[np.arange(20_000), probabilities[new].argmax(axis=1)].all()


def test_stack__temperature_takes_back_overconfidence():
    rng = np.random.default_rng(2)
    true = 1.5 * rng.normal(size=(6000, 3))
    labels = (rng.random((6000, 1)) > softmax(true).cumsum(axis=1)).sum(axis=1).clip(max=2)
    stack, left_out = fit_stack(20 * true, rng.normal(size=true.shape), labels, np.arange(6000))
    right = left_out.argmax(axis=1) == labels
    assert expected_calibration_error(left_out, right) < 0.03
    assert expected_calibration_error(softmax(20 * true), right) > 0.2
    assert expected_calibration_error(stack.probabilities(20 * true, np.zeros_like(true)), right) < 0.04


def test_stack__a_rare_label_is_not_as_unlikely_beforehand():
    # Two normal distributions, 2 apart: at x the odds are exp(2 x) times those of the labels, of which a third is kept.
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1], [5000, 1000])
    x = rng.normal(2 * labels - 1)
    nothing = np.zeros((6000, 2))
    stack, left_out = fit_stack(np.column_stack([-x, x]), nothing, labels, rng.permutation(6000))
    at = np.linspace(-1, 1, 9)
    found = stack.probabilities(np.column_stack([-at, at]), nothing[:9])[:, 1]
    beforehand = 5 ** (1 / 3)
    assert np.abs(found - 1 / (1 + beforehand * np.exp(-2 * at))).max() < 0.03
    assert np.abs(left_out[:, 1] - 1 / (1 + beforehand * np.exp(-2 * x))).max() < 0.06


def test_reference__distances_over_the_sites_called(two_populations):
    counts = two_populations.alleles()
    reference = Reference(counts[:20], np.array([0, 10, 20]), two_populations.variants, 1)
    called = np.arange(counts.shape[1]) % 3 > 0
    rows = counts[30:37] * called
    wanted = (rows[:, None, called] != counts[:20, called]).sum(axis=2) * (len(called) / called.sum())
    assert np.array_equal(reference.distances(rows, called), wanted)
    assert np.array_equal(reference.distances(rows, called), squared_distances(rows, called, counts[:20]))
    assert np.array_equal(reference.distances(counts, np.True_), squared_distances(counts, np.True_, counts[:20]))


def test_calibration_error__by_hand():
    # Confidences 0.9 (right) and 0.9 (wrong) share a bin: |1.8 - 1| / 2; 0.6 (right) is alone: 0.4. Over 3 rows.
    probabilities = np.array([[0.9, 0.1], [0.1, 0.9], [0.6, 0.4]])
    assert expected_calibration_error(probabilities, np.array([True, False, True])) == pytest.approx((0.8 + 0.4) / 3)


def test_typicality__rejects_as_many_as_promised():
    rng = np.random.default_rng(4)
    labels = np.repeat([0, 1], 1000)
    # Nats under both labels, as a mosaic of all (near the better one), and two scores.
    nats = rng.normal(size=(2000, 2)) @ np.array([[3.0, 1.0], [0.0, 0.3]]) - 50 * np.eye(2)[1 - labels]
    mosaic = nats.max(axis=1) + rng.normal(size=2000)
    points = np.column_stack([nats, mosaic, np.eye(2)[labels] + 0.1 * rng.normal(size=(2000, 2))])
    known = Typicality.of_haplotypes(points[::2], labels[::2])
    new = points[1::2]
    # Threshold and share are each of 1,000 people: within three standard errors, 0.0097.
    assert 0.021 < (known.oddness(new) > known.threshold).mean() < 0.079
    assert (known.oddness(new - [0, 0, 30, 0, 0]) > known.threshold).all()  # unlikely as a mosaic of all
    assert (known.oddness(new[:500] - [25, -25, 0, 0.5, -0.5]) > known.threshold).all()  # midway between both labels


def test_typicality__unphased_people_by_others_axes():
    rng = np.random.default_rng(7)
    frequencies = rng.uniform(0.05, 0.95, (3, 400))
    people = np.repeat([0, 1, 2], 100)
    counts = rng.binomial(2, frequencies[people]).astype(np.uint8)
    known, new = np.flatnonzero(people < 2)[::2], np.flatnonzero(people < 2)[1::2]
    distances = squared_distances(counts, np.True_, counts[known])
    axes = PrincipalCoordinates.fit(distances[known], 1)
    typicality = Typicality.of_unphased(axes, distances[known], people[known])
    misfit = LabelMixtures.fit(distances[known], np.array([0, 50, 100])).misfit(distances)
    odd = typicality.oddness(axes.place(distances), misfit) > typicality.threshold
    assert 0 < odd[new].mean() < 0.15
    assert odd[people == 2].mean() > 0.9  # a population of its own lies between the two on their axis


def test_label_mixtures__mixed_people_fit_and_strangers_do_not():
    rng = np.random.default_rng(9)
    frequencies = rng.uniform(0.05, 0.95, (4, 20_000))
    shares = np.repeat([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0.5, 0.3, 0.2, 0], [0, 0, 0, 1]], 20, axis=0)
    counts = rng.binomial(2, shares @ frequencies).astype(np.uint8)
    known = np.arange(60).reshape(3, 20)[:, :15].ravel()
    distances = squared_distances(counts, np.True_, counts[known])
    mixtures = LabelMixtures.fit(distances[known], np.array([0, 15, 30, 45]))
    means = np.stack([counts[known[15 * k : 15 * k + 15]].mean(axis=0) for k in range(3)])
    wanted = np.square(means[:, None] - means).sum(axis=2)
    assert np.allclose(mixtures.between, wanted)
    misfit = mixtures.misfit(distances)
    # A mean of 15 people is itself off by a fifteenth of a person's variance; the mixture takes some of that back.
    new = np.append(np.setdiff1d(np.arange(60), known), np.arange(60, 80))
    assert 0.97 < misfit[new].min() < misfit[new].max() < 1 + 1 / 15 + 0.03
    assert misfit[80:].min() > 1.2
    assert_array_equal(mixtures.misfit(distances[63:64]), misfit[63:64])


def test_principal_coordinates__as_those_of_the_centred_counts():
    rng = np.random.default_rng(8)
    counts = rng.integers(0, 3, (40, 300), dtype=np.uint8)
    axes = PrincipalCoordinates.fit(squared_distances(counts[:30], np.True_, counts[:30]), 3)
    centred = counts - counts[:30].mean(axis=0)
    directions = np.linalg.svd(centred[:30], full_matrices=False)[2][:3]
    got, wanted = axes.place(squared_distances(counts, np.True_, counts[:30])), centred @ directions.T
    assert np.abs(np.abs(got - got[:30].mean(axis=0)) - np.abs(wanted)).max() < 1e-3


def test_trusted__reference_people_who_are_nearly_or_all_alike(two_populations):
    # But for one allele of one person no two differ: most people have no axes and no limits, and still an answer.
    alleles = np.zeros((40, 6), dtype=np.uint8)
    alleles[0, 0] = 1
    names = [f"P{i:02d}" for i in range(20)]
    labels = {"population": ["north"] * 10 + ["south"] * 10}
    alike = type(two_populations).from_alleles(alleles, two_populations.variants.select(np.arange(6)), names, labels)
    for panel in (alike, DosagePanel.from_panel(alike)):
        model = train_ancestry(panel, Split(dict.fromkeys(names, "train")), "population")
        classifier = TrustedClassifier.from_model(model)
        new = type(two_populations).from_alleles(alleles[2:4], alike.variants, ["new"])
        measured = classifier.measure(new, model)
        got = classifier.classification(measured, new, model)
        assert_allclose(got.scores, 0.5, atol=0.1)
        assert np.isfinite(check_people(got, measured, classifier, model)[0].oddness)
        same = panel.select_samples(names).select_sites(slice(1, None))
        with pytest.raises(HaploomError, match="all 20 people are alike at all 5 sites"):
            train_ancestry(same, Split(dict.fromkeys(names, "train")), "population")


def test_principal_coordinates__people_far_beyond_the_reference():
    # Rare alleles alone: people lie near each other, and one who has all of them a thousand times as far.
    rng = np.random.default_rng(6)
    counts = (rng.random((60, 2000)) < 0.001).astype(np.uint8)
    distances = squared_distances(counts, np.True_, counts)
    axes = PrincipalCoordinates.fit(distances, 2)
    far = squared_distances(np.full((1, 2000), 2, dtype=np.uint8), np.True_, counts)
    assert far.min() > 1000 * distances.mean()
    assert np.isfinite(axes.place(far)).all()
    assert_array_equal(axes.place(np.concatenate([distances, far]))[:60], axes.place(distances))


def test_trusted__by_command(two_populations, two_populations_split, trained, tmp_path, capsys):
    write_panel(two_populations, tmp_path / "x.vcf")
    write_populations(tmp_path / "labels.tsv", two_populations.samples, two_populations.populations)
    write_split(tmp_path / "split.tsv", two_populations_split, two_populations.samples)
    labelled = [str(tmp_path / "x.vcf"), "--populations", str(tmp_path / "labels.tsv"), "--label", "population"]
    split = ["--split", str(tmp_path / "split.tsv")]
    model = tmp_path / "x.model"
    train = ["train", *labelled, *split, "--kind", "ancestry", "-o", str(model), "--json"]
    assert run(program, [*train, "--epochs", "3"]) == 2
    assert "--epochs" in capsys.readouterr().err
    assert run(program, train) == 0
    assert json.loads(capsys.readouterr().out)["left_out_accuracy"] > 0.95
    assert_array_equal(read_model(model).arrays["stack.weight"], trained.arrays["stack.weight"])
    classify = ["classify", *labelled, *split, "--part", "test", "-m", str(model), "-o", str(tmp_path / "o.tsv")]
    assert run(program, [*classify, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["accuracy"]["value"] > 0.8
    assert said["accuracy_top_label"]["value"] > 0.95
    assert said["labelled_unknown"] == said["haplotypes"] - said["labelled_north"] - said["labelled_south"]
    labels = (tmp_path / "o.tsv").read_bytes()
    for given in (["--part", "test"], ["--split", str(model), "--part", "test"]):  # the model has the split
        again = ["classify", *labelled, *given, "-m", str(model), "-o", str(tmp_path / "o.tsv"), "--force"]
        assert run(program, again) == 0
        assert (tmp_path / "o.tsv").read_bytes() == labels
    capsys.readouterr()
    few = ["-s", said_as_known(tmp_path / "o.tsv"), *classify[2:], "--force", "--json"]
    assert run(program, ["classify", str(tmp_path / "x.vcf"), *few]) == 0
    assert json.loads(capsys.readouterr().out)["labelled_unknown"] == 0
    header = (tmp_path / "o.tsv").read_text().splitlines()[0]
    assert header == "sample\thaplotype\tlabel\tset\tp_north\tp_south\tpart"


def said_as_known(table):
    """Names of the people with a label, for -s."""
    rows = [line.split("\t") for line in table.read_text().splitlines()[1:]]
    return ",".join(dict.fromkeys(row[0] for row in rows if row[2] != "unknown"))


def test_trusted__people_of_the_reference_are_warned_of(
    two_populations, two_populations_split, trained, tmp_path, capsys
):
    write_panel(two_populations, tmp_path / "x.vcf")
    write_model(trained, tmp_path / "x.model")
    of_model = [str(tmp_path / "x.vcf"), "-m", str(tmp_path / "x.model"), "-o", str(tmp_path / "o.tsv")]
    assert run(program, ["classify", *of_model]) == 0
    fitted = sum(len(two_populations_split.samples(part, two_populations.samples)) for part in ("train", "validation"))
    warning = capsys.readouterr().err
    assert f"trained on {fitted:,} of these {two_populations.n_samples:,} people" in warning
    assert "left out" in warning
    assert run(program, ["embed", *of_model, "--force"]) == 3
    assert "no latent space: use it with `haploom classify`" in capsys.readouterr().err
    assert run(program, ["inspect", str(tmp_path / "x.model")]) == 0
    assert f"and {fitted - 30:,} more" in capsys.readouterr().out


def test_why__says_what_fails_and_escapes_names(trained, held_out, tmp_path):
    rng = np.random.default_rng(3)
    alleles = held_out.alleles()[:4].copy()
    alleles[2:] = rng.integers(0, 2, alleles[2:].shape)
    people = type(held_out).from_alleles(alleles, held_out.variants, ["<script>alert(1)</script>", "noise"])
    classifier = TrustedClassifier.from_model(trained)
    measured = classifier.measure(people, trained)
    checks = check_people(classifier.classification(measured, people, trained), measured, classifier, trained)
    assert not any("unknown" in sentence for sentence in checks[0].failed)
    assert any("unknown" in sentence for sentence in checks[1].failed)
    # The most alike person by hand, over both haplotypes of everyone in the reference.
    reference = classifier.reference.counts.reshape(-1, 2, people.n_sites).astype(int)
    apart = np.abs(reference[:, None] - alleles[:2, None].astype(int)).sum(axis=3).min(axis=2).mean(axis=1)
    assert checks[0].nearest[0][2] == pytest.approx(apart.min() / people.n_sites)
    assert checks[0].nearest[0][0] == trained.card.training["reference_people"][apart.argmin()]
    write_why(checks, tmp_path / "why.html")
    page = (tmp_path / "why.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_why__by_command(held_out, trained, tmp_path, capsys):
    write_panel(held_out.select_sites(slice(0, 250)), tmp_path / "x.vcf")
    write_model(trained, tmp_path / "x.model")
    labels, why = tmp_path / "o.tsv", tmp_path / "why.html"
    assert run(program, ["classify", str(tmp_path / "x.vcf"), "-m", str(tmp_path / "x.model"), "-o", str(labels)]) == 0
    plain = labels.read_bytes()
    command = ["classify", str(tmp_path / "x.vcf"), "-m", str(tmp_path / "x.model"), "-o", str(labels), "--force"]
    assert run(program, [*command, "--why", str(why)]) == 0
    assert labels.read_bytes() == plain
    assert "83.3 % of the model&#39;s sites are called" in why.read_text()


def test_compare__trusted_beside_every_baseline(two_populations, trained):
    measured = list(compare_classifiers(two_populations, trained))
    assert measured[0].method == "trusted classifier"
    assert len(measured) == 9
    for other in measured[1:]:
        assert other.gain.value == pytest.approx(measured[0].accuracy.plain.value - other.accuracy.plain.value)
