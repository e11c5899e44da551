"""Local ancestry and proportions of mosaics whose ancestry is known, and the parts against slow or exact answers."""

import gzip
import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

pytest.importorskip("sklearn")

from haploom.ancestry.ancestry_files import write_painting, write_proportions
from haploom.ancestry.local_ancestry import paint_panel
from haploom.ancestry.proportions import Proportions, fit_mixture, mixture_proportions
from haploom.ancestry.smoothing import evidence_of, site_shares, smooth
from haploom.ancestry.trusted_training import train_ancestry
from haploom.baselines.copied_label import CopiedLabel
from haploom.baselines.li_stephens import distances_cm
from haploom.baselines.window_logistic import WindowLogistic
from haploom.cli.frame import run
from haploom.cli.main import haploom as program
from haploom.errors import HaploomError
from haploom.io import write_panel, write_populations
from haploom.io.model_file import write_model
from haploom.panel import DosagePanel, GeneticMap, Panel, Split
from haploom.popgen.admixture import Admixture
from haploom.popgen.breeding import breed
from haploom.popgen.tracks import ancestry_tracks
from haploom.report.ancestry_plots import painted_chromosomes


@pytest.fixture(scope="module")
def stretched(two_populations):
    """The panel of two populations along 40 cM, so that ancestry is in stretches."""
    v = two_populations.variants
    return replace(two_populations, variants=replace(v, position_bp=v.position_bp * 40))


@pytest.fixture(scope="module")
def people(stretched):
    """(reference, admixed, truth): 20 people of each population, and 8 bred from the other ten of each."""
    names = stretched.samples
    reference = stretched.select_samples([*names[:20], *names[30:50]])
    founders = stretched.select_samples([*names[20:30], *names[50:]])
    mixture = Admixture({"north": 0.5, "south": 0.5}, 8)
    (bred,) = breed(founders, level="population", size={mixture.label: 8}, admix=[mixture], seed=3)
    tracks, position_bp = ancestry_tracks(bred), stretched.variants.position_bp
    of_founder = (founders.labels("population", per="haplotype") == "south").astype(int)
    truth = np.full((16, stretched.n_sites), -1)
    for row, start, end, founder in zip(tracks.haplotype, tracks.start_bp, tracks.end_bp, tracks.founder):
        truth[row, (position_bp >= start) & (position_bp <= end)] = of_founder[founder]
    return reference, bred.panel(), truth


@pytest.fixture(scope="module")
def model(people):
    return train_ancestry(people[0], Split(dict.fromkeys(people[0].samples, "train")), "population")


def labels_of_sites(painting, panel):
    """The label of each stretch at the sites it spans, from positions alone: (n_haplotypes, n_sites)."""
    of, position_bp = painting.segments, panel.variants.position_bp
    out = np.full((panel.n_haplotypes, panel.n_sites), -1)
    for row, start, end, label in zip(of.haplotype, of.start_bp, of.end_bp, of.label):
        here = (position_bp >= start) & (position_bp <= end)
        assert (out[row, here] == -1).all()
        out[row, here] = label
    return out


def test_painting__finds_the_ancestry_of_bred_people(people, model):
    _, admixed, truth = people
    painting = paint_panel(admixed, model)
    found = labels_of_sites(painting, admixed)
    assert (found == truth).mean() > 0.93
    true_shares = (truth == 0).mean(axis=1).reshape(-1, 2).mean(axis=1)
    assert np.abs(painting.proportions[:, 0] - true_shares).mean() < 0.06
    assert_allclose(painting.proportions.sum(axis=1), 1)


def test_painting__stretches_cover_the_contig_and_count_its_sites(people, model):
    _, admixed, _ = people
    of, v = paint_panel(admixed, model).segments, admixed.variants
    for row in range(admixed.n_haplotypes):
        mine = of.haplotype == row
        assert of.start_bp[mine][0] == v.position_bp[0]
        assert of.end_bp[mine][-1] == v.position_bp[-1]
        assert_array_equal(of.start_bp[mine][1:], of.end_bp[mine][:-1] + 1)
        assert (np.diff(of.label[mine]) != 0).all()
        assert of.sites[mine].sum() == admixed.n_sites
    assert ((of.probability > 0.5) & (of.probability <= 1)).all()


