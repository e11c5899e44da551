"""Peak memory of training the VAE on 50,000 haplotypes of 20,000 sites, by `haploom train` in a process of its own.

    python benchmarks/training_memory.py

The panel is random bits: memory does not depend on what they say. It is written as HDF5 (bit-packed), trained on for an
epoch, and one JSON line is appended to records/training-memory.jsonl. The peak is the resident set of the process that
trained, as the kernel counted it: reading and writing the files is part of it.
"""

import json
import shlex
import sys
import tempfile
from pathlib import Path

import numpy as np

import haploom as hl
from haploom.bench.processes import cpu_name, run_measured
from haploom.panel.bits import row_bytes
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "training-memory.jsonl"
N_HAPLOTYPES, N_SITES, THREADS = 50_000, 20_000, 2


def write_inputs(folder: Path) -> None:
    """panel.h5 and labels.tsv."""
    rng = np.random.default_rng(1)
    variants = hl.Variants(
        np.full(N_SITES, "22"), np.arange(1, N_SITES + 1) * 1000, np.full(N_SITES, "."), np.full(N_SITES, "A"),
        np.full(N_SITES, "C"),
    )  # fmt: skip
    bits = rng.integers(0, 256, (N_HAPLOTYPES, row_bytes(N_SITES)), dtype=np.uint8)
    names = tuple(f"P{person}" for person in range(N_HAPLOTYPES // 2))
    hl.write_panel(hl.Panel(bits, variants, names), folder / "panel.h5")
    lines = ["sample\tpopulation", *(f"{name}\t{'AB'[place % 2]}" for place, name in enumerate(names))]
    (folder / "labels.tsv").write_text("\n".join(lines) + "\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(folder)
        program = shlex.join([sys.executable, "-c", "from haploom.cli import main; main()"])
        options = f"--epochs 1 --threads {THREADS} -o m --json > result.json"
        run = run_measured(f"{program} train panel.h5 --populations labels.tsv {options}", folder)
        trained = json.loads((folder / "result.json").read_text())
    record = {
        "task": f"training-memory/{N_HAPLOTYPES}x{N_SITES}",
        **{key: trained[key] for key in ("kind", "profile", "parameters")},
        "packed_mib": round(N_HAPLOTYPES * row_bytes(N_SITES) / 2**20, 1),
        "peak_rss_mib": run.peak_rss_mib,
        "seconds": run.seconds,
        "threads": THREADS,
        "cpu": cpu_name(),
        "versions": package_versions(),
    }
    with RECORDS.open("a") as file:
        file.write(json.dumps(record) + "\n")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
