"""The Li-Stephens copying model, many haplotypes at a time, with alike reference haplotypes taken together.

Within a stretch of a few sites most reference haplotypes show one of few patterns, and what happens to two of one
pattern differs only in what they brought along: f becomes kept * f + drawn, with `kept` and `drawn` of the pattern. So
a site costs a step a pattern, and only the end of a stretch costs one a haplotype; nothing is approximated.

Each haplotype that is measured is a lane of its own and goes through the same single-precision operations in the same
order whoever fills the other lanes, so the result does not depend on who shares a block, on threads, or on the
machine's vectors. Source: Li & Stephens 2003, Genetics 165:2213; collapsing, Das et al. 2016, Nature Genetics 48:1284.
"""

from typing import Any

import numpy as np

from haploom.kernels import int64, kernel

float32: Any = np.float32  # to the type checker its numbers are plain `float`s

LANES = 64  # haplotypes measured together: loops over fewer are too short to pay for the checks before them
_LEAST = np.float32(
    1e-30
)  # nothing smaller matters beside a sum of 1, and processors are slow with what is below 1e-38
_LN2 = 0.6931471805599453


@kernel
def mosaic_log_likelihoods(
    pattern_of: np.ndarray, first: np.ndarray, bits: np.ndarray, width: int, alleles: np.ndarray,
    left_out: np.ndarray, switch: np.ndarray, mismatch_bits: int,
) -> np.ndarray:  # fmt: skip
    """Log probability of each haplotype of a block as a mosaic of the reference, in nats: float64 (LANES,).

    The reference's patterns are as in `Stretches`. alleles: uint8 (n_sites, LANES) of 0 and 1. left_out: int64
    (LANES,), this and the next reference haplotype are not copied; -1 for none. switch: float64 (n_sites,), the
    probability that the copied haplotype is drawn anew before a site. mismatch_bits: another allele is
    2^mismatch_bits times less likely than the copied one. Where nobody is left to copy, -inf.
    """
    n_blocks, n_reference, n_sites = pattern_of.shape[0], pattern_of.shape[1], alleles.shape[0]
    n_most = np.diff(first).max()
    states = np.ones((n_reference, LANES), dtype=np.float32)
    brought, stayed = np.zeros((n_most, LANES), dtype=np.float32), np.zeros((n_most, LANES), dtype=np.float32)
    drawn, count = np.empty_like(brought), np.empty_like(brought)
    others, total, summed = (
        np.empty(LANES, dtype=np.float32),
        np.empty(LANES, dtype=np.float32),
        np.empty(LANES, dtype=np.float32),
    )
    # Of an allele that is another than the haplotype's, and of the same: what a state keeps and gains.
    keep, gain = np.empty((2, LANES), dtype=np.float32), np.empty((2, LANES), dtype=np.float32)
    product, exponent = np.ones(LANES), np.zeros(LANES)
    somebodys = np.zeros(n_reference, dtype=np.bool_)  # whether a haplotype is left out of some lane
    for r in range(LANES):
        others[r] = n_reference
        if left_out[r] >= 0:
            others[r] -= float32(2)
            somebodys[left_out[r] : left_out[r] + 2] = True
        total[r] = max(others[r], float32(1))
    unlike = float32(2.0**-mismatch_bits)
    for b in range(n_blocks):
        n, of_block, of_last = first[b + 1] - first[b], pattern_of[b], pattern_of[max(b - 1, 0)]
        brought[:n] = 0
        count[:n] = 0
        for j in range(n_reference):
            u, last = of_block[j], of_last[j]
            if b:
                for r in range(LANES):
                    states[j, r] = states[j, r] * stayed[last, r] + drawn[last, r]
            if somebodys[j]:
                for r in range(LANES):
                    if left_out[r] == j or left_out[r] == j - 1:
                        states[j, r] = 0
            for r in range(LANES):
                brought[u, r] += states[j, r]
            count[u, 0] += float32(1)
        drawn[:n] = 0
        for u in range(n):
            count[u] = count[u, 0]
        for r in range(LANES):
            if left_out[r] >= 0:
                count[of_block[left_out[r]], r] -= float32(1)
                count[of_block[left_out[r] + 1], r] -= float32(1)
        stayed[:n] = brought[:n]
        for s in range(b * width, min((b + 1) * width, n_sites)):
            stay, anew = float32(1 - switch[s]), float32(switch[s])
            for r in range(LANES):
                scale, each = stay / total[r], anew / max(others[r], float32(1))
                same = alleles[s, r]
                keep[same, r], gain[same, r] = scale, each
                keep[1 - same, r], gain[1 - same, r] = scale * unlike, each * unlike
                summed[r] = 0
            for u in range(n):
                allele = int64(bits[first[b] + u] >> np.uint64(s - b * width)) & 1
                for r in range(LANES):
                    own = max(stayed[u, r] * keep[allele, r], _LEAST)
                    new = drawn[u, r] * keep[allele, r] + gain[allele, r]
                    stayed[u, r], drawn[u, r] = own, new
                    summed[r] += own + count[u, r] * new
            for r in range(LANES):
                total[r] = summed[r]
                # The product of the sites' probabilities, its exponent apart: one logarithm at the end is enough.
                p = product[r] * total[r]
                if p < 2.0**-500:
                    p *= 2.0**500
                    exponent[r] -= 500
                product[r] = p
        for u in range(n):
            for r in range(LANES):
                stayed[u, r] = stayed[u, r] / brought[u, r] if brought[u, r] > 0 else float32(0)
    out = np.empty(LANES)
    for r in range(LANES):
        out[r] = np.log(product[r]) + exponent[r] * _LN2 if others[r] else -np.inf
    return out - n_sites * np.log1p(2.0**-mismatch_bits)