def test_painting__same_alone_in_another_order_and_by_threads(people, model):
    _, admixed, _ = people
    cohort = paint_panel(admixed, model)
    turned = paint_panel(admixed.select_samples(admixed.samples[::-1]), model, threads=2)
    assert_array_equal(cohort.proportions, turned.proportions[::-1])
    alone = paint_panel(admixed.select_samples(admixed.samples[3:4]), model)
    assert_array_equal(alone.proportions[0], cohort.proportions[3])
    mine = np.isin(cohort.segments.haplotype, (6, 7))
    assert_array_equal(alone.segments.end_bp, cohort.segments.end_bp[mine])
    assert_array_equal(alone.segments.probability, cohort.segments.probability[mine])


def test_painting__absent_sites_and_several_contigs(people, model):
    _, admixed, truth = people
    half = admixed.select_sites(slice(0, None, 2))
    assert (labels_of_sites(paint_panel(half, model), half) == truth[:, ::2]).mean() > 0.9
    first_half = np.where(np.arange(admixed.n_sites) < 150, "1", "2")
    reference = people[0]
    variants = replace(reference.variants, chrom=first_half, contig_length_bp={})
    reference, admixed = replace(reference, variants=variants), replace(admixed, variants=variants)
    two = train_ancestry(reference, Split(dict.fromkeys(reference.samples, "train")), "population")
    of = paint_panel(admixed, two).segments
    ends = [(c, int(s), int(e)) for h, c, s, e in zip(of.haplotype, of.chrom, of.start_bp, of.end_bp) if h == 0]
    p = variants.position_bp
    assert [min(s for c, s, _ in ends if c == chrom) for chrom in "12"] == [p[0], p[150]]
    assert [max(e for c, _, e in ends if c == chrom) for chrom in "12"] == [p[149], p[-1]]


def test_painting__a_map_without_recombination_leaves_one_label_a_haplotype(people, model):
    _, admixed, _ = people
    flat = GeneticMap(np.array([1, 50_000_000]), np.array([0.0, 1e-4]))
    of = paint_panel(admixed, model, genetic_map=flat).segments
    assert len(of.label) == admixed.n_haplotypes


def test_painting__wrong_models_and_settings_are_refused(people, model):
    reference, admixed, _ = people
    with pytest.raises(HaploomError, match="above 0"):
        paint_panel(admixed, model, generations=0)
    with pytest.raises(HaploomError, match="unphased"):
        paint_panel(DosagePanel.from_panel(admixed), model)
    everyone = Split(dict.fromkeys(reference.samples, "train"))
    unphased = train_ancestry(DosagePanel.from_panel(reference), everyone, "population")
    with pytest.raises(HaploomError, match="phased haplotypes"):
        paint_panel(admixed, unphased)
    with pytest.raises(HaploomError, match="--unphased"):
        mixture_proportions(admixed, model)


def test_proportions__without_phase(people):
    reference, admixed, truth = people
    everyone = Split(dict.fromkeys(reference.samples, "train"))
    unphased = train_ancestry(DosagePanel.from_panel(reference), everyone, "population")
    shares = mixture_proportions(DosagePanel.from_panel(admixed), unphased)
    true_shares = (truth == 0).mean(axis=1).reshape(-1, 2).mean(axis=1)
    assert np.abs(shares.proportions[:, 0] - true_shares).mean() < 0.1


