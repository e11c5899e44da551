"""What can go wrong with a part, and how often it is tried."""

from haploom.errors import HaploomError

TRIES = 3


class PartError(HaploomError):
    """A part that could not be finished in TRIES tries, or a cluster that is gone."""


class WorkerLostError(Exception):
    """The process that worked on a part is gone, and with it the pool and all parts in it."""
