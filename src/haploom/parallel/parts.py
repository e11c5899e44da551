"""One way to work on many parts: three tries each, a broken pool renewed, results as they come or in order."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol, TypeVar

from haploom import progress
from haploom.errors import HaploomError
from haploom.parallel.failures import TRIES, PartError, WorkerLostError
from haploom.parallel.part_files import PartFiles
from haploom.parallel.workers import Workers

P = TypeVar("P")
R = TypeVar("R")


class Backend(Protocol):
    """Where parts go. Futures are its own."""

    capacity: int

    def submit(self, work: Callable[[Any], Any], part: Any) -> Any:
        """Start a part."""
        ...

    def any_done(self, futures: list[Any]) -> list[Any]:
        """Wait until at least one is done, and return those that are."""
        ...

    def result(self, future: Any) -> Any:
        """What the work returned. Raises what it raised, WorkerLostError, or PartError where another try is vain."""
        ...

    def renew(self) -> None:
        """After a WorkerLostError: replace what broke. Futures of before are lost."""
        ...


def run_parts(
    work: Callable[[P], R],
    parts: Iterable[P],
    workers: Workers | None = None,
    *,
    label: str = "Working",
    total: int | None = None,
    ordered: bool = False,
    kept: PartFiles | None = None,
) -> Iterator[tuple[int, R]]:
    """(place, work(part)) of every part, as they end or, with `ordered`, by place.

    work: a function other processes can import (of a module, or a `functools.partial` of one) whose result depends on
    the part alone: then it does not matter where, in which order and how often it ran. parts: taken one after another
    as workers become free, so that a few are in memory. total: how many, for the progress bar.
    kept: files of finished parts; those that are there are not worked on again. Results must then be bytes.

    A part is tried three times, but for HaploomErrors, which would come again. Where a worker is killed, the parts it
    took along are given to another. Raises PartError where a part keeps failing or a cluster is gone; finished parts
    have been yielded (and kept) by then.
    """
    chosen = workers or Workers()
    with backend_of(chosen) as backend, progress.task(label, total) as advance:
        yield from _Run(work, enumerate(parts), backend, ordered, kept, advance)


def backend_of(workers: Workers) -> AbstractContextManager[Backend]:
    """Workers started, and ended when left."""
    if workers.dask is not None:
        from haploom.parallel.dask_cluster import DaskCluster

        return DaskCluster(workers)
    from haploom.parallel.processes import Here, ProcessPool

    return Here() if workers.here else ProcessPool(workers)


class _Run:
    """The state of one call of `run_parts`."""

    def __init__(
        self, work: Callable[[Any], Any], parts: Iterator[tuple[int, Any]], backend: Backend, ordered: bool,
        kept: PartFiles | None, advance: progress.Advance,
    ) -> None:  # fmt: skip
        self._work, self._parts, self._backend = work, parts, backend
        self._ordered, self._kept, self._advance = ordered, kept, advance
        self._running: dict[Any, tuple[int, Any]] = {}
        self._again: list[tuple[int, Any]] = []
        self._tries: dict[int, int] = {}
        self._finished: dict[int, Any] = {}
        self._exhausted = False
        self._next = 0  # the place that is yielded next, of those in order

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        while True:
            while self._has_room() and self._start_next():
                pass
            yield from self._ready()
            if self._running:
                for future in self._backend.any_done(list(self._running)):
                    if future in self._running:  # a lost worker may have taken it along meanwhile
                        self._collect(future)
                yield from self._ready()
            elif self._exhausted and not self._again:
                return

    def _has_room(self) -> bool:
        """Whether another part may be in memory; results that wait to be yielded count too."""
        return len(self._running) + len(self._finished) < self._backend.capacity

    def _start_next(self) -> bool:
        """Start a part, or take it from its file; False where none is left."""
        if self._again:
            self._start(*self._again.pop(0))
            return True
        for place, part in self._parts:
            if self._kept is not None and (stored := self._kept.read(place)) is not None:
                self._finish(place, stored)
            else:
                self._start(place, part)
            return True
        self._exhausted = True
        return False

    def _start(self, place: int, part: Any) -> None:
        self._tries[place] = self._tries.get(place, 0) + 1
        self._running[self._backend.submit(self._work, part)] = place, part

    def _collect(self, future: Any) -> None:
        place, part = self._running.pop(future)
        try:
            result = self._backend.result(future)
        except HaploomError:
            raise
        except WorkerLostError as error:
            # Whatever else ran in the pool is lost too, and nobody knows whose fault it was.
            lost = [(place, part), *self._running.values()]
            self._running.clear()
            self._backend.renew()
            for each in lost:
                self._try_again(*each, error)
        except Exception as error:
            self._try_again(place, part, error)
        else:
            if self._kept is not None:
                self._kept.write(place, result)
            self._finish(place, result)

    def _try_again(self, place: int, part: Any, error: Exception) -> None:
        if self._tries[place] >= TRIES:
            if isinstance(error, WorkerLostError):
                raise PartError(
                    f"part {place + 1} was lost {TRIES} times: {error}. Was there too little memory? Take "
                    "fewer workers or smaller parts; finished parts are kept"
                ) from error
            raise error
        self._again.append((place, part))

    def _finish(self, place: int, result: Any) -> None:
        with suppress(KeyError):
            del self._tries[place]
        self._finished[place] = result
        self._advance()

    def _ready(self) -> Iterator[tuple[int, Any]]:
        if self._ordered:
            while self._next in self._finished:
                place, self._next = self._next, self._next + 1
                yield place, self._finished.pop(place)
        else:
            while self._finished:
                yield self._finished.popitem()
