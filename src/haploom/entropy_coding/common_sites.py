"""Common sites, the small way: every allele under a mix of many contexts.

Sites are coded from left to right, the haplotypes of a site in the PBWT order of all common sites before it (the main
order). The contexts of an allele, each the number of a cell in a table of its own:
- counts: among the haplotypes just coded that match this one over at least 4, 16, 64, ... sites, how many carry each
  allele, and what the last of them carries (with the class of the site);
- neighbours: one for each PBWT order (see `neighbours`);
- the longest match for each allele; the votes of the neighbours and how often this haplotype surprised of late; the
  ones and haplotypes so far at this site (with its class); the match above in the main order against the longest one
  that contradicts it; and a small one that starts anew at every site;
- donors (see `donors`), where the level keeps them;
- an expert's log-odds, where there is one: a cell for each step of them (with the class of the site), and as they are.
Three weight sets (by votes, by match length and surprise, and of the site itself) mix the cells, a last one mixes
the three results.

Where many haplotypes with a long match all carry the same allele, a level may code the next one under a single cell:
most alleles are of that kind and cost next to nothing either way.
"""

import numpy as np

from haploom.entropy_coding.donors import DONOR_INPUTS, UNKNOWN, donor_contexts, learn_donors, new_donors
from haploom.entropy_coding.match_lengths import half_octave, octave
from haploom.entropy_coding.mixing import (
    MAX_LOGIT,
    cell_logit,
    cell_probability,
    learn_weights,
    mixed_logit,
    squash,
    updated_cell,
)
from haploom.entropy_coding.neighbours import FIRST, LONGEST_0, LONGEST_1, VOTES_0, VOTES_1, neighbour_contexts
from haploom.entropy_coding.pbwt import new_orders, pass_site
from haploom.entropy_coding.range_coder import code_bit
from haploom.kernels import int64, kernel

TABLE = 4096  # cells of each input
COUNT_INPUTS = 6
OTHER_INPUTS = 5
EXPERT_INPUTS = 2
SITE_CELLS = 64  # of the table that starts anew
_LIMIT = 4095
EVEN = int64(32768) << 32  # a cell that has seen nothing
FIRST_WEIGHT = 65536 * 8 // 100
_UNANIMOUS = 16
_UNANIMOUS_LEVEL = 2
_SITE_RATE, _SET_RATE, _LAST_RATE = 8, 4, 1
_EXPERT_STEP = 45  # 1/256 nat: of its log-odds in one cell
NO_EXPERT = np.empty((0, 0), dtype=np.int16)


@kernel
def forget_shorter(counts: np.ndarray, length: int) -> None:
    """Start anew the levels of counts that ask for a longer match than `length`.

    counts: int64 (COUNT_INPUTS, 3): zeros, ones, and 1 + the last allele (0: none) of each level.
    """
    for level in range(COUNT_INPUTS):
        if length < 4 << (2 * level):
            counts[level] = 0


