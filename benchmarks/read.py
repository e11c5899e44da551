"""Time and memory of reading a phased VCF into a Panel, beside `bcftools view -Ob -l0` of it, one thread each.

    python benchmarks/read.py [chr22-dense.vcf.gz ...]

Names are looked up in the folder of real data (HAPLOOM_DATA, else ../shared/data beside the project). Each run
is a process of its own, the two tools take turns, and a first run of each warms the page cache and the kernels'
cache and does not count. Appends one JSON line a file and tool to benchmarks/records/read.jsonl. The goal: at
most 3 times the wall time of bcftools, and at most 4 times the bit-packed size plus 200 MB of memory.
"""

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

REPEATS = 5
PROJECT = Path(__file__).parents[1]
DATA = Path(os.environ.get("HAPLOOM_DATA") or PROJECT.parent / "shared" / "data")
RECORDS = Path(__file__).parent / "records" / "read.jsonl"
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
READ = """
import sys
from pathlib import Path
from haploom.io import read_panel
panel = read_panel(Path(sys.argv[1]))
print(panel.n_sites, panel.n_haplotypes, int(panel.allele_counts().sum()))
"""


def run(command: list[str]) -> tuple[float, float, str]:
    """(wall seconds, peak resident MiB, stdout) of one process from its start to its end."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | ONE_THREAD, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    per_mib = 2**20 if sys.platform == "darwin" else 2**10
    return seconds, usage.ru_maxrss / per_mib, output


def alternate_alleles(source: Path) -> int:
    """Alternate alleles in the file, counted from what bcftools prints: the check that the panel is right."""
    # Streamed: a child's peak memory counts from that of this process, which must stay small.
    with subprocess.Popen(["bcftools", "query", "-f", "[%GT]\n", str(source)], stdout=subprocess.PIPE) as query:
        assert query.stdout is not None
        return sum(block.count(b"1") for block in iter(lambda: query.stdout.read(1 << 16), b""))


def cpu() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()


def measure(name: str) -> list[dict]:
    source = DATA / name
    tools = {
        "haploom": [sys.executable, "-c", READ, str(source)],
        "bcftools view -Ob -l0": ["bcftools", "view", "--threads", "0", "-Ob", "-l0", "-o", os.devnull, str(source)],
    }
    runs: dict[str, list[tuple[float, float, str]]] = {tool: [] for tool in tools}
    for repeat in range(REPEATS + 1):
        for tool, command in tools.items():
            result = run(command)
            if repeat:
                runs[tool].append(result)
    n_sites, n_haplotypes, n_alternate = map(int, runs["haploom"][0][2].split())
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=PROJECT, capture_output=True, text=True)
    return [
        {
            "task": f"read/{name}", "tool": tool, "sites": n_sites, "haplotypes": n_haplotypes,
            "input_bytes": source.stat().st_size, "packed_bytes": n_haplotypes * -(-n_sites // 8),
            "wall_s": [round(seconds, 3) for seconds, _, _ in runs[tool]],
            "median_s": round(sorted(seconds for seconds, _, _ in runs[tool])[REPEATS // 2], 3),
            "peak_rss_mib": round(max(mib for _, mib, _ in runs[tool]), 1),
            "verified": n_alternate == alternate_alleles(source), "threads": 1, "cpu": cpu(),
            "date": time.strftime("%Y-%m-%d"), "commit": commit.stdout.strip(),
        }
        for tool in tools
    ]  # fmt: skip


def main(names: list[str]) -> None:
    for name in names:
        haploom, bcftools = records = measure(name)
        with RECORDS.open("a") as file:
            file.writelines(json.dumps(record) + "\n" for record in records)
        allowed_mib = (4 * haploom["packed_bytes"] + 200e6) / 2**20
        print(
            f"{name}: {haploom['median_s']} s, {haploom['median_s'] / bcftools['median_s']:.2f} x bcftools (goal 3); "
            f"peak {haploom['peak_rss_mib']} MiB (goal {allowed_mib:.0f}); verified: {haploom['verified']}"
        )


if __name__ == "__main__":
    main(sys.argv[1:] or ["chr22-dense.vcf.gz"])
