"""How many threads torch and the linear algebra beneath NumPy use."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits


def use_threads(threads: int | None) -> None:
    """Use so many threads from now on; None leaves what they choose (all cores, or OMP_NUM_THREADS).

    Threads that wait for a busy core spin: where other work runs too, many are far slower than one.
    """
    if threads is not None:
        torch.set_num_threads(threads)
        threadpool_limits(threads)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread inside: sums then come out the same whatever the machine has."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)
