"""Parts in this process, or in a pool of processes of this machine."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from haploom.parallel.failures import WorkerLostError
from haploom.parallel.workers import Workers

# What numba, OpenMP and the linear algebra libraries read when they start.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class Here:
    """Each part when it is submitted, one after another."""

    capacity = 1

    def __enter__(self) -> "Here":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def submit(self, work: Callable[[Any], Any], part: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(part))
        except Exception as error:
            future.set_exception(error)
        return future

    def any_done(self, futures: list[Future[Any]]) -> list[Future[Any]]:
        return futures

    def result(self, future: Future[Any]) -> Any:
        return future.result()

    def renew(self) -> None:
        pass


class ProcessPool:
    """New processes of this machine (spawned: forked ones would inherit locks of threads they do not have)."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self.capacity = workers.count  # each is being worked on: a lost worker takes no waiting parts along

    def __enter__(self) -> "ProcessPool":
        self._pool = self._new_pool()
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        if kind is None:
            self._pool.shutdown()
        else:
            end_processes(self._pool)

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._workers.count, multiprocessing.get_context("spawn"), initializer=prepare_worker,
            initargs=(self._workers.threads, self._workers.memory_bytes),
        )  # fmt: skip

    def submit(self, work: Callable[[Any], Any], part: Any) -> Future[Any]:
        try:
            return self._pool.submit(work, part)
        except BrokenProcessPool as error:  # broke since the last result was taken: found out when this one is
            future: Future[Any] = Future()
            future.set_exception(error)
            return future

    def any_done(self, futures: list[Future[Any]]) -> list[Future[Any]]:
        return list(wait(futures, return_when=FIRST_COMPLETED).done)

    def result(self, future: Future[Any]) -> Any:
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise WorkerLostError("a process was ended from outside") from error

    def renew(self) -> None:
        end_processes(self._pool)
        self._pool = self._new_pool()


def end_processes(pool: ProcessPoolExecutor) -> None:
    """Now, whatever they do: nobody waits for their results."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
        process.join()


def prepare_worker(threads: int, memory_bytes: int | None) -> None:
    """In a new worker, before it loads anything large: bounds on threads and memory; Ctrl-C is for the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    bound_threads(threads)
    if memory_bytes is not None and sys.platform == "linux":
        import resource

        # Of data, not of addresses: torch and numba reserve far more addresses than they use.
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))


def bound_threads(threads: int) -> None:
    """What libraries that are loaded from now on use."""
    for name in _THREAD_VARIABLES:
        os.environ[name] = str(threads)
