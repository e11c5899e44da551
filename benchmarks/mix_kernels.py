"""What `mix.py` measures: an autoregressive network in integers, and the coder of common sites with it as an expert.

The network's log-odds of an allele are whole numbers made from whole numbers, so that a decoder on any machine makes
the same ones from the alleles it has decoded. The coder is `entropy_coding.reference_common` with two inputs more: a
cell chosen by the network's log-odds, which learns what they are worth, and the log-odds as they are.
"""

import math
from typing import NamedTuple

import numpy as np
import torch

from haploom.entropy_coding.common_sites import (
    COUNT_INPUTS,
    EVEN,
    EXPERT_INPUTS,
    FIRST_WEIGHT,
    OTHER_INPUTS,
    SITE_CELLS,
    TABLE,
    code_under_three_sets,
    count_contexts,
    forget_shorter,
    other_contexts,
)
from haploom.entropy_coding.donors import DONOR_INPUTS, UNKNOWN, donor_contexts, learn_donors, new_donors
from haploom.entropy_coding.match_lengths import octave
from haploom.entropy_coding.mixing import MAX_LOGIT, squash
from haploom.entropy_coding.neighbours import VOTES_0, VOTES_1, known_below, neighbour_contexts, side_context
from haploom.entropy_coding.pbwt import new_orders, pass_site
from haploom.entropy_coding.range_coder import blank_encoder
from haploom.entropy_coding.reference_common import counts_below
from haploom.kernels import int64, kernel
from haploom.models.autoregressive import Autoregressive

BITS = 12  # a number v of the network means v / 2^12
_GELU_LIMIT = 8 << BITS  # above it GELU is the identity, below its negative 0
_GELU_STEP = 4  # bits of a table's step
_LEVEL = 45  # 1/256 nat: of log-odds in one cell
_NO_LEVEL = 127


class Expert(NamedTuple):
    """An autoregressive network in integers, 2^BITS to one. K sites of context, W of a window, H hidden units.

    bias: int32 (n_windows, H + W), hidden units, then log-odds. zero, step: int32 (n_windows, K + W, H + W), what an
    allele 0 adds, and what an allele 1 adds to that. feeds: int32 (n_windows, H, W). gelu: int32 (4096,).
    """

    bias: np.ndarray
    zero: np.ndarray
    step: np.ndarray
    feeds: np.ndarray
    gelu: np.ndarray


@torch.no_grad()
def integer_expert(network: Autoregressive) -> Expert:
    """The network with masks, centring and scale folded into its weights, rounded."""
    config, windows = network.config, network.windows
    n_sites, n_windows, width, context = config.n_sites, windows.n_windows, windows.width, config.context

    def whole(values: torch.Tensor) -> np.ndarray:
        return np.rint(values.double().numpy() * 2.0**BITS).astype(np.int32)

    first = torch.cat([network.context_to_hidden, network.own_to_hidden * network._sees], dim=1)
    straight = torch.cat([network.context_to_output, network.own_to_output * network._earlier], dim=1)
    weight = torch.cat([first, straight], dim=2)  # (n_windows, K + W, H + W)
    places = torch.arange(n_windows)[:, None] * width - context + torch.arange(context + width)
    there = (places >= 0) & (places < n_sites)
    p, scale = network.frequency[places.clamp(0, n_sites - 1)], network._scale()[places.clamp(0, n_sites - 1)] * there
    zero, one = whole(weight * (-p * scale)[..., None]), whole(weight * ((1 - p) * scale)[..., None])
    bias = whole(torch.cat([network.hidden_bias, network.output_bias], dim=2)[:, 0])
    middles = (np.arange(2 * _GELU_LIMIT >> _GELU_STEP) + 0.5) * 2.0 ** (_GELU_STEP - BITS) - (_GELU_LIMIT >> BITS)
    gelu = [round(x * 0.5 * (1 + math.erf(x / math.sqrt(2))) * 2**BITS) for x in middles]
    return Expert(bias, zero, one - zero, whole(network.hidden_to_output * network._feeds), np.array(gelu, np.int32))


