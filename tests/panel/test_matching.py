"""A model's sites in other genotypes, however those write them."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from haploom.cli.frame import min_coverage_option
from haploom.errors import SiteMismatchError
from haploom.panel import MISSING, DosagePanel, MatchedRows, Panel, Variants, bits, match_sites
from haploom.panel.matching import MIN_COVERAGE, Reading, matched_panel
from haploom.panel.variants import STRING

ABSENT, AMBIGUOUS, EXACT, SWAPPED, STRAND, STRAND_SWAPPED = Reading
OTHER = dict(zip("ACGT", "TGCA"))
SNPS = list(itertools.permutations("ACGT", 2))
PLAIN_SNPS = [(ref, alt) for ref, alt in SNPS if OTHER[ref] != alt]


def sites(*keys: str) -> Variants:
    """From `chrom:pos:ref:alt` texts."""
    rows = [key.split(":") for key in keys]
    chrom, position, ref, alt = np.array(rows, dtype=STRING).reshape(-1, 4).T
    return Variants(chrom, position.astype(np.int64), ["."] * len(keys), ref, alt)


def rewritten(ref: str, alt: str, reading: Reading) -> tuple[str, str]:
    """How a panel of this kind writes the two alleles."""
    if reading in (STRAND, STRAND_SWAPPED):
        ref, alt = OTHER[ref], OTHER[alt]
    return (alt, ref) if reading in (SWAPPED, STRAND_SWAPPED) else (ref, alt)


@st.composite
def rewritten_panels(draw) -> tuple[Variants, np.ndarray, Panel, np.ndarray]:
    """(model's sites, true alleles there, a panel that writes them in its own ways, which way for each)."""
    n_sites = draw(st.integers(1, 40))
    pairs = draw(st.lists(st.sampled_from(PLAIN_SNPS), min_size=n_sites, max_size=n_sites))
    ways = draw(
        st.lists(st.sampled_from([ABSENT, EXACT, SWAPPED, STRAND, STRAND_SWAPPED]), min_size=n_sites, max_size=n_sites)
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    # Two contigs, the positions of the second going on from 1, and sites of the panel's own between the model's.
    first = draw(st.integers(0, n_sites))
    contigs = ["1"] * first + ["2"] * (n_sites - first)
    positions = [*range(2, 2 * first + 2, 2), *range(2, 2 * (n_sites - first) + 2, 2)]
    model = sites(*(f"{c}:{p}:{ref}:{alt}" for c, p, (ref, alt) in zip(contigs, positions, pairs)))
    truth = rng.integers(0, 2, (6, n_sites), dtype=np.uint8)
    keys, columns = [], []
    for site, way in enumerate(ways):
        if rng.random() < 0.3:
            keys.append(f"chr{contigs[site]}:{positions[site] - 1}:A:C")
            columns.append(rng.integers(0, 2, 6, dtype=np.uint8))
        if way != ABSENT:
            ref, alt = rewritten(*pairs[site], way)
            keys.append(f"chr{contigs[site]}:{positions[site]}:{ref}:{alt}")
            columns.append(truth[:, site] ^ (way in (SWAPPED, STRAND_SWAPPED)))
    alleles = np.array(columns, dtype=np.uint8).reshape(-1, 6).T
    return model, truth, Panel.from_alleles(alleles, sites(*keys), ["a", "b", "c"]), np.array(ways)


@given(rewritten_panels())
def test_match_sites__gives_back_what_was_rewritten(given_panel):
    model, truth, panel, ways = given_panel
    match = match_sites(model, panel.variants)
    assert_array_equal(match.readings, ways)
    assert match.coverage == (ways != ABSENT).mean()
    for rows, counts, called in MatchedRows(panel, match).blocks():
        assert_array_equal(called, ways != ABSENT)
        assert_array_equal(counts, np.where(called, truth[rows], 0))
    if (ways != ABSENT).all():
        assert_array_equal(matched_panel(panel, match).alleles(), truth)
    else:
        with pytest.raises(SiteMismatchError):
            matched_panel(panel, match)


@given(rewritten_panels(), st.integers(0, 2**32))
def test_matched_rows__dosages_with_missing_calls(given_panel, seed):
    model, truth, panel, ways = given_panel
    people = DosagePanel.from_panel(panel)
    dosages = people.dosages.copy()
    dosages[np.random.default_rng(seed).random(dosages.shape) < 0.3] = MISSING
    people = DosagePanel(dosages, people.variants, people.samples)
    match = match_sites(model, people.variants)
    counts, called = MatchedRows(people, match).rows(np.array([2, 0]))
    assert counts.dtype == np.uint8
    assert called.shape == counts.shape == (2, len(model))
    for row, person in enumerate((2, 0)):
        for site in range(len(model)):
            there = ways[site] != ABSENT and dosages[person, match.columns[site]] != MISSING
            assert called[row, site] == there
            assert counts[row, site] == (truth[2 * person : 2 * person + 2, site].sum() if there else 0)


def by_pairs(model: list[tuple], here: list[tuple]) -> tuple[list[int], list[Reading]]:
    """Every model site beside every other, one reading after the other, without the rules on doubtful sites."""
    columns, readings = [-1] * len(model), [ABSENT] * len(model)
    for reading in (EXACT, SWAPPED, STRAND, STRAND_SWAPPED):
        for i, (contig, position, ref, alt) in enumerate(model):
            single = len(ref) == len(alt) == 1 and OTHER[ref] != alt
            if readings[i] != ABSENT or (reading >= STRAND and not single):
                continue
            for j, other in enumerate(here):
                if j not in columns and other == (contig, position, *rewritten(ref, alt, reading)):
                    columns[i], readings[i] = j, reading
                    break
    return columns, readings


def doubtful(model: list[tuple], readings: list[Reading]) -> list[bool]:
    """The rules on A/T and C/G SNPs and on indels, by counting."""
    kinds = ["indel" if len(r) != len(a) else "same" if OTHER.get(r) == a else "plain" for _, _, r, a in model]
    n = {way: sum(k == "plain" and r == way for k, r in zip(kinds, readings)) for way in Reading}
    refused = {
        ("same", EXACT): n[STRAND_SWAPPED] > n[EXACT] / 100,
        ("same", SWAPPED): n[STRAND] > n[SWAPPED] / 100,
        ("indel", SWAPPED): n[SWAPPED] < n[EXACT] / 100,
    }
    return [refused.get(each, False) for each in zip(kinds, readings)]


# Few places and alleles, so that sites repeat, share positions and come in both orders.
MESSY = st.lists(
    st.tuples(
        st.sampled_from("12"), st.integers(1, 3), st.sampled_from(["A", "C", "G", "T", "AC"]),
        st.sampled_from(["A", "C", "T", "G", "ACC"]),
    ).filter(lambda site: site[2] != site[3]),
    min_size=1, max_size=30,
).map(lambda found: sorted(found, key=lambda site: site[:2]))  # fmt: skip


@given(MESSY, MESSY)
def test_match_sites__as_every_pair_compared(model, here):
    match = match_sites(*(sites(*(":".join(map(str, site)) for site in each)) for each in (model, here)))
    columns, readings = by_pairs(model, here)
    doubts = doubtful(model, readings)
    assert match.columns.tolist() == [-1 if doubt else column for column, doubt in zip(columns, doubts)]
    assert match.readings.tolist() == [AMBIGUOUS if doubt else way for way, doubt in zip(readings, doubts)]


def readings_of(model: str, here: str) -> list[Reading]:
    return [Reading(each) for each in match_sites(sites(*model.split()), sites(*here.split())).readings]


def test_match_sites__palindromic_snps_are_never_read_on_the_other_strand():
    # T/A is A/T swapped or on the other strand: taken as swapped, unless this file has sites on the other strand.
    assert readings_of("1:1:A:T 1:2:A:G", "1:1:T:A 1:2:G:A") == [SWAPPED, SWAPPED]
    assert readings_of("1:1:C:G 1:2:A:G", "1:1:G:C 1:2:T:C") == [AMBIGUOUS, STRAND]
    assert readings_of("1:1:C:G 1:2:A:G 1:3:A:G", "1:1:G:C 1:2:T:C 1:3:G:A") == [AMBIGUOUS, STRAND, SWAPPED]
    # A/T as it is may be both at once.
    assert readings_of("1:1:A:T 1:2:A:G", "1:1:A:T 1:2:T:C") == [EXACT, STRAND]
    assert readings_of("1:1:A:T 1:2:A:G", "1:1:A:T 1:2:C:T") == [AMBIGUOUS, STRAND_SWAPPED]


def test_match_sites__a_stray_strand_does_not_cost_the_palindromic_sites():
    keys = [f"1:{position}:A:G" for position in range(1, 102)]
    stray = ["1:1:C:T", *keys[1:]]
    assert match_sites(sites(*keys, "1:200:A:T"), sites(*stray, "1:200:A:T")).readings[-1] == EXACT
    # One in 99 is more than one in a hundred.
    assert match_sites(sites(*keys[:100], "1:200:A:T"), sites(*stray[:100], "1:200:A:T")).readings[-1] == AMBIGUOUS


def test_match_sites__a_swapped_indel_may_be_another_variant():
    assert readings_of("1:1:G:T 1:5:GTT:G", "1:1:G:T 1:5:G:GTT") == [EXACT, AMBIGUOUS]
    assert readings_of("1:1:G:T 1:5:GTT:G", "1:1:T:G 1:5:G:GTT") == [SWAPPED, SWAPPED]
    assert readings_of("1:1:G:T 1:5:GTT:G", "1:1:G:T 1:5:GTT:G") == [EXACT, EXACT]


def test_match_sites__contigs_named_otherwise():
    match = match_sites(sites("21:7:A:C", "22:7:A:C"), sites("chr21:7:A:C", "chr22:7:C:A"))
    assert match.columns.tolist() == [0, 1]
    assert match.flipped.tolist() == [False, True]
    assert match.wanted.contigs() == ["chr21", "chr22"]


def test_matched_rows__blocks_cover_all_rows(two_populations, monkeypatch):
    monkeypatch.setattr(bits, "BLOCK_BYTES", 2100)  # 7 rows of 300 sites
    match = match_sites(two_populations.variants.select(slice(10, 20)), two_populations.variants)
    blocks = list(MatchedRows(two_populations, match).blocks())
    assert [rows.stop - rows.start for rows, _, _ in blocks] == [7] * 17 + [1]
    assert_array_equal(np.concatenate([counts for _, counts, _ in blocks]), two_populations.alleles()[:, 10:20])


def test_matched_rows__nothing_in_common(two_populations):
    match = match_sites(sites("7:1:A:C", "7:2:A:C"), two_populations.variants)
    for panel in (two_populations, DosagePanel.from_panel(two_populations), two_populations.select_sites(slice(0))):
        counts, called = MatchedRows(panel, match).rows(slice(3))
        assert counts.shape == (3, 2)
        assert not counts.any()
        assert not called.any()


def test_report__counts_every_way():
    model = sites("1:1:A:C", "1:2:A:C", "1:3:A:C", "1:4:A:C", "1:5:A:T", "1:6:A:C", "1:7:A:C")
    here = sites("1:1:A:C", "1:2:C:A", "1:3:T:G", "1:4:G:T", "1:5:A:T", "1:6:A:G", "1:9:A:C")
    assert match_sites(model, here).report().split(". ") == [
        "4 of the model's 7 sites (57.1 %) are among the 7 here: 1 as they are, "
        "1 with reference and alternate swapped (recoded), 2 on the other strand (recoded)",
        "1 are not used, as their strand or swap cannot be told (the first: 1:5:A:T)",
        "2 are absent (the first: 1:6:A:C, 1:7:A:C)",
        "At 1 of the absent sites stand other alleles (such as 1:6:A:G), as in another genome build.",
    ]


def test_report__a_third_allele_here_and_there_is_no_other_build():
    keys = [f"1:{position}:A:C" for position in range(1, 12)]
    assert match_sites(sites(*keys), sites("1:1:A:G", *keys[1:])).report().endswith("(such as 1:1:A:G).")


@pytest.mark.parametrize(
    ("here", "says"),
    [
        ("2:1:A:C", "The model is of contig 1, these sites are of 2. Wanted at least 50 %"),
        ("1:8:A:C", "No position is shared: the model has 3 sites, 1:1 to 1:3, these are 1 sites, 1:8 to 1:8. Another"),
        (
            "1:1:A:G 1:2:A:G 1:3:A:C",
            "At 2 of the absent sites stand other alleles (such as 1:1:A:G), as in another genome build",
        ),
        ("1:2:A:C", "1 of the model's 3 sites (33.3 %) are among the 1 here: 1 as they are. 2 are absent (the first: "),
    ],
)
def test_require__refuses_with_what_overlaps(here, says):
    match = match_sites(sites("1:1:A:C", "1:2:A:C", "1:3:A:C"), sites(*here.split()))
    with pytest.raises(SiteMismatchError) as refused:
        match.require()
    assert says in str(refused.value)


def test_require__another_build_is_named_by_its_lengths():
    # The lengths of chromosome 22, as the headers of 1000 Genomes files of both builds give them.
    wanted = replace(sites("22:1:A:C", "22:2:A:C"), contig_length_bp={"22": 51304566})
    here = replace(sites("chr22:8:A:C", "chr22:9:A:C"), contig_length_bp={"chr22": 50818468})
    with pytest.raises(SiteMismatchError, match=r"\(GRCh37\) and 50,818,468 bp here \(GRCh38\): these sites are of an"):
        match_sites(wanted, here).require()


def test_require__another_build_is_named_by_moved_identifiers():
    wanted, here = sites("22:1:A:C", "22:2:A:C", "22:3:A:C"), sites("22:8:A:C", "22:9:A:C", "22:10:A:C")
    wanted, here = (replace(each, id=np.array(["rs5", "rs6", "."], dtype=STRING)) for each in (wanted, here))
    with pytest.raises(SiteMismatchError, match=r"2 identifiers .* \(the first: rs5 at 1 in the model and at 8 here\)"):
        match_sites(wanted, here).require()
    assert "identifiers" not in match_sites(wanted, wanted.select(slice(0, 2))).report()


def test_require__the_threshold_is_enough():
    match = match_sites(sites("1:1:A:C", "1:2:A:C"), sites("1:2:A:C"))
    match.require(0.5)
    with pytest.raises(SiteMismatchError, match="or accept fewer with --min-coverage"):
        match.require(0.51)
    with pytest.raises(SiteMismatchError, match="Wanted all of the model's sites"):
        match.require(1)
    with pytest.raises(SiteMismatchError):  # nothing is never enough
        match_sites(sites("1:1:A:C"), sites("1:2:A:C")).require(0)


def test_min_coverage_option__has_the_librarys_default():
    option = min_coverage_option(lambda: None).__click_params__[0]
    assert option.default == MIN_COVERAGE
