"""Genetic maps: how far apart two sites are for recombination."""

from dataclasses import dataclass

import numpy as np

BP_PER_CM = 1e6  # the rate used where there is no map: 1 cM per Mb, about the human average


@dataclass(frozen=True, eq=False)
class GeneticMap:
    """Cumulative genetic position along one contig.

    position_bp: int64 (n,), strictly increasing; cm: float64 (n,), never decreasing, in centimorgans.
    Raises ValueError when that does not hold or there are fewer than two points.
    """

    position_bp: np.ndarray
    cm: np.ndarray

    def __post_init__(self) -> None:
        if len(self.position_bp) < 2 or len(self.position_bp) != len(self.cm):
            raise ValueError(f"a genetic map needs two points or more, got {len(self.position_bp)}")
        if (np.diff(self.position_bp) <= 0).any() or (np.diff(self.cm) < 0).any():
            raise ValueError("a genetic map needs increasing positions and cM that never decrease")

    @classmethod
    def uniform(cls, start_bp: int, end_bp: int, cm_per_mb: float = 1.0) -> "GeneticMap":
        """The same rate everywhere from `start_bp` to `end_bp`."""
        length_cm = (end_bp - start_bp) / BP_PER_CM * cm_per_mb
        return cls(np.array([start_bp, end_bp], dtype=np.int64), np.array([0.0, length_cm]))

    def cm_at(self, position_bp: np.ndarray) -> np.ndarray:
        """float64 cM at each position, linear between points.

        Before the first and past the last point there is no measurement: the mean rate of the map goes on.
        """
        inside = np.interp(position_bp, self.position_bp, self.cm)
        rate = (self.cm[-1] - self.cm[0]) / (self.position_bp[-1] - self.position_bp[0])
        before = np.minimum(np.asarray(position_bp) - self.position_bp[0], 0)
        after = np.maximum(np.asarray(position_bp) - self.position_bp[-1], 0)
        return inside + rate * (before + after)
