"""Which label's haplotypes are copied at each site, by the Li-Stephens model over the haplotypes of all labels.

States are float32 (n_reference, LANES), one lane a new haplotype: see `copying_kernels`. No lane looks at another.
Each label is copied as often as another, whatever its number of haplotypes: `drawn`, float32 (n_labels, LANES), is the
probability of each of its haplotypes. own: int64 (LANES,), the first of a person's two haplotypes that a lane may not
copy, or -1.
"""

import numpy as np

from haploom.baselines.copying_kernels import LANES
from haploom.kernels import kernel

float32 = np.float32


@kernel
def _drawn(start: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Of labels with somebody to copy, each is drawn as often as another."""
    n_labels = len(start) - 1
    drawn = np.zeros((n_labels, LANES), float32)
    for lane in range(LANES):
        n_drawn = 0
        for label in range(n_labels):
            n = start[label + 1] - start[label]
            if start[label] <= own[lane] < start[label + 1]:
                n -= 2
            if n > 0:
                drawn[label, lane] = 1.0 / n
                n_drawn += 1
        for label in range(n_labels):
            drawn[label, lane] /= n_drawn
    return drawn


@kernel
def _forward_site(
    before: np.ndarray, after: np.ndarray, column: np.ndarray, start: np.ndarray, drawn: np.ndarray, own: np.ndarray,
    codes: np.ndarray, switch: float, emission: np.ndarray, totals: np.ndarray,
) -> None:  # fmt: skip
    """One site forward: `after` is the probability of each state and of this allele, given the alleles before.

    before: as `after` of the site before, whose sums over the states are in `totals`; may be the same array.
    totals: float32 (LANES,), replaced by the sums of `after`.
    """
    n_labels = len(start) - 1
    stay, given, redrawn = np.empty(LANES, float32), np.empty((2, LANES), float32), np.empty(LANES, float32)
    for lane in range(LANES):
        stay[lane] = (1.0 - switch) / totals[lane]
        given[0, lane] = emission[codes[lane], 0]
        given[1, lane] = emission[codes[lane], 1]
        totals[lane] = 0.0
    for label in range(n_labels):
        for lane in range(LANES):
            redrawn[lane] = switch * drawn[label, lane]
        for j in range(start[label], start[label + 1]):
            allele = column[j]
            for lane in range(LANES):
                p = (before[j, lane] * stay[lane] + redrawn[lane]) * given[allele, lane]
                after[j, lane] = p
                totals[lane] += p
    for lane in range(LANES):
        if own[lane] >= 0:
            for j in range(own[lane], own[lane] + 2):
                totals[lane] -= after[j, lane]
                after[j, lane] = 0.0


@kernel
def _backward_site(
    states: np.ndarray, later: np.ndarray, column: np.ndarray, start: np.ndarray, drawn: np.ndarray, own: np.ndarray,
    codes: np.ndarray, switch: float, emission: np.ndarray, redrawn: np.ndarray, copied: np.ndarray,
) -> None:  # fmt: skip
    """One site backward: weights of the labels copied here.

    states: `after` of the forward pass at this site. switch: that of the site to the right, 1 at the last site.
    later: float32 (n_reference, LANES), in and out: the probability of the alleles from the next site (in) or from
    this site (out) on, given the state there, up to a factor.
    redrawn: float32 (LANES,), in and out: the mean of `later` over states as they are drawn.
    copied: float32 (n_labels, LANES), filled.
    """
    n_labels = len(start) - 1
    stay, given = np.empty(LANES, float32), np.empty((2, LANES), float32)
    jump = float32(switch)
    for lane in range(LANES):
        stay[lane] = (1.0 - switch) / redrawn[lane]
        given[0, lane] = emission[codes[lane], 0]
        given[1, lane] = emission[codes[lane], 1]
        redrawn[lane] = 0.0
    weight, total = np.empty(LANES, float32), np.empty(LANES, float32)
    for label in range(n_labels):
        for lane in range(LANES):
            weight[lane] = 0.0
            total[lane] = 0.0
        for j in range(start[label], start[label + 1]):
            allele = column[j]
            for lane in range(LANES):
                p = later[j, lane] * stay[lane] + jump
                weight[lane] += states[j, lane] * p
                p *= given[allele, lane]
                later[j, lane] = p
                total[lane] += p
        for lane in range(LANES):
            if start[label] <= own[lane] < start[label + 1]:
                for j in range(own[lane], own[lane] + 2):
                    total[lane] -= later[j, lane]
                    later[j, lane] = 0.0
            copied[label, lane] = weight[lane]
            redrawn[lane] += total[lane] * drawn[label, lane]


@kernel
def copied_label(
    columns: np.ndarray, start: np.ndarray, codes: np.ndarray, own: np.ndarray, switch: np.ndarray, emission: np.ndarray
) -> np.ndarray:
    """Probability that the haplotype copied at each site is of each label, given all known alleles.

    columns: uint8 (n_sites, n_reference) of 0 and 1, haplotypes of one label together; start: int64 (n_labels + 1,),
    where each label's begin. codes: uint8 (n_sites, LANES): 0, 1, or 2 where unknown. switch: float64 (n_sites,),
    probability that the copied haplotype is drawn anew before a site; 1 at the first of a contig. emission: float64
    (3, 2), probability of each code given the allele copied.
    Returns float32 (n_sites, n_labels, LANES), which sums to 1 over labels. Memory: 8 sqrt(n_sites) n_reference LANES.
    """
    n_sites, n_reference = columns.shape
    n_labels = len(start) - 1
    stride = int(np.ceil(np.sqrt(n_sites)))
    n_runs = (n_sites + stride - 1) // stride
    drawn = _drawn(start, own)
    kept = np.zeros((n_runs, n_reference, LANES), float32)  # the states before the first site of each run
    kept_totals = np.ones((n_runs, LANES), float32)
    states, totals = np.zeros((n_reference, LANES), float32), np.ones(LANES, float32)
    for s in range(n_sites):
        if s % stride == 0:
            for j in range(n_reference):
                for lane in range(LANES):
                    kept[s // stride, j, lane] = states[j, lane]
            for lane in range(LANES):
                kept_totals[s // stride, lane] = totals[lane]
        _forward_site(states, states, columns[s], start, drawn, own, codes[s], switch[s], emission, totals)

    out = np.empty((n_sites, n_labels, LANES), float32)
    run_states = np.empty((stride, n_reference, LANES), float32)
    later, copied = np.zeros((n_reference, LANES), float32), np.empty((n_labels, LANES), float32)
    redrawn = np.ones(LANES, float32)
    for run in range(n_runs - 1, -1, -1):
        first, last = run * stride, min((run + 1) * stride, n_sites)
        for s in range(first, last):
            before = kept[run] if s == first else run_states[s - first - 1]
            _forward_site(
                before, run_states[s - first], columns[s], start, drawn, own, codes[s], switch[s], emission,
                kept_totals[run],
            )  # fmt: skip
        for s in range(last - 1, first - 1, -1):
            after = switch[s + 1] if s + 1 < n_sites else 1.0
            _backward_site(
                run_states[s - first], later, columns[s], start, drawn, own, codes[s], after, emission, redrawn, copied
            )
            for lane in range(LANES):
                total = float32(0)
                for label in range(n_labels):
                    total += copied[label, lane]
                for label in range(n_labels):
                    out[s, label, lane] = copied[label, lane] / total
    return out
