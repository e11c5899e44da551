"""How far the truth of local_ancestry.py is from where ancestors lived: the founders' own immigrant ancestors.

    python benchmarks/local_ancestry_founders.py [--seeds 7 8 ...]

In the simulated history people move between populations until today (`popgen.demography`): a founder labelled AFR has
stretches whose ancestor lived elsewhere a few tens of generations ago, and local_ancestry.py counts them as AFR. Here
the same people are simulated with their ancestors' moves kept, and the share of AFR in the same admixed people (AFR 0.8
and EUR 0.2, eight generations ago) is counted by where each ancestor lived so many generations before the founders.
Appends one JSON line a seed and number of generations to records/local_ancestry_founders.jsonl.

proportion_error: mean over people of the difference from the share by the founders' labels: that of somebody who knows
where every ancestor lived, and takes that for the label. moved: share of the AFR founders' genome whose ancestor lived
elsewhere. A minute a seed on one core.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import msprime
import numpy as np
import tskit
from local_ancestry import (
    FOUNDERS,
    LABELS,
    LENGTH_BP,
    MIXTURES,
    of_founders,
    reference_and_bred,
    simulated_people,
    true_labels,
)

from haploom.bench.records import append_records
from haploom.popgen.admixture import Admixture
from haploom.popgen.coalescent import _Simulation
from haploom.popgen.demography import out_of_africa
from haploom.provenance import package_versions

RECORDS = Path(__file__).parent / "records" / "local_ancestry_founders.jsonl"
REFERENCE, SITES = 200, 19_000
GENERATIONS = (30.0, 60.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[7])
    for seed in parser.parse_args().seeds:
        measure(seed)


def measure(seed: int) -> None:
    mixture = Admixture.parse(MIXTURES[0])
    label, other = mixture.proportions
    _, bred = reference_and_bred(simulated_people(REFERENCE, seed), mixture, SITES, seed)
    by_label = share_of_first(true_labels(bred, [label, other]) == 0)
    trees = ancestry_with_moves(seed)
    rows = {name: 2 * (FOUNDERS + REFERENCE) * LABELS.index(name) + np.arange(2 * FOUNDERS) for name in (label, other)}
    sample_of = np.concatenate(list(rows.values()))
    for generations in GENERATIONS:
        lived = np.repeat([True, False], 2 * FOUNDERS)[:, None] & np.ones(bred.founders.n_sites, dtype=bool)
        position_bp = bred.founders.variants.position_bp
        for sample, left, right, population in moves(trees, generations):
            if (found := np.flatnonzero(sample_of == sample)).size:
                # The panel's first base is 1, the trees' is 0.
                sites = slice(*np.searchsorted(position_bp - 1, [left, right]))
                lived[found[0], sites] = population == label
        by_home = share_of_first(of_founders(bred, lived))
        record = {
            "benchmark": "local_ancestry_founders", "mixture": f"{mixture.label}@{mixture.generations}", "seed": seed,
            "generations": generations, "moved": round(float(1 - lived[: 2 * FOUNDERS].mean()), 4),
            "proportion_error": round(float(np.abs(by_home - by_label).mean()), 4), "versions": package_versions(),
        }  # fmt: skip
        append_records(RECORDS, [record])
        print(record, flush=True)


def ancestry_with_moves(seed: int) -> tskit.TreeSequence:
    """The trees `simulated_people` has its people from, as far back as is asked, and who moved when."""
    counts = dict.fromkeys(LABELS, FOUNDERS + REFERENCE)
    simulation = _Simulation(counts, None, 1, 1, seed)
    return msprime.sim_ancestry(
        samples=counts, demography=out_of_africa(), sequence_length=LENGTH_BP,
        recombination_rate=msprime.RateMap.uniform(LENGTH_BP, 1e-8), random_seed=simulation.ancestry_seed,
        record_migrations=True, end_time=GENERATIONS[-1],
    )  # fmt: skip


def moves(trees: tskit.TreeSequence, generations: float) -> Iterator[tuple[int, float, float, str]]:
    """(sample, left, right, population): where its ancestor moved, back in time, the latest move last."""
    # Tables copy a column each time it is asked for.
    edges, table = trees.tables.edges, trees.tables.migrations
    order = np.argsort(edges.parent, kind="stable")
    parent, child, left, right = (column[order] for column in (edges.parent, edges.child, edges.left, edges.right))
    nodes, begins, ends, homes = table.node, table.left, table.right, table.dest
    is_sample = (trees.nodes_flags & tskit.NODE_IS_SAMPLE) > 0
    names = [population.metadata["name"] for population in trees.populations()]
    for move in np.flatnonzero(table.time < generations):  # in order of time
        below = [(nodes[move], begins[move], ends[move])]
        while below:
            node, begin, end = below.pop()
            if is_sample[node]:
                yield node, begin, end, names[homes[move]]
                continue
            for edge in range(*np.searchsorted(parent, [node, node + 1])):
                if (first := max(begin, left[edge])) < (last := min(end, right[edge])):
                    below.append((child[edge], first, last))


def share_of_first(is_first: np.ndarray) -> np.ndarray:
    """Of each person: float64 (n_people,). is_first: bool (n_haplotypes, n_sites)."""
    return is_first.mean(axis=1).reshape(-1, 2).mean(axis=1)


if __name__ == "__main__":
    main()
