import json

import pytest

from haploom import io
from haploom.cli.frame import run
from haploom.cli.simulate import simulate

SMALL = ["--people", "5", "--sites", "60"]


def test_simulate__panel_and_labels(tmp_path, capsys):
    out = tmp_path / "sim.vcf.gz"
    assert run(simulate, ["-o", str(out), *SMALL, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    panel = io.read_panel(out, io.Selection(populations=tmp_path / "sim.populations.tsv"))
    assert panel.n_sites == printed["sites"] == 60
    assert panel.n_samples == printed["people"] == 35
    assert panel.labels("population").tolist() == [name[:3] for name in panel.samples]
    assert printed["mean_entropy_bits"].keys() == printed["fst"].keys() == printed["fst"]["AFR"].keys()
    assert printed["fst"]["AFR"]["EUR"] == printed["fst"]["EUR"]["AFR"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sim.populations.tsv", "sim.vcf.gz"]


def test_simulate__same_seed_same_bytes(tmp_path):
    for name in ("a.vcf", "b.vcf"):
        assert run(simulate, ["-o", str(tmp_path / name), *SMALL, "--seed", "4", "--no-version"]) == 0
    text = (tmp_path / "a.vcf").read_text()
    assert text == (tmp_path / "b.vcf").read_text()
    assert "##synthetic=" in text


def test_simulate__contig_is_that_of_the_map(tmp_path):
    genetic_map = tmp_path / "map.tsv"
    genetic_map.write_text("pos chr cM\n70000 22 0\n900000 22 1.1\n")
    assert run(simulate, ["-o", str(tmp_path / "o.h5"), *SMALL, "--map", str(genetic_map)]) == 0
    variants = io.read_panel(tmp_path / "o.h5").variants
    assert variants.contigs() == ["22"]
    assert variants.position_bp[0] >= 70_000


def test_simulate__contig_of_a_map_of_several_must_be_named(tmp_path, capsys):
    genetic_map = tmp_path / "map.tsv"
    genetic_map.write_text("pos chr cM\n1 21 0\n900 21 1\n70000 22 0\n900000 22 1.1\n")
    arguments = ["-o", str(tmp_path / "o.vcf"), *SMALL, "--map", str(genetic_map)]
    assert run(simulate, arguments) == 3
    assert "the file has: 21, 22" in capsys.readouterr().err
    assert run(simulate, [*arguments, "--contig", "22"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--sites", "5", "--length", "5"], 2, "not both"),
        (["--people", "AFR=1,AFR=2"], 2, "stands twice"),
        (["--people", "many"], 2, "wanted a number"),
        (["--people", "XXX=1"], 3, "there are AFR, EUR"),
        (["-o", "-"], 2, "must name a file"),
    ],
)
def test_simulate__wrong_requests(tmp_path, capsys, arguments, code, message):
    assert run(simulate, ["-o", str(tmp_path / "o.vcf"), *arguments]) == code
    assert message in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


def test_simulate__does_not_replace_without_force(tmp_path, capsys):
    labels = tmp_path / "o.populations.tsv"
    labels.write_text("mine")
    assert run(simulate, ["-o", str(tmp_path / "o.vcf"), *SMALL]) == 3
    assert "--force" in capsys.readouterr().err
    assert [labels.read_text(), len(list(tmp_path.iterdir()))] == ["mine", 1]
    assert run(simulate, ["-o", str(tmp_path / "o.vcf"), *SMALL, "--force"]) == 0
