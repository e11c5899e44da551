"""Pictures of a latent space."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA

from haploom.embedding import Embedding
from haploom.errors import HaploomError
from haploom.report.maps import plane, save_map


@pytest.fixture
def embedding() -> Embedding:
    z = np.random.default_rng(3).normal(size=(12, 5)).astype(np.float32)
    return Embedding(tuple("abcdef"), ("train",) * 4 + ("test", "new"), z)


def test_plane__of_two_latents_is_the_latents(embedding):
    points, names = plane(embedding.z[:, :2])
    assert_allclose(points, embedding.z[:, :2])
    assert names == ("z1", "z2")


def test_plane__of_more_latents_is_scikit_learns_pca_but_for_signs(embedding):
    points, names = plane(embedding.z)
    expected = PCA(2).fit(embedding.z)
    assert_allclose(np.abs(points), np.abs(expected.transform(embedding.z)), rtol=1e-4, atol=1e-5)
    for name, share in zip(names, expected.explained_variance_ratio_):
        assert "of 5 latents" in name
        assert f"({share:.0%} of variance)" in name


@pytest.mark.parametrize(("suffix", "starts"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_save_map__draws_what_the_suffix_says_and_the_same_again(embedding, tmp_path, suffix, starts):
    paths = [tmp_path / f"{name}{suffix}" for name in ("first", "second")]
    for path in paths:
        save_map(embedding, np.array(list("XXYYZZ")), path)
    assert paths[0].read_bytes().startswith(starts)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with pytest.raises(HaploomError, match="exists"):
        save_map(embedding, None, paths[0])


def test_save_map__legend_counts_haplotypes_and_the_held_out(embedding, tmp_path):
    save_map(embedding, np.array(["X", "X", "X", "Y", "Y", "<Z>"]), tmp_path / "map.svg")
    text = (tmp_path / "map.svg").read_text()
    assert "X (6)" in text
    assert "Y (4)" in text
    assert "&lt;Z&gt; (2)" in text
    assert "not trained on (4)" in text


def test_save_map__refusals(embedding, tmp_path):
    with pytest.raises(HaploomError, match=r"\.png, \.svg, \.pdf"):
        save_map(embedding, None, tmp_path / "map.gif")
    with pytest.raises(HaploomError, match="--latent 2"):
        save_map(Embedding(embedding.samples, embedding.parts, embedding.z[:, :1]), None, tmp_path / "map.svg")
    assert list(tmp_path.iterdir()) == []
