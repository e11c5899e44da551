"""VCF Zarr: vcztools and bio2zarr as oracles, both Zarr formats, folders and zip files, refusals."""

import sys

import numpy as np
import pytest
from small_panels import as_unphased_rows, assert_same, random_dosages, random_panel, run
from small_vcfs import as_rows

from haploom.errors import FormatError, HaploomError
from haploom.io import Selection, read_dosages, read_panel, read_samples, source_format, write_dosages, write_panel
from haploom.panel import DosagePanel, Panel

zarr = pytest.importorskip("zarr")


def vcf_of(path, *arguments: str) -> list[str]:
    """Records vcztools prints, as `bcftools query -f QUERY` would."""
    pytest.importorskip("vcztools")
    command = [sys.executable, "-m", "vcztools", "view", "--no-version", "-H", *arguments, str(path)]
    text = run(path.parent, *command)
    rows = [line.split("\t") for line in text.splitlines()]
    assert all(row[5:9] == [".", ".", ".", "GT"] for row in rows)
    return ["\t".join(row[:5] + row[9:]) for row in rows]


def test_write_vcf_zarr__vcztools_reads_it(tmp_path):
    panel, dosages = random_panel(n_sites=2_500), random_dosages()
    write_panel(panel, tmp_path / "x.vcz")
    assert vcf_of(tmp_path / "x.vcz") == as_rows(panel)
    # Through our index of regions, whose rows are contigs in chunks.
    for region in ("22:8000-8500", "7:1-100", "7:8500-9001"):
        part = read_panel(tmp_path / "x.vcz", Selection(regions=(region,)))
        assert 0 < part.n_sites < 200
        assert vcf_of(tmp_path / "x.vcz", "-r", region) == as_rows(part)
    write_dosages(dosages, tmp_path / "y.vcz")
    assert vcf_of(tmp_path / "y.vcz") == as_unphased_rows(dosages)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_read_vcf_zarr__what_bio2zarr_wrote(tmp_path):
    """Of a tree sequence, whose genotypes tskit says itself."""
    msprime, bio2zarr = pytest.importorskip("msprime"), pytest.importorskip("bio2zarr.tskit")
    trees = msprime.sim_ancestry(6, sequence_length=2_000, recombination_rate=1e-4, random_seed=1)
    trees = msprime.sim_mutations(trees, rate=1e-2, model=msprime.BinaryMutationModel(), random_seed=2)
    bio2zarr.convert(trees, tmp_path / "x.vcz")
    panel = read_panel(tmp_path / "x.vcz")
    assert panel.n_sites > 100
    np.testing.assert_array_equal(panel.alleles(), trees.genotype_matrix().T)
    assert panel.variants.position_bp.tolist() == trees.sites_position.astype(int).tolist()
    assert panel.samples == tuple(f"tsk_{person}" for person in range(6))
    assert set(panel.variants.ref.tolist()) == {"0"}


@pytest.mark.parametrize("name", ["x.vcz", "x.zarr", "x.vcz.zip"])
def test_vcf_zarr__reads_back(tmp_path, name):
    for each in (random_panel(n_sites=2_301), random_dosages()):
        path = tmp_path / name
        read, write = (read_panel, write_panel) if isinstance(each, Panel) else (read_dosages, write_dosages)
        write(each, path, force=True)
        assert source_format(path) == "VCF Zarr"
        assert_same(read(path), each)
        assert read_samples(path) == each.samples
        assert read(path).variants.contig_length_bp == each.variants.contig_length_bp
        part = read(path, Selection(samples=("P4", "P2"), regions=("22:4000-6000", "7:100-3000")))
        wanted = each.select_samples(("P4", "P2")).select_sites(each.variants.indices_of(part.variants))
        assert 0 < part.n_sites < each.n_sites
        assert_same(part, wanted)
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_vcf_zarr__no_sites(tmp_path):
    panel = random_panel().select_sites(slice(0, 0))
    write_panel(panel, tmp_path / "none.vcz")
    assert_same(read_panel(tmp_path / "none.vcz"), panel)


def test_read_vcf_zarr__far_apart_sites(tmp_path):
    panel = random_panel(n_sites=2_301, one_contig=True)
    write_panel(panel, tmp_path / "x.vcz")
    places = np.array([0, 1, 999, 1_000, 2_300])
    keys = panel.select_sites(places).variants
    sites = "".join(f"{c} {p} {r} {a}\n" for c, p, r, a in zip(keys.chrom, keys.position_bp, keys.ref, keys.alt))
    (tmp_path / "sites").write_text(sites)
    assert_same(read_panel(tmp_path / "x.vcz", Selection(sites=tmp_path / "sites")), panel.select_sites(places))


