"""tskit: its own genotype matrix and VCF as oracles."""

import numpy as np
import pytest
from small_panels import assert_same, random_panel

from haploom.errors import FormatError, HaploomError
from haploom.io import Selection, read_dosages, read_panel, source_format, write_panel
from haploom.panel import DosagePanel, Panel

tskit = pytest.importorskip("tskit")
msprime = pytest.importorskip("msprime")


def simulated(n_people: int = 6, model: object = None, **settings):
    trees = msprime.sim_ancestry(n_people, sequence_length=3_000, recombination_rate=1e-4, random_seed=3, **settings)
    model = model or msprime.BinaryMutationModel()
    return msprime.sim_mutations(trees, rate=5e-3, model=model, random_seed=4)


def dumped(trees, path):
    trees.dump(path)
    return path


def test_read_trees__genotypes_of_tskit(tmp_path):
    trees = simulated()
    path = dumped(trees, tmp_path / "x.trees")
    assert source_format(path) == "tskit"
    panel = read_panel(path)
    assert panel.n_sites > 100
    np.testing.assert_array_equal(panel.alleles(), trees.genotype_matrix().T)
    people = ("tsk_4", "tsk_0")
    part = read_panel(path, Selection(samples=people, regions=("1:500-1500",)))
    inside = (panel.variants.position_bp >= 500) & (panel.variants.position_bp <= 1500)
    assert_same(part, panel.select_samples(people).select_sites(inside))
    assert_same(read_dosages(path), DosagePanel.from_panel(panel))


def test_read_trees__as_its_own_vcf(tmp_path):
    demography = msprime.Demography.island_model([500, 500], migration_rate=0.01)
    trees = simulated({"pop_0": 3, "pop_1": 4}, demography=demography)
    with open(tmp_path / "x.vcf", "w") as file:
        trees.write_vcf(file, contig_id="1", allow_position_zero=True)
    panel, of_vcf = read_panel(dumped(trees, tmp_path / "x.trees")), read_panel(tmp_path / "x.vcf")
    assert_same(panel, of_vcf, ids=False)
    assert panel.variants.contig_length_bp == of_vcf.variants.contig_length_bp
    assert panel.labels("population").tolist() == ["pop_0"] * 3 + ["pop_1"] * 4


def test_read_trees__people_without_individuals(tmp_path):
    trees = simulated(ploidy=1)
    tables = trees.dump_tables()
    tables.individuals.clear()
    tables.nodes.individual = np.full(trees.num_nodes, tskit.NULL, dtype=np.int32)
    panel = read_panel(dumped(tables.tree_sequence(), tmp_path / "x.trees"))
    assert panel.samples == ("tsk_0", "tsk_1", "tsk_2")
    np.testing.assert_array_equal(panel.alleles(), trees.genotype_matrix().T)


@pytest.mark.parametrize("suffix", [".trees", ".tsz"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_write_tree_sequence__tskit_has_the_alleles(tmp_path, suffix):
    panel = random_panel(one_contig=True).with_populations({"population": ["b", "a", "a", "c", "b"]})
    path = tmp_path / f"x{suffix}"
    write_panel(panel, path)
    assert source_format(path) == "tskit"
    trees = pytest.importorskip("tszip").load(path)
    for variant in trees.variants():
        row = panel.alleles()[:, variant.site.id]
        states = np.array([panel.variants.ref[variant.site.id], panel.variants.alt[variant.site.id]])
        assert variant.states().tolist() == states[row].tolist()
    assert trees.sequence_length == 51_304_566
    assert [trees.population(each).metadata["name"] for each in trees.individuals_population] == [*"baacb"]
    found = read_panel(path)
    nowhere = panel.allele_counts() == 0
    assert nowhere.any()
    assert found.variants.alt[nowhere].tolist() == ["."] * nowhere.sum()  # an allele without a mutation is not there
    assert_same(found.select_sites(~nowhere), panel.select_sites(~nowhere), ids=False)
    assert found.variants.contig_length_bp == {"22": 51_304_566}
    assert found.labels("population").tolist() == [*"baacb"]


def test_write_tree_sequence__no_sites(tmp_path):
    write_panel(random_panel().select_sites(slice(0)), tmp_path / "x.trees")
    assert read_panel(tmp_path / "x.trees").samples == random_panel().samples


def test_write_tree_sequence__what_it_cannot_hold(tmp_path):
    with pytest.raises(HaploomError, match="one contig, here are 22, 7"):
        write_panel(random_panel(), tmp_path / "x.trees")
    twice = random_panel(one_contig=True).select_sites(np.array([0, 1, 1, 2]))
    with pytest.raises(HaploomError, match="one site a position, and 1 repeat"):
        write_panel(twice, tmp_path / "x.trees")
    assert list(tmp_path.iterdir()) == []


def test_read_trees__several_alternates_are_named(tmp_path):
    trees = simulated(model=msprime.JC69())
    states = [{site.ancestral_state, *(m.derived_state for m in site.mutations)} for site in trees.sites()]
    several = [site for site, each in enumerate(states) if len(each) > 2]
    path = dumped(trees, tmp_path / "x.trees")
    with pytest.raises(FormatError, match=f"1:{int(trees.sites_position[several[0]])} .*more than two alleles"):
        read_panel(path)
    two = dumped(trees.delete_sites(several), tmp_path / "y.trees")
    panel = read_panel(two)
    matrix = trees.delete_sites(several).genotype_matrix()
    np.testing.assert_array_equal(panel.alleles(), matrix.T)
    # The letters are those tskit says, also where a mutation goes back.
    for variant in tskit.load(two).variants():
        letters = np.array([panel.variants.ref[variant.site.id], panel.variants.alt[variant.site.id]])
        assert variant.states().tolist() == letters[panel.alleles()[:, variant.site.id]].tolist()


def test_read_trees__isolated_samples_are_missing(tmp_path):
    trees = simulated()
    tables = trees.delete_intervals([[0, 1_000]], simplify=False).dump_tables()
    tables.sites.clear()
    tables.mutations.clear()
    for site in trees.sites():
        row = tables.sites.add_row(site.position, site.ancestral_state)
        if site.position >= 1_000:
            for mutation in site.mutations:
                tables.mutations.add_row(row, mutation.node, mutation.derived_state)
    tables.build_index()
    tables.compute_mutation_parents()
    path = dumped(tables.tree_sequence(), tmp_path / "x.trees")
    with pytest.raises(FormatError, match="sample tsk_0: call is missing"):
        read_panel(path)
    dosages = read_dosages(path)
    early = dosages.variants.position_bp < 1_000
    assert early.any()
    assert (dosages.dosages[:, early] == -1).all()
    assert (dosages.dosages[:, ~early] >= 0).all()


def test_read_trees__unusable(tmp_path):
    with pytest.raises(FormatError, match="individuals have 1 sample nodes"):
        read_panel(dumped(simulated(ploidy=1), tmp_path / "haploid.trees"))
    path = dumped(simulated(), tmp_path / "x.trees")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(FormatError, match="tskit cannot read it"):
        read_panel(path)


def test_read_trees__names_in_metadata(tmp_path):
    panel = random_panel(3, 30, one_contig=True)
    write_panel(panel, tmp_path / "x.trees")
    tables = tskit.load(tmp_path / "x.trees").dump_tables()
    twice = [{"name": "same"}] * 3
    tables.individuals.packset_metadata([tables.individuals.metadata_schema.validate_and_encode_row(m) for m in twice])
    found: Panel = read_panel(dumped(tables.tree_sequence(), tmp_path / "y.trees"))
    assert found.samples == ("tsk_0", "tsk_1", "tsk_2")
