"""What the paper says beside what was measured: the computed last lines of every page."""

from collections.abc import Sequence
from dataclasses import dataclass

from haploom.report.page import Column, Section, Table


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement of the paper, and what this run shows of it.

    paper: the statement with its figures. ours: what was measured, in words and figures; None where it was not.
    agrees: whether the measurement says the same; computed, never written down. why: the reason where it does not.
    """

    paper: str
    ours: str | None = None
    agrees: bool | None = None
    why: str = ""

    @property
    def verdict(self) -> str:
        """`agrees`, `differs` with the reason, or `not measured`."""
        if self.ours is None or self.agrees is None:
            return "not measured" + (f": {self.why}" if self.why else "")
        return "agrees" if self.agrees else "differs" + (f": {self.why}" if self.why else "")


def claims_section(claims: Sequence[Claim]) -> Section:
    """The claims as the section that ends a page."""
    rows = [[claim.paper, claim.ours, claim.verdict] for claim in claims]
    return Section("The paper and this run", tables=[Table([Column("paper"), Column("here"), Column("verdict")], rows)])
