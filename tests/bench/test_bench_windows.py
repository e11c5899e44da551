"""`haploom bench windows`: sizes of stores worked out by hand, and against the entropy they cannot beat by much."""

import json

import numpy as np
import pytest

from haploom.bench.records import read_records
from haploom.bench.windows import block_size, pattern_sizes, table, window_records
from haploom.cli.frame import run
from haploom.cli.main import haploom
from haploom.errors import HaploomError
from haploom.io import write_panel
from haploom.panel import Panel, Variants
from haploom.popgen.haplotype_windows import haplotype_windows


def panel_of(alleles: np.ndarray) -> Panel:
    n_sites = alleles.shape[1]
    variants = Variants(
        np.full(n_sites, "1"), np.arange(1, n_sites + 1), np.full(n_sites, "."), np.full(n_sites, "A"),
        np.full(n_sites, "C"), {"1": n_sites},
    )  # fmt: skip
    return Panel.from_alleles(alleles, variants, [f"P{person}" for person in range(len(alleles) // 2)])


def test_pattern_sizes__two_haplotypes_by_hand():
    # Everybody is one of two haplotypes in both windows of 8 sites: each table is two bytes. Stored as it is, a
    # packed table takes 2 bytes before it, and the first of the two parts its length: 4 + 4 + 1.
    alleles = np.array([[0] * 8 + [1] * 8, [1] * 8 + [0] * 8] * 4, dtype=np.uint8)
    counts = haplotype_windows(panel_of(alleles), np.arange(8), [8])[8]
    patterns, indices = pattern_sizes(panel_of(alleles), counts)
    assert patterns == 9
    assert 1 < indices < 20  # 16 indices of one bit each, of which the second 8 follow from the first


def test_pattern_sizes__the_last_window_is_narrower():
    alleles = np.random.default_rng(1).integers(0, 2, (40, 30), dtype=np.uint8)
    panel = panel_of(alleles)
    counts = haplotype_windows(panel, np.arange(40), [7])[7]
    assert (counts.stop - counts.start).tolist() == [7, 7, 7, 7, 2]
    patterns, _ = pattern_sizes(panel, counts)
    assert patterns > int(counts.n_distinct @ (counts.stop - counts.start)) / 8  # noise does not get smaller
    assert 0 < block_size(panel, counts, "fast") <= 30 * 40 / 8 + 5 * 6  # a block is never more than bits and a byte


def test_window_records__indices_cost_about_their_entropy():
    # Independent draws of 4 haplotypes in every window: nothing follows from the window before, so that indices must
    # cost at least what they hold, and an adaptive coder pays little more than that to learn it.
    rng = np.random.default_rng(2)
    founders = rng.integers(0, 2, (4, 60), dtype=np.uint8)
    drawn = rng.integers(0, 4, (1000, 6))
    alleles = founders[drawn[:, np.arange(60) // 10], np.arange(60)]
    (record,) = window_records("task", panel_of(alleles), [10])
    assert record["entropy_bytes"] == pytest.approx(6 * 1000 * 2 / 8, rel=0.01)
    assert 0.99 * record["entropy_bytes"] < record["index_bytes"] < 1.1 * record["entropy_bytes"]
    assert record["mean_distinct"] == 4
    assert json.loads(json.dumps(record)) == record


def test_window_records__widths_that_do_not_fit():
    panel = panel_of(np.zeros((4, 20), dtype=np.uint8))
    assert [record["width"] for record in window_records("task", panel, [50, 20, 5], "fast")] == [5, 20]
    with pytest.raises(HaploomError, match=r"4 haplotypes of 20 sites, widths \[21\]"):
        list(window_records("task", panel, [21]))


def test_bench_windows__records_table_and_plot(two_populations, tmp_path, capsys):
    write_panel(two_populations, tmp_path / "panel.vcf")
    command = [
        "bench", "windows", str(tmp_path / "panel.vcf"), "-o", str(tmp_path / "r.jsonl"), "--windows", "50,300,1000",
        "--level", "fast", "--plot", str(tmp_path / "sizes.svg"),
    ]  # fmt: skip
    assert run(haploom, command) == 0
    shown = capsys.readouterr().out
    records = read_records(tmp_path / "r.jsonl")
    assert [record["width"] for record in records] == [50, 300]
    for row in table(records):
        assert all(cell in shown for cell in row)
    assert b"Width of a window" in (tmp_path / "sizes.svg").read_bytes()
    assert run(haploom, command) == 3  # the plot is there
    assert len(read_records(tmp_path / "r.jsonl")) == 2
