"""Which haplotypes are of which population, and the same work for each."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

import numpy as np

from haploom import progress
from haploom.panel import Panel

T = TypeVar("T")


def population_rows(panel: Panel, level: str = "population") -> dict[str, np.ndarray]:
    """Label -> int64 rows of its haplotypes, rising; labels in order of first appearance.

    Raises HaploomError for an unknown level.
    """
    labels = np.array(panel.labels(level, per="haplotype").tolist())
    return {label: np.flatnonzero(labels == label) for label in dict.fromkeys(labels.tolist())}


def map_in_threads(
    function: Callable[[str], T], labels: Iterable[str], threads: int, advance: progress.Advance
) -> dict[str, T]:
    """`function` of each label, in `threads` threads; the result does not depend on how many. Reports each one done."""
    labels = list(labels)
    with ThreadPoolExecutor(threads) as pool:
        pending = {label: pool.submit(function, label) for label in labels}
        try:
            for _ in as_completed(pending.values()):
                advance(1)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        return {label: future.result() for label, future in pending.items()}
