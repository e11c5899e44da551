"""The history of seven continental populations: out of Africa, with growth, migration and mixture.

The trunk is the four-population history of Jouganous et al. 2017; the other populations branch off where
later literature puts them. `docs/simulate.md` has every number with its source, and says which were
calibrated (the constants below marked so) and against what. No genotypes here, only the history.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import msprime

POPULATIONS = ("AFR", "EUR", "WAS", "SAS", "EAS", "OCE", "AMR")

GENERATION_YEARS = 29
# Per base and generation. Calibrated: Jouganous' 1.44e-8 goes with synonymous sites, which carry a third
# less variation than the genome; this one gives the genome's 1.0 difference per kb within Africa.
MUTATION_RATE = 1.9e-8

# Symmetric migration today, per generation.
MIGRATION = {
    ("AFR", "EUR"): 0.8e-5,  # calibrated, from 1.14e-5
    ("AFR", "EAS"): 0.56e-5,
    ("AFR", "WAS"): 22e-5,  # calibrated: the African ancestry of the Near East
    ("EUR", "EAS"): 4.75e-5,
    ("EUR", "WAS"): 20e-5,  # calibrated
    ("WAS", "SAS"): 10e-5,  # calibrated
    ("EAS", "SAS"): 8e-5,  # calibrated
}
MIGRATION_AFRICA_OUT_OF_AFRICA = 16.8e-5

# Subpopulations, where they are asked for: all of a population part at one time, and then are small. Two of them are
# about as far apart (Hudson's Fst 0.1) as hunter-gatherers and farmers of Africa, or peoples of America.
SUBPOPULATION_AGE, SUBPOPULATION_SIZE = 100, 600  # generations, after the youngest population; diploid people


def generations(thousand_years: float) -> float:
    """Generations in so many thousand years."""
    return thousand_years * 1000 / GENERATION_YEARS


def subpopulation_names(population: str, count: int) -> list[str]:
    """What the parts of a population are called: AFR-1, AFR-2, ..."""
    return [f"{population}-{number}" for number in range(1, count + 1)]


def out_of_africa(subpopulations: int = 1) -> "msprime.Demography":
    """The history, as msprime takes it: POPULATIONS are there to sample today; times in generations.

    subpopulations: more than 1, and each of POPULATIONS is in so many parts (`subpopulation_names`, with _ for -).

    Looking back: SAS is a mixture of WAS and of a first people of India (ASI); WAS joins EUR; AMR is a
    mixture of EAS and of EUR's line; OCE and ASI join EAS; EUR and EAS join into OOA; OOA joins AFR,
    which was half as large before 357,000 years ago.
    Raises ImportError without msprime.
    """
    import msprime

    history = msprime.Demography()

    def add(name: str, founders: float, growth: float = 0.0, since_ka: float = 0.0) -> None:
        """A population of `founders` diploid people `since_ka` thousand years ago, growing until today."""
        today = founders * np.exp(growth * generations(since_ka))
        # AFR, EUR and EAS are ancestors of others and yet there to sample today: msprime must be told.
        history.add_population(
            name=name, initial_size=today, growth_rate=growth,
            initially_active=name != "OOA" and (name not in POPULATIONS or subpopulations == 1),
            default_sampling_time=0,
        )  # fmt: skip

    add("AFR", 23721)
    add("EUR", 2300, growth=0.0016, since_ka=46)  # founders calibrated, from 2512
    add("WAS", 10000, growth=0.002, since_ka=12)  # calibrated
    add("SAS", 5000, growth=0.003, since_ka=3.5)  # calibrated
    add("EAS", 1019, growth=0.0026, since_ka=46)
    add("OCE", 1400, growth=0.0008, since_ka=44)  # calibrated
    add("AMR", 900, growth=0.0025, since_ka=23)  # calibrated
    add("ASI", 3000)  # calibrated
    add("OOA", 2200)  # calibrated, from 2831

    for pair, rate in MIGRATION.items():
        history.set_symmetric_migration_rate(pair, rate)

    # A mixture does not end the migration into the mixed population by itself, a split does.
    for other in ("WAS", "EAS"):
        history.add_symmetric_migration_rate_change(generations(3.5), ["SAS", other], 0)
    history.add_admixture(generations(3.5), derived="SAS", ancestral=["WAS", "ASI"], proportions=[0.55, 0.45])
    history.add_population_split(generations(12), derived=["WAS"], ancestral="EUR")
    history.add_admixture(generations(23), derived="AMR", ancestral=["EAS", "EUR"], proportions=[0.65, 0.35])
    history.add_population_split(generations(44), derived=["OCE", "ASI"], ancestral="EAS")
    history.add_population_split(generations(46), derived=["EUR", "EAS"], ancestral="OOA")
    history.add_symmetric_migration_rate_change(generations(46), ["AFR", "OOA"], MIGRATION_AFRICA_OUT_OF_AFRICA)
    history.add_population_split(generations(119), derived=["OOA"], ancestral="AFR")
    history.add_population_parameters_change(generations(357), population="AFR", initial_size=11293)
    if subpopulations > 1:
        for label in POPULATIONS:
            parts = [name.replace("-", "_") for name in subpopulation_names(label, subpopulations)]
            for part in parts:
                history.add_population(name=part, initial_size=SUBPOPULATION_SIZE)
            history.add_population_split(SUBPOPULATION_AGE, derived=parts, ancestral=label)
        history.sort_events()
    return history
