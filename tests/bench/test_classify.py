"""`haploom bench classify`, and the file of records."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from haploom.ancestry import classify_panel, compare_classifiers
from haploom.bench.records import append_records, read_records
from haploom.cli.frame import run
from haploom.cli.main import haploom as program
from haploom.errors import FormatError, HaploomError
from haploom.io import write_panel, write_populations
from haploom.io.model_file import file_sha256, read_model


@pytest.fixture
def panel_files(two_populations, tmp_path):
    write_panel(two_populations, tmp_path / "panel.vcf")
    write_populations(tmp_path / "labels.tsv", two_populations.samples, two_populations.populations)
    return [str(tmp_path / "panel.vcf"), "--populations", str(tmp_path / "labels.tsv")]


def renamed(panel, people):
    """Some people of the panel under names the model does not know."""
    chosen = panel.select_samples(people)
    return type(panel)(chosen.bits, chosen.variants, tuple(f"new_{name}" for name in people), chosen.populations)


def test_bench_classify__adds_records_that_agree_with_a_direct_count(
    two_populations, two_populations_split, small_model, panel_files, tmp_path, capsys
):
    out = tmp_path / "records.jsonl"
    out.write_text('{"task": "earlier"}\n')
    command = ["bench", "classify", *panel_files, "--model", str(small_model), "-o", str(out), "--json"]
    assert run(program, command) == 0
    earlier, *records = read_records(out)
    assert earlier == {"task": "earlier"}
    assert json.loads(capsys.readouterr().out) == records
    assert len({record["method"] for record in records}) == 9
    assert {record["model_sha256"] for record in records} == {file_sha256(small_model)}
    assert {record["task"] for record in records} == {"classify/panel.vcf, test"}
    test = two_populations.select_samples(two_populations_split.samples("test", two_populations.samples))
    labels = classify_panel(test, read_model(small_model)).labels
    assert records[0]["accuracy"]["value"] == pytest.approx(np.mean(labels == test.labels("population", "haplotype")))


def test_bench_classify__held_out_people_of_another_file(
    two_populations, two_populations_split, small_model, panel_files, tmp_path
):
    """The test people under other names, from a file of their own, get the figures they get as test people."""
    others = renamed(two_populations, two_populations_split.samples("test", two_populations.samples))
    write_panel(others, tmp_path / "others.h5")
    base = ["bench", "classify", *panel_files, "--model", str(small_model), "-o", str(tmp_path / "r.jsonl")]
    assert run(program, base) == 0
    assert run(program, [*base, "--held-out", str(tmp_path / "others.h5")]) == 0
    records = read_records(tmp_path / "r.jsonl")
    assert len(records) == 18
    for known, other in zip(records[:9], records[9:]):
        assert other["task"] == "classify/others.h5, all"
        assert [known[key] for key in ("method", "accuracy", "recalls")] == [
            other[key] for key in ("method", "accuracy", "recalls")
        ]


def test_bench_classify__usage(panel_files, small_model, tmp_path, capsys):
    (tmp_path / "s.tsv").write_text("sample\tpart\n")
    base = ["bench", "classify", *panel_files, "--model", str(small_model), "-o", str(tmp_path / "r.jsonl")]
    assert run(program, [*base, "--split", str(tmp_path / "s.tsv")]) == 2
    assert "--held-out" in capsys.readouterr().err
    assert run(program, [*base, "--part", "validation"]) == 2
    assert "validation people" in capsys.readouterr().err
    assert not (tmp_path / "r.jsonl").exists()


def test_compare__refuses_people_the_model_has_seen(two_populations, two_populations_split, small_model):
    train = two_populations.select_samples(two_populations_split.samples("train", two_populations.samples))
    with pytest.raises(HaploomError, match="model's own split"):
        next(compare_classifiers(two_populations, read_model(small_model), held_out=train))


@pytest.mark.parametrize("line", ["{", "[1]"])
def test_read_records__names_the_damaged_line(tmp_path, line):
    path = tmp_path / "records.jsonl"
    append_records(path, [{"a": 1}])
    path.write_text(path.read_text() + f"{line}\n")
    with pytest.raises(FormatError, match="line 2"):
        read_records(path)


def test_read_records__a_line_ends_at_its_line_break_alone(tmp_path):
    records = [{"people": "Sa\u2028mi"}, {"people": "\x85"}]
    append_records(tmp_path / "records.jsonl", records)
    assert read_records(tmp_path / "records.jsonl") == records
