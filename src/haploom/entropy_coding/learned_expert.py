"""A small network that says what an allele is, from what the inputs of the mix say and their contexts are made of.

It is bound to no sites and no people: it was trained on simulated panels alone (`tools/train_expert.py`) and is part of
the format. It is asked where the mix itself is unsure. Integers only: int32 sums that cannot leave their range, shifts
that round towards minus infinity.
"""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from haploom.entropy_coding.common_sites import COUNT_INPUTS, OTHER_INPUTS, TABLE
from haploom.entropy_coding.donors import DONOR_INPUTS, UNKNOWN
from haploom.entropy_coding.match_lengths import half_octave, octave
from haploom.entropy_coding.mixing import MAX_LOGIT
from haploom.entropy_coding.neighbours import LONGEST_0, LONGEST_1, VOTES_0, VOTES_1
from haploom.kernels import int64, kernel

UNSURE = 2000  # 1/256 nat: where the mix is surer, the network is not asked
N_ORDERS = 11  # PBWT orders it was trained with
N_MIXED = COUNT_INPUTS + N_ORDERS + OTHER_INPUTS + DONOR_INPUTS
N_FEATURES = N_MIXED + 21 + 2 * COUNT_INPUTS + 2 * N_ORDERS
FEATURE_MAX = 4095  # none is larger in size
ACTIVATION_MAX = 32767
_MOST = 4000
_FILE = "learned_expert.bin"


class Network(NamedTuple):
    """Two hidden layers and log-odds. A layer is floor((x w + b) / 2^shift); hidden ones are cut to 0..ACTIVATION_MAX.

    w1: int32 (N_FEATURES, n_first); w2: int32 (n_first, n_second); w3: int32 (n_second,). b1, b2, b3: int32 (n_first,),
    (n_second,), (1,). shifts: int64 (3,). The last layer's number is added to the logit of the mix, 1/256 nat.
    """

    w1: np.ndarray
    b1: np.ndarray
    w2: np.ndarray
    b2: np.ndarray
    w3: np.ndarray
    b3: np.ndarray
    shifts: np.ndarray


@cache
def shipped_network() -> Network:
    """The network of the format."""
    return network_from_bytes(files(__package__).joinpath(_FILE).read_bytes())


def network_from_bytes(data: bytes) -> Network:
    """Two bytes of sizes (n_first, n_second) and three of shifts; then w1, w2, w3 in int16, b1, b2, b3 in int32."""
    n_first, n_second = data[:2]
    shapes = (N_FEATURES, n_first), (n_first, n_second), (n_second,)
    place, weights, biases = 5, [], []
    for shape in shapes:
        size = int(np.prod(shape))
        weights.append(np.frombuffer(data, "<i2", size, place).reshape(shape).astype(np.int32))
        place += 2 * size
    for size in (n_first, n_second, 1):
        biases.append(np.frombuffer(data, "<i4", size, place).astype(np.int32))
        place += 4 * size
    (w1, w2, w3), (b1, b2, b3) = weights, biases
    return Network(w1, b1, w2, b2, w3, b3, np.frombuffer(data, np.uint8, 3, 2).astype(np.int64))


@kernel
def signed_side(side: int) -> int:
    """A `neighbours.side_context` as one number: negative for allele 0, larger in size for a longer match."""
    return -side * 256 if side <= 12 else (side - 12) * 256


