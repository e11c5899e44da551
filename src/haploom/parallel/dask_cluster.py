"""Parts on a Dask cluster: one started here, or the workers of a scheduler elsewhere."""

import asyncio
import concurrent.futures
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from haploom.errors import HaploomError, MissingExtraError
from haploom.parallel.failures import TRIES, PartError
from haploom.parallel.processes import bound_threads
from haploom.parallel.workers import LOCAL, Workers
from haploom.provenance import command_line, work_for

CONNECT_SECONDS = 20
_LOOK_SECONDS = 1  # how often to see whether the scheduler is there
_PARTS_A_WORKER = 2  # one being worked on, one on its way


class DaskCluster:
    """The workers of a scheduler. Raises MissingExtraError without distributed, HaploomError where nobody answers."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def __enter__(self) -> "DaskCluster":
        try:
            import dask
            import distributed
        except ModuleNotFoundError as error:
            raise MissingExtraError("distributed", "dask", "working on a Dask cluster") from error
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # it logs losses that are mended, with tracebacks
        self._cluster = None
        address = self._workers.dask
        if address == LOCAL:
            dask.config.set({"distributed.scheduler.allowed-failures": TRIES - 1})
            self._cluster = distributed.LocalCluster(
                n_workers=self._workers.count, threads_per_worker=1, processes=True, dashboard_address=":0",
                memory_limit=self._workers.memory_bytes or 0,
            )  # fmt: skip
        try:
            if self._cluster is None:
                assert address is not None  # else the work would run in processes
                # Of an address it cannot parse, a Client raises and then waits for ever.
                distributed.comm.get_address_host_port(address)
            self._client = distributed.Client(
                self._cluster or address, timeout=CONNECT_SECONDS, set_as_default=False, direct_to_workers=False
            )
        except (OSError, ValueError, TimeoutError) as error:
            self.__exit__()
            raise HaploomError(
                f"no Dask scheduler answers at {address} within {CONNECT_SECONDS} seconds: is it running, and is its "
                "address of the form tcp://HOST:8786?"
            ) from error
        n_workers = len(self._client.scheduler_info(n_workers=-1)["workers"])
        if not n_workers:
            self.__exit__()
            raise HaploomError(
                f"the Dask scheduler at {address} has no workers: start some with `dask worker {address}`"
            )
        self.capacity = _PARTS_A_WORKER * n_workers
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(Exception):  # of a scheduler that is gone
            self._client.close(timeout=5)
        if self._cluster is not None:
            with suppress(Exception):
                self._cluster.close(timeout=10)

    def submit(self, work: Callable[[Any], Any], part: Any) -> Any:
        with self._while_connected():
            return self._client.submit(_work_elsewhere, work, part, self._workers.threads, command_line(), pure=False)

    def any_done(self, futures: list[Any]) -> list[Any]:
        from distributed import wait

        while True:
            with self._while_connected(), suppress(TimeoutError), self._client.as_current():
                return list(wait(futures, timeout=_LOOK_SECONDS, return_when="FIRST_COMPLETED").done)
            if self._client.status != "running":
                raise self._gone()

    def result(self, future: Any) -> Any:
        from distributed import KilledWorker

        try:
            with self._while_connected():
                return future.result()
        except KilledWorker as error:
            raise PartError(
                f"Dask gave a part to one worker after another, and each was lost ({error}): was there too little "
                "memory? Take smaller parts or workers with more; finished parts are kept"
            ) from error

    def renew(self) -> None:
        """Dask gives the parts of a lost worker to another itself."""

    @contextmanager
    def _while_connected(self) -> Iterator[None]:
        """What Dask raises when its scheduler is gone, as our error."""
        from distributed.comm import CommClosedError

        try:
            yield
        except (asyncio.CancelledError, concurrent.futures.CancelledError, CommClosedError) as error:
            raise self._gone() from error

    def _gone(self) -> PartError:
        return PartError(
            f"the Dask scheduler at {self._workers.dask} is gone: start it again and repeat the command; "
            "finished parts are kept"
        )


def _work_elsewhere(work: Callable[[Any], Any], part: Any, threads: int, command: str) -> Any:
    bound_threads(threads)
    work_for(command)
    return work(part)
