"""Common sites, the small way: every allele under a mix of many contexts.

Haplotypes are taken in the PBWT order of all common sites passed (the main order). What is asked of each allele:
- among the haplotypes just coded that match this one over at least 8, 32, ... sites, how many carry 0 and 1;
- in the main and in several other PBWT orders (of frequent sites only, of every second site, ...), the alleles and
  match lengths of the nearest haplotypes above and below whose allele is already known.
Each question picks a cell; three weight sets mix the cells, a last one mixes the three.
"""

import numpy as np

from haploom.entropy_coding.match_lengths import half_octave, octave
from haploom.entropy_coding.mixing import (
    MAX_LOGIT,
    cell_logit,
    learn_weights,
    mixed_logit,
    squash,
    updated_cell,
)
from haploom.entropy_coding.pbwt import advance, rank_of
from haploom.entropy_coding.range_coder import code_bit
from haploom.kernels import kernel

_LEVELS = 6
_UNKNOWN = 2
_TABLE = 4096
_SCAN = 16
_LIMIT = 1023


@kernel
def known_neighbour(order, start, i, step, known, site, found):
    """Nearest haplotype above (step -1) or below (step 1) place i whose allele is known.

    found: int64 (2,), filled with its allele (or _UNKNOWN) and its match length in sites.
    """
    since = np.int64(-1)
    j = i
    for _ in range(_SCAN):
        if step < 0:
            since = max(since, np.int64(start[j]))
            j -= 1
        else:
            j += 1
            if j < order.size:
                since = max(since, np.int64(start[j]))
        if j < 0 or j >= order.size or since >= site:
            break
        allele = known[order[j]]
        if allele != _UNKNOWN:
            found[0] = allele
            found[1] = site - since
            return
    found[0] = _UNKNOWN
    found[1] = 0


@kernel
def side_context(allele, length):
    """0 to 24: nothing known, or the allele and the octave of the match length."""
    if allele == _UNKNOWN:
        return 0
    return 1 + allele * 12 + min(max(octave(length) - 1, 0), 11)


