"""Whose demo it is, and which populations play which part in it."""

from dataclasses import dataclass

LEVEL = "population"  # the labels' column in a demo's own tables


@dataclass(frozen=True, kw_only=True)
class Cast:
    """The people of a demo.

    source: the user's genotypes and `label` the column of their labels; None, and the people are simulated.
    stranger: the population that the trusted classifier never sees; None where there is none to spare.
    mixed: those that admixed people are bred from; none where the sites are too few for that.
    """

    source: str | None = None
    label: str | None = None
    stranger: str | None = None
    mixed: tuple[str, ...] = ()


SIMULATED = Cast(stranger="OCE", mixed=("AFR", "EUR", "EAS"))
