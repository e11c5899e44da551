"""`haploom audit`: files in, files out, exit codes."""

import json

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

from audited_people import less_work

from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.io import write_panel, write_populations, write_split
from haploom.panel import split_people


@pytest.fixture(scope="module")
def files(two_populations, tmp_path_factory):
    """A panel with a split of its people, and others as synthetic ones; a population has an odd name."""
    folder = tmp_path_factory.mktemp("audit")
    labels = [label.replace("north", "<script>alert(1)</script>") for label in two_populations.labels("population")]
    split = split_people(two_populations.samples, labels, (0.34, 0.33, 0.33))
    synthetic = two_populations.select_samples(split.samples("validation", two_populations.samples))
    write_panel(two_populations, folder / "real.vcf.gz")
    write_panel(synthetic, folder / "synthetic.vcf.gz")
    write_populations(folder / "labels.tsv", two_populations.samples, {"population": labels})
    write_split(folder / "split.tsv", split, two_populations.samples)
    with pytest.MonkeyPatch.context() as patch:
        less_work(patch)
        yield folder


def audit(folder, out, *more, synthetic="synthetic.vcf.gz"):
    real = folder / "real.vcf.gz"
    arguments = [
        "audit", folder / synthetic, "--train", real, "--holdout", real, "--split", folder / "split.tsv",
        "--populations", folder / "labels.tsv", "-o", out, "--threads", "1", *more,
    ]  # fmt: skip
    return run(haploom, [str(each) for each in arguments])


ALL = [f"--threshold={name}=none" for name in ("utility_accuracy", "two_sample_forest", "exact_copies")]


def test_audit__writes_a_page_that_needs_nothing_and_escapes_names(files, tmp_path, capsys):
    code = audit(files, tmp_path / "out", "--json")
    printed = capsys.readouterr()
    record = json.loads(printed.out)
    assert code == (0 if record["passed"] else 4)
    measures = {name: each for name, each in record.items() if name != "passed"}
    assert all({"value", "reference", "threshold", "passed"} <= each.keys() for each in measures.values())
    assert record["passed"] is all(each["passed"] for each in measures.values())
    page = (tmp_path / "out" / "audit.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "")
    saved = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert {name: saved[name] for name in record} == record
    table = (tmp_path / "out" / "measures.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in table[1:]] == list(measures)


def test_audit__a_failed_gate_leaves_with_4_and_says_which(files, tmp_path, capsys):
    (tmp_path / "gates.json").write_text('{"ld_decay_error": -1, "fst": [2, 3]}')
    gates = ["--thresholds", tmp_path / "gates.json", "--threshold", "fst=none", *ALL]
    assert audit(files, tmp_path / "out", *gates) == 4
    printed = capsys.readouterr()
    assert "ld_decay_error" in printed.err
    assert "train --kind autoregressive" in printed.err  # what to do
    assert "fst" not in printed.err  # the command's own threshold comes after the file's
    assert "at most -1" in printed.out
    assert "What to do" in (tmp_path / "out" / "audit.html").read_text()
    record = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert [name for name, each in record.items() if isinstance(each, dict) and "advice" in each] == ["ld_decay_error"]


def test_audit__no_gates_no_failure(files, tmp_path, capsys):
    from haploom.audit.catalogue import MEASURES

    assert audit(files, tmp_path / "out", *(f"--threshold={name}=none" for name in MEASURES)) == 0
    assert audit(files, tmp_path / "out") == 3
    assert "--force" in capsys.readouterr().err


@pytest.mark.parametrize("threshold", ["fst", "fst=", "fst=x", "fst=1:2:3", "fst=nan", "fst=inf", "fst=0:inf"])
def test_audit__a_threshold_that_is_none_is_wrong_usage(files, tmp_path, threshold):
    assert audit(files, tmp_path / "out", "--threshold", threshold) == 2


def test_audit__without_labels_everybody_is_one_population(files, tmp_path, capsys):
    real = str(files / "real.vcf.gz")
    arguments = ["--train", real, "--holdout", real, "--split", str(files / "split.tsv"), "-o", str(tmp_path / "out")]
    assert run(haploom, ["audit", str(files / "synthetic.vcf.gz"), *arguments, "--json"]) in (0, 4)
    assert "utility_accuracy" not in json.loads(capsys.readouterr().out)
    assert "everybody" in (tmp_path / "out" / "audit.html").read_text()


def test_audit__the_same_people_as_training_and_held_out_are_refused(files, tmp_path, capsys):
    real = str(files / "real.vcf.gz")
    assert run(haploom, ["audit", real, "--train", real, "--holdout", real, "-o", str(tmp_path / "out")]) == 3
    assert "60 people are both training and held-out" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_audit__tables_of_real_and_synthetic_people_that_disagree(files, tmp_path, capsys):
    lines = (files / "labels.tsv").read_text().splitlines()
    (tmp_path / "other.tsv").write_text("\n".join([lines[0], lines[1].split("\t")[0] + "\televated"]) + "\n")
    assert audit(files, tmp_path / "out", "--populations", tmp_path / "other.tsv") == 3
    assert "other labels in a table before" in capsys.readouterr().err