@kernel
def unanimous_context(counts: np.ndarray, length: int, kind: int, surprise: int) -> int:
    """Context of an allele that can be foretold without asking further, or -1.

    So it is when at least _UNANIMOUS haplotypes that match over 64 sites or more were coded and all carry the same.
    """
    zeros, ones = counts[_UNANIMOUS_LEVEL, 0], counts[_UNANIMOUS_LEVEL, 1]
    if max(zeros, ones) < _UNANIMOUS or min(zeros, ones) > 0 or surprise == 3:
        return int64(-1)
    allele = int64(ones > 0)
    seen = min(octave(zeros + ones), 11)
    return (((allele * 12 + seen) * 16 + octave(length)) * 3 + surprise) * 9 + min(kind // 3, 8)


@kernel
def count_contexts(counts: np.ndarray, kind: int, contexts: np.ndarray) -> None:
    """Contexts below TABLE from the haplotypes just coded, one for each level of counts."""
    for level in range(COUNT_INPUTS):
        zeros, ones = min(octave(counts[level, 0]), 11), min(octave(counts[level, 1]), 11)
        contexts[level] = ((min(kind // 3, 8) * 12 + zeros) * 12 + ones) * 3 + counts[level, 2]


@kernel
def other_contexts(
    tally: np.ndarray, length: int, kind: int, surprise: int, progress: int, ones: int, contexts: np.ndarray
) -> None:
    """The contexts that look at all neighbours and at the site: int64 (OTHER_INPUTS,), filled."""
    longest_0, longest_1 = tally[LONGEST_0], tally[LONGEST_1]
    votes_0, votes_1, first = tally[VOTES_0], tally[VOTES_1], tally[FIRST]
    contrary = longest_0 if first else longest_1
    verdict = 2 if votes_0 and votes_1 else (1 if votes_1 else 0)
    contexts[0] = half_octave(longest_0) * 32 + half_octave(longest_1)
    contexts[1] = (min(votes_0, 15) * 16 + min(votes_1, 15)) * 4 + surprise
    contexts[2] = (min(kind, 31) * 16 + progress) * 8 + min(octave(ones) // 2, 7)
    contexts[3] = (half_octave(length) * 3 + first) * 32 + half_octave(contrary)
    contexts[4] = (first * 3 + verdict) * 7 + min(octave(length) // 2, 6)


@kernel
def ask_expert(said: int, kind: int, first: int, chosen: np.ndarray, cells: np.ndarray) -> None:
    """Contexts of an expert's log-odds for inputs first and first + 1, the second of which says just those.

    said: of allele 1, 1/256 nat, from -MAX_LOGIT to MAX_LOGIT.
    """
    chosen[first] = (said + MAX_LOGIT) // _EXPERT_STEP * 32 + min(kind, 31)
    chosen[first + 1] = 0
    cells[(first + 1) * TABLE] = int64(squash(said)) << 32


@kernel
def code_under_three_sets(
    coder: np.ndarray,
    data: np.ndarray,
    cells: np.ndarray,
    chosen: np.ndarray,
    logits: np.ndarray,
    set_a: np.ndarray,
    set_b: np.ndarray,
    set_c: np.ndarray,
    three: np.ndarray,
    last: np.ndarray,
    bit: int,
) -> tuple[int, int]:
    """Code one bit under three mixes of the chosen cells and a mix of those; all learn. Returns the bit and p.

    set_a, set_b, set_c: int64 (n_inputs,). last: int64 (3,). logits: int64 (n_inputs,) and three: (3,), scratch.
    """
    n_inputs = chosen.size
    for a in range(n_inputs):
        logits[a] = cell_logit(cells[chosen[a]])
    three[0] = min(max(mixed_logit(logits, set_a, n_inputs), -MAX_LOGIT), MAX_LOGIT)
    three[1] = min(max(mixed_logit(logits, set_b, n_inputs), -MAX_LOGIT), MAX_LOGIT)
    three[2] = min(max(mixed_logit(logits, set_c, n_inputs), -MAX_LOGIT), MAX_LOGIT)
    p = squash(mixed_logit(three, last, 3))
    bit = code_bit(coder, data, p, bit)
    target = bit << 16
    learn_weights(three, last, 3, target - p, _LAST_RATE)
    learn_weights(logits, set_a, n_inputs, target - squash(three[0]), _SET_RATE)
    learn_weights(logits, set_b, n_inputs, target - squash(three[1]), _SET_RATE)
    learn_weights(logits, set_c, n_inputs, target - squash(three[2]), _SITE_RATE)
    for a in range(n_inputs):
        cells[chosen[a]] = updated_cell(cells[chosen[a]], bit, _LIMIT)
    return bit, p


@kernel
def code_common_sites(
    coder: np.ndarray,
    data: np.ndarray,
    columns: np.ndarray,
    sites: np.ndarray,
    classes: np.ndarray,
    rules: np.ndarray,
    n_donors: int,
    shortcut: bool,
    expert: np.ndarray,
) -> None:
    """Code the columns of the common sites, uint8 (n_common, n_haplotypes) of 0 and 1 (1 = minor), in and out.

    sites: int64 (n_common,), their places among all sites. classes: uint8 (n_common,).
    rules: int64 (n_orders, 3), one row for each PBWT order: it passes only common sites of at least this class, and
    (where the run is not 0) of those only the runs of this many common sites whose number is odd or even: the phase.
    n_donors: donors of each haplotype; 0 leaves their inputs out. shortcut: whether unanimous alleles skip the mix.
    expert: int16 (n_common, n_haplotypes), what `ask_expert` is told of each allele; NO_EXPERT leaves its inputs out.
    """
    n_common, n = columns.shape
    n_orders = rules.shape[0]
    order, start, places, scratch = new_orders(n_orders, n)
    known = np.empty((n_orders, n), dtype=np.uint8)
    donors = new_donors(n, n_donors)
    alleles = np.empty(n, dtype=np.uint8)
    surprises = np.zeros(n, dtype=np.int64)
    counts = np.empty((COUNT_INPUTS, 3), dtype=np.int64)
    tally = np.empty(5, dtype=np.int64)

    other = COUNT_INPUTS + n_orders
    fresh = other + OTHER_INPUTS - 1  # the input whose table starts anew at every site
    of_expert = other + OTHER_INPUTS + (DONOR_INPUTS if n_donors else 0)
    n_inputs = of_expert + (EXPERT_INPUTS if expert.size else 0)
    cells = np.full(n_inputs * TABLE, EVEN, dtype=np.int64)
    chosen = np.zeros(n_inputs, dtype=np.int64)
    of_neighbours, of_others, of_donors = chosen[COUNT_INPUTS:other], chosen[other:], chosen[fresh + 1 :]
    logits, three = np.zeros(n_inputs, dtype=np.int64), np.zeros(3, dtype=np.int64)
    by_votes = np.full((256, n_inputs), FIRST_WEIGHT, dtype=np.int64)
    by_length = np.full((64, n_inputs), FIRST_WEIGHT, dtype=np.int64)
    by_class = np.full((64, n_inputs), FIRST_WEIGHT, dtype=np.int64)
    unanimous = np.full(2 * 12 * 16 * 3 * 9, EVEN, dtype=np.int64)
    last = np.full((64, 3), 65536 // 3, dtype=np.int64)

    for k in range(n_common):
        column, site, kind = columns[k], sites[k], int64(classes[k])
        known[:] = UNKNOWN
        alleles[:] = UNKNOWN
        counts[:] = 0
        cells[fresh * TABLE : fresh * TABLE + SITE_CELLS] = EVEN
        of_site = by_class[kind].copy()
        ones = int64(0)
        for i in range(n):
            h = order[0, i]
            length = site - start[0, i]
            surprise = min(surprises[h] >> 8, 3)
            forget_shorter(counts, length)
            foretold = unanimous_context(counts, length, kind, surprise) if shortcut else int64(-1)
            if foretold >= 0:
                p = cell_probability(unanimous[foretold])
                bit = code_bit(coder, data, p, int64(column[h]))
                unanimous[foretold] = updated_cell(unanimous[foretold], bit, _LIMIT)
            else:
                count_contexts(counts, kind, chosen)
                neighbour_contexts(places, h, known, start, site, of_neighbours, tally)
                other_contexts(tally, length, kind, surprise, i * 16 // n, ones, of_others)
                if n_donors:
                    donor_contexts(donors[h], alleles, site, of_donors)
                if expert.size:
                    ask_expert(int64(expert[k, h]), kind, of_expert, chosen, cells)
                for a in range(n_inputs):
                    chosen[a] += a * TABLE
                votes_0, votes_1 = tally[VOTES_0], tally[VOTES_1]
                bit, p = code_under_three_sets(
                    coder, data, cells, chosen, logits,
                    by_votes[min(votes_0, 15) * 16 + min(votes_1, 15)], by_length[octave(length) * 4 + surprise],
                    of_site, three, last[min(votes_0, 7) * 8 + min(votes_1, 7)], int64(column[h]),
                )  # fmt: skip
            column[h] = bit
            alleles[h] = bit
            for o in range(n_orders):
                known[o, places[h, o]] = bit
            ones += bit
            for level in range(COUNT_INPUTS):
                counts[level, bit] += 1
                counts[level, 2] = 1 + bit
            # A running mean of how improbable this haplotype's alleles were, in 1/1024.
            surprises[h] += ((65536 - p if bit else p) - surprises[h] * 64) >> 8

        for a in range(n_inputs):
            by_class[kind, a] += (of_site[a] - by_class[kind, a]) >> 2
        if n_donors:
            learn_donors(donors, order[0], start[0], column, site)
        pass_site(rules, k, kind, order, start, places, column, site, scratch)
