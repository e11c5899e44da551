"""Wright-Fisher offspring of real or simulated founders.

Every child has two distinct parents, drawn uniformly from the generation before; each parent gives one gamete
with crossovers placed by the genetic map. No mutation, no selection, no overlap of generations. Haplotypes are
mosaics of founder haplotypes until a kept generation is asked for its alleles.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from haploom import progress
from haploom.errors import HaploomError
from haploom.panel import GeneticMap, Panel
from haploom.panel.bits import BLOCK_BYTES, row_bytes
from haploom.popgen.admixture import Admixture
from haploom.popgen.genome import Genome, genome_of
from haploom.popgen.mosaics import Mosaics, expand, founder_mosaics, gametes

GENERATION_LEVEL = "generation"  # the label level that holds the generation of bred people


@dataclass(frozen=True, eq=False)
class Generation:
    """One kept generation of one bred population.

    label: the population. number: meioses since the founders of a plain population, generations of random
    mating since the pulse of an admixed one. samples: names of the people.
    mosaics: 2 x n_samples haplotypes, rows of `founders.bits`.
    """

    label: str
    number: int
    samples: tuple[str, ...]
    mosaics: Mosaics
    founders: Panel
    level: str
    genome: Genome

    def panel(self, people: slice = slice(None)) -> Panel:
        """The people with their alleles, and the label levels `level` and "generation"."""
        first, last, _ = people.indices(len(self.samples))
        return Panel(
            expand(
                self.mosaics.select(slice(2 * first, 2 * last)), self.founders.bits, self.genome.site_coordinate
            ),
            self.founders.variants,
            self.samples[first:last],
            {
                self.level: np.full(last - first, self.label),
                GENERATION_LEVEL: np.full(last - first, str(self.number)),
            },
        )  # fmt: skip

    def blocks(self) -> Iterator[Panel]:
        """The same in runs of people of bounded memory."""
        step = max(1, BLOCK_BYTES // max(1, 2 * row_bytes(self.founders.n_sites)))
        for first in range(0, len(self.samples), step):
            yield self.panel(slice(first, first + step))


@dataclass(frozen=True)
class _Recipe:
    """What a population is made of (source label -> share), and its first and last generation."""

    shares: Mapping[str, float]
    first: int  # the number of the generation whose parents are founders
    last: int


@dataclass(frozen=True)
class _Plan:
    """One population to breed. sources: the founders (people, int64) of each label in the recipe's shares."""

    label: str
    sources: tuple[np.ndarray, ...]
    recipe: _Recipe
    size: int
    kept: frozenset[int]


def breed(
    founders: Panel,
    *,
    level: str,
    generations: int | None = None,
    size: int | Mapping[str, int],
    genetic_map: GeneticMap | Mapping[str, GeneticMap] | None = None,
    keep: str | Collection[int] = "last",
    admix: Sequence[Admixture] = (),
    seed: int = 1,
    name_prefix: str = "",
) -> Iterator[Generation]:
    """Breed every population of a label level apart, and admixed ones between them.

    level: label level of the founders; each of its labels is a plain population. It breeds for `generations`
        generations; with None there are only the admixed ones.
    size: people a generation, or label -> people: then only the labels named are bred (admixed ones too).
    genetic_map: see `genome_of`.
    keep: "last" (of each population), "all", or the numbers of the generations wanted.
    admix: the founding generation (number 0) of an admixed population has each parent's population drawn by the
        shares, and the parent uniformly within it; random mating among the admixed follows.
    name_prefix: stands before every sample name, such as "train_AFR_g400_0001".

    Yields kept generations population by population, holding one at a time. The result of a population depends
    only on its own founders, size and map and on the seed, not on what else is bred or kept. Source: Wright 1931.
    Raises HaploomError for fewer than two founders or people where two parents are needed, unknown labels,
    generations that there will not be, and as `genome_of` does.
    """
    plans = _plans(founders, level, generations, size, keep, admix)
    return _breed(plans, founders, level, genome_of(founders.variants, genetic_map), seed, name_prefix)


def gather(generations: Iterable[Generation]) -> Panel:
    """All the people of several generations in one panel, in the order they come. Raises HaploomError for none."""
    panels = [generation.panel() for generation in generations]
    if not panels:
        raise HaploomError("no generation was kept: ask for one that there is")
    return Panel(
        np.concatenate([panel.bits for panel in panels]),
        panels[0].variants,
        tuple(sample for panel in panels for sample in panel.samples),
        {name: np.concatenate([panel.labels(name) for panel in panels]) for name in panels[0].populations},
    )


def _breed(
    plans: Sequence[_Plan], founders: Panel, level: str, genome: Genome, seed: int, name_prefix: str
) -> Iterator[Generation]:
    with progress.task("Breeding", total=sum(plan.recipe.last - plan.recipe.first + 1 for plan in plans)) as advance:
        for plan in plans:
            rng = np.random.default_rng(_stream(seed, plan, founders))
            width = max(4, len(str(plan.size)))
            mosaics = founder_mosaics(np.arange(founders.n_haplotypes))
            sources, shares = plan.sources, tuple(plan.recipe.shares.values())
            for number in range(plan.recipe.first, plan.recipe.last + 1):
                parents = draw_parents(sources, shares, plan.size, rng)
                sources, shares = (np.arange(plan.size),), (1.0,)  # from now on anybody with anybody
                offsets, switches = genome.draw_switches(2 * plan.size, rng)
                mosaics = gametes(mosaics, parents.ravel(), offsets, switches, genome.length_bp)
                advance()
                if number in plan.kept:
                    names = [f"{name_prefix}{plan.label}_g{number}_{i:0{width}}" for i in range(1, plan.size + 1)]
                    yield Generation(plan.label, number, tuple(names), mosaics, founders, level, genome)


