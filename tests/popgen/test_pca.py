"""PCA against numpy's SVD and scikit-learn's PCA, which never see packed bits."""

import numpy as np
import pytest
import sklearn
import sklearn.decomposition
from numpy.testing import assert_allclose, assert_array_equal

from haploom.errors import HaploomError, SiteMismatchError
from haploom.panel import DosagePanel, Panel, Variants
from haploom.panel.variants import STRING
from haploom.popgen import allele_shares
from haploom.popgen import pca as pca_module
from haploom.popgen.pca import PCA


def structured_alleles(n_haplotypes: int, n_sites: int, n_groups: int = 4, seed: int = 1) -> np.ndarray:
    """Haplotypes of groups with frequencies of their own, so that the leading axes stand out."""
    rng = np.random.default_rng(seed)
    frequency = rng.beta(0.5, 0.8, (n_groups, n_sites))
    group = rng.integers(n_groups, size=n_haplotypes)
    return (rng.random((n_haplotypes, n_sites)) < frequency[group]).astype(np.uint8)


def panel_of(alleles: np.ndarray, first_bp: int = 1) -> Panel:
    n_haplotypes, n_sites = alleles.shape
    column = lambda text: np.array([text] * n_sites, dtype=STRING)  # noqa: E731
    variants = Variants(column("22"), np.arange(n_sites) + first_bp, column("."), column("A"), column("C"))
    return Panel.from_alleles(alleles, variants, [f"s{i}" for i in range(n_haplotypes // 2)])


def largest_angle(a: np.ndarray, b: np.ndarray) -> float:
    """Sine of the largest principal angle between the row spaces of two orthonormal matrices."""
    return float(np.linalg.norm(a - (a @ b.T) @ b, ord=2))


@pytest.mark.parametrize("shape", [(60, 37), (60, 2100), (40, 12)], ids=["few-sites", "few-haplotypes", "tiny"])
def test_pca__exact_method_is_the_svd_of_centred_alleles(shape):
    alleles = structured_alleles(*shape)
    pca = PCA(5).fit(panel_of(alleles))
    centred = alleles - alleles.mean(axis=0)
    _, singular_values, axes = np.linalg.svd(centred, full_matrices=False)
    assert_allclose(pca.singular_values_, singular_values[:5], rtol=1e-9)
    assert_allclose(np.abs((pca.components_ * axes[:5]).sum(axis=1)), 1, atol=1e-9)
    assert_allclose(pca.explained_variance_ratio_, (singular_values**2 / (singular_values**2).sum())[:5], rtol=1e-9)


@pytest.mark.parametrize("exact_size", [2000, 0], ids=["exact", "randomised"])
def test_pca__agrees_with_scikit_learn(exact_size, monkeypatch):
    monkeypatch.setattr(pca_module, "EXACT_SIZE", exact_size)
    alleles = structured_alleles(300, 150)
    ours = PCA(3).fit(panel_of(alleles))
    theirs = sklearn.decomposition.PCA(3, svd_solver="full").fit(alleles)
    assert_allclose(ours.components_, theirs.components_, atol=1e-5)  # the sign convention is the same, too
    assert_allclose(ours.mean_, theirs.mean_)
    assert_allclose(ours.explained_variance_, theirs.explained_variance_, rtol=1e-8)
    assert_allclose(ours.explained_variance_ratio_, theirs.explained_variance_ratio_, rtol=1e-8)
    new = structured_alleles(10, 150, seed=2)
    assert_allclose(ours.transform(new), theirs.transform(new), atol=1e-4)
    codes = theirs.transform(new)
    assert_allclose(ours.inverse_transform(codes), theirs.inverse_transform(codes), atol=1e-4)


def test_pca__randomised_axes_explain_as_much_as_the_best():
    # 700 x 2500 with 3 strong axes and 17 of noise, where a single random pass loses several per cent.
    alleles = structured_alleles(700, 2500)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pca_module, "EXACT_SIZE", 0)
        random = PCA(20).fit(alleles)
    exact = PCA(20).fit(alleles)
    assert largest_angle(exact.components_[:3], random.components_[:3]) < 1e-8
    share = random.explained_variance_ / exact.explained_variance_
    assert share.max() <= 1 + 1e-9, "no axes can explain more than the best ones"
    assert share.min() > 0.96  # 4 power iterations would reach 0.91


def test_pca__many_blocks_give_what_one_gives(monkeypatch):
    alleles = structured_alleles(200, 300)
    whole = PCA(4).fit(panel_of(alleles))
    monkeypatch.setattr(allele_shares, "BLOCK_BYTES", 1)  # the least rows a block: 4 blocks
    for exact_size in (300, 250, 0):  # sites, haplotypes, randomised
        monkeypatch.setattr(pca_module, "EXACT_SIZE", exact_size)
        cut = PCA(3).fit(panel_of(alleles))
        assert_allclose(cut.components_, whole.components_[:3], atol=1e-7)


def test_pca__all_components_give_the_alleles_back():
    # The paper's PCA left the mean out on the way back; with it, as many axes as sites lose nothing.
    alleles = structured_alleles(80, 30)
    pca = PCA(30).fit(panel_of(alleles))
    assert_array_equal(pca.inverse_transform(pca.transform(alleles)) > 0.5, alleles.astype(bool))
    assert_allclose(pca.inverse_transform(np.zeros((1, 30)))[0], alleles.mean(axis=0))


def test_pca__one_person_is_placed_as_in_the_cohort():
    panel = panel_of(structured_alleles(200, 500))
    pca = PCA(8).fit(panel)
    together = pca.transform(panel)
    alone = pca.transform(panel.select_samples(["s17"]))
    assert alone.shape == (2, 8)
    assert_allclose(alone, together[34:36], atol=1e-11)


def test_pca__same_seed_same_bytes(monkeypatch):
    monkeypatch.setattr(pca_module, "EXACT_SIZE", 0)
    alleles = structured_alleles(100, 200)
    first, again, other = (PCA(10, random_state=seed).fit(alleles).components_ for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_pca__repeated_haplotypes_leave_orthonormal_axes():
    alleles = np.repeat(structured_alleles(4, 60), 10, axis=0)  # rank 3 once centred
    pca = PCA(6).fit(alleles)
    assert_allclose(pca.components_ @ pca.components_.T, np.eye(6), atol=1e-9)
    assert_allclose(pca.singular_values_[3:], 0, atol=1e-6)


def test_pca__estimator_contract():
    pca = PCA(3, random_state=5)
    copy = sklearn.clone(pca.set_params(n_components=2))
    assert copy.get_params() == {"n_components": 2, "random_state": 5}
    panel = panel_of(structured_alleles(20, 15))
    assert_array_equal(copy.fit_transform(panel), copy.transform(panel))
    assert copy.get_feature_names_out().tolist() == ["pca0", "pca1"]
    assert copy.n_features_in_ == 15
    assert copy.feature_names_in_[0] == "22:1:A:C"
    with pytest.raises(ValueError, match="no setting 'whiten'"):
        pca.set_params(whiten=True)


def test_pca__other_sites_are_refused():
    pca = PCA(2).fit(panel_of(structured_alleles(20, 15)))
    with pytest.raises(SiteMismatchError, match="14 sites but the PCA was fitted on 15"):
        pca.transform(structured_alleles(4, 14))
    with pytest.raises(SiteMismatchError, match="site 0 is 22:2:A:C but the PCA was fitted on 22:1:A:C"):
        pca.transform(panel_of(structured_alleles(20, 15), first_bp=2))


def test_pca__data_it_cannot_use_is_refused():
    with pytest.raises(HaploomError, match="n_components=16 must be between 1 and 15"):
        PCA(16).fit(structured_alleles(20, 15))
    with pytest.raises(HaploomError, match="there are no axes to find"):
        PCA(1).fit(np.ones((4, 5), dtype=np.uint8))
    with pytest.raises(ValueError, match="each 0 or 1"):
        PCA(1).fit(np.array([[0, 1], [2, 0]]))


def with_holes(alleles: np.ndarray, share: float, seed: int = 3) -> np.ndarray:
    """float64, NaN at a share of the calls."""
    missing = np.random.default_rng(seed).random(alleles.shape) < share
    return np.where(missing, np.nan, alleles)


def test_pca__missing_calls_are_filled_with_what_the_rest_says():
    # The slow way: fill in, project, shrink, until nothing changes (regularised iterative PCA).
    pca = PCA(3).fit(structured_alleles(200, 120))
    rows = with_holes(structured_alleles(6, 120, seed=2), 0.4)
    shrink = 1 - pca.noise_variance_ / pca.explained_variance_
    for row, got in zip(rows, pca.transform(rows)):
        missing, z = np.isnan(row), np.zeros(3)
        for _ in range(2000):
            z = (np.where(missing, pca.mean_ + (shrink * z) @ pca.components_, row) - pca.mean_) @ pca.components_.T
        assert_allclose(got, z, atol=1e-8)


def test_pca__missing_calls_do_not_pull_to_the_centre():
    alleles = structured_alleles(300, 400)
    pca = PCA(3).fit(alleles)
    whole, holed = pca.transform(alleles), pca.transform(with_holes(alleles, 0.5))
    mean_filled = (np.nan_to_num(with_holes(alleles, 0.5) - pca.mean_)) @ pca.components_.T
    slope = lambda z: (z * whole).sum() / (whole * whole).sum()  # noqa: E731
    assert slope(mean_filled) < 0.6
    assert 0.9 < slope(holed) < 1.1
    assert np.square(holed - whole).mean() < 0.5 * np.square(mean_filled - whole).mean()


def test_pca__rows_with_all_or_no_calls_and_both_spellings_of_missing():
    pca = PCA(2).fit(structured_alleles(50, 30))
    whole = structured_alleles(4, 30, seed=2)
    nothing = np.full((1, 30), np.nan)
    assert_allclose(pca.transform(np.vstack([whole, nothing])), np.vstack([pca.transform(whole), np.zeros((1, 2))]))
    minus = whole.astype(np.int8)
    minus[:, :9] = -1
    assert_array_equal(pca.transform(minus), pca.transform(np.where(minus < 0, np.nan, minus)))


def test_pca__fitted_on_a_tenth_missing_finds_nearly_the_same_axes():
    alleles = structured_alleles(400, 150)
    whole, holed = PCA(3).fit(alleles), PCA(3).fit(with_holes(alleles, 0.1))
    assert_allclose(holed.mean_, np.nanmean(with_holes(alleles, 0.1), axis=0))
    assert largest_angle(whole.components_, holed.components_) < 0.2


def test_pca__a_person_without_phase_lies_midway():
    panel = panel_of(structured_alleles(100, 80))
    pca = PCA(4).fit(panel)
    people = pca.transform(DosagePanel.from_panel(panel))
    assert_allclose(people, pca.transform(panel).reshape(50, 2, 4).mean(axis=1), atol=1e-12)
    dosages = DosagePanel.from_panel(panel)
    ours, theirs = PCA(3).fit(dosages), sklearn.decomposition.PCA(3, svd_solver="full").fit(dosages.dosages / 2)
    assert_allclose(ours.components_, theirs.components_, atol=1e-7)
    assert_allclose(ours.noise_variance_, theirs.noise_variance_ * (50 - 3) / (49 - 3), rtol=1e-8)
