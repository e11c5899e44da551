"""Every command of the README on a panel of two populations, run in processes of their own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from haploom.io import write_panel, write_populations
from haploom.panel import Panel

MODEL = ("--model", "panel.model")
COMMANDS = (
    ("split", "panel.vcf.gz", "--populations", "panel.tsv", "-o", "split.tsv"),
    ("convert", "panel.vcf.gz", "-o", "panel.h5"),
    ("compress", "panel.vcf.gz", "-o", "panel.hlm", "--threads", "1"),
    ("inspect", "panel.hlm"),
    ("verify", "panel.hlm", "--threads", "1"),
    ("decompress", "panel.hlm", "-o", "again.vcf", "--threads", "1"),
    ("view", "panel.hlm", "-S", "two.txt", "--threads", "1"),
    ("breed", "panel.vcf.gz", "--populations", "panel.tsv", "--generations", "2", "--size", "10", "-o", "bred.vcf.gz"),
    ("simulate", "--people", "5", "--sites", "50", "-o", "simulated.vcf.gz"),
    ("train", "panel.vcf.gz", "--populations", "panel.tsv", "--split", "split.tsv", "--epochs", "1", "-o", MODEL[1]),
    ("embed", "panel.vcf.gz", *MODEL, "--split", "split.tsv", "--part", "test", "-o", "coordinates.tsv"),
    ("classify", "panel.vcf.gz", *MODEL, "--split", "split.tsv", "--part", "test", "-o", "labels.tsv"),
    ("impute", "panel.vcf.gz", *MODEL, "-o", "imputed.vcf.gz", "--threads", "1"),
    ("synthesize", *MODEL, "-n", "3", "-o", "synthetic.vcf.gz"),
    ("entropy", "panel.vcf.gz", "--populations", "panel.tsv", "-o", "entropy", "--threads", "1"),
    ("ld", "panel.vcf.gz", "--populations", "panel.tsv", "-o", "ld", "--threads", "1"),
)  # fmt: skip


def write_inputs(panel: Panel, folder: Path) -> None:
    """What COMMANDS start from."""
    write_panel(panel, folder / "panel.vcf.gz")
    write_populations(folder / "panel.tsv", panel.samples, panel.populations)
    (folder / "two.txt").write_text("\n".join(panel.samples[:2]) + "\n")


def run_all(folder: Path, package_parent: Path, environment: dict[str, str]) -> list[subprocess.CompletedProcess]:
    """Run COMMANDS in `folder` with the package that lies in `package_parent`; file modes count for root too."""
    program = [sys.executable, "-c", "from haploom.cli import main; main()"]
    if os.geteuid() == 0 and shutil.which("setpriv"):
        program = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *program]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(package_parent), "OMP_NUM_THREADS": "1", **environment}
    return [
        subprocess.run([*program, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
        for command in COMMANDS
    ]
