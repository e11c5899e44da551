"""Common sites, the smallest way: the mix of `common_sites` under more weight sets, and a network that knows panels.

As `common_sites` with all orders and donors, but six weight sets mix the cells (three more: by the best donor, by how
often the person's other haplotype surprised of late, and by the match and allele above), at smaller rates; and where
the result is unsure, a network trained on simulated panels (`learned_expert`) is asked, and mixed with it.
"""

import numpy as np

from haploom.entropy_coding.common_sites import (
    COUNT_INPUTS,
    EVEN,
    EXPERT_INPUTS,
    FIRST_WEIGHT,
    OTHER_INPUTS,
    SITE_CELLS,
    TABLE,
    ask_expert,
    count_contexts,
    forget_shorter,
    other_contexts,
)
from haploom.entropy_coding.donors import UNKNOWN, donor_contexts, learn_donors, new_donors
from haploom.entropy_coding.learned_expert import (
    N_FEATURES,
    N_MIXED,
    UNSURE,
    Network,
    fill_features,
    fill_mate_features,
    fill_own_features,
    learned_logit,
)
from haploom.entropy_coding.match_lengths import half_octave, octave
from haploom.entropy_coding.mixing import (
    MAX_LOGIT,
    cell_logit,
    learn_weights,
    mixed_logit,
    squash,
    updated_cell,
)
from haploom.entropy_coding.neighbours import FIRST, VOTES_0, VOTES_1, neighbour_contexts
from haploom.entropy_coding.pbwt import new_orders, pass_site
from haploom.entropy_coding.range_coder import code_bit
from haploom.kernels import int64, kernel

_LIMIT = 4095
_SITE_RATE, _SET_RATE, _LAST_RATE = 8, 2, 1
_N_SETS = 6
_OF_SITE = 2  # the set of the site, which starts from its class
_SET_SIZE = 256


@kernel
def pick_sets(tally: np.ndarray, length: int, surprise: int, mate: int, best_donor: int, picked: np.ndarray) -> None:
    """Which weights of each set mix an allele: int64 (_N_SETS,), all but that of the site filled, below _SET_SIZE.

    surprise, mate: 0 to 3, of the haplotype and of the person's other one. best_donor: context 1 of the donors.
    """
    picked[0] = min(tally[VOTES_0], 15) * 16 + min(tally[VOTES_1], 15)
    picked[1] = octave(length) * 4 + surprise
    picked[3] = 0 if best_donor == 0 else 1 + (best_donor - 1) // 16
    picked[4] = mate
    picked[5] = half_octave(length) * 3 + tally[FIRST]


