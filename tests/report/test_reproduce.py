"""`haploom reproduce`: rows that can be checked by hand, bred people apart from founders, a run that goes on."""

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("msprime")
pytest.importorskip("matplotlib")

from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.cli.reproduce import RESULTS
from haploom.errors import HaploomError
from haploom.panel import Panel
from haploom.report.reproduce import catalogue, storing
from haploom.report.reproduce.catalogue import Request
from haploom.report.reproduce.claims import Claim, claims_text
from haploom.report.reproduce.people import PROTOCOLS, bred_people, founders_of
from haploom.report.reproduce.rows import RowFile
from haploom.report.reproduce.storage_claims import claims_of
from haploom.report.reproduce.tables import measure_table
from haploom.report.reproduce.written import wide_table, with_factors, write_table

TINY = replace(
    PROTOCOLS["quick"], sites=120, founders=20, generations=2, train_haplotypes=140, test_haplotypes=56, subsets=(120,),
    latents=(2,), epochs=2, least_steps=0,
)  # fmt: skip


@pytest.fixture(scope="module")
def people():
    return bred_people(*founders_of(None, None, None, TINY, 1, TINY.sites), TINY, 1)


def test_reproduce__offspring_of_test_founders_are_in_no_other_part(people):
    assert len(people.populations()) == 7
    assert people.tests["bred"].n_haplotypes == 56
    train = people.training_rows
    assert train.n_haplotypes == 140
    assert set(people.tests["bred"].samples).isdisjoint(people.train.samples)
    # Crossovers apart, each bred haplotype of two generations agrees with a founder of its own part over long runs.
    founders, bred = people.tests["unrelated"].alleles(), people.tests["bred"].alleles()
    nearest = (bred[:, None, :60] != founders[None, :, :60]).sum(axis=2).min(axis=1)
    assert np.median(nearest) == 0


def test_storing__q0_rows_are_counted_as_the_paper_does(two_populations):
    v = two_populations.variants.select(slice(0, 4))
    panel = Panel.from_alleles(np.array([[0, 0, 1, 1], [1, 1, 1, 0]], np.uint8), v, ("P",))
    rows = {row["method"]: row["bytes"] for row in storing.without_latents(panel, panel, panel)}
    # All zero: runs 2 zeros, 2 ones; 3 ones, 1 zero: four runs of 16 bits and 16 for the first value of each row.
    assert rows["q = 0, all zero"] == (4 * 16 + 2 * 16) / 8
    # The majority is 0 0 1 0: wrong at 0001, then at 1100: runs 3 + 1, 2 + 2.
    assert rows["q = 0, majority"] == (4 * 16 + 2 * 16) / 8


def test_storing__arithmetic_coding_reaches_the_entropy(two_populations):
    rows = list(storing.by_frequencies(two_populations, two_populations, two_populations))
    p = two_populations.allele_counts() / two_populations.n_haplotypes
    p = p[(p > 0) & (p < 1)]
    entropy = -(p * np.log2(p) + (1 - p) * np.log2(1 - p)).sum() * two_populations.n_haplotypes / 8
    assert entropy < rows[0]["bytes"] < 1.02 * entropy + 300 * 2


def test_row_file__goes_on_and_refuses_other_settings(tmp_path):
    path, n = tmp_path / "rows.jsonl", 0

    def measure():
        nonlocal n
        n += 1
        return [{"method": "a", "bytes": n}]

    assert RowFile(path, {"seed": 1}).measured("k", measure) == [{"method": "a", "bytes": 1}]
    with path.open("a") as file:
        file.write('{"key": "half')  # a run that was stopped here
    again = RowFile(path, {"seed": 1})
    assert again.measured("k", measure) == [{"method": "a", "bytes": 1}]
    assert again.measured("l", measure) == [{"method": "a", "bytes": 2}]
    assert set(RowFile(path, {"seed": 1}).rows) == {"k", "l"}
    with pytest.raises(HaploomError, match="rows of other settings"):
        RowFile(path, {"seed": 2})


def test_with_factors__by_hand():
    row = with_factors({"sites": 80, "haplotypes": 10, "bytes": 50, "model_bytes": 50})
    assert (row["factor_1_byte"], row["factor_1_bit"], row["factor_1_bit_with_model"]) == (16, 2, 1)
    assert row["bits_per_allele"] == 0.5


