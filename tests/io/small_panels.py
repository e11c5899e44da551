"""Small panels for the tests of formats, and what outside programs print of them."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from haploom.panel import DosagePanel, Panel, Variants

CONTIGS = {"22": 51_304_566, "7": 159_138_663}


def needs(program: str) -> pytest.MarkDecorator:
    """Skip where an outside program is not installed."""
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def run(folder: Path, *command: object) -> str:
    """What a command, run in a folder, prints."""
    done = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def random_panel(n_people: int = 5, n_sites: int = 203, seed: int = 1, one_contig: bool = False) -> Panel:
    """Two contigs, IDs here and there, SNPs and indels, some sites where nobody or everybody has the alternate."""
    rng = np.random.default_rng(seed)
    first = n_sites if one_contig else n_sites // 2
    chrom = np.repeat(["22", "7"], [first, n_sites - first])
    position_bp = np.concatenate([np.sort(rng.choice(9_000, n, False)) + 1 for n in (first, n_sites - first)])
    id_ = [f"rs{site}" if site % 3 == 0 else "." for site in range(n_sites)]
    ref = ["ACGT"[site % 4] + "GA" * (site % 5 == 0) for site in range(n_sites)]
    alt = ["CGTA"[site % 4] + "T" * (site % 7) for site in range(n_sites)]
    alleles = (rng.random((2 * n_people, n_sites)) < rng.choice([0, 0.1, 0.5, 1], n_sites)).astype(np.uint8)
    lengths = {"22": CONTIGS["22"]} if one_contig else CONTIGS
    variants = Variants(chrom, position_bp, id_, ref, alt, lengths)
    return Panel.from_alleles(alleles, variants, [f"P{person}" for person in range(n_people)])


def random_dosages(n_people: int = 5, n_sites: int = 203, seed: int = 2) -> DosagePanel:
    """The sites of `random_panel`, with missing calls."""
    like = random_panel(n_people, n_sites)
    dosages = np.random.default_rng(seed).integers(-1, 3, (n_people, n_sites), dtype=np.int8)
    return DosagePanel(dosages, like.variants, like.samples)


def assert_same(found: Panel | DosagePanel, wanted: Panel | DosagePanel, ids: bool = True) -> None:
    """Same people, sites and genotypes."""
    assert found.samples == wanted.samples
    assert found.variants.site_keys() == wanted.variants.site_keys()
    if ids:
        assert found.variants.id.tolist() == wanted.variants.id.tolist()
    if isinstance(wanted, Panel):
        np.testing.assert_array_equal(found.bits, wanted.bits)
    else:
        np.testing.assert_array_equal(found.dosages, wanted.dosages)


def as_unphased_rows(panel: DosagePanel) -> list[str]:
    """Dosages as `bcftools query -f QUERY` prints them."""
    calls = [["./.", "0/0", "0/1", "1/1"][dosage + 1] for dosage in panel.dosages.T.ravel().tolist()]
    variants, n = panel.variants, panel.n_samples
    columns = (variants.chrom, variants.position_bp, variants.id, variants.ref, variants.alt)
    fixed = zip(*(column.tolist() for column in columns))
    return ["\t".join([*map(str, site), *calls[row * n : row * n + n]]) for row, site in enumerate(fixed)]
