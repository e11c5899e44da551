"""A simulated panel of dogs: clades that split early, breeds of few founders within them.

It stands in for the canine half of the paper's Table 3, whose genotypes are not at hand: 489 dogs of 16 clades x 9
breeds (the paper has 144 breeds in 16 clades). Only the shape of the history is meant to be right: bottlenecks so
recent and narrow that a breed is nearly a family, over clades that hardly differ. No dog's genome is in it.
"""

from typing import TYPE_CHECKING

import numpy as np

from haploom import progress
from haploom.errors import HaploomError, MissingExtraError
from haploom.panel import DosagePanel, Variants

if TYPE_CHECKING:
    import msprime

CLADES, BREEDS_PER_CLADE, DOGS = 16, 9, 489
CLADE_LEVEL, BREED_LEVEL = "clade", "breed"

# Generations of 3 to 4 years; sizes are diploid. Breeds are 50 to 100 generations old with some tens of founders, dogs
# left wolves some thousand generations ago (orders of magnitude as in Boyko et al. 2010, Parker et al. 2017). Ages and
# sizes of clades are calibrated so that two principal components keep clades as far apart as in the paper's Table 3.
BREED_AGE, BREED_SIZE = 60, 50
CLADE_AGES, CLADE_SIZE = (200, 450), 2000  # calibrated; the clades split one after the other between these
DOG_SIZE, ANCESTOR_AGE, ANCESTOR_SIZE = 4000, 4000, 20_000
MUTATION_RATE, CROSSOVER_RATE = 1e-8, 1e-8  # per base and generation
CHROMOSOMES = 38
_CHROMOSOME_BP = 1_000_000


def simulate_dogs(*, sites: int = 20_000, dogs: int = DOGS, min_count: int = 10, seed: int = 1) -> DosagePanel:
    """Unphased dogs, spread as evenly as can be over the breeds, with label levels "clade" and "breed".

    sites: SNPs, taken evenly from 38 unlinked stretches of 1 Mb; min_count: copies of the minor allele a SNP must
    have. The same seed gives the same dogs (for one msprime version). Raises HaploomError when there are fewer SNPs,
    MissingExtraError without msprime.
    """
    try:
        import msprime
    except ImportError as error:
        raise MissingExtraError("msprime", "simulate", "Simulating") from error
    names = [(clade, breed) for clade in range(CLADES) for breed in range(BREEDS_PER_CLADE)]
    counts = np.diff(np.linspace(0, dogs, len(names) + 1).astype(int))
    ancestry_seed, mutations_seed = np.random.SeedSequence(seed).generate_state(2) // 2 + 1
    trees = msprime.sim_ancestry(
        samples={_breed(*name): int(n) for name, n in zip(names, counts)},
        demography=clades_and_breeds(), sequence_length=_CHROMOSOME_BP, recombination_rate=CROSSOVER_RATE,
        num_replicates=CHROMOSOMES, random_seed=int(ancestry_seed),
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    wanted = np.diff(np.linspace(0, sites, CHROMOSOMES + 1).astype(int))
    dosages, chrom, position_bp = [], [], []
    with progress.task("Simulating dogs", CHROMOSOMES) as advance:
        for place, (stretch, n_sites) in enumerate(zip(trees, wanted)):
            mutated = msprime.sim_mutations(
                stretch,
                rate=MUTATION_RATE,
                model=msprime.BinaryMutationModel(),
                random_seed=int(mutations_seed) + place,
            )
            genotypes = mutated.genotype_matrix()  # sites x haplotypes
            copies = genotypes.sum(axis=1)
            common = np.flatnonzero(np.minimum(copies, genotypes.shape[1] - copies) >= min_count)
            if len(common) < n_sites:
                raise HaploomError(
                    f"a simulated stretch holds {len(common):,} SNPs with {min_count} copies or more, and {n_sites:,} "
                    "are wanted of it: ask for fewer sites"
                )
            kept = np.sort(rng.choice(common, n_sites, replace=False))
            dosages.append((genotypes[kept, ::2] + genotypes[kept, 1::2]).T.astype(np.int8))
            chrom.append(np.full(n_sites, str(place + 1)))
            position_bp.append(mutated.tables.sites.position[kept].astype(np.int64) + 1)
            advance()
    variants = Variants(
        np.concatenate(chrom), np.concatenate(position_bp), np.full(sites, "."), np.full(sites, "A"),
        np.full(sites, "G"), {str(place + 1): _CHROMOSOME_BP for place in range(CHROMOSOMES)},
    )  # fmt: skip
    breeds = np.repeat([_breed(*name) for name in names], counts)
    clades = np.repeat([_clade(clade) for clade, _ in names], counts)
    samples = tuple(f"dog{number:04}" for number in range(1, dogs + 1))
    return DosagePanel(np.hstack(dosages), variants, samples, {CLADE_LEVEL: clades, BREED_LEVEL: breeds})


def clades_and_breeds() -> "msprime.Demography":
    """The history, as msprime takes it; times in generations. Raises ImportError without msprime."""
    import msprime

    history = msprime.Demography()
    history.add_population(name="ancestor", initial_size=ANCESTOR_SIZE)
    history.add_population(name="dog", initial_size=DOG_SIZE)
    for clade in range(CLADES):
        history.add_population(name=_clade(clade), initial_size=CLADE_SIZE)
        for breed in range(BREEDS_PER_CLADE):
            history.add_population(name=_breed(clade, breed), initial_size=BREED_SIZE)
    for clade in range(CLADES):
        breeds = [_breed(clade, breed) for breed in range(BREEDS_PER_CLADE)]
        history.add_population_split(BREED_AGE, derived=breeds, ancestral=_clade(clade))
    for clade, age in enumerate(np.linspace(*CLADE_AGES, CLADES)):
        history.add_population_split(age, derived=[_clade(clade)], ancestral="dog")
    history.add_population_split(ANCESTOR_AGE, derived=["dog"], ancestral="ancestor")
    history.sort_events()
    return history


def _clade(clade: int) -> str:
    return f"clade{clade + 1:02}"


def _breed(clade: int, breed: int) -> str:
    return f"{_clade(clade)}_breed{breed + 1}"