@pytest.mark.parametrize("table", ["table1", "table2", "table-s3"])
def test_reproduce__every_table(table, tmp_path, monkeypatch):
    monkeypatch.setattr(storing, "by_general_coders", lambda panel: iter(()))
    monkeypatch.setitem(PROTOCOLS, "quick", TINY)
    wanted = Request(name=table, size="quick")
    rows = measure_table(wanted, tmp_path)
    methods = {row["method"] for row in rows}
    wanted_methods = {
        "table1": {"vae", "vae+rle", "vae+rle, as the paper counts", "pca+rle", "q = 0, majority", "haploom max"},
        "table2": {"vqvae, paper settings", "vqvae+zstd, paper settings", "vqvae, sound settings", "haploom max"},
        "table-s3": {"cvae+rle", "cvae+rle, as the paper counts", "q = 0, majority of the population"},
    }
    assert wanted_methods[table] <= methods
    assert {row["data"] for row in rows} == {"bred", "unrelated"}
    files = write_table(rows, wanted, tmp_path)
    assert all(path.stat().st_size > 0 for path in files)
    assert len((tmp_path / f"{table}.tsv").read_text().splitlines()) == 1 + len(rows)
    assert wide_table([with_factors(row) for row in rows], "bred").rows
    # A second run measures nothing: the same rows, seconds and all.
    assert measure_table(wanted, tmp_path) == rows


def test_reproduce__the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(PROTOCOLS, "quick", TINY)
    monkeypatch.setattr(storing, "by_general_coders", lambda panel: iter(()))
    arguments = ["reproduce", "table2", "--quick", "-o", str(tmp_path / "out"), "--threads", "1", "--json"]
    assert run(haploom, arguments) == 0
    printed = json.loads(capsys.readouterr().out)
    assert sorted(path.name for path in (tmp_path / "out").glob("table2.*")) == [
        f"table2.{suffix}" for suffix in ("claims.json", "html", "svg", "tsv", "txt")
    ]
    assert printed["written"][0].endswith("table2.txt")
    assert run(haploom, [*arguments, "--vcf", __file__]) == 2


def test_reproduce__the_command_offers_what_the_catalogue_has():
    assert tuple(catalogue.RESULTS) == RESULTS


def test_reproduce__help_names_every_result():
    listed = haploom.commands["reproduce"].help.partition("RESULT: ")[2].partition(".")[0].replace(",", "").split()
    first, last = (int(listed[listed.index("to") + side].removeprefix("fig-s")) for side in (-1, 1))
    ranged = {f"fig-s{number}" for number in range(first, last + 1)}
    assert ranged | set(listed) - {"to", "or"} == {*RESULTS, "all"}


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (Claim(paper="A > B", ours="A 2, B 1", agrees=True), "agrees"),
        (Claim(paper="A > B", ours="A 1, B 2", agrees=False, why="B is tuned"), "differs: B is tuned"),
        (Claim(paper="A > B"), "not measured"),
    ],
)
def test_claims__the_verdict_is_computed(claim, verdict):
    assert claim.verdict == verdict


def storage_row(method, factor, q=None, population="AFR", data="bred", sites=1000, n_bytes=100, model_bytes=0):
    return {
        "method": method, "latents": q, "population": population, "data": data, "sites": sites, "bytes": n_bytes,
        "model_bytes": model_bytes, "factor_1_bit": factor, "factor_1_byte": 8 * factor,
    }  # fmt: skip


