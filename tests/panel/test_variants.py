"""Sites: order, fingerprint, matching, overlap."""

import hashlib

import numpy as np
import pytest

from haploom.panel import Variants, windows
from haploom.panel.variants import matching_contig


def sites(*keys: str, **more) -> Variants:
    """From `chrom:pos:ref:alt` texts."""
    chrom, position, ref, alt = zip(*(key.split(":") for key in keys))
    return Variants(chrom, [int(p) for p in position], ["."] * len(keys), ref, alt, **more)


THREE = ("21:7:A:C", "22:5:GTT:G", "22:5:G:T")


def test_fingerprint__by_hand():
    # SHA-256 of the keys, a line each, as written in the documentation.
    text = b"21:7:A:C\n22:5:GTT:G\n22:5:G:T\n"
    assert sites(*THREE).fingerprint() == hashlib.sha256(text).hexdigest()
    assert sites(*THREE, contig_length_bp={"21": 5}).fingerprint() == sites(*THREE).fingerprint()
    assert sites(*THREE[:2]).fingerprint() != sites(*THREE).fingerprint()


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        (("1:5:A:C", "1:4:A:C"), "site 1 at 1:4"),
        (("1:5:A:C", "2:1:A:C", "1:6:A:C"), "site 2 at 1:6"),
        (("1:5:A:C", "2:1:A:C", "2:0:A:C", "1:6:A:C"), "site 2 at 2:0"),
    ],
)
def test_variants__order_is_checked(keys, where):
    with pytest.raises(ValueError, match=f"{where} goes back"):
        sites(*keys)


def test_variants__columns_must_be_as_long():
    with pytest.raises(ValueError, match="column alt has shape"):
        Variants(["1"], [1], ["."], ["A"], ["C", "G"])


def test_variants__cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        sites(*THREE).position_bp[0] = 1


def test_indices_of__matches_sites_by_alleles():
    here = sites("1:5:A:C", "1:5:A:C", "1:5:A:G", "2:1:A:C")
    wanted = sites("1:5:A:G", "1:5:A:C", "1:5:A:C", "1:5:A:C", "2:1:A:T")
    assert here.indices_of(wanted).tolist() == [2, 0, 1, -1, -1]


def test_variants__the_callers_arrays_stay_theirs():
    position_bp, chrom = np.array([5, 7]), np.array(["1", "1"], dtype=np.dtypes.StringDType())
    variants = Variants(chrom, position_bp, [".", "."], ["A", "A"], ["C", "C"])
    position_bp[0], chrom[0] = 6, "2"
    assert variants.position_bp.tolist() == [5, 7]
    assert variants.chrom.tolist() == ["1", "1"]


def test_variants__one_line_to_look_at():
    assert repr(sites(*THREE)) == "Variants(3 sites, 21:7 to 22:5)"
    assert repr(sites(*THREE).select(slice(0))) == "Variants(0 sites)"


def test_matching_contig__chr_or_not():
    assert matching_contig("chr22", ["22"]) == "22"
    assert matching_contig("22", ["chr22"]) == "chr22"
    assert matching_contig("22", ["chr22", "22"]) == "22"
    assert matching_contig("X", ["22"]) == "X"


def test_windows__cover_all_sites_in_order():
    assert list(windows(10, 4)) == [slice(0, 4), slice(4, 8), slice(8, 10)]
    assert list(windows(0, 4)) == []
    assert np.concatenate([np.arange(10)[window] for window in windows(10, 3)]).tolist() == list(range(10))
    with pytest.raises(ValueError, match="at least one site"):
        list(windows(10, 0))