@kernel
def open_window(expert: Expert, window: int, raw: np.ndarray, there: np.ndarray, sums: np.ndarray) -> None:
    """Sums of a window from the sites before it. raw: uint8 (n_model_sites, n_rows) of known alleles, 1 = alternate.

    there: uint8 (n_model_sites,), whether a site is coded here; others are as if called by nobody. sums: int32
    (n_rows, H + W), filled.
    """
    width, context = expert.feeds.shape[2], expert.zero.shape[1] - expert.feeds.shape[2]
    n_rows, n_sums = sums.shape
    base = expert.bias[window].copy()
    for j in range(context):
        place = window * width - context + j
        if place >= 0 and there[place]:
            for u in range(n_sums):
                base[u] += expert.zero[window, j, u]
    for row in range(n_rows):
        for u in range(n_sums):
            sums[row, u] = base[u]
        for j in range(context):
            place = window * width - context + j
            if place >= 0 and there[place] and raw[place, row]:
                for u in range(n_sums):
                    sums[row, u] += expert.step[window, j, u]


@kernel
def expert_logits(expert: Expert, window: int, within: int, sums: np.ndarray, logits: np.ndarray) -> None:
    """Log-odds of the alternate allele at one site of a window, in 1/256 nat, for all rows: int64 (n_rows,), filled."""
    n_hidden = expert.feeds.shape[1]
    for row in range(sums.shape[0]):
        total = int64(sums[row, n_hidden + within]) << BITS
        for u in range(n_hidden):
            h = sums[row, u]
            if h >= _GELU_LIMIT:
                total += int64(h) * expert.feeds[window, u, within]
            elif h >= -_GELU_LIMIT:
                total += int64(expert.gelu[(h + _GELU_LIMIT) >> _GELU_STEP]) * expert.feeds[window, u, within]
        logits[row] = min(max(total >> (2 * BITS - 8), -MAX_LOGIT), MAX_LOGIT)


@kernel
def tell_alleles(expert: Expert, window: int, within: int, alleles: np.ndarray, sums: np.ndarray) -> None:
    """Let the sums know the alleles of all rows at a site of the window: uint8 (n_rows,)."""
    j = expert.zero.shape[1] - expert.feeds.shape[2] + within
    for row in range(sums.shape[0]):
        for u in range(sums.shape[1]):
            sums[row, u] += expert.zero[window, j, u] + expert.step[window, j, u] * alleles[row]