@kernel
def code_common_sites(coder, data, columns, sites, classes, rules):
    """Code the columns of the common sites, uint8 (n_common, n_haplotypes) of 0 and 1 (1 = minor), in and out.

    sites: int64 (n_common,), their places among all sites. classes: uint8 (n_common,).
    rules: int64 (n_orders, 3): lowest class, run length, phase; row 0 is the main order.
    """
    n_common, n = columns.shape
    n_orders = rules.shape[0]
    order = np.empty((n_orders, n), dtype=np.int32)
    start = np.zeros((n_orders, n), dtype=np.int32)
    rank = np.empty((n_orders, n), dtype=np.int32)
    scratch = np.empty((2, n), dtype=np.int32)
    for o in range(n_orders):
        order[o] = np.arange(n)
        rank[o] = np.arange(n)

    n_inputs = _LEVELS + n_orders + 5
    cells = np.full(n_inputs * _TABLE, np.int64(32768) << 32, dtype=np.int64)
    chosen = np.zeros(n_inputs, dtype=np.int64)
    logits = np.zeros(n_inputs, dtype=np.int64)
    by_votes = np.full((1024, n_inputs), 65536 * 2 // 10, dtype=np.int64)
    by_length = np.full((256, n_inputs), 65536 * 2 // 10, dtype=np.int64)
    by_class = np.full((64, n_inputs), 65536 * 2 // 10, dtype=np.int64)
    last = np.full((64, 3), 65536 // 3, dtype=np.int64)
    three = np.zeros(3, dtype=np.int64)
    counts = np.zeros((_LEVELS, 3), dtype=np.int64)
    known = np.empty(n, dtype=np.uint8)
    surprises = np.zeros(n, dtype=np.int64)
    found = np.zeros(2, dtype=np.int64)
    site_base = (n_inputs - 1) * _TABLE

    for k in range(n_common):
        column = columns[k]
        site = sites[k]
        kind = np.int64(classes[k])
        known[:] = _UNKNOWN
        counts[:] = 0
        cells[site_base : site_base + 256] = np.int64(32768) << 32
        ones_seen = np.int64(0)
        for i in range(n):
            h = order[0, i]
            length = site - start[0, i]
            for level in range(_LEVELS):
                if length < 4 << (2 * level):
                    counts[level] = 0
                zeros, ones = counts[level, 0], counts[level, 1]
                chosen[level] = (level * _TABLE) + (min(octave(zeros), 11) * 12 + min(octave(ones), 11)) * 3 + counts[level, 2]
            best_0, best_1 = np.int64(0), np.int64(0)
            votes_0, votes_1 = 0, 0
            at = _LEVELS
            for o in range(n_orders):
                j = rank[o, h]
                known_neighbour(order[o], start[o], j, -1, known, site, found)
                above = side_context(found[0], found[1])
                if found[0] == 0:
                    best_0 = max(best_0, found[1])
                    votes_0 += 1
                elif found[0] == 1:
                    best_1 = max(best_1, found[1])
                    votes_1 += 1
                if o == 0:
                    first = found[0]
                    below = octave(site - start[0, i + 1]) if i + 1 < n else 0
                else:
                    known_neighbour(order[o], start[o], j, 1, known, site, found)
                    below = side_context(found[0], found[1])
                    if found[0] == 0:
                        best_0 = max(best_0, found[1])
                        votes_0 += 1
                    elif found[0] == 1:
                        best_1 = max(best_1, found[1])
                        votes_1 += 1
                chosen[at] = at * _TABLE + above * 25 + below
                at += 1
            surprise = min(surprises[h] >> 8, 3)
            chosen[at] = at * _TABLE + half_octave(best_0) * 32 + half_octave(best_1)
            chosen[at + 1] = (at + 1) * _TABLE + (min(votes_0, 15) * 16 + min(votes_1, 15)) * 4 + surprise
            progress = i * 16 // n
            chosen[at + 2] = (at + 2) * _TABLE + (min(kind, 31) * 16 + progress) * 8 + min(octave(ones_seen) // 2, 7)
            chosen[at + 3] = (at + 3) * _TABLE + (half_octave(length) * 3 + first) * 32 + half_octave(best_0 if first else best_1)
            agree = 2 if votes_0 and votes_1 else (1 if votes_1 else 0)
            chosen[at + 4] = site_base + (first * 3 + agree) * 8 + min(octave(length) // 2, 7)

            for a in range(n_inputs):
                logits[a] = cell_logit(cells[chosen[a]])
            of_votes = by_votes[min(votes_0, 15) * 16 + min(votes_1, 15)]
            of_length = by_length[octave(length) * 4 + surprise]
            of_class = by_class[kind]
            three[0] = min(max(mixed_logit(logits, of_votes, n_inputs), -MAX_LOGIT), MAX_LOGIT)
            three[1] = min(max(mixed_logit(logits, of_length, n_inputs), -MAX_LOGIT), MAX_LOGIT)
            three[2] = min(max(mixed_logit(logits, of_class, n_inputs), -MAX_LOGIT), MAX_LOGIT)
            p = squash(mixed_logit(three, last[kind], 3))
            bit = code_bit(coder, data, p, np.int64(column[h]))
            target = bit << 16
            learn_weights(three, last[kind], 3, target - p, 1)
            learn_weights(logits, of_votes, n_inputs, target - squash(three[0]), 2)
            learn_weights(logits, of_length, n_inputs, target - squash(three[1]), 2)
            learn_weights(logits, of_class, n_inputs, target - squash(three[2]), 2)
            for a in range(n_inputs):
                cells[chosen[a]] = updated_cell(cells[chosen[a]], bit, _LIMIT)
            column[h] = bit
            known[h] = bit
            ones_seen += bit
            miss = target - p if bit else p
            surprises[h] += (miss - surprises[h] * 64) >> 10
            for level in range(_LEVELS):
                counts[level, bit] += 1
                counts[level, 2] = 1 + bit

        for o in range(n_orders):
            if kind >= rules[o, 0] and (rules[o, 1] == 0 or k // rules[o, 1] % 2 == rules[o, 2]):
                advance(order[o], start[o], column, site, scratch)
                rank_of(order[o], rank[o])
