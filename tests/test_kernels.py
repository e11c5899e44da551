"""Machine code of kernels on disk: found again, never stale, never trusted from others, never in the way."""

import errno
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import every_command
import haploom
from haploom import kernels

PACKAGE = Path(haploom.__file__).parent

INNER = """
from haploom.kernels import kernel
STEP = {step}

@kernel
def inner(x):
    return x + STEP
"""
OUTER = """
from haploom.kernels import kernel
from {inner} import inner

@kernel
def outer(x):
    return 10 * inner(x)
"""


@pytest.fixture
def store(monkeypatch, tmp_path):
    """The only folder for machine code, empty."""
    folder = tmp_path / "store" / "kernels"
    monkeypatch.setattr(kernels, "_folders", lambda: iter([folder]))
    forget()
    yield folder
    forget()


def forget():
    """What a new process does not know."""
    kernels.writable_folder.cache_clear()
    kernels._say_once.cache_clear()


def load(path, text):
    path.write_text(textwrap.dedent(text))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def load_both(folder, step=1):
    """A kernel that calls a kernel of another module, as a new process would have it."""
    load(folder / "kernels_inner.py", INNER.format(step=step))
    return load(folder / "kernels_outer.py", OUTER.format(inner="kernels_inner")).outer


def hits(dispatcher):
    return sum(dispatcher.stats.cache_hits.values())


def test_kernels__the_next_process_finds_the_code(store, tmp_path):
    assert load_both(tmp_path)(4) == 50
    assert len(list(store.glob("*.kernel"))) == len(list(store.iterdir())) == 2
    again = load_both(tmp_path)
    assert again(4) == 50
    assert hits(again) == 1


def test_kernels__another_constant_in_a_called_kernel_is_noticed(store, tmp_path):
    assert load_both(tmp_path, step=1)(4) == 50
    changed = load_both(tmp_path, step=2)
    assert changed(4) == 60
    assert hits(changed) == 0
    assert len(list(store.iterdir())) == 2, "the stale files are replaced"


def test_kernels__constants_of_a_call_do_not_multiply_the_code(store, tmp_path):
    load(tmp_path / "kernels_inner.py", INNER.format(step=1))
    text = OUTER.format(inner="kernels_inner").replace("inner(x)", "inner(1) + inner(2) + inner(x)")
    outer = load(tmp_path / "kernels_outer.py", text).outer
    assert outer(3) == 10 * 2 + 3 + 4
    assert len(list(store.glob("kernels_inner*"))) == 1


DAMAGE = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "digest only": lambda data: data[:32],
    "flipped": lambda data: data[:500] + bytes([data[500] ^ 1]) + data[501:],
    "something else": lambda data: b"\x80\x04N." * 100,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_kernels__damaged_files_are_replaced(store, tmp_path, damage):
    assert load_both(tmp_path)(4) == 50
    for path in store.iterdir():
        path.write_bytes(damage(path.read_bytes()))
    again = load_both(tmp_path)
    assert again(4) == 50
    assert hits(again) == 0
    assert hits_of_next(tmp_path) == 1


def hits_of_next(folder):
    outer = load_both(folder)
    assert outer(4) == 50
    return hits(outer)


def test_kernels__a_folder_where_files_should_be_is_survived(store, tmp_path, caplog):
    assert load_both(tmp_path)(4) == 50
    for path in list(store.iterdir()):
        path.unlink()
        path.mkdir()
    assert load_both(tmp_path)(4) == 50
    assert all(path.is_dir() for path in store.iterdir()), "nothing unfinished is left"
    assert len(caplog.messages) == 1


