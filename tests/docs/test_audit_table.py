"""The table of measures on the audit's page says what the catalogue says."""

import re
from pathlib import Path

from haploom.audit.catalogue import MEASURES

PAGE = Path(__file__).parents[2] / "docs" / "audit.md"
TABLE = re.compile(r"^\| measure \|.*\|\n\|[-|]+\|\n((?:\|.*\|\n)+)", re.MULTILINE)


def shown_rule(rule):
    """A rule as the page writes it: 1.25 r + 0.01 + 1 / sqrt(n)."""
    added = [(rule.margin, ""), (rule.chance, " / √n")]
    terms = [f"{'-' if value < 0 else '+'} {abs(value):g}{unit}" for value, unit in added if value]
    return " ".join([f"{rule.factor:g} r".removeprefix("1 "), *terms])


def shown_gate(about):
    sides = (("at least", about.least), ("at most", about.most))
    rules = [f"{word} {shown_rule(rule)}" for word, rule in sides if rule]
    if about.by_chance:
        return f"{rules[0]}, or chance" if rules else "at most chance"
    return ", ".join(rules)


def row(name):
    about = MEASURES[name]
    return f"| `{name}` | {about.meaning} | {shown_gate(about)} |"


def test_audit_page__names_every_measure_with_its_gate():
    (body,) = TABLE.findall(PAGE.read_text())
    rows = [line for line in body.splitlines() if line.startswith("| `")]
    assert rows == [row(name) for name in MEASURES]