@kernel
def fill_features(
    logits: np.ndarray, chosen: np.ndarray, tally: np.ndarray, counts: np.ndarray, features: np.ndarray
) -> None:
    """The features that inputs, neighbours, donors and counts give: int32 (N_FEATURES,), all but 21 filled.

    logits, chosen: int64 (N_MIXED,), what each input says and its cell (with the place of its table). tally, counts: as
    in `neighbours` and `common_sites`.
    """
    for a in range(N_MIXED):
        features[a] = logits[a]
    donor = N_MIXED - DONOR_INPUTS
    longest, best, sums = chosen[donor] % TABLE, chosen[donor + 1] % TABLE, chosen[donor + 2] % TABLE
    features[N_MIXED + 2] = 128 * half_octave(tally[LONGEST_0])
    features[N_MIXED + 3] = 128 * half_octave(tally[LONGEST_1])
    features[N_MIXED + 4] = 128 * (longest // 32)
    features[N_MIXED + 5] = 128 * (longest % 32)
    features[N_MIXED + 6] = 64 * tally[VOTES_0]
    features[N_MIXED + 7] = 64 * tally[VOTES_1]
    features[N_MIXED + 12] = 128 * (sums // 32)
    features[N_MIXED + 13] = 128 * (sums % 32)
    sign = int64(0)
    if best > 0:
        sign = int64(256) if best > 256 else int64(-256)
    features[N_MIXED + 14] = sign * (((best - 1) >> 4) & 15)
    features[N_MIXED + 15] = sign * ((best - 1) & 15)
    place = N_MIXED + 21
    for level in range(COUNT_INPUTS):
        features[place + 2 * level] = 256 * min(octave(counts[level, 0]), 11)
        features[place + 2 * level + 1] = 256 * min(octave(counts[level, 1]), 11)
    place += 2 * COUNT_INPUTS
    for o in range(N_ORDERS):
        context = chosen[COUNT_INPUTS + o] % TABLE
        features[place + 2 * o] = signed_side(context // 25)
        # Nobody below is known in the main order: its context holds the octave of a match instead.
        features[place + 2 * o + 1] = signed_side(context % 25) if o else 256 * (context % 25)


@kernel
def fill_own_features(
    mixed: int, length: int, surprise: int, lately: int, of_site: int, i: int, n: int, ones: int, kind: int,
    features: np.ndarray,
) -> None:  # fmt: skip
    """The features of the mix, the haplotype and the site. surprise, lately, of_site: how improbable alleles were."""
    features[N_MIXED] = mixed
    features[N_MIXED + 1] = 256 * octave(length)
    features[N_MIXED + 8] = min(surprise, _MOST)
    features[N_MIXED + 9] = i * 1024 // n
    features[N_MIXED + 10] = ones * 2048 // n
    features[N_MIXED + 11] = kind * 64
    features[N_MIXED + 16] = min(lately, _MOST)
    features[N_MIXED + 17] = min(of_site >> 4, _MOST)


@kernel
def fill_mate_features(allele: int, foretold: int, lately: int, features: np.ndarray) -> None:
    """The features of the person's other haplotype at the site: where both err, the phase is wrong."""
    features[N_MIXED + 18] = 0
    features[N_MIXED + 19] = 0
    if allele != UNKNOWN:
        features[N_MIXED + 18] = 1024 if allele else -1024
        features[N_MIXED + 19] = ((int64(allele) << 16) - foretold) >> 5
    features[N_MIXED + 20] = min(lately, _MOST)


@kernel
def learned_logit(network: Network, features: np.ndarray, first: np.ndarray, second: np.ndarray) -> int:
    """The network's logit, 1/256 nat. first: int32 (n_first,) and second: (n_second,), scratch."""
    n_first, n_second = first.size, second.size
    for u in range(n_first):
        first[u] = network.b1[u]
    for j in range(N_FEATURES):
        x = features[j]
        if x != 0:
            for u in range(n_first):
                first[u] += x * network.w1[j, u]
    for u in range(n_second):
        second[u] = network.b2[u]
    for j in range(n_first):
        x = min(first[j] >> network.shifts[0], ACTIVATION_MAX)
        if x > 0:
            for u in range(n_second):
                second[u] += np.int32(x) * network.w2[j, u]
    total = int64(network.b3[0])
    for j in range(n_second):
        x = min(second[j] >> network.shifts[1], ACTIVATION_MAX)
        if x > 0:
            total += x * network.w3[j]
    return min(max(features[N_MIXED] + (total >> network.shifts[2]), -MAX_LOGIT), MAX_LOGIT)
