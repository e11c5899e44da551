"""One figure of the audit: of the synthetic people, of real people, and what it may be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from haploom.audit.catalogue import MEASURES, Gate
from haploom.baselines.accuracy import Interval

NAN = float("nan")


def alone(value: float) -> Interval:
    """A figure without an interval."""
    return Interval(value, NAN, NAN)


class Found(NamedTuple):
    """A figure as it was measured. most: the greatest value that chance allows, of measures whose gate it is.

    note: what else was found, in words.
    """

    value: Interval
    reference: Interval
    most: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Measure:
    """A figure of the synthetic people, the same of real people, and its gate (see `catalogue`)."""

    name: str
    value: Interval
    reference: Interval
    gate: Gate
    note: str = ""

    @classmethod
    def of(cls, name: str, found: Found, n_haplotypes: int, gates: Mapping[str, Gate]) -> "Measure":
        """gates: those set to numbers; the others follow the reference."""
        about, reference = MEASURES[name], found.reference.value
        least = about.least.bound(reference, n_haplotypes) if about.least else None
        bounds = [about.most.bound(reference, n_haplotypes)] if about.most else []
        if found.most is not None:
            bounds.append(found.most)
        most = max(bounds, default=None)
        return cls(name, found.value, found.reference, gates.get(name, (least, most)), found.note)

    @property
    def passed(self) -> bool:
        """Within the gate; what is not a number is within no gate that has an end."""
        least, most = self.gate
        return (least is None or self.value.value >= least) and (most is None or self.value.value <= most)
