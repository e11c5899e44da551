"""`run_parts`: the same results on every backend, whatever fails, in whatever order, however often it is started."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haploom.errors import HaploomError, MissingExtraError
from haploom.parallel import TRIES, PartError, PartFiles, Workers, run_parts
from haploom.parallel.dask_cluster import DaskCluster
from haploom.parallel.part_files import _SETTINGS

BACKENDS = [Workers(), Workers(count=2), Workers(count=2, dask="local")]
NAMES = ["here", "pool", "dask"]


def square(number):
    return number * number


def counted(folder, number):
    """Leaves a mark for each try."""
    (folder / f"{number}-{time.time_ns()}-{os.getpid()}").touch()
    return str(number).encode()


def fail_until(folder, failures, number):
    """Fails so many times, then answers."""
    counted(folder, number)
    if len(list(folder.glob(f"{number}-*"))) <= failures:
        raise OSError("a disk that comes back")
    return number


def die_until(folder, failures, number):
    """The process of an odd part is killed so many times."""
    counted(folder, number)
    if number % 2 and len(list(folder.glob(f"{number}-*"))) <= failures:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def refuse(number):
    raise MissingExtraError("nothing", "extra", f"part {number}")


@pytest.fixture(params=BACKENDS, ids=NAMES)
def workers(request):
    if request.param.dask:
        pytest.importorskip("distributed")
    return request.param


def test_run_parts__every_backend_and_order(workers):
    assert dict(run_parts(square, range(7), workers)) == {n: n * n for n in range(7)}
    assert list(run_parts(square, iter(range(7)), workers, ordered=True)) == [(n, n * n) for n in range(7)]
    assert list(run_parts(square, [], workers)) == []


def test_run_parts__a_part_that_fails_twice_is_tried_again(workers, tmp_path):
    assert dict(run_parts(partial(fail_until, tmp_path, TRIES - 1), [3], workers)) == {0: 3}
    assert len(list(tmp_path.iterdir())) == TRIES


def test_run_parts__a_part_that_keeps_failing_is_told(workers, tmp_path):
    with pytest.raises(OSError, match="comes back"):
        list(run_parts(partial(fail_until, tmp_path, 99), [3], workers))
    assert len(list(tmp_path.iterdir())) == TRIES


def test_run_parts__an_error_of_the_users_is_not_tried_again(workers):
    with pytest.raises(MissingExtraError, match="part 5"):
        list(run_parts(refuse, [5], workers))


@pytest.mark.parametrize("workers", BACKENDS[1:], ids=NAMES[1:])
def test_run_parts__killed_workers_lose_nothing(workers, tmp_path):
    if workers.dask:
        pytest.importorskip("distributed")
    assert dict(run_parts(partial(die_until, tmp_path, 1), range(4), workers)) == {n: n for n in range(4)}
    assert len(list(tmp_path.glob("1-*"))) >= 2


@pytest.mark.parametrize("workers", BACKENDS[1:], ids=NAMES[1:])
def test_run_parts__a_part_that_kills_every_worker_ends_with_an_error(workers, tmp_path):
    if workers.dask:
        pytest.importorskip("distributed")
    with pytest.raises(PartError, match="too little memory"):
        list(run_parts(partial(die_until, tmp_path, 99), [1], workers))
    assert len(list(tmp_path.glob("1-*"))) == TRIES


def test_run_parts__a_scheduler_that_vanishes_leaves_finished_parts(tmp_path):
    distributed = pytest.importorskip("distributed")
    file = tmp_path / "scheduler.json"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parent)])}
    start = partial(
        subprocess.Popen, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    module, options = [sys.executable, "-m"], ["--scheduler-file", str(file), "--no-dashboard"]
    scheduler = start([*module, "distributed.cli.dask_scheduler", "--port", "0", *options])
    worker = start([*module, "distributed.cli.dask_worker", "--nthreads", "1", *options])
    try:
        with distributed.Client(scheduler_file=str(file), timeout=30, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=30)
            address = client.scheduler.address
        kept = PartFiles(tmp_path / "parts", {})
        seen = []

        def run_and_lose_the_scheduler():
            for place, _ in run_parts(partial(slow_after, 2), range(9), Workers(dask=address), kept=kept):
                seen.append(place)
                scheduler.kill()

        with pytest.raises(PartError, match="is gone"):
            run_and_lose_the_scheduler()
        assert seen
        assert all(kept.read(place) is not None for place in seen)
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()


def slow_after(quick, number):
    if number >= quick:
        time.sleep(60)
    return b"%d" % number


def test_run_parts__finished_parts_are_found_again(workers, tmp_path):
    (tmp_path / "marks").mkdir()
    work = partial(counted, tmp_path / "marks")
    kept = PartFiles(tmp_path / "parts", {"seed": 1})
    first = run_parts(work, range(5), workers, kept=kept, ordered=True)
    before = [next(first) for _ in range(3)]
    first.close()  # stopped half-way
    (tmp_path / "parts" / "part-000001").write_bytes(b"damaged")
    done = {0, 2} & {int(path.name[-6:]) for path in (tmp_path / "parts").glob("part-*")}
    assert done == {0, 2}
    for mark in (tmp_path / "marks").iterdir():
        mark.unlink()
    again = list(run_parts(work, range(5), workers, kept=PartFiles(tmp_path / "parts", {"seed": 1}), ordered=True))
    assert again == [(n, b"%d" % n) for n in range(5)]
    assert again[:3] == before
    worked_on = {int(mark.name.split("-")[0]) for mark in (tmp_path / "marks").iterdir()}
    assert 1 in worked_on
    assert worked_on.isdisjoint(done)


def test_part_files__other_settings_are_refused(tmp_path):
    PartFiles(tmp_path / "parts", {"seed": 1}).write(0, b"x")
    with pytest.raises(HaploomError, match="another run"):
        PartFiles(tmp_path / "parts", {"seed": 2})
    files = PartFiles(tmp_path / "parts", {"seed": 1})
    files.remove()
    assert not (tmp_path / "parts").exists()
    assert _SETTINGS not in os.listdir(tmp_path)


def test_part_files__a_killed_write_does_not_stop_the_cleaning_up(tmp_path, monkeypatch):
    files = PartFiles(tmp_path / "parts", {"seed": 1})

    def killed(*paths):
        raise KeyboardInterrupt  # as a kill: nothing after it is run

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            files.write(0, b"x")
    assert len(os.listdir(tmp_path / "parts")) == 2  # the settings, and what is left of the part
    again = PartFiles(tmp_path / "parts", {"seed": 1})
    assert again.read(0) is None
    again.remove()
    assert not (tmp_path / "parts").exists()


def test_part_files__others_files_are_left(tmp_path):
    files = PartFiles(tmp_path / "parts", {"seed": 1})
    (tmp_path / "parts" / "notes.txt").write_text("mine")
    files.remove()
    assert os.listdir(tmp_path / "parts") == ["notes.txt"]


@given(
    failures=st.lists(st.integers(0, TRIES - 1), max_size=8),
    capacity=st.integers(1, 4),
    ordered=st.booleans(),
    picks=st.randoms(use_true_random=False),
    kept=st.sets(st.integers(0, 7)),
)
@settings(deadline=None, max_examples=200)
def test_run__any_order_and_failures_give_the_same(failures, capacity, ordered, picks, kept, tmp_path_factory):
    from haploom.parallel.failures import WorkerLostError
    from haploom.parallel.parts import _Run

    left = list(failures)
    files = PartFiles(tmp_path_factory.mktemp("parts"), {})
    for place in kept & set(range(len(failures))):
        files.write(place, b"%d" % place)

    class Unreliable:
        """Ends parts in any order; a failure takes all others along, or only itself."""

        def __init__(self):
            self.capacity, self.waiting = capacity, {}

        def submit(self, work, part):
            assert len(self.waiting) < capacity
            token = object()
            self.waiting[token] = part
            return token

        def any_done(self, futures):
            assert set(futures) == set(self.waiting)
            return picks.sample(futures, picks.randint(1, len(futures)))

        def result(self, future):
            part = self.waiting.pop(future)
            if left[part]:
                left[part] -= 1
                # Parts taken along lose a try without fault: only the first try may be lost so.
                if sum(failures) == 1:
                    raise WorkerLostError("gone")
                raise OSError("again")
            return b"%d" % part

        def renew(self):
            self.waiting.clear()

    run = _Run(None, enumerate(range(len(failures))), Unreliable(), ordered, files, lambda *_, **__: None)
    results = list(run)
    assert sorted(results) == [(n, b"%d" % n) for n in range(len(failures))]
    if ordered:
        assert results == sorted(results)


def test_part_files__other_settings_may_follow_a_run_that_kept_no_part(tmp_path):
    PartFiles(tmp_path / "parts", {"seed": 1})
    PartFiles(tmp_path / "parts", {"seed": 2}).write(0, b"x")
    with pytest.raises(HaploomError, match="seed was 2, is now 1\\. Give"):
        PartFiles(tmp_path / "parts", {"seed": 1})


def test_dask__an_address_without_a_port_is_refused():
    pytest.importorskip("distributed")
    # A Client that was made of such an address waits for ever where it is collected.
    with pytest.raises(HaploomError, match="answers at nonsense"), DaskCluster(Workers(dask="nonsense")):
        pass
