"""Splits by person and by founder."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haploom.errors import HaploomError
from haploom.panel import PARTS, Split, split_people

PEOPLE = [f"p{i}" for i in range(300)]
LABELS = ["AFR"] * 200 + ["EUR"] * 90 + ["OCE"] * 10


def counts(split: Split, people: list[str]) -> list[int]:
    found = Counter(split.part_of[name] for name in people)
    return [found[part] for part in PARTS]


def test_split_people__each_label_is_split_by_the_fractions():
    split = split_people(PEOPLE, LABELS)
    assert counts(split, PEOPLE[:200]) == [160, 20, 20]
    assert counts(split, PEOPLE[200:290]) == [72, 9, 9]
    assert counts(split, PEOPLE[290:]) == [8, 1, 1]


def test_split_people__order_of_the_samples_does_not_matter():
    split = split_people(PEOPLE, LABELS, seed=5)
    assert split == split_people(PEOPLE[::-1], LABELS[::-1], seed=5)
    assert split != split_people(PEOPLE, LABELS, seed=6)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("AB")), min_size=1, max_size=40), st.integers(0, 9))
def test_split_people__groups_stay_together_and_everyone_has_a_part(people, seed):
    names = [f"p{i}" for i in range(len(people))]
    groups, labels = [str(group) for group, _ in people], [label for _, label in people]
    split = split_people(names, labels, (0.5, 0.25, 0.25), seed, groups)
    assert set(split.part_of) == set(names)
    for group in set(groups):
        assert len({split.part_of[name] for name, own in zip(names, groups) if own == group}) == 1


def test_split_people__small_labels_reach_every_part():
    split = split_people(["a", "b", "c"], ["X"] * 3, (0.98, 0.01, 0.01))
    assert sorted(split.part_of.values()) == sorted(PARTS)
    split = split_people(["a", "b", "c"], ["X"] * 3, (0.5, 0.0, 0.5))
    assert "validation" not in split.part_of.values()


def test_split_people__wrong_fractions():
    for fractions in ((0.5, 0.1, 0.1), (1.2, -0.1, -0.1), (float("nan"),) * 3):
        with pytest.raises(HaploomError, match="sum to 1"):
            split_people(PEOPLE, LABELS, fractions)


def test_split__samples_of_a_part_keep_their_order():
    split = Split({"a": "train", "b": "test", "c": "train"})
    assert split.samples("train", ["c", "x", "b", "a"]) == ["c", "a"]
    with pytest.raises(HaploomError, match="is it of another file"):
        split.samples("test", ["a", "x"])
    with pytest.raises(HaploomError, match="nobody is in it; make a split"):
        split.samples("validation", ["a", "b"])
    with pytest.raises(HaploomError, match="unknown part"):
        split.samples("holdout", ["a"])
    with pytest.raises(HaploomError, match="in part 'holdout'"):
        Split({"a": "holdout"})


def test_split_people__one_label_for_each():
    with pytest.raises(ValueError, match="2 labels for 3 samples"):
        split_people(["a", "b", "c"], ["x", "y"])
    with pytest.raises(ValueError, match="4 groups for 3 samples"):
        split_people(["a", "b", "c"], ["x", "y", "z"], groups=["f"] * 4)


def test_split__one_line_to_look_at():
    assert repr(Split({"a": "train", "b": "test", "c": "train"})) == "Split(2 train, 0 validation, 1 test)"