def test_storage_claims__table_1_by_hand():
    vae = "vae+rle, as the paper counts"
    rows = [
        storage_row(vae, 1.2, 64), storage_row(vae, 0.9, 32), storage_row(vae, 2.4, 64, "EUR"),
        storage_row(vae, 2.6, 32, "EUR"), storage_row("q = 0, majority", 0.8), storage_row("q = 0, all zero", 1.0),
        storage_row("q = 0, majority", 1.0, population="EUR"), storage_row("vae", 1.8, 64),
        storage_row("vae", 2.0, 32), storage_row("vae", 3.0, 64, "EUR"), storage_row("vae", 5.2, 32, "EUR"),
        storage_row(vae, 9.0, 64, data="unrelated"),
    ]  # fmt: skip
    claims = {claim.paper: claim for claim in claims_of("table1", rows)}
    wanted = (
        "With 32",
        "With 64",
        "With 128",
        "half as large",
        "AFR, the most",
        "better than PCA",
        "q = 0",
        "bits-back",
    )
    of = {words: next(claim for paper, claim in claims.items() if words in paper) for words in wanted}
    assert of["With 32"].verdict == "differs: not in AFR"
    assert of["With 64"].verdict == of["half as large"].verdict == of["AFR, the most"].verdict == "agrees"
    assert of["With 128"].verdict.startswith("not measured")  # there are no such rows
    assert of["better than PCA"].verdict.startswith("not measured")
    # 1.2 is 1.2 times the best q = 0 row of AFR; 2.6 is 2.6 times that of EUR.
    assert (of["q = 0"].ours, of["q = 0"].verdict) == ("times: AFR 1.20, EUR 2.60", "differs: not in AFR")
    # AFR 1.5 and 2.2; EUR 1.25 and 2: the least counts.
    assert of["bits-back"].ours.endswith("AFR 1.50, EUR 1.25")
    assert of["bits-back"].verdict == "differs: not in EUR"


def test_storage_claims__table_2_counts_the_model():
    rows = [
        storage_row("zstd -3, bytes", 10, n_bytes=500), storage_row("vqvae+zstd, paper settings", 30, n_bytes=160),
        storage_row("vqvae, level max, paper settings", 60, n_bytes=80, model_bytes=900),
        storage_row("haploom max", 50, n_bytes=90),
        storage_row("auto, which took vqvae/1, paper settings", 40, n_bytes=95),
    ]  # fmt: skip
    claims = {claim.paper: claim for claim in claims_of("table2", rows)}
    assert next(c for paper, c in claims.items() if "3.3 times" in paper).ours.startswith("3.00 times")
    half = next(c for paper, c in claims.items() if "half" in paper and "paper settings, bred" in paper)
    assert (half.ours, half.verdict) == ("0.500 of them", "agrees")
    auto = next(c for paper, c in claims.items() if "`auto`" in paper and "(bred)" in paper)
    assert auto.ours == "auto 95 bytes, the smallest other row 90 (haploom max)"
    assert not auto.agrees
    assert next(c for paper, c in claims.items() if "(unrelated)" in paper).verdict.startswith("not measured")


def test_reproduce__all_leads_to_every_page_and_names_what_could_not_be_made(tmp_path, monkeypatch):
    from haploom.report.reproduce import everything
    from haploom.report.reproduce.claims import write_claims

    def make(request, folder):
        if request.name == "table2":
            raise HaploomError("too few <people>")
        claims = [Claim(paper="A > B", ours="A 2", agrees=True), Claim(paper="B > C")] if request.name == "fig1" else []
        write_claims(claims, folder, request.name)
        return []

    monkeypatch.setattr(everything, "reproduce_one", make)
    txt, html = everything.reproduce(Request(name="all", size="quick"), tmp_path)
    rows = {line.split("  ")[0]: line.split() for line in txt.read_text().splitlines()}
    assert rows[catalogue.RESULTS["fig1"][0]][-4:] == ["1", "0", "1", "made"]
    assert "not made: too few <people>" in txt.read_text()
    page = html.read_text()
    assert "too few &lt;people&gt;" in page
    assert '<a href="fig1.html">' in page
    assert "table2.html" not in page
    assert page.index("B &gt; C") > page.index("A &gt; B")


def test_claims_text__is_read_on_a_terminal():
    claims = [
        Claim(paper="PCA " + "is worse than the VAE " * 12, ours="not so", agrees=False, why="few held-out people"),
        Claim(paper="dogs"),
    ]
    lines = claims_text(claims).splitlines()
    assert max(map(len, lines)) <= 120
    assert " ".join(" ".join(lines).split()) == (
        "The paper and this run paper PCA "
        + "is worse than the VAE " * 12
        + "here not so verdict differs: few held-out "
        "people paper dogs here – verdict not measured"
    )
