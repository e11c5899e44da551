"""Does every command work where no machine code is there yet? The long check behind tests/test_kernels.py.

    python validation/cold_start.py

Copies the package, without machine code, into a folder that cannot be written to, and runs every command
- in four processes of each at once that share an empty cache folder;
- with no folder for machine code at all, where every command compiles what it needs.
Prints the seconds of each round and whatever a command said on stderr; exits with 1 if one failed. About 5 minutes
on four cores; needs the extras `simulate` and `models`. Run as root it needs `setpriv`, to take root's rights away.
"""

import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import haploom

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from every_command import run_all, write_inputs
from haploom.panel import Panel
from haploom.popgen.coalescent import simulate_panel


def install(folder: Path) -> Path:
    """A copy of the package that nobody can write to, without machine code."""
    shutil.copytree(Path(haploom.__file__).parent, folder / "haploom", ignore=shutil.ignore_patterns("__pycache__"))
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    return folder


def run_round(label: str, panel: Panel, at_once: int, folder: Path, installed: Path, environment: dict) -> bool:
    works = [folder / label / str(number) for number in range(at_once)]
    for work in works:
        work.mkdir(parents=True)
        write_inputs(panel, work)
    start = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        rounds = list(pool.map(lambda work: run_all(work, installed, environment), works))
    print(f"{label}: {at_once} at once, {time.perf_counter() - start:.0f} s")
    fine = True
    for done in (command for commands in rounds for command in commands):
        fine &= done.returncode == 0 and done.stderr.count("XDG_CACHE_HOME") <= 1
        if done.returncode or done.stderr:
            command = " ".join(done.args[done.args.index("-c") + 2 :])
            print(f"  {command}: exit code {done.returncode}: {done.stderr.strip()}")
    return fine


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        panel = simulate_panel(people=20, sites=300)
        installed = install(folder / "site-packages")
        nowhere = str(installed)
        shared = {"XDG_CACHE_HOME": str(folder / "cache"), "HOME": nowhere, "TMPDIR": nowhere}
        fine = run_round("cold", panel, 4, folder, installed, shared)
        fine &= run_round("warm", panel, 1, folder, installed, shared)
        fine &= run_round("none", panel, 1, folder, installed, {"HOME": nowhere, "TMPDIR": nowhere})
        for path in [installed, *installed.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
