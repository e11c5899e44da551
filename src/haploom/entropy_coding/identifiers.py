"""Numbers given out in batches, such as dbSNP's rs numbers along a chromosome.

The number line is cut into clusters (batches). Which cluster a number is of is coded as a symbol. Within a
cluster, of numbers from first to first + size - 1, the step from the cluster's number before, modulo size, is
coded from its highest bit down: the services that number variants deal them out in strides, so that the leading
bits of steps follow on the steps before, and on how many variants lie between that were there to be numbered.
"""

import numpy as np

from haploom.entropy_coding.contexts import Mixer, code_in_contexts, hashed, new_mixer
from haploom.entropy_coding.range_coder import code_bit, finish, new_decoder, new_encoder
from haploom.kernels import int64, kernel

MOST_CLUSTERS = 64
_MODELLED_BITS = 9  # finer than that, steps are as good as random
_LEAST_SAVING_BITS = 160  # what a cluster more costs to describe
_N_INPUTS = 7
_HALF = 1 << 15


def clusters_of(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(first, size) of the clusters of numbers from 0 to 2**61, int64 (n,): both int64 (n_clusters,), in order.

    A cluster is cut at its widest gap as long as that saves bits of numbers drawn evenly from each.
    """
    ordered = np.sort(numbers)
    waiting = [(0, len(ordered))]
    done: list[tuple[int, int]] = []
    while waiting:
        start, end = waiting.pop()
        part = ordered[start:end]
        cut = int(np.argmax(np.diff(part))) + 1 if len(part) > 1 else 0
        if cut and len(waiting) + len(done) + 2 <= MOST_CLUSTERS:
            saving = _bits(part) - _bits(part[:cut]) - _bits(part[cut:]) - _choice_bits(cut, len(part) - cut)
            if saving > _LEAST_SAVING_BITS:
                waiting += [(start + cut, end), (start, start + cut)]
                continue
        done.append((int(part[0]), int(part[-1] - part[0]) + 1))
    done.sort()
    return np.array([first for first, _ in done], dtype=np.int64), np.array([size for _, size in done], dtype=np.int64)


def _bits(part: np.ndarray) -> float:
    return len(part) * float(np.log2(part[-1] - part[0] + 1))


def _choice_bits(n: int, m: int) -> float:
    return float(n * np.log2((n + m) / n) + m * np.log2((n + m) / m))


@kernel
def _code_steps(
    coder: np.ndarray,
    data: np.ndarray,
    mixer: Mixer,
    numbers: np.ndarray,
    cluster: np.ndarray,
    first: np.ndarray,
    size: np.ndarray,
) -> None:
    """Code `numbers` in place. cluster: int64 (n,), an index into first and size."""
    n_clusters = size.size
    before = first.copy()
    since = np.zeros(n_clusters, dtype=np.int64)  # numbers of this cluster or an older one since the last of this one
    since_before = np.zeros(n_clusters, dtype=np.int64)
    step_one = np.zeros(n_clusters, dtype=np.int64)
    step_two = np.zeros(n_clusters, dtype=np.int64)
    hashes = mixer.hashes
    for i in range(numbers.size):
        c = cluster[i]
        n_bits = int64(0)
        while int64(1) << n_bits < size[c]:
            n_bits += 1
        top = max(n_bits - 6, 0)
        one, two, since_one = step_one[c] >> top, step_two[c] >> top, since_before[c]
        now = min(since[c], 255)
        hashes[0] = c
        hashes[1] = hashed(hashed(1, c), one)
        hashes[2] = hashed(hashed(2, c), now)
        hashes[3] = hashed(hashed(3, c), now << 6 | one)
        hashes[4] = hashed(hashed(4, c), (before[c] - first[c]) >> top)
        hashes[5] = hashed(hashed(5, c), now << 12 | one << 6 | two)
        hashes[6] = hashed(hashed(6, c), (now << 8 | since_one) << 6 | one)
        step = (numbers[i] - before[c]) % size[c]
        prefix = int64(0)
        for depth in range(n_bits):
            bit = step >> (n_bits - 1 - depth) & 1
            is_small = prefix == 0 or prefix == (int64(1) << depth) - 1
            if depth < _MODELLED_BITS or is_small:
                weight_set = c * _MODELLED_BITS + min(depth, _MODELLED_BITS - 1)
                bit = code_in_contexts(coder, data, mixer, weight_set, (int64(1) << depth) + prefix, bit)
            else:
                bit = code_bit(coder, data, _HALF, bit)
            prefix = 2 * prefix + bit
        numbers[i] = first[c] + (before[c] - first[c] + prefix) % size[c]
        before[c] = numbers[i]
        step_two[c], step_one[c] = step_one[c], prefix
        since_before[c], since[c] = now, 0
        for newer in range(c, n_clusters):
            since[newer] += 1


def encode_steps(numbers: np.ndarray, cluster: np.ndarray, first: np.ndarray, size: np.ndarray) -> bytes:
    """numbers: int64 (n,), each within its cluster. cluster: int64 (n,), an index into first and size."""
    room = np.zeros(4 * 62 * numbers.size + 16, dtype=np.uint8)
    coder = new_encoder()
    _code_steps(coder, room, _new_mixer(numbers.size), numbers.copy(), cluster, first, size)
    return finish(coder, room)


def decode_steps(data: bytes, cluster: np.ndarray, first: np.ndarray, size: np.ndarray) -> np.ndarray:
    """The numbers: int64 (n,). Damaged data gives others of the same clusters. Sizes must be from 1 to 2**61."""
    stored = np.frombuffer(data, dtype=np.uint8).copy()
    numbers = np.zeros(cluster.shape, dtype=np.int64)
    _code_steps(new_decoder(stored), stored, _new_mixer(numbers.size), numbers, cluster, first, size)
    return numbers


def _new_mixer(n: int) -> Mixer:
    return new_mixer(_N_INPUTS, MOST_CLUSTERS * _MODELLED_BITS, 16 * n)