@kernel
def code_common_sites(
    coder: np.ndarray,
    data: np.ndarray,
    columns: np.ndarray,
    sites: np.ndarray,
    classes: np.ndarray,
    rules: np.ndarray,
    n_donors: int,
    network: Network,
    expert: np.ndarray,
    asked: np.ndarray,
) -> int:
    """Code the columns of the common sites, uint8 (n_common, n_haplotypes) of 0 and 1 (1 = minor), in and out.

    sites, classes, rules, n_donors, expert: as in `common_sites.code_common_sites`, with N_ORDERS rules. asked: int16
    (n_rows, N_FEATURES + 1), filled with the features and the allele each time the network is asked, as far as there is
    room: what it is trained on. Returns how often it was asked.
    """
    n_common, n = columns.shape
    n_orders = rules.shape[0]
    order, start, places, scratch = new_orders(n_orders, n)
    known = np.empty((n_orders, n), dtype=np.uint8)
    donors = new_donors(n, n_donors)
    alleles = np.empty(n, dtype=np.uint8)
    surprises, lately = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    foretold = np.zeros(n, dtype=np.int64)
    counts = np.empty((COUNT_INPUTS, 3), dtype=np.int64)
    tally = np.empty(5, dtype=np.int64)

    other = COUNT_INPUTS + n_orders
    fresh = other + OTHER_INPUTS - 1  # the input whose table starts anew at every site
    n_inputs = N_MIXED + (EXPERT_INPUTS if expert.size else 0)
    cells = np.full(n_inputs * TABLE, EVEN, dtype=np.int64)
    chosen = np.zeros(n_inputs, dtype=np.int64)
    of_neighbours, of_others, of_donors = chosen[COUNT_INPUTS:other], chosen[other:], chosen[fresh + 1 :]
    logits, mixes = np.zeros(n_inputs, dtype=np.int64), np.zeros(_N_SETS, dtype=np.int64)
    sets = np.full((_N_SETS, _SET_SIZE, n_inputs), FIRST_WEIGHT, dtype=np.int64)
    by_class = np.full((64, n_inputs), FIRST_WEIGHT, dtype=np.int64)
    last = np.full((64, _N_SETS), 65536 // _N_SETS, dtype=np.int64)
    picked = np.zeros(_N_SETS, dtype=np.int64)
    features = np.zeros(N_FEATURES, dtype=np.int32)
    first, second = np.zeros(network.b1.size, dtype=np.int32), np.zeros(network.b2.size, dtype=np.int32)
    both, trust = np.zeros(2, dtype=np.int64), np.full((64, 2), 32768, dtype=np.int64)
    n_asked = int64(0)

    for k in range(n_common):
        column, site, kind = columns[k], sites[k], int64(classes[k])
        known[:] = UNKNOWN
        alleles[:] = UNKNOWN
        counts[:] = 0
        cells[fresh * TABLE : fresh * TABLE + SITE_CELLS] = EVEN
        of_site = sets[_OF_SITE, 0]
        for a in range(n_inputs):
            of_site[a] = by_class[kind, a]
        ones, site_surprise = int64(0), int64(0)
        for i in range(n):
            h = order[0, i]
            mate = min(h ^ 1, n - 1)  # the last of an odd number is its own
            length = site - start[0, i]
            surprise = min(surprises[h] >> 8, 3)
            forget_shorter(counts, length)
            count_contexts(counts, kind, chosen)
            neighbour_contexts(places, h, known, start, site, of_neighbours, tally)
            other_contexts(tally, length, kind, surprise, i * 16 // n, ones, of_others)
            donor_contexts(donors[h], alleles, site, of_donors)
            pick_sets(tally, length, surprise, min(surprises[mate] >> 8, 3), of_donors[1], picked)
            if expert.size:
                ask_expert(int64(expert[k, h]), kind, N_MIXED, chosen, cells)
            for a in range(n_inputs):
                chosen[a] += a * TABLE
                logits[a] = cell_logit(cells[chosen[a]])
            for s in range(_N_SETS):
                mixes[s] = min(max(mixed_logit(logits, sets[s, picked[s]], n_inputs), -MAX_LOGIT), MAX_LOGIT)
            of_last = last[min(tally[VOTES_0], 7) * 8 + min(tally[VOTES_1], 7)]
            mixed = min(max(mixed_logit(mixes, of_last, _N_SETS), -MAX_LOGIT), MAX_LOGIT)
            p = squash(mixed)
            bit = int64(column[h])
            if -UNSURE < mixed < UNSURE:
                fill_features(logits, chosen, tally, counts, features)
                fill_own_features(
                    mixed, length, surprises[h], lately[h], site_surprise, i, n, ones, kind, features
                )  # fmt: skip
                fill_mate_features(int64(alleles[mate]), foretold[mate], lately[mate], features)
                both[0], both[1] = mixed, learned_logit(network, features, first, second)
                sure = squash(mixed_logit(both, trust[kind], 2))
                bit = code_bit(coder, data, sure, bit)
                learn_weights(both, trust[kind], 2, (bit << 16) - sure, _LAST_RATE)
                if n_asked < asked.shape[0]:
                    for j in range(N_FEATURES):
                        asked[n_asked, j] = features[j]
                    asked[n_asked, N_FEATURES] = bit
                n_asked += 1
            else:
                bit = code_bit(coder, data, p, bit)
            target = bit << 16
            learn_weights(mixes, of_last, _N_SETS, target - p, _LAST_RATE)
            for s in range(_N_SETS):
                rate = _SITE_RATE if s == _OF_SITE else _SET_RATE
                learn_weights(logits, sets[s, picked[s]], n_inputs, target - squash(mixes[s]), rate)
            for a in range(n_inputs):
                cells[chosen[a]] = updated_cell(cells[chosen[a]], bit, _LIMIT)
            column[h] = bit
            alleles[h] = bit
            foretold[h] = p
            for o in range(n_orders):
                known[o, places[h, o]] = bit
            ones += bit
            for level in range(COUNT_INPUTS):
                counts[level, bit] += 1
                counts[level, 2] = 1 + bit
            # Running means of how improbable the alleles were: of this haplotype, slower and faster, and of the site.
            error = 65536 - p if bit else p
            surprises[h] += (error - surprises[h] * 64) >> 8
            lately[h] += (error - lately[h] * 8) >> 6
            site_surprise += (error * 4 - site_surprise) >> 7

        for a in range(n_inputs):
            by_class[kind, a] += (of_site[a] - by_class[kind, a]) >> 2
        learn_donors(donors, order[0], start[0], column, site)
        pass_site(rules, k, kind, order, start, places, column, site, scratch)
    return n_asked