def test_kernels__a_full_disk_costs_one_warning(store, tmp_path, monkeypatch, caplog):
    def full(self, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert load_both(tmp_path)(4) == 50
    assert list(store.iterdir()) == []
    assert len(caplog.messages) == 1
    assert "No space left" in caplog.messages[0]


def test_kernels__no_folder_costs_one_warning(monkeypatch, tmp_path, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setattr(kernels, "_folders", lambda: iter([tmp_path / "file" / "kernels"]))
    forget()
    assert load_both(tmp_path)(4) == 50
    assert load_both(tmp_path, step=3)(4) == 70
    forget()
    assert len(caplog.messages) == 1
    assert "XDG_CACHE_HOME" in caplog.messages[0]


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_kernels__folders_others_can_write_to_are_not_trusted(store, tmp_path, mode):
    assert load_both(tmp_path)(4) == 50
    store.chmod(mode)
    again = load_both(tmp_path)
    assert again(4) == 50
    assert hits(again) == 0


def test_kernels__links_are_not_followed(store, tmp_path):
    assert load_both(tmp_path)(4) == 50
    store.parent.rename(tmp_path / "elsewhere")
    store.parent.symlink_to(tmp_path / "elsewhere")
    again = load_both(tmp_path)
    assert again(4) == 50
    assert hits(again) == 0


def test_kernels__order_of_folders(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/x/cache")
    monkeypatch.setenv("TMPDIR", "/x/tmp")
    name = kernels._FOLDER_NAME
    private = Path(f"/x/tmp/haploom-{os.geteuid()}")
    assert list(kernels._folders()) == [PACKAGE / "__pycache__", Path("/x/cache/haploom") / name, private / name]
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/x/home")
    assert Path("/x/home/.cache/haploom") / name in kernels._folders()
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert len(list(kernels._folders())) == 2


def test_fingerprint__what_cannot_be_told_is_refused(tmp_path):
    module = load(tmp_path / "kernels_odd.py", "from haploom.kernels import kernel\nTHING = {1: 2}\n")
    exec("@kernel\ndef uses():\n    return THING[1]\n", module.__dict__)
    with pytest.raises(TypeError, match="THING, a dict"):
        kernels.fingerprint(module.uses.py_func)


def test_fingerprint__does_not_depend_on_the_process():
    command = (
        "from haploom.entropy_coding.rare_sites import code_rare_sites; from haploom.kernels import fingerprint;"
        "print(fingerprint(code_rare_sites.py_func).hex())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", command], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in "12"
    }
    assert len(printed) == 1
    assert len(printed.pop().strip()) == 64


RACE = """
import sys, time
import numpy as np
sys.path.insert(0, sys.argv[1])
from haploom import kernels
from pathlib import Path
kernels._folders = lambda: iter([Path(sys.argv[2])])
from kernels_outer import outer
mine = int(sys.argv[3])
arguments = [4, 4.0, np.float32(4), np.uint8(4)]
while time.time() < float(sys.argv[4]):
    pass
for turn in range(4):
    assert outer(arguments[(mine + turn) % 4]) == 50, (mine, turn)
print(sum(outer.stats.cache_hits.values()))
"""


def test_kernels__processes_that_start_at_once_do_not_race(tmp_path):
    load_both(tmp_path)
    store = tmp_path / "private" / "kernels"
    start = time.time() + 3

    def race(number):
        arguments = [tmp_path, store, number, start]
        return subprocess.Popen(
            [sys.executable, "-c", RACE, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    for racer in [race(number) for number in range(4)]:
        _, errors = racer.communicate(timeout=60)
        assert racer.returncode == 0, errors
        assert errors == b""
    assert len(list(store.iterdir())) == 8, "two kernels, four types"
    printed, _ = race(0).communicate(timeout=60)
    assert printed.strip() == b"4", "whoever comes later compiles nothing"


def test_kernels__used_from_threads_and_after_a_fork(store, tmp_path):
    outer = load_both(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(outer, [4, 4.0] * 20)) == [50] * 40
    child = os.fork()
    if child == 0:
        os._exit(0 if outer(4) == 50 and outer(True) == 20 else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_kernels__a_fork_while_another_thread_compiles(store, tmp_path, monkeypatch):
    outer = load_both(tmp_path)
    compiling = threading.Event()

    def slow(self, sig, target_context):  # called with numba's compiler lock held, as all compiling is
        if self._dispatcher is outer and not compiling.is_set():
            compiling.set()
            time.sleep(0.5)

    monkeypatch.setattr(kernels._StoredCode, "load_overload", slow)
    thread = threading.Thread(target=outer, args=[4])
    thread.start()
    assert compiling.wait(30)
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # ends the child where it would wait for ever
        os._exit(0 if outer(4.0) == 50 else 1)
    assert os.waitpid(child, 0)[1] == 0
    thread.join()


def test_read_only_installation__every_command_works(two_populations, tmp_path):
    """No folder can be written to but the one of the outputs; machine code comes with the installation."""
    pytest.importorskip("torch")
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root may write everywhere, and setpriv (util-linux) is not there to take that away")
    installed = tmp_path / "site-packages"
    shutil.copytree(PACKAGE, installed / "haploom")
    for path in [installed, *installed.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    work = tmp_path / "work"
    work.mkdir()
    every_command.write_inputs(two_populations, work)
    nowhere = str(installed)
    try:
        for done in every_command.run_all(work, installed, {"HOME": nowhere, "TMPDIR": nowhere}):
            assert done.returncode == 0, (done.args, done.stderr)
            assert done.stderr.count("XDG_CACHE_HOME") <= 1
            assert "Error" not in done.stderr
        changed = {path.name for path in installed.rglob("*") if path.stat().st_mode & 0o222}
        assert not changed
    finally:
        for path in [installed, *installed.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)
    assert (work / "again.vcf").stat().st_size > 0
