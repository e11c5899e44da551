"""Figures of made-up people: measures that can be worked out by hand, models trained once, pages for every figure."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("msprime")
pytest.importorskip("matplotlib")

from haploom.errors import HaploomError
from haploom.popgen.spectra import folded_by_percent
from haploom.report.reproduce import catalogue, gmmn, synthetic_figures, variation
from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.synthetic import FOUNDERS, SIZES, Comparison

TINY = replace(SIZES["quick"], sites=60, founders=20, generations=2, train_haplotypes=84, test_haplotypes=28, epochs=2)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(SIZES, "quick", TINY)
    monkeypatch.setitem(gmmn.SIZES, "quick", TINY)
    monkeypatch.setitem(variation._SIMULATED, "quick", (4, 300))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Models are trained once for all figures."""
    return tmp_path_factory.mktemp("figures")


@pytest.mark.parametrize("name", ["fig1", "fig3", "fig5", "fig6", "fig-s1", "fig-s9", "fig-s10", "gmmn", "fig-s2"])
def test_reproduce__every_figure(name, folder, tiny):
    written = catalogue.reproduce(Request(name=name, size="quick"), folder)
    assert [path.name for path in written[:2]] == [f"{name}.txt", f"{name}.html"]
    text = written[0].read_text()
    assert "The paper and this run" in text
    assert any(verdict in text for verdict in ("agrees", "differs", "not measured"))
    assert len(written) > 2
    assert all(path.stat().st_size > 0 for path in written)


def test_comparison__trains_once_and_refuses_other_settings(folder, tiny):
    compared = Comparison(Request(name="fig6", size="quick"), folder)
    compared.model("cvae")
    before = (folder / "synthetic-cvae.model").stat().st_mtime_ns
    assert compared.model("cvae").labels == sorted(variation.PAPER_BITS)
    assert (folder / "synthetic-cvae.model").stat().st_mtime_ns == before
    with pytest.raises(HaploomError, match="rows of other settings"):
        Comparison(Request(name="fig6", size="quick", seed=2), folder).model("cvae")


def test_comparison__as_many_people_as_founders_and_no_test_founder_was_bred(folder, tiny):
    compared = Comparison(Request(name="fig6", size="quick"), folder)
    people = compared.everybody(("cvae",))
    assert list(people) == [FOUNDERS, "C-VAE", "C-VAE, sampled"]
    wanted = np.unique(compared.per_haplotype(compared.founders), return_counts=True)
    for panel in people.values():
        found = np.unique(compared.per_haplotype(panel), return_counts=True)
        assert [x.tolist() for x in found] == [x.tolist() for x in wanted]
    # `bred_people` keeps the founders of its test part: the same whom classifiers are tested on.
    assert compared.founders_by_part["test"].samples == compared.bred.tests["unrelated"].samples


def test_wasserstein__by_hand():
    assert synthetic_figures._wasserstein(np.array([0.0, 1.0]), np.array([0.5, 0.25])) == pytest.approx(0.375)


def test_changed__sites_that_vary_no_more_count():
    # Ten haplotypes; founders have sites at 10 %, 20 % and 20 %; here one of them at 20 % is fixed and one moved.
    founders, here = folded_by_percent(np.array([1, 2, 2]), 10), folded_by_percent(np.array([1, 0, 3]), 10)
    assert synthetic_figures._changed(here, founders) == 2


@pytest.mark.parametrize(
    ("means", "verdict"),
    [({"AFR": 0.9, "WAS": 0.5, "OCE": 0.1}, "agrees"), ({"AFR": 0.9, "WAS": 0.1, "OCE": 0.5}, "differs")],
)
def test_fig1__the_order_is_compared_with_the_papers(means, verdict, tmp_path, two_populations, monkeypatch):
    # The same 40 people under three labels; entropies are put in.
    people = np.array(list(means))[np.arange(two_populations.n_samples) % 3].astype(object)
    panel = two_populations.with_populations({"population": people})
    found = variation.measure_variation(panel, "population", variation.EntropySettings(n_draws=1, widths=(50,)))
    for label, bits in means.items():
        found.entropy[label][:] = bits
        found.mean[label] = found.mean[label]._replace(value=bits, low=bits - 0.01, high=bits + 0.01)
    text = variation._entropies(Request(name="fig1"), tmp_path, "", found)[0].read_text()
    claim = text[text.index("paper    AFR > WAS > OCE") :]
    assert claim.partition("verdict  ")[2].startswith(verdict)


def test_catalogue__modules_make_what_they_are_asked_for():
    module = "synthetic_figures"
    names = {name for name, (_, where) in catalogue.RESULTS.items() if where == module}
    assert names == set(synthetic_figures._MAKERS)
