import hashlib
import math

import numpy as np
import pytest

from haploom.entropy_coding import mixing


def test_squash__is_the_logistic_function():
    logits = np.arange(-mixing.MAX_LOGIT, mixing.MAX_LOGIT + 1)
    exact = 65536 / (1 + np.exp(-logits / 256))
    assert np.abs(mixing.SQUASH - np.clip(exact, 1, 65535)).max() <= 0.5 + 1e-6


def test_stretch__inverts_squash():
    for p in (1, 2, 100, 20_000, 32_768, 50_000, 65_535):
        logit = 256 * math.log(p / (65536 - p))
        # The logits of one p span about 256 / p (or 256 / (65536 - p)); p = 1 also stands for all below.
        assert abs(mixing.STRETCH[p] - logit) <= 1 + 0.25 * 256 / min(p, 65536 - p)
    assert (np.diff(mixing.STRETCH.astype(int)) >= 0).all()
    tails = np.r_[1:200, 65337:65536]  # where every probability has logits of its own
    assert (mixing.SQUASH[mixing.STRETCH[tails].astype(int) + mixing.MAX_LOGIT] == tails).all()


def test_tables__are_the_same_on_every_machine():
    # Part of the stream's definition: other tables are another format.
    tables = mixing.SQUASH.astype("<i4").tobytes() + mixing.STRETCH.astype("<i2").tobytes()
    tables += mixing.RATE.astype("<i8").tobytes()
    assert hashlib.sha256(tables).hexdigest() == TABLES_SHA256


TABLES_SHA256 = "d9b300cd605a5c5e2e507028856f0d4bc1268479a354f91fba02ce13f07c60b8"


@pytest.mark.parametrize("p_one", [0.0, 0.003, 0.5, 1.0])
def test_updated_cell__finds_the_frequency(p_one):
    rng, n = np.random.default_rng(3), 20_000
    cell = mixing.new_cells(1)[0]
    for bit in rng.random(n) < p_one:
        cell = mixing.updated_cell(cell, np.int64(bit), mixing.MAX_COUNT)
    standard_error = math.sqrt(p_one * (1 - p_one) / mixing.MAX_COUNT)
    assert abs(mixing.cell_probability(cell) / 65536 - p_one) <= 4 * standard_error + 4e-4


def test_learn_weights__prefers_the_input_that_knows():
    rng = np.random.default_rng(4)
    weights = np.zeros(2, dtype=np.int64)
    for bit in rng.integers(0, 2, 4000):
        logits = np.array([256 if bit else -256, rng.integers(-256, 257)], dtype=np.int64)
        p = mixing.squash(mixing.mixed_logit(logits, weights, 2))
        mixing.learn_weights(logits, weights, 2, (np.int64(bit) << 16) - p, 10)
    assert weights[0] > 2 * 65536
    assert abs(weights[1]) < weights[0] / 4
