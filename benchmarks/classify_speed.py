"""How long 10,000 people x 20,000 SNPs take to classify, and the memory, phased and unphased.

    python benchmarks/classify_speed.py WORK_FOLDER [PEOPLE...]

People are drawn as mosaics of 1,000 simulated reference people of five labels, their genotypes written and read as the
command does. `haploom classify` is run as a process of its own on two threads; pin it to two cores with
taskset. Adds a line a run to records/classify-speed.jsonl.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from haploom.ancestry.trusted_training import train_ancestry
from haploom.bench.records import append_records
from haploom.io import write_panel
from haploom.io.model_file import write_model
from haploom.panel import DosagePanel, Panel, Split, Variants
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "classify-speed.jsonl"
SITES, LABELS, OF_LABEL = 20_000, 5, 200


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    reference = simulated(LABELS * OF_LABEL, seed=1)
    split = Split(dict.fromkeys(reference.samples, "train"))
    for phased in (True, False):
        model = folder / f"{'phased' if phased else 'unphased'}.model"
        if not model.exists():
            panel = reference if phased else DosagePanel.from_panel(reference)
            write_model(train_ancestry(panel, split, "label"), model)
        for people in [int(each) for each in sys.argv[2:]] or [1_000, 10_000]:
            genotypes = folder / f"{people}.bcf"
            if not genotypes.exists():
                write_panel(simulated(people, seed=2), genotypes)
            command = [sys.executable, "-c", "from haploom.cli import main; main()", "classify", str(genotypes)]
            options = ["--quiet", "--force", "--json", "--threads", "2"]
            command += ["-m", str(model), *options, "-o", str(folder / "labels.tsv")]
            start = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "2"})
            _, status, usage = os.wait4(process.pid, 0)
            assert status == 0, command
            record = {
                "task": "classify-speed", "phased": phased, "people": people, "sites": SITES, "threads": 2,
                "reference_people": reference.n_samples, "seconds": round(time.perf_counter() - start, 1),
                "processor_seconds": round(usage.ru_utime + usage.ru_stime, 1),
                "load_average": round(os.getloadavg()[0], 1), "peak_mib": usage.ru_maxrss // 1024,
            }  # fmt: skip
            append_records(RECORDS, [{**record, "versions": package_versions()}])
            print(json.dumps(record), flush=True)


def simulated(people: int, seed: int) -> Panel:
    """Haplotypes copied in stretches of 200 sites from 60 founders of their label, one allele in 500 changed."""
    founders_of = np.random.default_rng(7)
    shared = founders_of.beta(0.5, 1.5, SITES)
    frequencies = np.clip(shared + founders_of.normal(0, 0.08, (LABELS, SITES)), 0.01, 0.99)
    founders = founders_of.random((LABELS, 60, SITES)) < frequencies[:, None]
    rng = np.random.default_rng(seed)
    labels = np.arange(people) % LABELS
    alleles = np.empty((2 * people, SITES), dtype=np.uint8)
    for row in range(2 * people):
        source = np.repeat(rng.integers(0, 60, SITES // 200), 200)
        alleles[row] = founders[labels[row // 2], source, np.arange(SITES)] ^ (rng.random(SITES) < 0.002)
    position = np.arange(SITES) * 2500 + 1
    variants = Variants(["22"] * SITES, position, ["."] * SITES, ["A"] * SITES, ["C"] * SITES)
    names = [f"s{seed}_{place}" for place in range(people)]
    return Panel.from_alleles(alleles, variants, names, {"label": np.array([f"L{label}" for label in labels])})


if __name__ == "__main__":
    main()
