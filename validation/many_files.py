"""Many files on workers: how much faster two are than one, and that a killed run redoes only what was missing.

    python validation/many_files.py [--people 2000] [--files 22] [--sites 1500]

About 8 minutes on 2 quiet cores. Simulates one file a chromosome, stores them with one worker and with two (one thread
each), compares every byte, then kills a third run half-way and starts it again. Prints one JSON object; ends with exit
code 1 where an archive differs, or where the second start redid what was finished.
"""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "haploom", *arguments]


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.hlm"))}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--files", type=int, default=22)
    parser.add_argument("--sites", type=int, default=1500)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(measure(Path(name), asked)))


def measure(folder: Path, asked: argparse.Namespace) -> dict[str, object]:
    files = []
    for number in range(1, asked.files + 1):
        files.append(str(folder / f"chr{number}.vcf.gz"))
        people = str(-(-asked.people // 7))  # of each of 7 populations
        simulate = command("simulate", "--people", people, "--sites", str(asked.sites), "--seed", str(number))
        subprocess.run([*simulate, "-o", files[-1]], check=True, capture_output=True)

    def store(workers: int) -> list[str]:  # archives say the command: -o is the same in each run's own folder
        return command("compress", *files, "-o", "archives", "--workers", str(workers), "--threads", "1")

    seconds = {}
    subprocess.run(command("compress", files[0], "-o", str(folder / "warm.hlm")), check=True, capture_output=True)
    for workers in (1, 2):
        (folder / f"of{workers}").mkdir()
        start = time.perf_counter()
        subprocess.run(store(workers), cwd=folder / f"of{workers}", check=True, capture_output=True)
        seconds[workers] = round(time.perf_counter() - start, 1)
    same = digests(folder / "of1" / "archives") == digests(folder / "of2" / "archives")

    (folder / "killed").mkdir()
    target = folder / "killed" / "archives"
    run = subprocess.Popen(
        store(2), cwd=folder / "killed", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while len(list((target / ".unfinished").glob("part-*")) if target.exists() else []) < asked.files // 2:
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    finished = {f"chr{int(path.name[-6:]) + 1}.hlm" for path in (target / ".unfinished").glob("part-*")}
    before = {name: (target / name).stat().st_mtime_ns for name in finished}
    start = time.perf_counter()
    subprocess.run(store(2), cwd=folder / "killed", check=True, capture_output=True)
    again = round(time.perf_counter() - start, 1)
    untouched = before == {name: (target / name).stat().st_mtime_ns for name in finished}
    whole = digests(target) == digests(folder / "of1" / "archives")
    if not (same and untouched and whole):
        sys.exit(f"differs: same {same}, untouched {untouched}, whole {whole}")
    return {
        "measures": "many files", "files": asked.files, "people": asked.people, "sites": asked.sites,
        "seconds_1_worker": seconds[1], "seconds_2_workers": seconds[2], "ratio": round(seconds[2] / seconds[1], 3),
        "finished_when_killed": len(finished), "seconds_second_start": again,
    }  # fmt: skip


if __name__ == "__main__":
    main()