def test_fit_mixture__the_likeliest_of_all():
    # Against a fine grid of proportions, and on as many sites as determine them.
    rng = np.random.default_rng(2)
    frequencies = rng.uniform(0.05, 0.95, (2, 500))
    counts = rng.binomial(2, [0.3, 0.7] @ frequencies)
    grid = np.linspace(0.001, 0.999, 999)
    p = grid[:, None] * frequencies[0] + (1 - grid[:, None]) * frequencies[1]
    nats = (counts * np.log(p) + (2 - counts) * np.log1p(-p)).sum(axis=1)
    found = fit_mixture(counts, frequencies)
    assert found.sum() == pytest.approx(1)
    assert found[0] == pytest.approx(grid[nats.argmax()], abs=2e-3)
    assert_allclose(fit_mixture(np.zeros(0), np.zeros((3, 0))), 1 / 3)


def test_copied_label__as_summed_over_all_paths():
    # 4 reference haplotypes of labels 0, 0, 0, 1 at 5 sites: 4^5 paths, each weighed by hand.
    rng = np.random.default_rng(5)
    reference, alleles = rng.integers(0, 2, (4, 5), dtype=np.uint8), rng.integers(0, 2, (2, 5), dtype=np.uint8)
    distance_cm, rate, mismatch = np.array([np.inf, 0.2, 0.05, 1.0, 0.01]), 3.0, 0.1
    start = np.array([0, 3, 4])
    prior, label = np.array([1 / 6, 1 / 6, 1 / 6, 1 / 2]), np.array([0, 0, 0, 1])
    copying = CopiedLabel(reference, start, distance_cm, switches_per_cm=rate, mismatch=mismatch)
    ((rows, found),) = copying.blocks(alleles)
    assert rows == slice(0, 2)
    switch = 1 - np.exp(-rate * distance_cm)
    for row in range(2):
        wanted = np.zeros((5, 2))
        for path in product(range(4), repeat=5):
            weight = 1.0
            for s, j in enumerate(path):
                stay = (1 - switch[s]) * (j == path[s - 1]) if s else 0.0
                weight *= (stay + switch[s] * prior[j]) * (
                    mismatch if reference[j, s] ^ alleles[row, s] else 1 - mismatch
                )
            for s, j in enumerate(path):
                wanted[s, label[j]] += weight
        assert_allclose(found[row], wanted / wanted.sum(axis=1, keepdims=True), atol=1e-5)


def test_copied_label__without_oneself_is_a_reference_without_oneself():
    rng = np.random.default_rng(8)
    reference, alleles = rng.integers(0, 2, (10, 40), dtype=np.uint8), rng.integers(0, 2, (3, 40), dtype=np.uint8)
    alleles[0], start = reference[2], np.array([0, 6, 10])
    distance_cm = np.append(np.inf, rng.uniform(0, 0.5, 39))
    rates = {"switches_per_cm": 3.0, "mismatch": 0.01}
    copying = CopiedLabel(reference, start, distance_cm, **rates)
    ((_, found),) = copying.blocks(alleles, np.array([2, -1, 8]))
    ((_, plain),) = copying.blocks(alleles)
    without = [np.delete(reference, [row, row + 1], axis=0) for row in (2, 8)]
    for row, rest, starts in ((0, without[0], [0, 4, 8]), (2, without[1], [0, 6, 8])):
        ((_, wanted),) = CopiedLabel(rest, np.array(starts), distance_cm, **rates).blocks(alleles[[row]])
        assert_allclose(found[row], wanted[0], atol=1e-5)
        assert np.abs(found[row] - plain[row]).max() > 0.01
    assert_allclose(found[1], plain[1], atol=0)


