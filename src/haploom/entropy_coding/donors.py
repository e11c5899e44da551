"""Donors: the haplotypes each haplotype has resembled lately, mismatches forgiven.

A PBWT forgets a neighbour at the first mismatch. A donor stays: it is kept with the starts of its match and of the
match before the last mismatch, and gives way only to a haplotype that matches longer. So a genotyping error or a
recent mutation in an otherwise shared stretch costs one allele, not the neighbour.
"""

import numpy as np

from haploom.entropy_coding.match_lengths import half_octave, octave
from haploom.kernels import int64, kernel

DONOR_INPUTS = 3
UNKNOWN = 2  # in place of an allele that is not coded yet


@kernel
def new_donors(n: int, n_donors: int) -> np.ndarray:
    """No donors yet: int32 (n, n_donors, 3) of haplotype (-1: none), start of its match, start of the match before."""
    donors = np.zeros((n, n_donors, 3), dtype=np.int32)
    donors[:, :, 0] = -1
    return donors


@kernel
def donor_contexts(of_haplotype: np.ndarray, alleles: np.ndarray, site: int, contexts: np.ndarray) -> None:
    """Three contexts below 1024 from the donors whose allele at `site` is known.

    of_haplotype: int32 (n_donors, 3). alleles: uint8 (n,), UNKNOWN where not coded yet. contexts: int64 (3,), filled
    with: the longest match for each allele; the best donor's allele and its two matches; summed lengths by allele.
    A length here is twice the match and once the match before it.
    """
    longest_0, longest_1, sum_0, sum_1 = int64(0), int64(0), int64(0), int64(0)
    best, best_context = int64(0), int64(0)
    for d in range(of_haplotype.shape[0]):
        donor = of_haplotype[d, 0]
        if donor < 0 or alleles[donor] == UNKNOWN:
            continue
        match = site - int64(of_haplotype[d, 1])
        match_before = int64(of_haplotype[d, 1]) - of_haplotype[d, 2]
        length = 2 * match + match_before
        allele = int64(alleles[donor])
        if allele:
            longest_1 = max(longest_1, length)
            sum_1 += length
        else:
            longest_0 = max(longest_0, length)
            sum_0 += length
        if length > best:
            best = length
            best_context = 1 + (allele * 16 + octave(match)) * 16 + octave(match_before)
    contexts[0] = half_octave(longest_0) * 32 + half_octave(longest_1)
    contexts[1] = best_context
    contexts[2] = half_octave(sum_0) * 32 + half_octave(sum_1)


@kernel
def consider(of_haplotype: np.ndarray, other: int, since: int) -> None:
    """Make `other`, which matches since site `since`, a donor in place of the worst one, if it is better."""
    worst, worst_since = 0, int64(-1)
    for d in range(of_haplotype.shape[0]):
        if of_haplotype[d, 0] == other:
            return
        both = int64(of_haplotype[d, 1]) + of_haplotype[d, 2]
        if of_haplotype[d, 0] < 0:
            both = int64(2**31)
        if both > worst_since:
            worst, worst_since = d, both
    if 2 * since < worst_since:
        of_haplotype[worst, 0] = other
        of_haplotype[worst, 1] = since
        of_haplotype[worst, 2] = since


@kernel
def learn_donors(donors: np.ndarray, order: np.ndarray, start: np.ndarray, column: np.ndarray, site: int) -> None:
    """Note which donors mismatched at `site`, then consider the neighbours of every haplotype.

    order, start: one PBWT as it is before `site`. column: uint8 (n,), the alleles at `site` by haplotype.
    """
    n = order.size
    for i in range(n):
        haplotype = order[i]
        of_haplotype = donors[haplotype]
        for d in range(of_haplotype.shape[0]):
            donor = of_haplotype[d, 0]
            if donor >= 0 and column[donor] != column[haplotype]:
                of_haplotype[d, 2] = of_haplotype[d, 1]
                of_haplotype[d, 1] = site + 1
        if i > 0 and column[order[i - 1]] == column[haplotype]:
            consider(of_haplotype, order[i - 1], int64(start[i]))
        if i + 1 < n and column[order[i + 1]] == column[haplotype]:
            consider(of_haplotype, order[i + 1], int64(start[i + 1]))
