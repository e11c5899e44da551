"""The audit's controls: it must fail what has known faults, and pass what has none."""

import numpy as np
import pytest

pytest.importorskip("msprime")
pytest.importorskip("sklearn")

from audited_people import LEVEL, by_population, independent, less_work, made_of, resampled, simulated_parts

from haploom.audit import AuditSettings, audit_panels
from haploom.audit.catalogue import FIDELITY, MEASURES, PRIVACY, UTILITY
from haploom.audit.privacy import Likeness, copy_figures
from haploom.audit.sampling import Sample


@pytest.fixture(scope="module", autouse=True)
def small_audit():
    """Fewer trees, pairs and triples: most of an audit's time, of people as few as these."""
    with pytest.MonkeyPatch.context() as patch:
        less_work(patch)
        yield


@pytest.fixture(scope="module")
def parts():
    return simulated_parts()


def failed_parts(audit):
    return {MEASURES[name].part for name in audit.failed}


@pytest.fixture(scope="module")
def of_real_people(parts):
    return audit_panels(parts["others"], parts["train"], parts["holdout"], LEVEL)


def test_audit__held_out_people_pass(of_real_people):
    assert of_real_people.failed == []
    assert of_real_people.passed
    # On so short a stretch a held-out haplotype shares all of it with a training one: nothing could be longer.
    assert set(MEASURES) - set(of_real_people.measures) <= {"long_shared_runs"}


@pytest.mark.parametrize("made", ["as they are", "resampled"])
def test_audit__copies_of_training_people_fail_privacy_alone(parts, made):
    train = parts["train"]
    found = audit_panels(train if made == "as they are" else resampled(train), train, parts["holdout"], LEVEL)
    if made == "as they are":  # duplicates are a fault of fidelity too
        assert failed_parts(found) == {PRIVACY}
    assert found.measures["exact_copies"].value.value == 1
    assert {"exact_copies", "near_copies", "nearest_training", "privacy_loss", "code_length_beside"} <= set(
        found.failed
    )


def test_audit__independent_sites_fail_fidelity(parts):
    found = audit_panels(independent(parts["train"]), parts["train"], parts["holdout"], LEVEL)
    assert {"ld_decay_error", "ld_decay_error_borders", "ld_matrix_error", "three_point_correlation"} <= set(
        found.failed
    )
    assert found.measures["frequency_correlation"].passed
    # Frequencies of training people give their rare alleles away, and no more.
    assert {name for name in found.failed if MEASURES[name].part == PRIVACY} <= {"rare_allele_leakage"}


def test_audit__a_collapsed_generator_fails_fidelity_and_utility(parts):
    """One haplotype, again and again: a common fault, which must be told and not stop the audit."""
    of = by_population(parts["train"])
    alike = made_of([np.repeat(of["AFR"][:1], len(each), axis=0) for each in of.values()], parts["train"], list(of))
    found = audit_panels(alike, parts["train"], parts["holdout"], LEVEL)
    assert {FIDELITY, UTILITY} <= failed_parts(found)
    assert found.measures["utility_accuracy"].value.value == 0.5  # everybody is given one of two labels
    assert {"heterozygosity_error", "spectrum_distance", "code_length", "adversarial_accuracy"} <= set(found.failed)
    assert np.isnan(found.measures["three_point_correlation"].value.value)


def test_audit__one_synthetic_population_is_compared_with_its_own(parts):
    others = parts["others"]
    one = [name for name, label in zip(others.samples, others.labels(LEVEL).tolist()) if label == "WAS"]
    found = audit_panels(others.select_samples(one), parts["train"], parts["holdout"], LEVEL)
    assert [each.label for each in found.populations] == ["WAS"]
    assert "utility_accuracy" not in found.measures
    assert found.failed == []


def test_audit__same_seed_same_figures(parts, of_real_people):
    again = audit_panels(
        parts["others"], parts["train"], parts["holdout"], LEVEL, AuditSettings(threads=2)
    )  # fmt: skip
    assert again.measures == of_real_people.measures


def test_copies__near_ones_and_long_runs(parts):
    """Twenty people: the distances and runs are made up, so that every share is known."""
    held_out = Sample(parts["holdout"], {"AFR": np.arange(20)})
    made = Sample(parts["others"], {"AFR": np.arange(20)})
    near, runs = np.arange(100, 140), np.arange(40) / 10
    like = Likeness((near, near), (runs, runs), (near, near), (runs, runs))
    found = copy_figures(like, made, held_out, whole_cm=9.0, seed=1)
    # Two of 40 count as near (5 %); one is nearer than the second nearest. Nothing is longer than the longest.
    assert found["near_copies"].value.value == 1 / 40
    assert found["long_shared_runs"].value.value == 0
    assert found["exact_copies"].most == 0
    like = Likeness((near - 100, near), (runs + 1, runs), (near, near), (runs, runs))
    found = copy_figures(like, made, held_out, whole_cm=9.0, seed=1)
    assert found["exact_copies"].value.value == 1 / 40
    assert found["near_copies"].value.value == 1
    assert found["long_shared_runs"].value.value == 10 / 40
    assert "long_shared_runs" not in copy_figures(like, made, held_out, whole_cm=3.9, seed=1)
