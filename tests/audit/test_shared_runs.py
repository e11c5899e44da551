"""Longest shared runs against comparing every pair, site by site."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from haploom.audit import shared_runs
from haploom.audit.shared_runs import longest_shared_runs
from haploom.panel import Panel, Variants


def panels_of(rng, sizes, n_sites, n_first_contig):
    """Panels of haplotypes that share stretches, because all are mosaics of three ancestors."""
    ancestors = rng.integers(0, 2, (3, n_sites), dtype=np.uint8)
    chrom = np.where(np.arange(n_sites) < n_first_contig, "1", "2")
    places = [np.sort(rng.integers(1, 1000, (chrom == name).sum())) for name in ("1", "2")]
    letters = np.full(n_sites, "A"), np.full(n_sites, "C")
    variants = Variants(chrom, np.concatenate(places), np.full(n_sites, "."), *letters)
    out = []
    for panel, n_people in enumerate(sizes):
        source = np.cumsum(rng.random((2 * n_people, n_sites)) < 0.1, axis=1) + rng.integers(3, size=(2 * n_people, 1))
        rows = ancestors[source % 3, np.arange(n_sites)] ^ (rng.random(source.shape) < 0.02)
        out.append(Panel.from_alleles(rows, variants, [f"{panel}-{i}" for i in range(n_people)]))
    return out


def longest_by_pairs(panels, position, starts):
    rows = np.concatenate([panel.alleles() for panel in panels])
    panel_of = np.repeat(np.arange(len(panels)), [panel.n_haplotypes for panel in panels])
    longest = np.zeros((len(rows), len(panels)))
    for i in range(len(rows)):
        for j in range(len(rows)):
            first = None
            for site in range(rows.shape[1]):
                if site in starts:
                    first = None
                if i == j or rows[i, site] != rows[j, site]:
                    first = None
                    continue
                first = site if first is None else first
                longest[i, panel_of[j]] = max(longest[i, panel_of[j]], position[site] - position[first])
    return longest


@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.integers(1, 2))
def test_longest_shared_runs__are_what_all_pairs_say(seed, n_sites, n_people):
    rng = np.random.default_rng(seed)
    n_first = int(rng.integers(0, n_sites + 1))
    panels = panels_of(rng, (n_people, 2, 1), n_sites, n_first)
    position = np.concatenate([np.sort(rng.random(n)) for n in (n_first, n_sites - n_first)])
    wanted = longest_by_pairs(panels, position, {0, n_first})
    assert_array_equal(longest_shared_runs(panels, position), wanted)


def test_longest_shared_runs__do_not_depend_on_blocks_of_sites(monkeypatch):
    panels = panels_of(np.random.default_rng(1), (5, 5), 200, 120)
    position = np.concatenate([np.arange(120.0), np.arange(80.0)])
    whole = longest_shared_runs(panels, position)
    monkeypatch.setattr(shared_runs, "_SITES_AT_ONCE", 7)
    assert_array_equal(longest_shared_runs(panels, position), whole)
    assert (whole > 10).any()