@pytest.mark.filterwarnings("ignore:The data type")  # zarr: strings are not in the specification of format 3 yet
@pytest.mark.parametrize("strings", ["variable", "fixed"])
def test_read_vcf_zarr__format_3(tmp_path, strings):
    panel = random_panel()
    write_panel(panel, tmp_path / "x.vcz")
    new = zarr.create_group(tmp_path / "y.vcz", zarr_format=3)
    for name, array in zarr.open_group(tmp_path / "x.vcz", mode="r").arrays():
        values = array[:]
        if strings == "fixed" and values.dtype.kind in "OT":
            values = values.astype(object).astype("U20")
        new.create_array(name, data=values)
    assert source_format(tmp_path / "y.vcz") == "VCF Zarr"
    assert_same(read_panel(tmp_path / "y.vcz"), panel)


def changed(folder, change) -> None:
    write_panel(random_panel(3, 20, one_contig=True), folder / "x.vcz", force=True)
    change(zarr.open_group(folder / "x.vcz", mode="r+"))


def set_call(site: int, person: int, call: tuple[int, int]):
    def change(group) -> None:
        group["call_genotype"][site, person] = call

    return change


def replace(name: str, values: np.ndarray):
    def change(group) -> None:
        del group[name]
        group.create_array(name, data=values)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_call(4, 2, (0, -1)), "sample P2: call is missing or half missing"),
        (set_call(4, 1, (1, -2)), "sample P1: call is haploid"),
        (set_call(4, 1, (1, 3)), "sample P1: call has an allele the site does not have"),
        (lambda group: group["call_genotype_phased"].__setitem__((7, 0), False), "sample P0: call is unphased"),
        (lambda group: group.__delitem__("call_genotype_phased"), "call is unphased"),
        (lambda group: group.__delitem__("call_genotype"), "it has no array call_genotype"),
        (replace("call_genotype", np.zeros((20, 3, 1), np.int8)), "call is haploid"),
        (replace("call_genotype", np.zeros((20, 3, 4), np.int8)), "wanted .20 sites, 3 people, 2 alleles"),
        (replace("call_genotype", np.zeros((19, 3, 2), np.int8)), "wanted .20 sites, 3 people, 2 alleles"),
        (replace("variant_position", np.arange(20, 0, -1)), "goes back.*bcftools sort"),
        (replace("variant_contig", np.full(20, 5)), "names contig 5 of 1"),
        (replace("sample_id", np.array(["a", "b", "a"])), "sample_id must hold names, each once"),
        (replace("variant_allele", np.array([["A", "C", "G"]] * 20)), "A>C,G has more than two alleles"),
    ],
)  # fmt: skip
def test_read_vcf_zarr__unusable(tmp_path, change, message):
    changed(tmp_path, change)
    with pytest.raises(FormatError, match=message):
        read_panel(tmp_path / "x.vcz")


def test_read_vcf_zarr__missing_calls_are_missing_dosages(tmp_path):
    changed(tmp_path, set_call(4, 2, (0, -1)))
    wanted = DosagePanel.from_panel(random_panel(3, 20, one_contig=True)).dosages.copy()
    wanted[2, 4] = -1
    np.testing.assert_array_equal(read_dosages(tmp_path / "x.vcz").dosages, wanted)
    changed(tmp_path, set_call(4, 1, (1, -2)))
    with pytest.raises(FormatError, match="haploid"):
        read_dosages(tmp_path / "x.vcz")


def test_read_vcf_zarr__damage(tmp_path):
    write_panel(random_panel(), tmp_path / "x.vcz")
    chunk = tmp_path / "x.vcz" / "call_genotype" / "0.0.0"
    chunk.write_bytes(chunk.read_bytes()[:-5])
    with pytest.raises(FormatError, match="Zarr cannot read it"):
        read_panel(tmp_path / "x.vcz")
    write_panel(random_panel(), tmp_path / "x.vcz.zip")
    (tmp_path / "x.vcz.zip").write_bytes((tmp_path / "x.vcz.zip").read_bytes()[:-30])
    with pytest.raises(FormatError, match="zip file is damaged"):
        read_panel(tmp_path / "x.vcz.zip")


def test_write_vcf_zarr__folders_of_others_are_never_replaced(tmp_path):
    (tmp_path / "x.vcz").mkdir()
    (tmp_path / "x.vcz" / "mine.txt").write_text("kept")
    with pytest.raises(HaploomError, match="it is a folder, which is not replaced"):
        write_panel(random_panel(), tmp_path / "x.vcz", force=True)
    assert (tmp_path / "x.vcz" / "mine.txt").read_text() == "kept"
    with pytest.raises(FormatError, match="is a folder, but not a Zarr group"):
        read_panel(tmp_path / "x.vcz")


def test_write_vcf_zarr__an_error_leaves_what_was_there(tmp_path, monkeypatch):
    from haploom.io import vcf_zarr_writer

    write_panel(random_panel(), tmp_path / "x.vcz")
    monkeypatch.setattr(vcf_zarr_writer, "_write_calls", lambda *a: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_panel(random_panel(7), tmp_path / "x.vcz", force=True)
    assert_same(read_panel(tmp_path / "x.vcz"), random_panel())
    assert [each.name for each in tmp_path.iterdir()] == ["x.vcz"]
