"""What the documentation tells people to type is run as printed.

A fenced block says what it is in its first line:

| first line         | the block is                                                                        |
|--------------------|-------------------------------------------------------------------------------------|
| `sh`               | run, in the order of the page, in one empty folder                                  |
| `sh exit-N`        | run; must leave with N and say on stderr what the `text` block after it says        |
| `sh bcftools`      | run where bcftools is installed                                                     |
| `sh real-data`     | run where there are real genotypes, in a folder that has cohort.vcf.gz, populations.tsv |
| `sh no-test`       | not run                                                                             |
| `python`           | run, in a folder of its own                                                         |
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from haploom.cli.main import SUBCOMMANDS
from haploom.io import Selection, read_panel, read_samples, write_panel

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/tour.md")
FENCE = re.compile(r"^```(\S+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")
# The haploom beside this Python first. One thread, because tests share their machine.
ENVIRONMENT = os.environ | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "OMP_NUM_THREADS": "1",
}


class Block(NamedTuple):
    """A fenced block: its language, the word after it, and its text."""

    language: str
    mark: str
    text: str


def blocks(page: str) -> list[Block]:
    return [Block(*match) for match in FENCE.findall((ROOT / page).read_text())]


def run(block: Block, folder: Path) -> subprocess.CompletedProcess[str]:
    """The block as one script that stops at the first command that fails."""
    command = [sys.executable, "-c"] if block.language == "python" else ["bash", "-euo", "pipefail", "-c"]
    return subprocess.run(
        [*command, block.text], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300
    )


def must_succeed(block: Block, folder: Path) -> None:
    done = run(block, folder)
    assert done.returncode == 0, f"{block.text}\nleft with {done.returncode}:\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a page, after all its plain commands have run in it (once)."""
    folders: dict[str, Path] = {}

    def ran(page: str) -> Path:
        if page not in folders:
            folder = tmp_path_factory.mktemp("page")
            for block in blocks(page):
                if block.language == "sh" and not block.mark:
                    must_succeed(block, folder)
            folders[page] = folder
        return folders[page]

    return ran


@pytest.mark.parametrize("page", PAGES)
def test_commands__run_as_printed(page, folder_of):
    left = {path.name for path in folder_of(page).iterdir()}
    assert {"panel.vcf.gz", "panel.model", "panel.hlm", "labels.tsv", "synthetic.vcf.gz"} <= left
    assert not [name for name in left if "partial" in name]


def test_commands__of_the_statistics_run_as_printed(folder_of):
    folder = folder_of("docs/statistics.md")
    assert {"entropy/differences.tsv", "entropy/windows.png", "ld/decay.tsv", "ld/profile.pdf"} <= {
        path.relative_to(folder).as_posix() for path in folder.rglob("*")
    }


def test_commands__of_the_audit_run_as_printed(folder_of):
    pytest.importorskip("msprime")
    folder = folder_of("docs/audit.md")
    assert {"audit.html", "audit.json", "measures.tsv"} == {path.name for path in (folder / "audit").iterdir()}
    (failing,) = [block for block in blocks("docs/audit.md") if block.mark == "exit-4"]
    assert run(failing, folder).returncode == 4


@pytest.mark.parametrize(
    ("page", "answers"),
    [
        ("docs/howto-populations.md", {"entropy", "ld", "map.html", "records.jsonl"}),
        ("docs/howto-biobank.md", {"archives", "region.vcf", "consented.vcf.gz", "newcomers.hlm"}),
        ("docs/howto-gwas.md", {"why.html", "stretches.tsv.gz", "shares.tsv", "covariates.tsv", "gwas.pgen"}),
        ("docs/howto-sharing.md", {"made.vcf.gz", "audit", "audit-of-copies"}),
    ],
)
def test_commands__of_the_guides_run_as_printed(page, answers, folder_of):
    pytest.importorskip("msprime")
    pytest.importorskip("pgenlib")
    assert answers <= {path.name for path in folder_of(page).iterdir()}


def test_commands__errors_read_as_the_tour_says(folder_of):
    folder = folder_of("docs/tour.md")
    page = blocks("docs/tour.md")
    failing = [pair for pair in pairwise(page) if pair[0].mark.startswith("exit-")]
    assert failing
    for block, message in failing:
        assert message.language == "text"
        done = run(block, folder)
        assert (done.returncode, done.stderr) == (int(block.mark.removeprefix("exit-")), message.text), block.text


def test_commands__bcftools_reads_what_haploom_wrote(folder_of):
    if shutil.which("bcftools") is None:
        pytest.skip("bcftools is not installed")
    folder = folder_of("docs/tour.md")
    asked = [block for block in blocks("docs/tour.md") if block.mark == "bcftools"]
    assert asked
    for block in asked:
        must_succeed(block, folder)


@pytest.mark.parametrize("page", [*PAGES, "docs/statistics.md", "docs/audit.md"])
def test_commands__run_on_real_data(page, real_data, tmp_path):
    """On 30 kb of chromosome 22 and a tenth of its people: the same commands, less waiting."""
    source = real_data / "chr22-dense.vcf.gz"
    part = Selection(regions=("22:50300000-50330000",), samples=read_samples(source)[::10])
    write_panel(read_panel(source, part), tmp_path / "cohort.vcf.gz")
    shutil.copyfile(real_data / "populations.tsv", tmp_path / "populations.tsv")
    for block in blocks(page):
        if block.mark == "real-data":
            must_succeed(block, tmp_path)


@pytest.mark.parametrize("page", [*PAGES, "docs/statistics.md", "docs/python.md"])
def test_python__runs_as_printed(page, tmp_path):
    for block in blocks(page):
        if block.language == "python":
            must_succeed(block, tmp_path)


def test_readme__names_every_command():
    readme = (ROOT / "README.md").read_text()
    assert [command.name for command in SUBCOMMANDS if f"`{command.name}`" not in readme.replace("haploom ", "")] == [
        "bench"  # its subcommands are named
    ]


def test_links__lead_to_files():
    for page in [ROOT / "README.md", *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in LINK.findall(page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}, which is not there"
