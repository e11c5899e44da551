"""How alike two samples are in the frequencies of their alleles: sites one by one.

Counts of groups of people, so that a group can be left out without counting again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haploom.audit.sampling import Sample
from haploom.panel.bits import column_sums
from haploom.popgen.differentiation import hudson_fst
from haploom.popgen.diversity import expected_heterozygosity
from haploom.popgen.entropy import binary_entropy
from haploom.popgen.spectra import folded_by_percent


@dataclass(frozen=True, eq=False)
class AlleleCounts:
    """Alternate alleles by population and group.

    alternate: int64 (n_populations, n_groups, n_sites). n_haplotypes: int64 (n_populations, n_groups).
    """

    alternate: np.ndarray
    n_haplotypes: np.ndarray

    @classmethod
    def of(cls, sample: Sample) -> "AlleleCounts":
        cells, panel = sample.cells(), sample.panel
        counts = [[column_sums(panel.bits[rows], panel.n_sites) for rows in groups] for groups in cells]
        return cls(np.array(counts), np.array([[len(rows) for rows in groups] for groups in cells]))

    def without(self, group: int | None) -> tuple[np.ndarray, np.ndarray]:
        """(alternate alleles (n_populations, n_sites), haplotypes (n_populations,)) of everybody else.

        Populations of which nobody is left are left out.
        """
        kept = np.arange(self.n_haplotypes.shape[1]) != group
        n = self.n_haplotypes[:, kept].sum(axis=1)
        return self.alternate[:, kept].sum(axis=1)[n > 0], n[n > 0]


def frequency_figures(one: AlleleCounts, other: AlleleCounts, without: int | None = None) -> dict[str, float]:
    """Differences between two samples of the same numbers of people of the same populations.

    frequency_correlation: Pearson's r over sites of the allele frequencies of everybody.
    frequency_error: root mean square difference of frequencies, over sites and populations.
    spectrum_distance: share of the sites that would have to change their bin of the folded spectrum, in bins of 1 %.
    entropy_error: difference of the mean entropy of a site, in bits.
    heterozygosity_error: difference of the expected heterozygosity, as a share of the other sample's.
    fst: Hudson's, between one sample and the other.
    The last four are absolute values (fst keeps its sign), averaged over populations.
    """
    (counts, n), (others, m) = one.without(without), other.without(without)
    p, q = counts / n[:, None], others / m[:, None]
    pooled = counts.sum(axis=0) / n.sum(), others.sum(axis=0) / m.sum()
    varies = min(each.std() for each in pooled) > 0
    pairs = list(zip(counts, n.tolist(), others, m.tolist()))
    diversity = [(expected_heterozygosity(a, i).mean(), expected_heterozygosity(b, j).mean()) for a, i, b, j in pairs]
    return {
        "frequency_correlation": float(np.corrcoef(*pooled)[0, 1]) if varies else float("nan"),
        "frequency_error": float(np.sqrt(((p - q) ** 2).mean())),
        "spectrum_distance": _mean(_spectrum_distance(*pair) for pair in pairs),
        "entropy_error": float(np.abs(binary_entropy(p).mean(axis=1) - binary_entropy(q).mean(axis=1)).mean()),
        "heterozygosity_error": _mean(abs(ours / theirs - 1) if theirs else float("nan") for ours, theirs in diversity),
        "fst": _mean(hudson_fst(*pair) for pair in pairs),
    }


@dataclass(frozen=True)
class PopulationFigures:
    """One population; of synthetic, training and held-out people where there are three numbers.

    entropy_bits: mean of a site. heterozygosity: expected, mean of a site. fst: Hudson's, of synthetic and of training
    people, from held-out ones.
    """

    label: str
    n_haplotypes: int
    entropy_bits: tuple[float, ...]
    heterozygosity: tuple[float, ...]
    fst: tuple[float, ...]


def population_figures(labels: Sequence[str], three: Sequence[AlleleCounts]) -> list[PopulationFigures]:
    """Of each population, in the order of `labels`; three: of synthetic, training and held-out people."""
    everybody = [each.without(None) for each in three]
    rows = []
    for place, label in enumerate(labels):
        of = [(counts[place], int(n[place])) for counts, n in everybody]
        rows.append(
            PopulationFigures(
                label,
                of[0][1],
                tuple(float(binary_entropy(counts / n).mean()) for counts, n in of),
                tuple(float(expected_heterozygosity(counts, n).mean()) for counts, n in of),
                tuple(hudson_fst(*each, *of[2]) for each in of[:2]),
            )
        )
    return rows


def _mean(values: object) -> float:
    return float(np.mean(list(values)))  # type: ignore[call-overload]


def _spectrum_distance(counts: np.ndarray, n: int, others: np.ndarray, m: int) -> float:
    """Total variation distance of two folded spectra; fixed sites are a bin of their own."""
    shares = []
    for each, size in ((counts, n), (others, m)):
        varying = folded_by_percent(each, size)
        shares.append(np.append(varying, len(each) - varying.sum()) / len(each))
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def rare_sites(training: np.ndarray, n_haplotypes: int, most: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """(sites at which 1 to `most` training haplotypes have the rarer allele: int64, whether that is the reference).

    training: alternate alleles of the whole training panel, (n_sites,).
    """
    minor = np.minimum(training, n_haplotypes - training)
    sites = np.flatnonzero((minor > 0) & (minor <= most))
    return sites, 2 * training[sites] > n_haplotypes


def rare_allele_share(counts: AlleleCounts, sites: np.ndarray, flipped: np.ndarray, without: int | None) -> float:
    """Share of the rare alleles of training people that a sample has; NaN where there is none."""
    alternate, n = counts.without(without)
    carried = alternate.sum(axis=0)[sites]
    seen = np.where(flipped, n.sum() - carried, carried) > 0
    return float(seen.mean()) if len(sites) else float("nan")
