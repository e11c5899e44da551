"""The tables of measurements are made of the records, and of nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


def test_benchmark_tables__are_what_the_records_say():
    done = subprocess.run([sys.executable, "benchmarks/tables.py", "--check"], cwd=PROJECT, capture_output=True)
    assert done.returncode == 0, done.stderr.decode() or "run python benchmarks/tables.py"


@pytest.mark.parametrize(("page", "n_tables"), [("benchmarks.md", 7), ("costs.md", 4), ("models.md", 3)])
def test_benchmark_tables__every_table_has_rows(page, n_tables):
    tables = (PROJECT / "docs" / page).read_text().split("<!-- table: ")[1:]
    assert len(tables) == n_tables
    assert all(table.split("<!-- end -->")[0].count("\n| ") >= 3 for table in tables)
