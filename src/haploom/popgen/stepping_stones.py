"""People of a grid of demes that exchange migrants with their neighbours: isolation by distance, with true places.

A two-dimensional stepping-stone model (Kimura & Weiss 1964), simulated by msprime, which is imported only when asked.
"""

import numpy as np

from haploom.errors import HaploomError, MissingExtraError
from haploom.panel import Panel, Variants

SPACING_KM = 300.0
SOUTH_WEST = (0.0, 40.0)  # longitude and latitude of the first deme
_KM_PER_DEGREE = 111.195  # of latitude
SITES_PER_LOCUS = 5
_LOCUS_BP = 100_000  # without recombination
_SPACING_BP = 1_000_000  # from one locus to the next; they are simulated apart
_MUTATION = 2e-8
_MOST_TRIED = 4  # loci for each one wanted


def simulate_stepping_stones(
    *, rows: int = 6, columns: int = 6, people: int = 5, sites: int = 2000, deme_size: int = 100,
    migration: float = 0.01, min_count: int = 3, seed: int = 1,
) -> tuple[Panel, np.ndarray]:  # fmt: skip
    """(panel, places): unrelated people of each deme, and their deme's longitude and latitude, float64 (n, 2) degrees.

    people: of each deme. sites: of independent loci, SITES_PER_LOCUS of each, whose minor allele has `min_count` copies
    or more. deme_size: diploid
    people that breed in a deme. migration: rate from each neighbour, north, south, east and west, per generation.
    Demes are SPACING_KM apart. The label level "deme" says which, such as r0c3. The same seed gives the same panel.
    Raises HaploomError for counts below 1, MissingExtraError without msprime.
    """
    given = {
        "rows": rows, "columns": columns, "people": people, "sites": sites, "deme_size": deme_size,
        "min_count": min_count,
    }  # fmt: skip
    for name, value in given.items():
        if value < 1:
            raise HaploomError(f"{name} is {value}: wanted 1 or more")
    try:
        import msprime
    except ImportError as error:
        raise MissingExtraError("msprime", "simulate", "Simulating") from error
    demography = msprime.Demography.isolated_model([deme_size] * (rows * columns))
    for row in range(rows):
        for column in range(columns):
            here = row * columns + column
            near = ([here + 1] if column + 1 < columns else []) + ([here + columns] if row + 1 < rows else [])
            for other in near:
                demography.set_symmetric_migration_rate([here, other], migration)
    ancestry_seed, mutation_seed = np.random.SeedSequence(seed).generate_state(2) % (2**32 - 1) + 1
    mutation_seeds = np.random.default_rng(mutation_seed)
    n_loci = -(-sites // SITES_PER_LOCUS)
    found: list[np.ndarray] = []
    offsets: list[np.ndarray] = []
    loci = msprime.sim_ancestry(
        samples=dict.fromkeys(range(rows * columns), people), demography=demography, sequence_length=_LOCUS_BP,
        num_replicates=_MOST_TRIED * n_loci, random_seed=int(ancestry_seed),
    )  # fmt: skip
    for trees in loci:
        mutated = msprime.sim_mutations(
            trees, rate=_MUTATION, model=msprime.BinaryMutationModel(), random_seed=mutation_seeds.integers(1, 2**32)
        )
        alleles = mutated.genotype_matrix().astype(np.uint8)
        copies = alleles.sum(axis=1, dtype=np.int64)
        kept = np.flatnonzero(np.minimum(copies, alleles.shape[1] - copies) >= min_count)[:SITES_PER_LOCUS]
        if len(kept) < SITES_PER_LOCUS:
            continue
        offsets.append(mutated.sites_position[kept].astype(np.int64) + 1 + len(found) * _SPACING_BP)
        found.append(alleles[kept])
        if len(found) == n_loci:
            break
    else:
        raise HaploomError(
            f"too few loci have {SITES_PER_LOCUS} sites of minimum count {min_count}: ask for a lower count, or "
            "for larger demes"
        )
    position_bp = np.concatenate(offsets)[:sites]
    variants = Variants(
        np.full(sites, "1"), position_bp, np.full(sites, "."), np.full(sites, "A"), np.full(sites, "G"),
        {"1": n_loci * _SPACING_BP},
    )  # fmt: skip
    row_of, column_of = np.divmod(np.repeat(np.arange(rows * columns), people), columns)
    labels = [f"r{row}c{column}" for row, column in zip(row_of, column_of)]
    samples = [f"{label}_{person % people + 1}" for person, label in enumerate(labels)]
    latitude = SOUTH_WEST[1] + row_of * SPACING_KM / _KM_PER_DEGREE
    longitude = SOUTH_WEST[0] + column_of * SPACING_KM / (_KM_PER_DEGREE * np.cos(np.radians(latitude)))
    panel = Panel.from_alleles(
        np.ascontiguousarray(np.concatenate(found)[:sites].T), variants, samples, {"deme": np.array(labels)}
    )
    return panel, np.stack([longitude, latitude], axis=1)