@kernel
def code_common_with_expert(
    coder: np.ndarray,
    data: np.ndarray,
    alleles: np.ndarray,
    flipped: np.ndarray,
    sites: np.ndarray,
    classes: np.ndarray,
    rules: np.ndarray,
    n_donors: int,
    n_known: int,
    learned: np.ndarray,
    expert: Expert,
    asked: bool,
    model_sites: np.ndarray,
    expert_rows: np.ndarray,
    told_p: np.ndarray,
) -> None:
    """Code the new columns of the common sites, in and out, as `reference_common.code_common_beside` does.

    flipped: uint8 (n_sites,), whether 1 in `alleles` is the reference allele. learned: uint8 (n_known,), the known
    haplotypes that are foretold to learn from. asked: whether the expert's inputs tell anything. model_sites: int64
    (n_common,), the network's number of each site, -1 for none. expert_rows: int64 (n_haplotypes,), the network's
    number of each haplotype: -1 for those it was trained on, of which it would say too much. told_p: uint16 (n_common,
    n_new), filled with the probability (in 1/65536) that each new allele was coded with.
    """
    n = alleles.shape[1]
    nowhere, no_data = blank_encoder()
    n_orders = rules.shape[0]
    order, start, places, scratch = new_orders(n_orders, n)
    known = np.empty((n_orders, n), dtype=np.uint8)
    donors = new_donors(n, n_donors)
    told = np.empty(n, dtype=np.uint8)
    surprises = np.zeros(n, dtype=np.int64)
    counts = np.empty((COUNT_INPUTS, 3), dtype=np.int64)
    below = np.empty((n, COUNT_INPUTS), dtype=np.int64)
    tally = np.empty(5, dtype=np.int64)

    n_rows, width = expert_rows.max() + 1, expert.feeds.shape[2]
    raw = np.zeros((model_sites.max() + 1, n_rows), dtype=np.uint8)
    there = np.zeros(model_sites.max() + 1, dtype=np.uint8)
    for k in range(sites.size):
        if model_sites[k] >= 0:
            there[model_sites[k]] = 1
    sums = np.zeros((n_rows, expert.bias.shape[1]), dtype=np.int32)
    log_odds = np.zeros(n_rows, dtype=np.int64)
    window = -1

    first_order = 2 * COUNT_INPUTS
    other = first_order + n_orders
    fresh = other + OTHER_INPUTS - 1
    of_expert = other + OTHER_INPUTS + DONOR_INPUTS
    n_inputs = of_expert + EXPERT_INPUTS
    cells = np.full(n_inputs * TABLE, EVEN, dtype=np.int64)
    chosen = np.zeros(n_inputs, dtype=np.int64)
    of_neighbours, of_others, of_donors = chosen[first_order:other], chosen[other:], chosen[fresh + 1 :]
    logits, three = np.zeros(n_inputs, dtype=np.int64), np.zeros(3, dtype=np.int64)
    by_votes = np.full((256, n_inputs), FIRST_WEIGHT, dtype=np.int64)
    by_length = np.full((64, n_inputs), FIRST_WEIGHT, dtype=np.int64)
    by_class = np.full((64, n_inputs), FIRST_WEIGHT, dtype=np.int64)
    last = np.full((64, 3), 65536 // 3, dtype=np.int64)

    for k in range(sites.size):
        site, kind, j = sites[k], int64(classes[k]), model_sites[k]
        if asked and j >= 0:
            if j // width != window:
                window = j // width
                open_window(expert, window, raw, there, sums)
                for passed in range(window * width, j):
                    if there[passed]:
                        tell_alleles(expert, window, passed - window * width, raw[passed], sums)
            expert_logits(expert, window, j - window * width, sums, log_odds)
        column = alleles[site]
        for h in range(n):
            told[h] = column[h] if h < n_known else UNKNOWN
        for o in range(n_orders):
            for h in range(n):
                known[o, places[h, o]] = told[h]
        counts_below(order[0], start[0], column, site, kind, n_known, below)
        cells[fresh * TABLE : fresh * TABLE + SITE_CELLS] = EVEN
        of_site = by_class[kind].copy()
        for turn in range(2):
            counts[:] = 0
            ones = int64(0)
            for i in range(n):
                h = order[0, i]
                length = site - start[0, i]
                forget_shorter(counts, length)
                if (h >= n_known) if turn else (h < n_known and learned[h]):
                    surprise = min(surprises[h] >> 8, 3)
                    count_contexts(counts, kind, chosen)
                    for level in range(COUNT_INPUTS):
                        chosen[COUNT_INPUTS + level] = below[i, level]
                    neighbour_contexts(places, h, known, start, site, of_neighbours, tally)
                    allele, match = known_below(known, start, 0, i, site)
                    of_neighbours[0] = of_neighbours[0] // 25 * 25 + side_context(allele, match)
                    other_contexts(tally, length, kind, surprise, i * 16 // n, ones, of_others)
                    donor_contexts(donors[h], told, site, of_donors)
                    said, level = int64(0), int64(_NO_LEVEL)
                    if asked and j >= 0 and expert_rows[h] >= 0:
                        said = -log_odds[expert_rows[h]] if flipped[site] else log_odds[expert_rows[h]]
                        level = (said + MAX_LOGIT) // _LEVEL
                    chosen[of_expert] = level * 32 + min(kind, 31)
                    chosen[of_expert + 1] = 0
                    for a in range(n_inputs):
                        chosen[a] += a * TABLE
                    cells[chosen[of_expert + 1]] = int64(squash(said)) << 32
                    votes_0, votes_1 = tally[VOTES_0], tally[VOTES_1]
                    bit, p = code_under_three_sets(
                        coder if turn else nowhere, data if turn else no_data, cells, chosen, logits,
                        by_votes[min(votes_0, 15) * 16 + min(votes_1, 15)], by_length[octave(length) * 4 + surprise],
                        of_site, three, last[min(votes_0, 7) * 8 + min(votes_1, 7)], int64(column[h]),
                    )  # fmt: skip
                    column[h] = bit
                    told[h] = bit
                    for o in range(n_orders):
                        known[o, places[h, o]] = bit
                    ones += bit
                    surprises[h] += ((65536 - p if bit else p) - surprises[h] * 64) >> 8
                    if turn:
                        told_p[k, h - n_known] = p if bit else 65536 - p
                if told[h] != UNKNOWN:
                    for level in range(COUNT_INPUTS):
                        counts[level, told[h]] += 1
                        counts[level, 2] = 1 + told[h]

        for a in range(n_inputs):
            by_class[kind, a] += (of_site[a] - by_class[kind, a]) >> 2
        learn_donors(donors, order[0], start[0], column, site)
        pass_site(rules, k, kind, order, start, places, column, site, scratch)
        if asked and j >= 0:
            for h in range(n):
                if expert_rows[h] >= 0:
                    raw[j, expert_rows[h]] = column[h] ^ flipped[site]
            tell_alleles(expert, window, j - window * width, raw[j], sums)
