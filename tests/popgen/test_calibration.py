"""The default panel is what docs/simulate.md promises. validation/simulate_calibration.py is the long form."""

import numpy as np
import pytest

from haploom import io
from haploom.panel import split_people
from haploom.popgen.coalescent import LEVEL, simulate_panel
from haploom.popgen.demography import POPULATIONS
from haploom.popgen.differentiation import fst_matrix, population_counts
from haploom.popgen.entropy import population_entropies

SEEDS = (1, 2, 3)
# The paper's order of mean site entropy (Fig. 1); its last two, AMR .155 and OCE .15 bits, lie too close to tell apart.
MORE_VARIED_FIRST, LEAST_VARIED = ("AFR", "WAS", "SAS", "EUR", "EAS"), {"AMR", "OCE"}
# Published Hudson's Fst (1000 Genomes, HGDP; docs/simulate.md), widened by what 12 Mb leave to chance.
FST_BANDS = {
    ("AFR", "EUR"): (0.11, 0.17), ("AFR", "EAS"): (0.13, 0.20), ("EUR", "EAS"): (0.08, 0.13),
    ("EUR", "SAS"): (0.03, 0.06), ("EUR", "WAS"): (0.007, 0.02), ("EUR", "OCE"): (0.14, 0.25),
    ("EAS", "AMR"): (0.07, 0.14),
}  # fmt: skip


@pytest.fixture(scope="module")
def panels():
    return [simulate_panel(seed=seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def long_panel():
    """Twelve megabases of fewer people: chance between loci, not between people, is what blurs these figures."""
    return simulate_panel(people=20, length_bp=12_000_000, seed=1)


def test_density__is_the_papers_nine_sites_per_kb(panels):
    for panel in panels:
        assert panel.n_sites == 10_000
        assert 8 < 1000 * panel.n_sites / panel.variants.position_bp[-1] < 10


@pytest.mark.parametrize("people", [20, 200])
def test_density__holds_at_other_numbers_of_people(people):
    panel = simulate_panel(people=people, length_bp=1_500_000, seed=4)
    assert 8 < panel.n_sites / 1500 < 10


def test_entropy__is_the_papers_in_every_population(panels):
    for panel in panels:
        mean = {label: h.mean() for label, h in population_entropies(panel).items()}
        assert min(mean.values()) > 0.08
        assert max(mean.values()) < 0.30
        assert max(mean, key=mean.get) == "AFR"


def test_entropy__is_ordered_as_in_the_paper(long_panel):
    mean = {label: h.mean() for label, h in population_entropies(long_panel).items()}
    order = sorted(mean, key=mean.get, reverse=True)
    assert tuple(order[:5]) == MORE_VARIED_FIRST
    assert set(order[5:]) == LEAST_VARIED


def test_fst__is_as_published(long_panel):
    fst = fst_matrix(population_counts(long_panel))
    for (a, b), (low, high) in FST_BANDS.items():
        value = fst[POPULATIONS.index(a), POPULATIONS.index(b)]
        assert low < value < high, f"Fst {a}-{b} is {value:.3f}"


def test_ancestry__is_learnable_but_not_trivial(panels):
    from sklearn.linear_model import LogisticRegression

    for panel, seed in zip(panels, SEEDS):
        split = split_people(panel.samples, panel.labels(LEVEL).tolist(), fractions=(0.8, 0, 0.2), seed=seed)
        train, test = (panel.select_samples(split.samples(part, panel.samples)) for part in ("train", "test"))
        # The inverse penalty that the validation people choose, mostly.
        model = LogisticRegression(C=0.03, max_iter=1000, tol=1e-2)
        model.fit(train.alleles().astype(np.float32), train.labels(LEVEL, per="haplotype").tolist())
        assert (
            0.80 < model.score(test.alleles().astype(np.float32), test.labels(LEVEL, per="haplotype").tolist()) < 0.95
        )


def test_fst__is_that_of_real_people(long_panel, real_data):
    # Yoruba, Utahns of European descent and Han on the whole of chr22 stand for AFR, EUR and EAS.
    table = real_data / "populations.tsv"
    people = io.read_panel(real_data / "chr22-whole.vcf.gz", io.Selection(populations=table))
    real = population_counts(people, "population")
    simulated = population_counts(long_panel)
    for a, b in ((("AFR", "YRI"), ("EUR", "CEU")), (("AFR", "YRI"), ("EAS", "CHB")), (("EUR", "CEU"), ("EAS", "CHB"))):
        ours, theirs = (
            fst_matrix(counts)[counts.labels.index(a[i]), counts.labels.index(b[i])]
            for i, counts in enumerate((simulated, real))
        )
        assert ours == pytest.approx(theirs, abs=0.03), f"{a[0]}-{b[0]}"
