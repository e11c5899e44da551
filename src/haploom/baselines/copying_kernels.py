"""Passes of the Li-Stephens copying model along the sites, for a few new haplotypes at a time.

A state is which reference haplotype is copied. States are float64 (n_reference, LANES), one lane a new haplotype, so
that all lanes go through one read of the reference and the inner loop is one vector operation. No lane looks at
another: the result does not depend on who shares a block.

columns: uint8 (n_sites, ceil(n_reference / 8)), a site's reference alleles, the first the highest bit of a byte.
codes: uint8 (n_sites, LANES), the new alleles: 0, 1, or `calls.UNKNOWN`, which is 2.
switch: float64 (n_sites,), probability that the copied haplotype is drawn anew before a site; 1 at the first.
emission: float64 (3, 2), probability of each code given the allele copied; 1 for unknown ones.
"""

import numpy as np

from haploom.kernels import kernel

LANES = 8


@kernel
def _forward_site(
    before: np.ndarray, after: np.ndarray, column: np.ndarray, codes: np.ndarray, switch: float, emission: np.ndarray,
    totals: np.ndarray,
) -> None:  # fmt: skip
    """One site forward: `after` is the probability of each state and of this allele, given the alleles before.

    before: as `after` of the site before, whose sums over the states are in `totals`; may be the same array.
    totals: float64 (LANES,), replaced by the sums of `after`: the probability of this allele given those before.
    """
    n = before.shape[0]
    redrawn = switch / n
    stay = np.empty(LANES)
    given = np.empty((2, LANES))
    for lane in range(LANES):
        stay[lane] = (1.0 - switch) / totals[lane]
        given[0, lane] = emission[codes[lane], 0]
        given[1, lane] = emission[codes[lane], 1]
        totals[lane] = 0.0
    for j in range(n):
        allele = (column[j >> 3] >> (7 - (j & 7))) & 1
        for lane in range(LANES):
            p = (before[j, lane] * stay[lane] + redrawn) * given[allele, lane]
            after[j, lane] = p
            totals[lane] += p


@kernel
def _backward_site(
    states: np.ndarray, later: np.ndarray, column: np.ndarray, codes: np.ndarray, switch: float, emission: np.ndarray,
    totals: np.ndarray, copied: np.ndarray,
) -> None:  # fmt: skip
    """One site backward: how probable it is that what is copied here carries each allele.

    states: `after` of the forward pass at this site. switch: that of the site to the right, 1 at the last site.
    later: float64 (n_reference, LANES), in and out: the probability of the alleles from the next site (in) or from
    this site (out) on, given the state there, up to a factor; `totals` its sums.
    copied: float64 (2, LANES), filled with weights of the copied allele being 0 and 1.
    """
    n = states.shape[0]
    redrawn = switch / n
    stay = np.empty(LANES)
    given = np.empty((2, LANES))
    for lane in range(LANES):
        stay[lane] = (1.0 - switch) / totals[lane]
        given[0, lane] = emission[codes[lane], 0]
        given[1, lane] = emission[codes[lane], 1]
        totals[lane] = 0.0
        copied[0, lane] = 0.0
        copied[1, lane] = 0.0
    for j in range(n):
        allele = (column[j >> 3] >> (7 - (j & 7))) & 1
        for lane in range(LANES):
            p = later[j, lane] * stay[lane] + redrawn
            copied[allele, lane] += states[j, lane] * p
            p *= given[allele, lane]
            later[j, lane] = p
            totals[lane] += p


@kernel
def log_likelihoods(
    columns: np.ndarray, n_reference: int, codes: np.ndarray, switch: np.ndarray, emission: np.ndarray
) -> np.ndarray:
    """Log probability of the known alleles of each lane, in nats: float64 (LANES,)."""
    states = np.zeros((n_reference, LANES))
    totals, log_p = np.ones(LANES), np.zeros(LANES)
    for s in range(columns.shape[0]):
        _forward_site(states, states, columns[s], codes[s], switch[s], emission, totals)
        for lane in range(LANES):
            log_p[lane] += np.log(totals[lane])
    return log_p


@kernel
def copied_allele(
    columns: np.ndarray, n_reference: int, codes: np.ndarray, switch: np.ndarray, emission: np.ndarray
) -> np.ndarray:
    """Probability that the haplotype copied at each site carries allele 1, given all known alleles.

    Returns float64 (n_sites, LANES). The forward states are kept at every sqrt(n_sites)-th site and computed again
    from there: 2 sqrt(n_sites) n_reference LANES floats, not n_sites n_reference LANES.
    """
    n_sites = columns.shape[0]
    stride = int(np.ceil(np.sqrt(n_sites)))
    n_runs = (n_sites + stride - 1) // stride
    kept = np.zeros((n_runs, n_reference, LANES))  # the states before the first site of each run
    kept_totals = np.ones((n_runs, LANES))
    states, totals = np.zeros((n_reference, LANES)), np.ones(LANES)
    for s in range(n_sites):
        if s % stride == 0:
            for j in range(n_reference):
                for lane in range(LANES):
                    kept[s // stride, j, lane] = states[j, lane]
            for lane in range(LANES):
                kept_totals[s // stride, lane] = totals[lane]
        _forward_site(states, states, columns[s], codes[s], switch[s], emission, totals)

    out = np.empty((n_sites, LANES))
    run_states = np.empty((stride, n_reference, LANES))
    later, later_totals, copied = np.zeros((n_reference, LANES)), np.ones(LANES), np.empty((2, LANES))
    for run in range(n_runs - 1, -1, -1):
        first, last = run * stride, min((run + 1) * stride, n_sites)
        for s in range(first, last):
            before = kept[run] if s == first else run_states[s - first - 1]
            _forward_site(before, run_states[s - first], columns[s], codes[s], switch[s], emission, kept_totals[run])
        for s in range(last - 1, first - 1, -1):
            after = switch[s + 1] if s + 1 < n_sites else 1.0
            _backward_site(run_states[s - first], later, columns[s], codes[s], after, emission, later_totals, copied)
            for lane in range(LANES):
                out[s, lane] = copied[1, lane] / (copied[0, lane] + copied[1, lane])
    return out
