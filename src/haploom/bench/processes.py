"""Other programs run and measured: seconds of the wall, peak memory, and what they said when they failed."""

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from haploom.errors import HaploomError

# A process starts with the peak memory of the one that started it (Linux keeps it across exec), so that a small
# Python stands between us and what is measured.
_LAUNCHER = """
import json, os, sys, time
report, *command = sys.argv[1:]
start = time.perf_counter()
process = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(process, 0)
seconds = time.perf_counter() - start
with open(report, "w") as file:
    json.dump([seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status)], file)
"""
_MAXRSS_PER_MIB = 2**20 if sys.platform == "darwin" else 2**10


class Run(NamedTuple):
    """One run of a command: seconds of the wall and of processors, peak resident memory in MiB.

    On a busy machine the wall's seconds tell what else ran; the processors' seconds hardly change.
    """

    seconds: float
    cpu_seconds: float
    peak_rss_mib: float


class ToolError(HaploomError):
    """A program that was measured ended with an error."""


def run_measured(command: str, folder: Path) -> Run:
    """Run a line of shell, one program with its redirections, in a folder.

    Memory is that of the program, without programs it starts and does not wait for. Raises ToolError, with the
    last line the program wrote to stderr, where it ends with another status than 0.
    """
    with tempfile.TemporaryDirectory() as private:
        report = Path(private) / "report.json"
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(report), "sh", "-c", f"exec {command}"]
        done = subprocess.run(launcher, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode:
            raise ToolError(f"cannot run `{command}`: {_last_line(done.stderr)}")
        seconds, cpu_seconds, peak, status = json.loads(report.read_text())
    if status:
        raise ToolError(f"`{command}` ended with status {status}: {_last_line(done.stderr)}")
    return Run(round(seconds, 3), round(cpu_seconds, 3), round(peak / _MAXRSS_PER_MIB, 1))


def cpu_name() -> str:
    """The processor as Linux names it, or its architecture."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _last_line(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
