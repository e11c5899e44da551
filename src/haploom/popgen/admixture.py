"""Admixed populations: which populations meet, in which proportions, and how long ago."""

from collections.abc import Mapping
from dataclasses import dataclass

from haploom.errors import HaploomError

_FORM = "wanted POPULATION=SHARE,POPULATION=SHARE@GENERATIONS, such as AFR=0.8,EUR=0.2@8"


@dataclass(frozen=True)
class Admixture:
    """A single pulse of admixture (Falush et al. 2003), then random mating.

    proportions: source population -> share of the parents that come from it; above 0, sum 1.
    generations: of random mating since the pulse, 1 or more.

    Raises HaploomError when that does not hold or there are fewer than two sources.
    """

    proportions: Mapping[str, float]
    generations: int

    def __post_init__(self) -> None:
        shares = self.proportions.values()
        if len(self.proportions) < 2 or not min(shares) > 0 or not abs(sum(shares) - 1) < 1e-6:
            raise HaploomError(
                f"admixture {dict(self.proportions)}: wanted two or more populations, shares above 0 that sum to 1"
            )
        if self.generations < 1:
            raise HaploomError(f"admixture {self.label}: {self.generations} generations, wanted 1 or more")

    @property
    def label(self) -> str:
        """The label of its people, e.g. "AFR+EUR"."""
        return "+".join(self.proportions)

    @classmethod
    def parse(cls, text: str) -> "Admixture":
        """From `AFR=0.8,EUR=0.2@8`. Raises HaploomError for anything else."""
        sources, separator, generations = text.rpartition("@")
        proportions: dict[str, float] = {}
        try:
            if not separator:
                raise ValueError
            for source in sources.split(","):
                population, separator, share = source.rpartition("=")
                if not (separator and population) or population in proportions:
                    raise ValueError
                proportions[population] = float(share)
            count = int(generations)
        except ValueError:
            raise HaploomError(f"admixture {text!r} cannot be read: {_FORM}") from None
        return cls(proportions, count)
