"""How fast archives that were stored with a model are read back: whole processes, the network run for every haplotype.

    python benchmarks/neural_decode.py [--people 300] [--copies 3] [--threads 2] [--repeats 3]

A simulated panel of 7 populations and 10,000 sites, a VAE of the paper's size (512 hidden, 64 latents), a VQ-VAE with
4 codes a window (so no table: its network is run), each trained for an epoch: what they learned changes sizes, not
speed. What is stored are those people --copies times over, so that the start of a process is a small part. Every run is
a process that opens the archive and decodes all haplotypes, codecs in turn, after a turn that does not count. Appends
JSON lines to benchmarks/records/neural-decode.jsonl: alleles a second of the wall and of processors (on a busy machine
the wall's tell what else ran), peak memory, and the load. Needs the extras `models` and `simulate`.
"""

import argparse
import os
import shlex
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from haploom.bench.processes import Run, cpu_name, run_measured
from haploom.bench.records import append_records
from haploom.compression import compress_panel
from haploom.io.model_file import write_model
from haploom.panel import Panel, split_people
from haploom.popgen.coalescent import simulate_panel
from haploom.training.config import TrainingConfig
from haploom.training.fit import train_model

PROJECT = Path(__file__).parents[1]
RECORDS = Path(__file__).parent / "records" / "neural-decode.jsonl"
SITES, SEED = 10_000, 1
MODELS = {"vae": {"n_latent": 64}, "vqvae": {"n_latent": 16, "heads": 4, "codes": 128}}
CODECS = {"vae+rle": "vae", "vae": "vae", "vqvae+zstd": "vqvae", "vqvae": "vqvae"}
READ = "import sys; from haploom.archive import open_archive; print(open_archive(*sys.argv[1:]).read().n_haplotypes)"


def train(panel: Panel, folder: Path) -> dict[str, Path]:
    split = split_people(panel.samples, panel.labels("population").tolist(), seed=SEED)
    paths = {}
    for kind, shape in MODELS.items():
        config = TrainingConfig(epochs=1, batch_size=128, seed=SEED)
        paths[kind] = folder / f"{kind}.model"
        write_model(train_model(panel, split, "population", kind=kind, config=config, shape=shape).model, paths[kind])
    return paths


def copies(panel: Panel, n: int) -> Panel:
    names = tuple(f"{name}-{copy}" for copy in range(n) for name in panel.samples)
    return Panel(np.tile(panel.bits, (n, 1)), panel.variants, names, {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=300, help="of each of 7 populations")
    parser.add_argument("--copies", type=int, default=3, help="of all of them in what is stored")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    panel = simulate_panel(people=options.people, sites=SITES, seed=SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = train(panel, folder)
        panel = copies(panel, options.copies)
        commands, runs = {}, {}
        for codec, kind in CODECS.items():
            archive = folder / f"{codec}.hlm"
            compress_panel(panel, archive, codec=codec, model=models[kind], embed_model=False)
            threads = f"OMP_NUM_THREADS={options.threads} OPENBLAS_NUM_THREADS={options.threads}"
            arguments = shlex.join([sys.executable, "-c", READ, str(archive), str(models[kind])])
            commands[codec] = f"env PYTHONPATH={shlex.quote(str(PROJECT / 'src'))} {threads} {arguments}"
            runs[codec] = []
        for turn in range(options.repeats + 1):
            for codec, command in commands.items():
                run = run_measured(command, folder)
                if turn:
                    runs[codec].append(run)
    append_records(RECORDS, [record(codec, found, panel, options.threads) for codec, found in runs.items()])


def record(codec: str, runs: list[Run], panel: Panel, threads: int) -> dict[str, Any]:
    alleles = panel.n_haplotypes * panel.n_sites
    found: dict[str, Any] = {
        "task": f"neural-decode/{codec}", "sites": panel.n_sites, "haplotypes": panel.n_haplotypes,
        "alleles_per_s": round(alleles / statistics.median(run.seconds for run in runs)),
        "alleles_per_cpu_s": round(alleles / statistics.median(run.cpu_seconds for run in runs)),
        "seconds": [run.seconds for run in runs], "cpu_seconds": [run.cpu_seconds for run in runs],
        "peak_rss_mib": max(run.peak_rss_mib for run in runs), "threads": threads,
        "load": round(os.getloadavg()[0], 1), "cpu": cpu_name(), "date": time.strftime("%Y-%m-%d"),
    }  # fmt: skip
    speed = found["alleles_per_s"] / 1e6
    print(f"{codec}: {speed:.2f} M alleles/s of wall time on {threads} threads, peak {found['peak_rss_mib']:.0f} MiB")
    return found


if __name__ == "__main__":
    main()
