"""Whom the tables of storage are made from: people bred from founders as the paper does, and unrelated people beside.

Founders are split 80/10/10 before anyone is bred, so that offspring of different parts share no founder.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haploom.errors import HaploomError
from haploom.io import Selection, label_level, read_panel
from haploom.panel import PARTS, Panel, Split, split_people
from haploom.popgen.breeding import breed, gather
from haploom.popgen.coalescent import simulate_panel

PEOPLE_A_GENERATION = 100  # of each population (paper)
TEST_GENERATIONS = 10  # or more: those of one generation are near-copies of each other


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How large a reproduction is.

    founders: simulated people of each population. generations: bred (see `kept_generations`).
    train_haplotypes, test_haplotypes: of all populations together, shared evenly. subsets: numbers of sites of Table 2,
    each as many as there are at most. latents: sizes q of the latent spaces. profile: of the networks (see
    `training.profiles`); epochs: at most, and more where they would make fewer than `least_steps` and the profile asks
    for those. batch_size: rows a step.
    """

    name: str
    sites: int
    founders: int
    generations: int
    train_haplotypes: int
    test_haplotypes: int
    subsets: tuple[int, ...]
    latents: tuple[int, ...]
    profile: str
    epochs: int
    least_steps: int
    batch_size: int


PROTOCOLS = {
    "quick": Protocol(
        name="quick", sites=1000, founders=40, generations=20, train_haplotypes=2000, test_haplotypes=700,
        subsets=(1000,), latents=(8, 32), profile="sound", epochs=12, least_steps=3300, batch_size=64,
    ),
    "standard": Protocol(
        name="standard", sites=10_000, founders=300, generations=400, train_haplotypes=20_000, test_haplotypes=2100,
        subsets=(10_000,), latents=(8, 32, 64, 128, 512), profile="sound", epochs=10, least_steps=0, batch_size=128,
    ),
    "full": Protocol(
        name="full", sites=10_000, founders=300, generations=400, train_haplotypes=40_000, test_haplotypes=11_772,
        subsets=(10_000, 50_000, 80_000, 315_000), latents=(2, 4, 8, 16, 32, 64, 128, 256, 512), profile="paper",
        epochs=1000, least_steps=0, batch_size=128,
    ),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class People:
    """train: bred people, those of the validation part among them, and `split`, which says who they are.

    tests: "bred" from founders of the test part, and those founders themselves, "unrelated". level: of the labels.
    origin: where the founders come from, in words.
    """

    train: Panel
    split: Split
    tests: dict[str, Panel]
    level: str
    origin: str

    @property
    def training_rows(self) -> Panel:
        """Those that models learn from."""
        return self.train.select_samples(self.split.samples("train", self.train.samples))

    def populations(self) -> list[str]:
        """Labels, sorted."""
        return sorted(set(self.train.labels(self.level).tolist()))


def founders_of(
    vcf: Path | None, populations: Path | None, label: str | None, protocol: Protocol, seed: int, sites: int
) -> tuple[Panel, str, str]:
    """Founders of a file where one is given, else simulated: the panel, its label level, and what they are."""
    if vcf is None or populations is None:
        panel = simulate_panel(people=protocol.founders, sites=sites, seed=seed)
        return panel, "population", f"simulated founders, {panel.n_sites:,} sequential sites"
    panel = read_panel(vcf, Selection(populations=populations, label=label))
    panel = panel.select_sites(slice(0, min(sites, panel.n_sites)))
    level = label_level(panel.populations, label, str(vcf))
    return panel, level, f"{vcf.name}, its first {panel.n_sites:,} sites, rare ones included"


def bred_people(founders: Panel, level: str, origin: str, protocol: Protocol, seed: int) -> People:
    """Split the founders, breed each part. Raises HaploomError where a part has too few founders to breed."""
    split = split_people(founders.samples, founders.labels(level).tolist(), seed=seed)
    parts = {part: founders.select_samples(split.samples(part, founders.samples)) for part in PARTS}
    n_populations = len(set(founders.labels(level).tolist()))
    wanted = {
        "train": protocol.train_haplotypes, "validation": max(protocol.train_haplotypes // 8, 2 * n_populations),
        "test": protocol.test_haplotypes,
    }  # fmt: skip
    bred = {
        part: _bred(parts[part], level, wanted[part] // (2 * n_populations), protocol.generations, seed, part)
        for part in PARTS
    }
    together = joined([bred["train"], bred["validation"]], level)
    part_of = {sample: part for part in ("train", "validation") for sample in bred[part].samples}
    return People(together, Split(part_of), {"bred": bred["test"], "unrelated": parts["test"]}, level, origin)


def kept_generations(part: str, people: int, generations: int) -> list[int]:
    """The generations that so many people of a population are taken from.

    Test people: spread evenly up to the last. The others: the first ones, which still have what the founders had. 100
    people lose half of their diversity in 139 generations, and a model that learns from what is left knows little of
    anybody else's haplotypes (measured: the VAE of Table 1 then leaves up to 6 times as many bytes).
    """
    if part != "test":
        return list(range(1, min(-(-people // PEOPLE_A_GENERATION), generations) + 1))
    n_kept = min(max(TEST_GENERATIONS, -(-people // PEOPLE_A_GENERATION)), generations)
    return np.unique(np.linspace(generations / n_kept, generations, n_kept).astype(int)).tolist()


def _bred(founders: Panel, level: str, people: int, generations: int, seed: int, part: str) -> Panel:
    """So many people of each population, evenly from all generations that are kept."""
    if people < 1:
        raise HaploomError(f"not one person of each population is asked for in the part {part}: take more haplotypes")
    keep = kept_generations(part, people, generations)
    bred = gather(
        breed(
            founders, level=level, generations=keep[-1], size=PEOPLE_A_GENERATION, keep=keep, seed=seed,
            name_prefix=f"{part}_",
        )
    )  # fmt: skip
    labels, chosen = bred.labels(level), []
    for label in sorted(set(labels.tolist())):
        places = np.flatnonzero(labels == label)
        chosen.extend(places[np.linspace(0, len(places) - 1, min(people, len(places))).astype(int)].tolist())
    return bred.select_samples([bred.samples[person] for person in chosen])


def joined(panels: list[Panel], level: str) -> Panel:
    """The people of several panels of the same sites, with one label level."""
    return Panel(
        np.concatenate([panel.bits for panel in panels]),
        panels[0].variants,
        tuple(sample for panel in panels for sample in panel.samples),
        {level: np.concatenate([panel.labels(level) for panel in panels])},
    )
