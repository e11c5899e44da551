"""LD against NumPy's and tskit's correlations, pair by pair."""

from itertools import pairwise

import numpy as np
import pytest
from small_histories import history, panel_of

from haploom.panel import GeneticMap
from haploom.popgen.linkage import (
    Scale,
    allele_correlation,
    contig_ends,
    correlation_profile,
    distance_scales,
    ld_decay,
)
from haploom.popgen.site_bits import SiteBits


@pytest.fixture(scope="module")
def trees_and_panel():
    return history()


@pytest.mark.parametrize("n_haplotypes", [2, 64, 66, 130])
def test_site_bits__are_the_alleles_on_their_side(n_haplotypes, monkeypatch):
    monkeypatch.setattr("haploom.panel.bits.BLOCK_BYTES", 24 * n_haplotypes)  # blocks of 24 sites
    alleles = np.random.default_rng(1).integers(0, 2, (n_haplotypes, 101), dtype=np.uint8)
    rows = np.arange(n_haplotypes)[::-1][: n_haplotypes - 1]
    panel, sites = panel_of(alleles), np.array([0, 7, 8, 30, 47, 48, 100])
    bits = SiteBits.of(panel, rows, sites)
    assert bits.n_haplotypes == len(rows)
    np.testing.assert_array_equal(bits.ones, alleles[rows][:, sites].sum(axis=0))
    h = np.arange(len(rows))
    np.testing.assert_array_equal(bits.words[:, h // 64] >> (h % 64).astype(np.uint64) & 1, alleles[rows][:, sites].T)
    shared = (alleles[rows][:, sites] & alleles[rows][:, [47]]).sum(axis=0)
    np.testing.assert_array_equal(bits.shared_with(4, np.arange(len(sites))), shared)
    np.testing.assert_array_equal(SiteBits.of(panel, rows, slice(5, 60)).ones, alleles[rows][:, 5:60].sum(axis=0))


def test_site_bits__nobody_is_an_error():
    with pytest.raises(ValueError, match="no haplotypes"):
        SiteBits.of(panel_of(np.zeros((2, 3))), np.array([], dtype=int))


def test_allele_correlation__by_hand():
    # 4 haplotypes 11, 10, 00, 00: p = 1/2, q = 1/4, D = 1/4 - 1/8 = 1/8, r = (1/8) / sqrt(1/4 * 3/16) = 1/sqrt(3).
    assert allele_correlation(1, 2, 1, 4) == pytest.approx(3**-0.5)
    assert allele_correlation(np.array([0, 2]), 2, 2, 4).tolist() == [-1, 1]


def test_allele_correlation__fixed_sites_are_nan():
    assert np.isnan(allele_correlation(np.array([0, 4]), 4, np.array([0, 4]), 4)).all()


def test_correlation_profile__is_tskits_r2(trees_and_panel):
    tskit = pytest.importorskip("tskit")
    trees, panel = trees_and_panel
    site = panel.n_sites // 3
    r = correlation_profile(SiteBits.of(panel, np.arange(panel.n_haplotypes)), site, 100)
    wanted = tskit.LdCalculator(trees).r2_array(site, max_sites=100)
    np.testing.assert_allclose(r**2, wanted, atol=1e-12)


def test_correlation_profile__has_a_sign_and_stops_with_the_panel(trees_and_panel):
    _, panel = trees_and_panel
    rows, site = np.arange(10, 60), panel.n_sites - 20
    alleles = panel.alleles(rows).astype(float)
    varies = alleles.std(axis=0) > 0
    site = site if varies[site] else int(np.flatnonzero(varies)[-8])
    r = correlation_profile(SiteBits.of(panel, rows), site)
    assert len(r) == panel.n_sites - 1 - site
    np.testing.assert_array_equal(np.isnan(r), ~varies[site + 1 :])
    for other in np.flatnonzero(varies[site + 1 :]):
        assert r[other] == pytest.approx(np.corrcoef(alleles[:, site], alleles[:, site + 1 + other])[0, 1])
    with pytest.raises(ValueError, match="not among"):
        correlation_profile(SiteBits.of(panel, rows), panel.n_sites)


def slow_decay(alleles, position, edges, min_maf):
    """Pair by pair, from NumPy's correlations."""
    p = alleles.mean(axis=0)
    sites = np.flatnonzero(np.minimum(p, 1 - p) > min_maf)
    r = np.corrcoef(alleles[:, sites], rowvar=False)
    one, other = np.triu_indices(len(sites), 1)
    distance, r = (position[sites[other]] - position[sites[one]]), r[one, other]
    rows = []
    for low, high in pairwise(edges):
        here = (low <= distance) & (distance < high)
        means = [values[here].mean() if here.any() else np.nan for values in (distance, r**2, np.abs(r))]
        rows.append([here.sum(), *means])
    return np.array(rows).T


def test_ld_decay__is_the_mean_of_all_pairs_in_a_bin(trees_and_panel):
    _, panel = trees_and_panel
    rows = np.arange(6, 76)
    scales = distance_scales(panel.variants, max_sites=60, max_bp=40_000, max_cm=0.02)
    decay = ld_decay(SiteBits.of(panel, rows), scales, min_maf=0.1)
    alleles = panel.alleles(rows).astype(float)
    units = {
        "sites": np.arange(panel.n_sites),
        "bp": panel.variants.position_bp,
        "cm": panel.variants.position_bp / 1e6,  # 1 cM per Mb where there is no map
    }
    for name, unit in units.items():
        each = decay[name]
        wanted = slow_decay(alleles, unit, scales[name].edges, 0.1)
        assert wanted[0].sum() > 1000
        np.testing.assert_array_equal(each.n_pairs, wanted[0])
        got = np.stack([each.mean_distance, each.mean_r2, each.mean_abs_r])
        np.testing.assert_allclose(got, wanted[1:], rtol=1e-9)


def test_ld_decay__of_too_many_pairs_takes_every_so_manyeth_site(trees_and_panel):
    _, panel = trees_and_panel
    rows = np.arange(80)
    scales = {"sites": Scale(np.arange(panel.n_sites, dtype=float), np.array([1.0, 11.0]))}
    every, some = (ld_decay(SiteBits.of(panel, rows), scales, 0.05, limit)["sites"] for limit in (10**9, 500))
    assert 250 < some.n_pairs[0] <= 500 < every.n_pairs[0]
    assert some.mean_r2[0] == pytest.approx(every.mean_r2[0], abs=0.1)


def test_ld_decay__unlinked_sites_are_at_one_over_n():
    # E[r^2] = 1 / (n - 1) for independent sites (Pearson's r of permuted values).
    n, alleles = 50, np.random.default_rng(2).permuted(np.tile(np.arange(50)[:, None] < 20, (1, 400)), axis=0)
    scales = distance_scales(panel_of(alleles).variants, max_bp=400, max_cm=1e-3)
    decay = ld_decay(SiteBits.of(panel_of(alleles), np.arange(n)), scales)["bp"]
    assert decay.n_pairs.sum() == 400 * 399 / 2
    mean = np.nansum(decay.mean_r2 * decay.n_pairs) / decay.n_pairs.sum()
    assert mean == pytest.approx(1 / (n - 1), rel=0.02)


def test_distance_scales__contigs_are_out_of_reach_of_each_other():
    alleles = np.tile(np.arange(8)[:, None] % 2, (1, 6))
    panel = panel_of(alleles, np.array([100, 200, 300, 50, 60, 250]), ["1"] * 3 + ["2"] * 3)
    maps = {"chr2": GeneticMap(np.array([0, 100]), np.array([0.0, 0.05]))}
    decay = ld_decay(SiteBits.of(panel, np.arange(8)), distance_scales(panel.variants, maps))
    assert {name: each.n_pairs.sum() for name, each in decay.items()} == {"sites": 6, "bp": 6, "cm": 6}
    # Contig 1 at 1 cM per Mb: 1e-4 twice and 2e-4 cM. Contig 2 by its map: 0.005, 0.095 and 0.1 cM.
    total = np.nansum(decay["cm"].mean_distance * decay["cm"].n_pairs)
    assert total == pytest.approx(4e-4 + 0.2)
    assert np.nansum(decay["bp"].mean_distance * decay["bp"].n_pairs) == 100 + 100 + 200 + 10 + 190 + 200


def test_contig_ends__by_hand():
    panel = panel_of(np.zeros((2, 4)), np.array([5, 6, 1, 9]), ["1", "1", "2", "3"])
    assert contig_ends(panel.variants).tolist() == [2, 2, 3, 4]
    assert contig_ends(panel.select_sites(slice(0)).variants).tolist() == []


def test_ld_decay__the_same_in_real_people_as_in_scikit_allel(real_data):
    allel = pytest.importorskip("allel")
    from haploom.io import Selection, read_panel

    panel = read_panel(real_data / "chr22-dense.vcf.gz", Selection(regions=("22:50300000-50320000",))).common(0.1)
    rows = np.arange(0, panel.n_haplotypes, 7)
    scales = {"bp": Scale(panel.variants.position_bp.astype(float), np.array([0.0, 2000, 20_001]))}
    decay = ld_decay(SiteBits.of(panel, rows), scales, min_maf=0.0)["bp"]
    r = allel.rogers_huff_r(panel.alleles(rows).T.astype(np.int8)).astype(float)
    position = panel.variants.position_bp
    one, other = np.triu_indices(panel.n_sites, 1)
    near = position[other] - position[one] < 2000
    np.testing.assert_allclose(decay.mean_r2, [(r[near] ** 2).mean(), (r[~near] ** 2).mean()], rtol=1e-5)
