"""The network of level `learned`: against sums in plain Python, within its range, and worth its place."""

import hashlib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pysam
import pytest

from haploom.entropy_coding.genotype_block import MORE_ORDERS, ORDERS, encode_block
from haploom.entropy_coding.learned_expert import (
    ACTIVATION_MAX,
    FEATURE_MAX,
    N_FEATURES,
    N_MIXED,
    learned_logit,
    network_from_bytes,
    shipped_network,
    signed_side,
)
from haploom.entropy_coding.learned_sites import code_common_sites
from haploom.entropy_coding.mixing import MAX_LOGIT
from haploom.entropy_coding.neighbours import side_context
from haploom.entropy_coding.range_coder import new_encoder
from haploom.entropy_coding.site_classes import classes_of

SPEC = Path(__file__).parents[2] / "docs" / "spec" / "genotypes-1.md"


def logit_by_hand(network, features: list[int]) -> int:
    """In Python's integers, which have no range to leave; >> rounds towards minus infinity there too."""
    x = features
    for weights, bias, shift in ((network.w1, network.b1, 0), (network.w2, network.b2, 1)):
        sums = [b + sum(v * w for v, w in zip(x, column)) for b, column in zip(bias.tolist(), weights.T.tolist())]
        x = [min(max(total >> int(network.shifts[shift]), 0), ACTIVATION_MAX) for total in sums]
    last = int(network.b3[0]) + sum(v * w for v, w in zip(x, network.w3.tolist()))
    return min(max(features[N_MIXED] + (last >> int(network.shifts[2])), -MAX_LOGIT), MAX_LOGIT)


def logit(network, features: np.ndarray) -> int:
    scratch = np.zeros(network.b1.size, np.int32), np.zeros(network.b2.size, np.int32)
    return learned_logit(network, features.astype(np.int32), *scratch)


@pytest.mark.parametrize("size", [40, 400, FEATURE_MAX])
def test_learned_logit__equals_sums_in_plain_python(size):
    rng, network = np.random.default_rng(size), shipped_network()
    for features in rng.integers(-size, size + 1, (30, N_FEATURES)):
        features[N_MIXED] = np.clip(features[N_MIXED], -MAX_LOGIT, MAX_LOGIT)
        assert logit(network, features) == logit_by_hand(network, features.tolist())


def test_shipped_network__sums_stay_in_int32():
    network = shipped_network()
    inputs = ((network.w1, network.b1, FEATURE_MAX), (network.w2, network.b2, ACTIVATION_MAX))
    for weights, bias, largest in (*inputs, (network.w3[:, None], network.b3, ACTIVATION_MAX)):
        sums = np.abs(weights.astype(np.int64)).sum(axis=0) * largest + np.abs(bias.astype(np.int64))
        assert sums.max() < 2**31


def test_shipped_network__is_the_one_of_the_format():
    data = files("haploom.entropy_coding").joinpath("learned_expert.bin").read_bytes()
    assert hashlib.sha256(data).hexdigest() in SPEC.read_text()
    assert len(data) < 1 << 16
    network = network_from_bytes(data)
    assert len(data) == 5 + 2 * sum(w.size for w in (network.w1, network.w2, network.w3)) + 4 * sum(
        b.size for b in (network.b1, network.b2, network.b3)
    )


def test_signed_side__is_symmetric_and_grows_with_the_match():
    lengths = (1, 4, 16, 300)
    ones = [signed_side(side_context(1, length)) for length in lengths]
    zeros = [signed_side(side_context(0, length)) for length in lengths]
    assert ones == sorted(ones)
    assert zeros == [-value for value in ones]
    assert signed_side(0) == 0


def test_code_common_sites__features_stay_in_range():
    rng = np.random.default_rng(1)
    columns = (rng.random((150, 91)) < rng.beta(0.5, 1, (150, 1))).astype(np.uint8)
    columns[:, 40:] = columns[:, rng.integers(0, 40, 51)]
    counts = np.minimum(columns.sum(axis=1, dtype=int), 91 - columns.sum(axis=1, dtype=int))
    rules = np.array(ORDERS + MORE_ORDERS, dtype=np.int64)
    asked = np.zeros((columns.size, N_FEATURES + 1), dtype=np.int16)
    n_asked = code_common_sites(
        new_encoder(), np.empty(0, np.uint8), columns, np.arange(150), classes_of(counts), rules, 16, shipped_network(),
        asked,
    )  # fmt: skip
    assert 500 < n_asked <= columns.size
    assert np.abs(asked[:n_asked].astype(int)).max() <= FEATURE_MAX
    assert set(np.unique(asked[:n_asked, N_FEATURES])) == {0, 1}
    moving = np.ptp(asked[:n_asked], axis=0) > 0
    assert moving.mean() > 0.9  # hardly a feature is always the same


@pytest.mark.parametrize("name", ["chr22-dense", "chr22-whole"])
def test_encode_block__the_network_is_worth_it_on_people_it_never_saw(real_data, name):
    rows = []
    with pysam.VariantFile(str(real_data / f"{name}.vcf.gz")) as file:
        for record in file.fetch():
            calls = str(record).rstrip("\n").split("\t", 9)[9]
            rows.append(np.frombuffer(calls.encode(), dtype=np.uint8)[:2000:2] - ord("0"))
            if len(rows) == 1500:
                break
    alleles = np.stack(rows)
    assert len(encode_block(alleles, "learned")) < 0.985 * len(encode_block(alleles, "max"))