def test_painting__people_of_the_reference_do_not_copy_themselves(stretched, people):
    # The first person of the reference has the middle of a person of the other label, not in the reference.
    panel = people[0]
    of, alleles = panel.labels("population"), panel.alleles()
    middle = slice(panel.n_sites // 3, 2 * panel.n_sites // 3)
    alleles[:2, middle] = stretched.select_samples(stretched.samples[-1:]).alleles()[:, middle]
    panel = Panel.from_alleles(alleles, panel.variants, panel.samples, panel.populations)
    everyone = Split(dict.fromkeys(panel.samples, "train"))
    for unphased in (False, True):
        here = DosagePanel.from_panel(panel) if unphased else panel
        model = train_ancestry(here, everyone, "population")
        own = here.select_samples(panel.samples[:1])
        shares_of = mixture_proportions if unphased else paint_panel
        few = own.select_sites(slice(0, None, 3))  # a third of the sites, told anyway
        itself, newcomer, fewer = (
            shares_of(each, model, min_coverage=0.1).proportions[0, model.labels.index(of[0])]
            for each in (own, replace(own, samples=("somebody else",)), few)
        )
        assert itself < newcomer - (0.02 if unphased else 0.2)
        if not unphased:
            assert itself == pytest.approx(2 / 3, abs=0.12)
            assert fewer == pytest.approx(2 / 3, abs=0.12)
            turned = own.alleles()[::-1].copy()
            turned[0, 0] ^= 1
            recalled = Panel.from_alleles(turned, own.variants, own.samples)
            assert paint_panel(recalled, model).proportions[0, model.labels.index(of[0])] == pytest.approx(
                itself, abs=0.01
            )


def test_smooth__as_summed_over_all_paths():
    rng = np.random.default_rng(6)
    evidence, switch, proportions = rng.random((5, 3)), np.array([1, 0.2, 0.5, 1, 0.1]), np.array([0.2, 0.5, 0.3])
    wanted = np.zeros((5, 3))
    for path in product(range(3), repeat=5):
        weight = 1.0
        for s, z in enumerate(path):
            stay = (1 - switch[s]) * (z == path[s - 1]) if s else 0.0
            weight *= (stay + switch[s] * proportions[z]) * evidence[s, z]
        for s, z in enumerate(path):
            wanted[s, z] += weight
    assert_allclose(smooth(evidence, switch, proportions), wanted / wanted.sum(axis=1, keepdims=True), atol=1e-12)


def test_site_shares__half_of_the_way_to_both_neighbours():
    # Sites at 0, 0.1 and 0.15 cM, another contig with one at 0, and 3 cM on: capped at 0.1 on a side.
    shares = site_shares(np.array([np.inf, 0.1, 0.05, np.inf, 3.0]))
    assert_allclose(shares, [0.05, 0.075, 0.025, 0.1, 0.1])


def test_evidence__counts_per_cm():
    copied = np.array([[0.9, 0.1], [0.9, 0.1]])
    one, two = evidence_of(copied, np.array([0.1, 0.2]))
    assert one[0] == two[0] == 1
    assert two[1] == pytest.approx(one[1] ** 2)


def test_files__bed_tsv_and_q(people, model, tmp_path):
    _, admixed, _ = people
    painting = paint_panel(admixed, model)
    write_painting(painting, tmp_path / "a.tsv.gz")
    write_painting(painting, tmp_path / "a.bed")
    header, *rows = (
        line.split("\t") for line in gzip.decompress((tmp_path / "a.tsv.gz").read_bytes()).decode().splitlines()
    )
    assert header == ["sample", "haplotype", "chrom", "start_bp", "end_bp", "label", "p", "sites", "part"]
    beds = [line.split("\t") for line in (tmp_path / "a.bed").read_text().splitlines()]
    assert len(beds) == len(rows) == len(painting.segments.label)
    for row, bed in zip(rows, beds):
        assert (bed[0], int(bed[1]) + 1, bed[2], bed[3], *bed[6:]) == (row[2], int(row[3]), *row[4:6], *row[:2])
    write_proportions(Proportions.of_painting(painting), tmp_path / "a.Q")
    assert_allclose(np.loadtxt(tmp_path / "a.Q"), painting.proportions, atol=1e-6)


def test_painting__is_drawn_where_the_sites_are(people, model):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    painting = paint_panel(people[1], model)
    figure, ax = pyplot.subplots()
    painted_chromosomes(ax, painting)
    begin, end = painting.segments.start_bp.min() - 1, painting.segments.end_bp.max()
    assert_allclose(np.array(ax.get_xlim()) * 1e6, [begin, end])
    assert_allclose(min(bar.get_x() for bar in ax.patches) * 1e6, begin)
    assert_allclose(max(bar.get_x() + bar.get_width() for bar in ax.patches) * 1e6, end)
    pyplot.close(figure)


def test_windows__logistic_baseline_finds_ancestry_too(people):
    reference, admixed, truth = people
    windows = WindowLogistic(window=20, generations=8).fit(reference, reference.labels("population", per="haplotype"))
    found = windows.predict_proba(admixed)
    assert found.shape == (16, 300, 2)
    assert_allclose(found.sum(axis=2), 1)
    assert (found.argmax(axis=2) == truth).mean() > 0.85
    several = Panel(reference.bits, two_contigs(reference.variants), reference.samples)
    with pytest.raises(HaploomError, match="2 contigs"):
        windows.fit(several, reference.labels("population", per="haplotype"))


def test_windows__few_people(people):
    reference, admixed, _ = people
    labels = reference.labels("population")
    north, south = (np.flatnonzero(labels == label) for label in sorted(set(labels)))
    for chosen in ([north[0], south[0]], [north[0], *south[:2]], [*north[:2], *south[:7]]):
        few = reference.select_samples([reference.samples[place] for place in chosen])
        windows = WindowLogistic(window=100).fit(few, few.labels("population", per="haplotype"))
        assert_allclose(windows.predict_proba(admixed).sum(axis=2), 1)


def two_contigs(variants):
    return replace(variants, chrom=np.where(np.arange(len(variants)) < 150, "1", "2"), contig_length_bp={})


def test_distances__follow_the_map_and_start_anew_on_a_contig(stretched):
    steps = distances_cm(two_contigs(stretched.variants), None)
    assert np.flatnonzero(np.isinf(steps)).tolist() == [0, 150]


def test_classify__local_ancestry_by_command(people, model, tmp_path, capsys):
    reference, admixed, _ = people
    write_panel(admixed, tmp_path / "x.vcf")
    write_model(model, tmp_path / "m.model")
    files = {
        "--local-ancestry": "la.tsv", "--painting": "p.svg", "--proportions": "q.tsv", "--proportions-plot": "q.png",
    }  # fmt: skip
    asked = [text for option, name in files.items() for text in (option, str(tmp_path / name))]
    command = ["classify", str(tmp_path / "x.vcf"), "-m", str(tmp_path / "m.model"), "-o", str(tmp_path / "l.tsv")]
    assert run(program, [*command, *asked, "--generations", "8", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["mean_proportion_north"] + result["mean_proportion_south"] == pytest.approx(1, abs=1e-3)
    assert (tmp_path / "q.tsv").read_text().splitlines()[0] == "sample\tq_north\tq_south\tpart"
    assert "<svg" in (tmp_path / "p.svg").read_text()
    assert run(program, [*command, "--force", "--generations", "8"]) == 2
    assert "--local-ancestry" in capsys.readouterr().err
    write_populations(tmp_path / "t.tsv", reference.samples, reference.populations)
    painted = [*command, "--force", "--painting", str(tmp_path / "p.doc")]
    assert run(program, painted) == 3
    assert ".png" in capsys.readouterr().err
    write_panel(reference, tmp_path / "r.vcf")
    train = ["train", str(tmp_path / "r.vcf"), "--populations", str(tmp_path / "t.tsv"), "--kind", "pca"]
    assert run(program, [*train, "--latent", "2", "-o", str(tmp_path / "pca.model")]) == 0
    command[command.index("-m") + 1] = str(tmp_path / "pca.model")
    for option in (
        "--proportions",
        "--local-ancestry",
        "--why",
    ):  # another model than is wanted, whatever is asked of it
        assert run(program, [*command, "--force", option, str(tmp_path / "new.tsv")]) == 3
        assert "--kind ancestry" in capsys.readouterr().err
