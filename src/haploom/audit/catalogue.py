"""What the audit measures, and what passes.

A gate is a least or a greatest value, or both. Unless it is set to a number, it follows the same figure for held-out
people: factor x reference + margin + chance / sqrt(n), n being the haplotypes compared. The last term is what two
samples of people differ by anyway: with the margin, about four standard errors. Figures of attacks on people are held
to what chance allows, which the law of the figure says.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from haploom.errors import HaploomError

FIDELITY, UTILITY, PRIVACY = "fidelity", "utility", "privacy"


@dataclass(frozen=True)
class Rule:
    """A bound that follows the reference."""

    margin: float
    factor: float = 1.0
    chance: float = 0.0

    def bound(self, reference: float, n_haplotypes: int) -> float:
        return self.factor * reference + self.margin + self.chance / n_haplotypes**0.5


@dataclass(frozen=True)
class About:
    """A measure: what it belongs to, a name for people, what it is, and its gate.

    least, most: rules, or None where that side is open. by_chance: what chance allows passes too: figures of people
    that are alike would be beyond it once in 1,000 (see `audit.membership`).
    """

    part: str
    title: str
    meaning: str
    least: Rule | None = None
    most: Rule | None = None
    by_chance: bool = False


MEASURES: Mapping[str, About] = {
    "frequency_correlation": About(
        FIDELITY, "Allele frequencies, correlation", "Pearson's r over sites, all populations together.",
        least=Rule(-0.01),
    ),
    "frequency_error": About(
        FIDELITY, "Allele frequencies, error", "Root mean square difference over sites and populations.",
        most=Rule(0.005, factor=1.25),
    ),
    "spectrum_distance": About(
        FIDELITY, "Frequency spectrum",
        "Share of the sites that would have to change their bin of the folded spectrum; bins of 1 %.",
        most=Rule(0.05, factor=1.25),
    ),
    "entropy_error": About(
        FIDELITY, "Entropy of a site (bits)", "Difference of a population's mean entropy.", most=Rule(0.01, chance=0.3),
    ),
    "heterozygosity_error": About(
        FIDELITY, "Heterozygosity", "Difference of a population's expected heterozygosity, as a share.",
        most=Rule(0.05, chance=1.0),
    ),
    "fst": About(
        FIDELITY, "Fst", "Hudson's Fst from held-out people of the same population.", most=Rule(0.01, chance=0.1),
    ),
    "ld_decay_error": About(
        FIDELITY, "LD decay", "Difference of mean r\N{SUPERSCRIPT TWO} by distance, up to 500 kb.",
        most=Rule(0.01, factor=1.25),
    ),
    "ld_decay_error_borders": About(
        FIDELITY, "LD decay across window borders", "The same, of pairs of sites with a border between them.",
        most=Rule(0.01, factor=1.5),
    ),
    "ld_matrix_error": About(
        FIDELITY, "LD, pair by pair", "Root mean square difference of r.", most=Rule(0.02, factor=1.25),
    ),
    "mutual_information_error": About(
        FIDELITY, "Mutual information (bits)", "Difference of the mean by distance.", most=Rule(0.01, factor=1.5),
    ),
    "three_point_correlation": About(
        FIDELITY, "Three sites at a time", "Correlation over triples of sites of their third central moments.",
        least=Rule(-0.1),
    ),
    "pca_distance": About(
        FIDELITY, "Principal components", "Wasserstein's distance by component, in standard deviations.",
        most=Rule(0.05, factor=1.5),
    ),
    "pairwise_distance": About(
        FIDELITY, "Differences of pairs", "Wasserstein's distance between the distributions, as a share of the mean.",
        most=Rule(0.05, factor=1.5),
    ),
    "two_sample_logistic": About(
        FIDELITY, "Told apart by logistic regression",
        "Accuracy in telling from held-out people; 0.5 is chance. On principal components.",
        most=Rule(0.1, chance=1.0),
    ),
    "two_sample_forest": About(
        FIDELITY, "Told apart by a random forest", "The same, by a random forest.", most=Rule(0.1, chance=1.0),
    ),
    "adversarial_accuracy": About(
        FIDELITY, "Adversarial accuracy",
        "How often nearest neighbours tell from held-out people; 0.5 is best.",
        least=Rule(-0.1, chance=-1.0), most=Rule(0.15, chance=1.0),
    ),
    "code_length": About(
        FIDELITY, "Code length (bits per allele)", "Under the archive's statistical codec.",
        least=Rule(0, factor=0.85), most=Rule(0, factor=1.15),
    ),
    "utility_accuracy": About(
        UTILITY, "Ancestry learned from it",
        "Balanced accuracy on held-out people of a classifier that learned from it, or from as many real people.",
        least=Rule(-0.05, chance=-0.5),
    ),
    "privacy_loss": About(
        PRIVACY, "Privacy loss",
        "Adversarial accuracy against held-out people less that against training people; 0 is best.",
        most=Rule(0.03, chance=1.0),
    ),
    "exact_copies": About(
        PRIVACY, "Exact copies", "Share of haplotypes that are a training haplotype.", by_chance=True,
    ),
    "near_copies": About(
        PRIVACY, "Near copies",
        "Share of haplotypes nearer to a training haplotype than 95 % of held-out haplotypes are.",
        by_chance=True,
    ),
    "nearest_training": About(
        PRIVACY, "Nearest training haplotype", "Mean differences from it, as a share of the sites.",
        least=Rule(0, factor=0.85),
    ),
    "code_length_beside": About(
        PRIVACY, "Code length beside training people (bits per allele)",
        "What is left to code once training haplotypes are known.", least=Rule(0, factor=0.85),
    ),
    "long_shared_runs": About(
        PRIVACY, "Long runs shared with a donor",
        "Share of haplotypes whose longest run shared with a training haplotype is beyond the 99.9th percentile of "
        "held-out people's.",
        by_chance=True,
    ),
    "membership_distance": About(
        PRIVACY, "Membership, by nearest haplotype",
        "Area under the curve of an attack that tells training from held-out people; 0.5 is best.",
        most=Rule(0.05), by_chance=True,
    ),
    "membership_run": About(
        PRIVACY, "Membership, by longest run", "The same, by the longest run shared with a synthetic haplotype.",
        most=Rule(0.05), by_chance=True,
    ),
    "worst_membership_distance": About(
        PRIVACY, "Worst people, by nearest haplotype",
        "Share of training people that the attack finds at 0.1 % false positives.",
        by_chance=True,
    ),
    "worst_membership_run": About(
        PRIVACY, "Worst people, by longest run", "The same, by the longest shared run.", by_chance=True,
    ),
    "rare_allele_leakage": About(
        PRIVACY, "Rare alleles", "Share of the alleles that one or two training haplotypes have that are seen.",
        most=Rule(0.02, factor=1.25),
    ),
}  # fmt: skip

Gate = tuple[float | None, float | None]  # least, most


def checked_thresholds(given: Mapping[str, object]) -> dict[str, Gate]:
    """Gates set to numbers: a measure's name -> a number, [least, most], or None for no gate.

    One number is the side that the measure has; of a measure with two, the greatest. Raises HaploomError for a name
    that is no measure, a number that is not finite or another value.
    """
    gates: dict[str, Gate] = {}
    for name, value in given.items():
        if name not in MEASURES:
            raise HaploomError(f"there is no measure {name!r} to set a threshold of: there are {', '.join(MEASURES)}")
        match value:
            case None:
                gates[name] = (None, None)
            case int() | float() if _finite(value):
                about = MEASURES[name]
                only_least = about.least is not None and about.most is None
                gates[name] = (float(value), None) if only_least else (None, float(value))
            case [int() | float() as least, int() | float() as most] if _finite(least) and _finite(most):
                gates[name] = (float(least), float(most))
            case _:
                raise HaploomError(_unusable(name, value))
    return gates


def _finite(value: float) -> bool:
    """Whether it can be a bound: no infinity, which JSON does not have, and no truth value, which Python counts."""
    return not isinstance(value, bool) and math.isfinite(value)


def _unusable(name: str, value: object) -> str:
    return f"the threshold of {name} is {value!r}: wanted a number, [least, most], or null for none"
