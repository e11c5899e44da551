"""The settings tables on the models' pages say what the profiles do, and leave nothing out."""

import re
from dataclasses import asdict
from pathlib import Path

import pytest

pytest.importorskip("torch")

from haploom.models.network import KINDS
from haploom.training.profiles import PROFILES

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {
    "vae": "vae.md", "cvae": "cvae.md", "yvae": "yvae.md", "window-ae": "windows.md", "window-vae": "windows.md",
    "vqvae": "vqvae.md", "autoregressive": "autoregressive.md", "gmmn": "gmmn.md",
}  # fmt: skip
TABLE = re.compile(r"^\| setting \|(.*)\|\n\|[-|]+\|\n((?:\|.*\|\n)+)", re.MULTILINE)
FROM_ELSEWHERE = {"n_sites", "ploidy", "n_labels", "seed"}  # the data, the kind, the command
ALWAYS = {"epochs", "patience", "batch_size", "optimizer", "learning_rate", "schedule"}


def written(value):
    """A setting as a page writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(written(each) for each in value)
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:g}"


def settings(kind, profile):
    """Every setting by name: how it is trained, and the network's shape."""
    config = KINDS[kind][0]
    chosen = PROFILES[kind][profile]
    shape = asdict(config(**{"n_sites": 100_000, **chosen.shape}))
    return {name: value for name, value in (asdict(chosen.training) | shape).items() if name not in FROM_ELSEWHERE}


def table_of(kind):
    """{profile: {setting: as written}}."""
    ((head, body),) = TABLE.findall((DOCS / PAGES[kind]).read_text())
    profiles = [cell.strip() for cell in head.split("|")][:-1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines()]
    return {name: {row[0].strip("`"): row[place + 1] for row in rows} for place, name in enumerate(profiles)}


@pytest.mark.parametrize("kind", PAGES)
def test_settings__are_those_of_the_profiles(kind):
    tables = table_of(kind)
    assert set(tables) == set(PROFILES[kind])
    for profile, table in tables.items():
        really = settings(kind, profile)
        assert table == {name: written(really[name]) for name in table}


@pytest.mark.parametrize("kind", PAGES)
def test_settings__none_that_matters_is_left_out(kind):
    """Left out may be what is 0, off or without effect under every profile of the kind."""
    every = [settings(kind, profile) for profile in PROFILES[kind]]
    needed = ALWAYS | {name for really in every for name, value in really.items() if value}
    if all(really["schedule"] != "plateau" for really in every):
        needed.discard("plateau_patience")
    if "kl" not in KINDS[kind][1].code_terms:
        needed.discard("beta")
    missing = needed - next(iter(table_of(kind).values())).keys()
    assert not missing, f"docs/{PAGES[kind]} does not say {sorted(missing)}"
