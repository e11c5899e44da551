"""What the paper says beside what was measured: the computed last lines of every page."""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from haploom.io.output import text_output
from haploom.report.page import Column, Section, Table

AGREES, DIFFERS, NOT_MEASURED = JUDGEMENTS = ("agrees", "differs", "not measured")


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
    def judgement(self) -> str:
        """`agrees`, `differs` or `not measured`."""
        if self.ours is None or self.agrees is None:
            return NOT_MEASURED
        return AGREES if self.agrees else DIFFERS

    @property
    def verdict(self) -> str:
        """The judgement, with the reason where it is not that both agree."""
        return self.judgement + (f": {self.why}" if self.why and self.judgement != AGREES else "")


def claims_section(claims: Sequence[Claim]) -> Section:
    """The claims as the section that ends a page."""
    rows = [[claim.paper, claim.ours, claim.verdict] for claim in claims]
    return Section("The paper and this run", tables=[Table([Column("paper"), Column("here"), Column("verdict")], rows)])


def claims_text(claims: Sequence[Claim]) -> str:
    """The same as lines to print: sentences do not fit columns of a terminal."""
    [table] = claims_section(claims).tables
    names = [f"{column.name:<9}" for column in table.columns]
    blocks = (
        "".join(
            textwrap.fill(cell, 120, initial_indent=name, subsequent_indent=" " * 9, break_on_hyphens=False) + "\n"
            for name, cell in zip(names, row)
        )
        for row in table.shown()
    )
    return "\nThe paper and this run\n" + "\n".join(blocks)


def write_claims(claims: Sequence[Claim], folder: Path, name: str) -> Path:
    """NAME.claims.json: a list of objects with the fields of a claim."""
    path = claims_path(folder, name)
    with text_output(path, True) as file:
        json.dump([asdict(claim) for claim in claims], file, indent=1, ensure_ascii=False)
    return path


def read_claims(folder: Path, name: str) -> list[Claim]:
    """What `write_claims` wrote."""
    return [Claim(**claim) for claim in json.loads(claims_path(folder, name).read_text(encoding="utf-8"))]


def claims_path(folder: Path, name: str) -> Path:
    """Where the claims of a result are."""
    return folder / f"{name}.claims.json"
