"""Segments: meiosis by hand, expansion against copying site by site."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from haploom.panel.bits import pack_rows, unpack_rows
from haploom.popgen.mosaics import Mosaics, expand, founder_mosaics, gametes


def segments(mosaics: Mosaics) -> list[list[tuple[int, int]]]:
    bounds = zip(mosaics.offsets[:-1], mosaics.offsets[1:])
    return [list(zip(mosaics.starts[a:b].tolist(), mosaics.founders[a:b].tolist())) for a, b in bounds]


def test_gametes__by_hand():
    # One person: haplotype 0 is founder 4 then 5 from 60 on; haplotype 1 is founder 5 throughout. 100 bases.
    person = Mosaics(np.array([0, 2, 3]), np.array([0, 60, 0]), np.array([4, 5, 5], dtype=np.int32))
    switches = {
        (): [(0, 4), (60, 5)],
        (0,): [(0, 5)],
        (30,): [(0, 4), (30, 5)],  # what follows is founder 5 on both sides of 60: one segment
        (60,): [(0, 4), (60, 5)],
        (0, 30): [(0, 5), (30, 4), (60, 5)],
        (20, 20): [(0, 4), (60, 5)],  # two crossovers at one place undo each other
        (0, 99): [(0, 5)],
        (10, 20, 100): [(0, 4), (10, 5), (20, 4), (60, 5)],
    }
    offsets = np.cumsum([0, *map(len, switches)])
    coordinates = np.array([place for each in switches for place in each], dtype=np.int64)
    children = gametes(person, np.zeros(len(switches), dtype=np.int64), offsets, coordinates, 100)
    assert segments(children) == list(switches.values())


def test_gametes__chooses_the_person():
    people = founder_mosaics(np.array([7, 8, 9, 10]))
    children = gametes(people, np.array([1, 0, 1]), np.array([0, 1, 1, 1]), np.array([5]), 10)
    assert segments(children) == [[(0, 9), (5, 10)], [(0, 7)], [(0, 9)]]


@settings(deadline=None)
@given(st.data())
def test_expand__equals_copying_site_by_site(data):
    n_sites = data.draw(st.integers(0, 40))
    sites = np.cumsum(data.draw(st.lists(st.integers(0, 3), min_size=n_sites, max_size=n_sites))).astype(np.int64)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    founder_alleles = rng.integers(0, 2, (3, n_sites), dtype=np.uint8)
    rows = [
        sorted(data.draw(st.sets(st.integers(1, 60), max_size=12)) | {0}) for _ in range(data.draw(st.integers(0, 3)))
    ]
    starts = np.array([start for row in rows for start in row], dtype=np.int64)
    founders = rng.integers(0, 3, len(starts)).astype(np.int32)
    mosaics = Mosaics(np.cumsum([0, *map(len, rows)]), starts, founders)
    expected = np.zeros((len(rows), n_sites), dtype=np.uint8)
    for row, own in enumerate(segments(mosaics)):
        for site in range(n_sites):
            founder = [who for start, who in own if start <= sites[site]][-1]
            expected[row, site] = founder_alleles[founder, site]
    bits = expand(mosaics, pack_rows(founder_alleles), sites)
    assert_array_equal(unpack_rows(bits, n_sites), expected)
    assert_array_equal(bits, pack_rows(expected))  # the bits past the last site are zero


def test_mosaics__select_a_run_of_rows():
    mosaics = Mosaics(np.array([0, 2, 3, 6]), np.array([0, 4, 0, 0, 1, 2]), np.arange(6, dtype=np.int32))
    assert segments(mosaics.select(slice(1, 3))) == segments(mosaics)[1:]
    assert segments(mosaics.select(slice(1, 1))) == []