def draw_parents(
    sources: Sequence[np.ndarray], shares: Sequence[float], n_children: int, rng: np.random.Generator
) -> np.ndarray:
    """Two distinct parents for each child.

    sources: people (int64) of each population, two or more in each, none in two. shares: the chance that a
    parent is of each population, for both parents alike.
    Returns int64 (n_children, 2); within a population every person, and every pair, is as likely as another.
    """
    sizes = np.array([len(people) for people in sources])
    begins = np.cumsum(sizes) - sizes
    source = rng.choice(len(sources), size=(n_children, 2), p=np.array(shares) / np.sum(shares))
    # The second parent is drawn from the people that remain, so nobody is both parents and no draw is repeated.
    same = source[:, 0] == source[:, 1]
    one = rng.integers(sizes[source[:, 0]])
    other = rng.integers(sizes[source[:, 1]] - same)
    other += same & (other >= one)
    return np.concatenate(sources)[begins[source] + np.stack([one, other], axis=1)]


def _stream(seed: int, plan: _Plan, founders: Panel) -> np.random.SeedSequence:
    """A random stream of each population's own: named by its founders, not by its place in a list.

    Two parts of a split, or two panels, then never share a pedigree or a crossover either.
    """
    names = [founders.samples[person] for people in plan.sources for person in people]
    digest = hashlib.sha256("\n".join(names).encode()).digest()
    return np.random.SeedSequence(seed, spawn_key=tuple(np.frombuffer(digest, "<u4").tolist()))


def _plans(
    founders: Panel,
    level: str,
    generations: int | None,
    size: int | Mapping[str, int],
    keep: str | Collection[int],
    admix: Sequence[Admixture],
) -> list[_Plan]:
    labels = founders.labels(level)
    people_of = {str(label): np.flatnonzero(labels == label) for label in np.unique(labels)}
    recipes = _recipes(list(people_of), level, generations, admix)
    sizes = dict.fromkeys(recipes, size) if isinstance(size, int) else dict(size)
    if unknown := [label for label in sizes if label not in recipes]:
        raise HaploomError(f"no population {', '.join(unknown)} to breed: there is {', '.join(recipes) or 'none'}")
    if unsized := [mixture.label for mixture in admix if mixture.label not in sizes]:
        raise HaploomError(f"no size for the admixed {', '.join(unsized)}: sizes are for {', '.join(sizes) or 'none'}")
    if not sizes:
        raise HaploomError("nobody to breed: the panel has no people, or no size was given for any population")
    kept = _kept(keep, latest=max(recipes[label].last for label in sizes))
    plans = []
    for label, n_people in sizes.items():
        recipe = recipes[label]
        for source in recipe.shares:
            if len(people_of[source]) < 2:
                raise HaploomError(
                    f"population {source} has 1 founder: a child has two distinct parents, so breeding needs 2 or "
                    "more; leave it out by naming the populations to breed with their sizes, as in AFR=100,EUR=100"
                )
        if n_people < 1 or (n_people < 2 and recipe.last > recipe.first):
            raise HaploomError(
                f"population {label}: a generation of {n_people} cannot breed, because a child has two distinct "
                "parents: wanted a size of 2 or more"
            )
        sources = tuple(people_of[source] for source in recipe.shares)
        wanted = frozenset([recipe.last]) if kept is None else kept
        plans.append(_Plan(label, sources, recipe, n_people, wanted))
    return plans


def _recipes(
    labels: Sequence[str], level: str, generations: int | None, admix: Sequence[Admixture]
) -> dict[str, _Recipe]:
    """Everything that could be bred, by label."""
    if generations is None and not admix:
        raise HaploomError("nothing to breed: give a number of generations, or an admixture")
    if generations is not None and generations < 1:
        raise HaploomError(f"{generations} generations: wanted 1 or more")
    recipes = {}
    if generations is not None:
        recipes = {label: _Recipe({label: 1.0}, 1, generations) for label in labels}
    for mixture in admix:
        if unknown := [label for label in mixture.proportions if label not in labels]:
            raise HaploomError(
                f"admixture {mixture.label}: no founder is of {', '.join(unknown)}; level {level!r} has "
                f"{', '.join(labels)}"
            )
        if mixture.label in recipes:
            raise HaploomError(f"population {mixture.label} would be bred twice: breed the second in a run of its own")
        recipes[mixture.label] = _Recipe(mixture.proportions, 0, mixture.generations)
    return recipes


def _kept(keep: str | Collection[int], latest: int) -> frozenset[int] | None:
    """Numbers of the generations kept, or None for the last of each population."""
    if keep == "last":
        return None
    if keep == "all":
        return frozenset(range(1, latest + 1))
    if isinstance(keep, str) or not keep or min(keep) < 1 or max(keep) > latest:
        shown = keep if isinstance(keep, str) else ",".join(map(str, keep)) or "nothing"
        raise HaploomError(f"keep {shown}: wanted last, all, or generations from 1 to {latest}, as in 1,{latest}")
    return frozenset(keep)
