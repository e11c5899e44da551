"""Who does the work: this process, processes of this machine, or a Dask cluster."""

from dataclasses import dataclass

from haploom.errors import HaploomError

LOCAL = "local"


@dataclass(frozen=True, kw_only=True)
class Workers:
    """How many, and where.

    count: processes on this machine; 1 without `dask`: this very process.
    dask: None; "local": a cluster of `count` processes started here; else the address of a scheduler, whose workers
    are taken as they are.
    threads: each worker may use. memory_bytes: each worker may hold; one that needs more fails its part (on Linux).

    Raises HaploomError for a count, threads or memory below 1.
    """

    count: int = 1
    dask: str | None = None
    threads: int = 1
    memory_bytes: int | None = None

    def __post_init__(self) -> None:
        for name in ("count", "threads", "memory_bytes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise HaploomError(f"workers: {name} is {value}, wanted 1 or more")

    @property
    def here(self) -> bool:
        """Whether this process does all the work itself."""
        return self.count == 1 and self.dask is None
