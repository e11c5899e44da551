import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_histories import panel_of

from haploom.popgen.entropy import binary_entropy
from haploom.popgen.information import information_by_stride, mutual_information, reference_sites
from haploom.popgen.site_bits import SiteBits


def test_mutual_information__by_hand():
    # 11, 10, 00, 00: H(1/2) + H(1/4) - H(1/4, 1/4, 1/2) = 1 + 0.8113 - 1.5 bits.
    assert mutual_information(1, 2, 1, 4) == pytest.approx(binary_entropy(0.25) - 0.5)
    # The same site twice tells all of its entropy; a fixed site and an independent one tell nothing.
    assert mutual_information(np.array([3, 3, 2]), np.array([3, 3, 4]), np.array([3, 12, 6]), 12) == pytest.approx(
        np.array([binary_entropy(0.25), 0, 0])
    )


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=50))
def test_mutual_information__is_that_of_scikit_learn(pairs):
    metrics = pytest.importorskip("sklearn.metrics")
    a, b = np.array(pairs).T
    got = mutual_information(int((a & b).sum()), int(a.sum()), int(b.sum()), len(a))
    assert got == pytest.approx(metrics.mutual_info_score(a, b) / np.log(2), abs=1e-12)


def test_information_by_stride__pairs_are_step_times_stride_apart():
    rng = np.random.default_rng(6)
    alleles = rng.integers(0, 2, (70, 30), dtype=np.uint8)
    alleles[:, 12] = alleles[:, 0]
    alleles[:, 22] = alleles[:, 10]
    sites = SiteBits.of(panel_of(alleles), np.arange(70))
    got = information_by_stride(sites, np.array([0, 10]), np.full(30, 30), strides=(3, 4, 10), n_steps=4)
    assert got.shape == (3, 4)
    entropy = (binary_entropy(alleles[:, 0].mean()) + binary_entropy(alleles[:, 10].mean())) / 2
    assert got[0, 3] == got[1, 2] == pytest.approx(entropy)  # 4 x 3 and 3 x 4 places on: the copies
    assert np.nanmax(np.delete(got.ravel(), [3, 6])) < 0.2
    assert np.isnan(got[2, 2:]).all()  # 30 and 40 places on is past the end for both
    assert np.isfinite(got[2, :2]).all()
    # A contig that ends before site 20: of site 0 the first step of 10 is left, of site 10 none.
    cut = information_by_stride(sites, np.array([0, 10]), np.full(30, 20), strides=(10,), n_steps=4)
    first = information_by_stride(sites, np.array([0]), np.full(30, 30), strides=(10,), n_steps=4)
    assert cut[0, 0] == first[0, 0]
    assert np.isnan(cut[0, 1:]).all()


def test_reference_sites__are_common_and_spread():
    alleles = np.zeros((20, 100))
    alleles[:1, ::2] = 1  # MAF 5 %
    alleles[:2, ::4] = 1  # MAF 10 %: sites 0, 4, ..., 96
    sites = SiteBits.of(panel_of(alleles), np.arange(20))
    assert reference_sites(sites, 0.05, 3).tolist() == [0, 48, 96]
    assert len(reference_sites(sites, 0.05, 50)) == 25
    assert len(reference_sites(sites, 0.2)) == 0
