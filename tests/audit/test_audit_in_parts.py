"""An audit finds the same whoever takes its measures."""

import pytest

pytest.importorskip("sklearn")

from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.io import write_panel, write_populations
from haploom.popgen.coalescent import simulate_panel


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """Audits three sets of people of two populations; returns the exit code and the table of measures."""
    pytest.importorskip("msprime")
    folder = tmp_path_factory.mktemp("people")
    panel = simulate_panel(people={"AFR": 66, "EUR": 66}, sites=100, seed=3)
    for place, name in enumerate(("made", "learned", "new")):
        write_panel(panel.select_samples(panel.samples[place::3]), folder / f"{name}.vcf")
    write_populations(folder / "labels.tsv", panel.samples, panel.populations)
    made, learned, new, labels = (str(folder / name) for name in ("made.vcf", "learned.vcf", "new.vcf", "labels.tsv"))
    command = ["audit", made, "--train", learned, "--holdout", new, "--populations", labels, "--threads", "1"]

    def audit(name, *workers):
        code = run(haploom, [*command, "-o", str(folder / name), *workers])
        return code, (folder / name / "measures.tsv").read_text()

    return audit


def test_audit__workers_change_no_figure(audited):
    code, table = here = audited("here")
    assert code in (0, 4)
    assert table.count("\n") > 20
    assert audited("there", "--workers", "2") == here
