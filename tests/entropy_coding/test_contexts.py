"""The pieces the genotype models are made of, each against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haploom.entropy_coding.donors import UNKNOWN, learn_donors, new_donors
from haploom.entropy_coding.index_draws import code_draw, new_trees, tree_depth
from haploom.entropy_coding.match_lengths import half_octave, octave
from haploom.entropy_coding.neighbours import known_above, known_below
from haploom.entropy_coding.pbwt import advance
from haploom.entropy_coding.range_coder import finish, new_decoder, new_encoder


@given(st.integers(0, 2**20))
def test_octave__is_the_bit_length(length):
    assert octave(length) == min(length.bit_length(), 15)
    if 4 <= length < 2**14:
        assert half_octave(length) == 2 * length.bit_length() + (length >> (length.bit_length() - 2) & 1)


@given(st.integers(0, 2**31))
def test_half_octave__never_decreases_nor_leaves_its_range(length):
    assert 0 <= half_octave(length) <= half_octave(length + 1) <= 31


def test_known_neighbours__match_lengths_are_those_of_the_haplotypes():
    rng = np.random.default_rng(1)
    n_sites, n = 60, 30
    columns = (rng.random((n_sites, n)) < 0.2).astype(np.uint8)
    order, start = np.arange(n, dtype=np.int32), np.zeros(n, dtype=np.int32)
    for k in range(n_sites):
        advance(order, start, columns[k], k, np.empty((2, n), dtype=np.int32))
    alleles = rng.choice(np.array([0, 1, UNKNOWN], dtype=np.uint8), n, p=[0.2, 0.2, 0.6])

    def by_definition(i: int, others: range) -> tuple[int, int]:
        for j in others:
            if alleles[order[j]] != UNKNOWN:
                differ = np.flatnonzero(columns[:, order[i]] != columns[:, order[j]])
                return int(alleles[order[j]]), n_sites - (int(differ[-1]) + 1 if len(differ) else 0)
        return UNKNOWN, 0

    known = alleles[order][None, :]
    for i in range(n):
        above = known_above(known, start[None, :], 0, i, n_sites)
        below = known_below(known, start[None, :], 0, i, n_sites)
        assert above == by_definition(i, range(i - 1, max(i - 17, -1), -1))
        assert below == by_definition(i, range(i + 1, min(i + 17, n)))


def test_learn_donors__a_mismatch_is_forgiven():
    # Haplotypes 0 and 1 agree everywhere but at site 5; the others are far from both.
    n_sites, n = 12, 6
    columns = np.random.default_rng(2).integers(0, 2, (n_sites, n), dtype=np.uint8)
    columns[:, 1] = columns[:, 0]
    columns[5, 1] ^= 1
    order, start = np.arange(n, dtype=np.int32), np.zeros(n, dtype=np.int32)
    donors = new_donors(n, 2)
    for k in range(n_sites):
        learn_donors(donors, order, start, columns[k], k)
        advance(order, start, columns[k], k, np.empty((2, n), dtype=np.int32))
    assert [1, 6, 0] in donors[0].tolist()
    assert [0, 6, 0] in donors[1].tolist()


@given(st.integers(1, 300), st.data())
def test_code_draw__decode_inverts_encode(n, draws):
    wanted = draws.draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=40))
    pairs = [(max(a, b), min(a, b)) for a, b in wanted]
    data = np.zeros(400, dtype=np.uint8)

    def run(coder: np.ndarray, data: np.ndarray, values: list[int]) -> list[int]:
        trees, weights = new_trees(3, n), np.full((tree_depth(n) + 1, 2), 40000, dtype=np.int64)
        return [
            int(code_draw(coder, data, trees, 0, weights, lowest, n, value))
            for value, (_, lowest) in zip(values, pairs)
        ]

    encoder = new_encoder()
    run(encoder, data, [value for value, _ in pairs])
    coded = np.frombuffer(bytearray(finish(encoder, data)), dtype=np.uint8)
    assert run(new_decoder(coded), coded, [0] * len(pairs)) == [value for value, _ in pairs]


@pytest.mark.parametrize("n", [2, 37, 64, 1000])
def test_code_draw__all_haplotypes_are_as_likely_at_first(n):
    weights = np.full((tree_depth(n), 2), 32768, dtype=np.int64)
    data = np.zeros(8, dtype=np.uint8)
    for wanted in (0, n // 3, n - 1):
        coder = new_encoder()
        code_draw(coder, data, new_trees(3, n), 0, weights, 0, n, wanted)
        bits = 8 * int(coder[3]) + 32 - np.log2(float(coder[1] - coder[0] + 1))
        assert bits == pytest.approx(np.log2(n), abs=0.2)
