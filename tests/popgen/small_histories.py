"""Panels from tree sequences, whose statistics tskit works out from the trees."""

import numpy as np
import pytest

from haploom.panel import Panel, Variants


def history(seed: int = 3, people: int = 40, length_bp: int = 200_000):
    """A tree sequence with mutations of two alleles, and its panel."""
    msprime = pytest.importorskip("msprime")
    ancestry = msprime.sim_ancestry(
        people, sequence_length=length_bp, recombination_rate=1e-8, population_size=1e4, random_seed=seed
    )
    trees = msprime.sim_mutations(ancestry, rate=2e-8, model="binary", discrete_genome=False, random_seed=seed)
    return trees, panel_of(trees.genotype_matrix().T, np.floor(trees.tables.sites.position).astype(np.int64) + 1)


def panel_of(alleles, position_bp=None, chrom=None, labels=None) -> Panel:
    """A panel of these alleles, (haplotypes, sites)."""
    n_haplotypes, n_sites = alleles.shape
    position_bp = np.arange(1, n_sites + 1) if position_bp is None else position_bp
    chrom = ["1"] * n_sites if chrom is None else chrom
    variants = Variants(chrom, position_bp, ["."] * n_sites, ["A"] * n_sites, ["C"] * n_sites)
    samples = [f"S{i}" for i in range(n_haplotypes // 2)]
    return Panel.from_alleles(alleles.astype(np.uint8), variants, samples, {"population": labels} if labels else None)
