"""Time and memory of `haploom breed` on real founders: 7 populations x 400 generations x 100 people of chr22-whole.

    python benchmarks/breed.py [--repeats 3]

Whole commands on two cores, with a cold cache of compiled code, reading and writing included. Real data is read
from ../shared/data (HAPLOOM_DATA overrides). Appends one JSON line a task to benchmarks/records/breed.jsonl.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("HAPLOOM_DATA") or ROOT.parent / "shared" / "data")
RECORDS = ROOT / "benchmarks" / "records" / "breed.jsonl"
POPULATIONS = ("ASW", "CEU", "CHB", "JPT", "MXL", "TSI", "YRI")
GENERATIONS, PEOPLE, SITES, CORES, SEED = 400, 100, 19_012, 2, 1


def measure(keep: str, tracks: bool, folder: Path) -> dict[str, float]:
    """One run of the command, and whether it wrote what it should."""
    out = folder / "bred.h5"
    command = [
        sys.executable, "-c", "from haploom.cli import main; main()", "breed", str(DATA / "chr22-whole.vcf.gz"),
        "--populations", str(DATA / "populations.tsv"), "--label", "population",
        "--generations", str(GENERATIONS), "--size", ",".join(f"{label}={PEOPLE}" for label in POPULATIONS),
        "--map", str(DATA / "chr22.b37.gmap.gz"), "--keep", keep, "--seed", str(SEED), "--force", "-o", str(out),
        *(["--tracks", str(folder / "tracks.tsv.gz")] if tracks else []),
    ]  # fmt: skip
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cold"), "NUMBA_NUM_THREADS": str(CORES)}
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"the command failed with status {status}")
    people = len(POPULATIONS) * PEOPLE * (GENERATIONS if keep == "all" else 1)
    with h5py.File(out) as file:
        assert file["bits"].shape == (2 * people, -(-SITES // 8))
        assert len(file["samples"]) == people
    return {"seconds": round(seconds, 2), "peak_rss_mib": round(usage.ru_maxrss / 1024), "bytes": out.stat().st_size}


def cpu_name() -> str:
    """The processor as Linux names it, or its architecture."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())


def main() -> None:
    """Run every task and append its record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    for keep, tracks in (("last", False), ("last", True), ("all", False)):
        runs = []
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as folder:
                runs.append(measure(keep, tracks, Path(folder)))
        record = {
            "task": f"breed/chr22-whole/keep-{keep}{'+tracks' if tracks else ''}", "tool": "haploom",
            "populations": len(POPULATIONS), "generations": GENERATIONS, "people": PEOPLE, "sites": SITES,
            "haplotypes_written": 2 * len(POPULATIONS) * PEOPLE * (GENERATIONS if keep == "all" else 1),
            "output_bytes": runs[0]["bytes"], "seconds": [run["seconds"] for run in runs],
            "peak_rss_mib": [run["peak_rss_mib"] for run in runs], "cores": CORES, "cold_cache": True,
            "cpu": cpu_name(), "python": platform.python_version(), "commit": commit.stdout.strip(), "seed": SEED,
        }  # fmt: skip
        print(json.dumps(record))
        with RECORDS.open("a") as records:
            records.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
