"""What passes, and gates that people set."""

import pytest

from haploom.audit.advice import ADVICE
from haploom.audit.catalogue import MEASURES, checked_thresholds
from haploom.audit.measures import Found, Measure, alone
from haploom.audit.thresholds import read_thresholds
from haploom.errors import FormatError, HaploomError


def measure(name, value, reference=0.5, most=None, **gates):
    return Measure.of(name, Found(alone(value), alone(reference), most), 400, gates)


def test_gate__follows_real_people_with_room_for_chance():
    # LD decay: 1.25 x reference + 0.01. Membership: reference + 0.05, or chance.
    assert measure("ld_decay_error", 0.0, 0.04).gate == (None, pytest.approx(0.06))
    assert measure("membership_run", 0.0, most=0.53).gate == (None, pytest.approx(0.55))
    assert measure("membership_run", 0.0, most=0.58).gate == (None, pytest.approx(0.58))
    least, most = measure("adversarial_accuracy", 0.5).gate
    assert (least, most) == (pytest.approx(0.35), pytest.approx(0.7))
    assert measure("exact_copies", 0.2, most=0.1).gate == (None, 0.1)


@pytest.mark.parametrize(
    ("value", "passes"), [(0.3, False), (0.36, True), (0.69, True), (0.71, False), (float("nan"), False)]
)
def test_gate__both_ends(value, passes):
    assert measure("adversarial_accuracy", value).passed is passes


def test_thresholds__a_number_is_the_side_a_measure_has():
    gates = checked_thresholds(
        {"frequency_correlation": 0.99, "ld_decay_error": 0.02, "adversarial_accuracy": [0.5, 0.65], "fst": None}
    )
    assert gates == {
        "frequency_correlation": (0.99, None), "ld_decay_error": (None, 0.02), "adversarial_accuracy": (0.5, 0.65),
        "fst": (None, None),
    }  # fmt: skip
    assert not measure("frequency_correlation", 0.98, 0.5, **gates).passed
    assert measure("fst", float("nan"), **gates).passed


@pytest.mark.parametrize(
    "value", ["0.5", True, [0.5], [1, 2, 3], {}, float("inf"), float("nan"), [0, float("inf")], [False, 1]]
)
def test_thresholds__other_values_are_refused(value):
    with pytest.raises(HaploomError, match=r"fst is .*wanted a number"):
        checked_thresholds({"fst": value})


def test_thresholds__unknown_measures_are_refused():
    with pytest.raises(HaploomError, match=r"no measure 'ld_decay'.*ld_decay_error"):
        checked_thresholds({"ld_decay": 0.1})


@pytest.mark.parametrize("text", ["{", "[1]", "\udcff"])
def test_thresholds__file_that_holds_no_object(tmp_path, text):
    path = tmp_path / "thresholds.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(FormatError, match=r"thresholds\.json"):
        read_thresholds(path)


def test_catalogue__every_measure_has_a_title_of_its_own():
    assert len({about.title for about in MEASURES.values()}) == len(MEASURES)


def test_advice__of_every_measure():
    assert list(ADVICE) == list(MEASURES)
