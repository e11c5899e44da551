"""From which label's haplotypes a haplotype copies, site by site, to its ancestry in long stretches.

A hidden Markov chain of labels along the sites: before each site the ancestry is drawn anew, by the person's own
proportions, with probability 1 - exp(-G d), d the distance in Morgans and G the generations since the populations met
(Falush et al. 2003). What copying says of neighbouring sites is nearly the same evidence, so it counts per cM, not per
site, and tempered: EVIDENCE_PER_CM times its log. Both were chosen on simulated people (docs/local-ancestry.md).
"""

import numpy as np

from haploom.kernels import kernel

EVIDENCE_PER_CM = 1.5
LEAST_COPIED = 0.01  # added to the probability of each label: copying is never certain of ancestry
MOST_CM = 0.1  # on either side, that a site counts for: beside a gap it says no more than elsewhere
STEPS = 10  # of the search for a person's proportions
EVEN_WEIGHT = 0.02  # of even proportions, as a share of the sites: so that no label is ruled out


@kernel
def smooth(evidence: np.ndarray, switch: np.ndarray, proportions: np.ndarray) -> np.ndarray:
    """Probability of each label at each site, given all evidence: float64 (n_sites, n_labels), rows sum to 1.

    evidence: float64 (n_sites, n_labels), positive weights. switch: float64 (n_sites,), probability that the label is
    drawn anew before a site; 1 at the first of a contig. proportions: float64 (n_labels,), sum 1.
    """
    n_sites, n_labels = evidence.shape
    out = np.empty((n_sites, n_labels))
    for s in range(n_sites):
        total = 0.0
        for label in range(n_labels):
            p = switch[s] * proportions[label]
            if s > 0:
                p += (1.0 - switch[s]) * out[s - 1, label]
            out[s, label] = p * evidence[s, label]
            total += out[s, label]
        for label in range(n_labels):
            out[s, label] /= total
    later = np.ones(n_labels)
    for s in range(n_sites - 2, -1, -1):
        drawn, most = 0.0, 0.0
        for label in range(n_labels):
            later[label] *= evidence[s + 1, label]
            drawn += proportions[label] * later[label]
        total = 0.0
        for label in range(n_labels):
            later[label] = (1.0 - switch[s + 1]) * later[label] + switch[s + 1] * drawn
            most = max(most, later[label])
        for label in range(n_labels):
            later[label] /= most
            out[s, label] *= later[label]
            total += out[s, label]
        for label in range(n_labels):
            out[s, label] /= total
    return out


def evidence_of(copied: np.ndarray, share_cm: np.ndarray) -> np.ndarray:
    """Weights of the labels as `smooth` takes them: float64 (n_sites, n_labels), the largest of a site 1.

    copied: (n_sites, n_labels), the probability that the haplotype copied is of each label. share_cm: of `site_shares`.
    """
    weights = copied.astype(np.float64) + LEAST_COPIED
    weights /= weights.max(axis=1, keepdims=True)
    return weights ** (EVIDENCE_PER_CM * share_cm[:, None])


def site_shares(distance_cm: np.ndarray) -> np.ndarray:
    """The stretch each site speaks for, in cM: float64 (n_sites,), half of the way to both neighbours on its contig.

    distance_cm: float64 (n_sites,), from the site before; infinite at the first site of a contig.
    """
    half = np.minimum(np.where(np.isinf(distance_cm), 0.0, distance_cm / 2), MOST_CM)
    return half + np.append(half[1:], 0.0)


def smooth_person(evidence: list[np.ndarray], switch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ancestry of a person's haplotypes, and the proportions under which it was found.

    evidence: of each haplotype. switch: as in `smooth`. Returns float64 (n_haplotypes, n_sites, n_labels) and
    (n_labels,): the mean of the former over sites, each step's with EVEN_WEIGHT the next one's proportions.
    """
    n_labels = evidence[0].shape[1]
    proportions = np.full(n_labels, 1 / n_labels)
    for _ in range(STEPS):
        found = np.stack([smooth(each, switch, proportions) for each in evidence])
        mean = found.mean(axis=(0, 1))
        proportions = (mean + EVEN_WEIGHT / n_labels) / (1 + EVEN_WEIGHT)
    return found, mean
