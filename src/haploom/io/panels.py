"""Read and write panels, whatever the format."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path

from haploom.errors import HaploomError
from haploom.io.formats import BCF, HDF5, PLINK1, PLINK2, TSKIT, VCF, ZARR, output_format, source_format
from haploom.io.panel_checks import check_names, checked_blocks
from haploom.io.selection import Selection
from haploom.io.site_blocks import BlockWidth, in_one_block
from haploom.io.site_tables import SiteTable, table_dosages, table_panels
from haploom.panel import DosagePanel, Panel
from haploom.panel.windows import windows

# Modules of the formats whose people and sites are known before the calls.
_TABLES = {PLINK1.name: "plink1", PLINK2.name: "plink2", ZARR.name: "vcf_zarr", TSKIT.name: "tree_sequences"}


def read_panel(source: Path | str, selection: Selection = Selection()) -> Panel:  # noqa: B008 (frozen)
    """Phased haplotypes of a VCF (plain, gzip or BGZF; `-` is stdin), BCF, HDF5, PLINK 2 (.pgen), VCF Zarr or
    tskit file, told apart by content.

    What a format has and a panel has no place for is left behind: see NOT_KEPT. A region of a VCF or BCF with an
    index beside it is read through that index. A file without records gives a panel of 0 sites.

    Raises FormatError, with file, CHROM:POS and sample, for a file that is damaged or not in the format, sites
    with more than two alleles, positions that go back, names and alleles that are empty or break a line, and
    unphased, missing or haploid calls of the people chosen; HaploomError for a selection that does not fit the
    file; MissingExtraError for an absent package.
    """
    (panel,) = panel_blocks(Path(source), selection)
    return panel


def iterate_blocks(
    source: Path | str, selection: Selection = Selection(), sites_per_block: int = 8192  # noqa: B008 (frozen)
) -> Iterator[Panel]:  # fmt: skip
    """`read_panel`, `sites_per_block` sites at a time, so that memory does not grow with the sites.

    All blocks have the same people. The allele-frequency cut comes last, so it makes blocks smaller, even empty;
    there is at least one. Of HDF5, which is bit-packed by person, all is read at once.

    Raises ValueError unless sites_per_block >= 1, and as `read_panel` does.
    """
    if sites_per_block < 1:
        raise ValueError(f"a block has at least one site, got {sites_per_block}")
    return panel_blocks(Path(source), selection, lambda n_people: sites_per_block)


def read_dosages(source: Path | str, selection: Selection = Selection()) -> DosagePanel:  # noqa: B008 (frozen)
    """Counts of the alternate allele: from the files `read_panel` reads, with unphased or missing calls too, and
    from PLINK 1.

    Calls that are missing in whole or in half are MISSING. Raises as `read_panel` does, but for phase and gaps.
    """
    (panel,) = dosage_blocks(Path(source), selection)
    return panel


def read_samples(source: Path | str) -> tuple[str, ...]:
    """Names of the people in a file of genotypes, without reading the genotypes. Raises FormatError."""
    samples = _samples(Path(source))
    check_names(samples, "a sample's name", Path(source))
    return samples


def _samples(source: Path) -> tuple[str, ...]:
    kind = source_format(source)
    if kind == HDF5.name:
        from haploom.io.hdf5 import read_hdf5_samples

        return read_hdf5_samples(source)
    if kind in _TABLES:
        with _open_table(kind, source) as table:
            return table.samples
    from haploom.io.vcf_reader import read_vcf_samples

    return read_vcf_samples(source)


def panel_blocks(source: Path, selection: Selection, width: BlockWidth = in_one_block) -> Iterator[Panel]:
    """`iterate_blocks`, as wide as a function of the number of people says."""
    yield from map(selection.finish, checked_blocks(_panels(source, selection, width), source))


def dosage_blocks(source: Path, selection: Selection, width: BlockWidth = in_one_block) -> Iterator[DosagePanel]:
    """`read_dosages` in blocks of sites; of HDF5 all is read at once."""
    yield from map(selection.finish, checked_blocks(_dosages(source, selection, width), source))


def _panels(source: Path, selection: Selection, width: BlockWidth) -> Iterator[Panel]:
    kind = source_format(source)
    if kind == HDF5.name:
        yield from _hdf5_panels(source, selection, width)
    elif kind in _TABLES:
        with _open_table(kind, source) as table:
            yield from table_panels(table, selection, width)
    else:
        from haploom.io.vcf_reader import read_vcf_panels

        yield from read_vcf_panels(source, selection, width)


def _dosages(source: Path, selection: Selection, width: BlockWidth) -> Iterator[DosagePanel]:
    kind = source_format(source)
    if kind == HDF5.name:
        yield from map(DosagePanel.from_panel, _hdf5_panels(source, selection, width))
    elif kind in _TABLES:
        with _open_table(kind, source) as table:
            yield from table_dosages(table, selection, width)
    else:
        from haploom.io.vcf_reader import read_vcf_dosages

        yield from read_vcf_dosages(source, selection, width)


def _hdf5_panels(source: Path, selection: Selection, width: BlockWidth) -> Iterator[Panel]:
    from haploom.io.hdf5 import read_hdf5

    panel = read_hdf5(source, selection)
    if panel.n_sites <= (step := width(panel.n_samples)):
        yield panel
    else:
        yield from map(panel.select_sites, windows(panel.n_sites, step))


def _open_table(kind: str, source: Path) -> AbstractContextManager[SiteTable]:
    opened: AbstractContextManager[SiteTable] = import_module(f"haploom.io.{_TABLES[kind]}").open_table(source)
    return opened


def write_panel(
    panel: Panel, path: Path | str, *, output_type: str | None = None, force: bool = False,
    header_lines: Sequence[str] = (), no_version: bool = False,
) -> None:  # fmt: skip
    """Write a panel to a file (a folder for VCF Zarr) that is whole or not there.

    path: what it is named says the format: .vcf, .vcf.gz (BGZF), .bcf, .h5, .hdf5, .pgen, .bed, .vcz, .zarr
    (with .zip after it: one file), .trees or .tsz; `-` is VCF to stdout.
    output_type: "v" plain VCF, "z" VCF in BGZF, "u" plain BCF, "b" BCF, whatever the name.
    header_lines, no_version: see `write_vcf`; the first touch VCF, BCF and PLINK 2, the other VCF and BCF
    only. What the format cannot hold is left out: see `not_held`; a .bed does not even hold the phase.

    Raises HaploomError for another name or type, for what the format refuses, or when `path` exists and not
    `force`; MissingExtraError for an absent package.
    """
    path = Path(path)
    kind = output_format(path, output_type)
    if kind is HDF5:
        from haploom.io.hdf5 import write_hdf5

        write_hdf5(panel, path, force)
    elif kind is TSKIT:
        from haploom.io.tree_sequences import write_tree_sequence

        write_tree_sequence(panel, path, force)
    elif kind is PLINK1:
        from haploom.io.plink1 import write_plink1

        write_plink1(panel, path, force)
    else:
        _write_either(panel, path, output_type, force, header_lines, no_version)


def write_dosages(
    panel: DosagePanel, path: Path | str, *, output_type: str | None = None, force: bool = False,
    header_lines: Sequence[str] = (), no_version: bool = False,
) -> None:  # fmt: skip
    """Write unphased genotypes, missing calls included; the arguments are those of `write_panel`.

    Raises HaploomError for HDF5 and tskit too, which hold haplotypes only.
    """
    path = Path(path)
    kind = output_format(path, output_type)
    if kind in (HDF5, TSKIT):
        raise HaploomError(
            f"cannot write {path}: {kind.name} files hold phased haplotypes, and these genotypes are unphased: "
            "wanted VCF, BCF, PLINK (.bed, .pgen) or VCF Zarr"
        )
    if kind is PLINK1:
        from haploom.io.plink1 import write_plink1

        write_plink1(panel, path, force)
    else:
        _write_either(panel, path, output_type, force, header_lines, no_version)


def _write_either(
    panel: Panel | DosagePanel, path: Path, output_type: str | None, force: bool, header_lines: Sequence[str],
    no_version: bool,
) -> None:  # fmt: skip
    """The formats that hold both phased and unphased genotypes."""
    kind = output_format(path, output_type)
    if kind is VCF:
        from haploom.io.vcf_writer import write_vcf

        bgzf = output_type == "z" if output_type else path.suffix in (".gz", ".bgz")
        write_vcf(panel, path, bgzf=bgzf, force=force, header_lines=header_lines, no_version=no_version)
    elif kind is BCF:
        from haploom.io.bcf_writer import write_bcf

        compressed = output_type != "u"
        write_bcf(panel, path, compressed=compressed, force=force, header_lines=header_lines, no_version=no_version)
    elif kind is PLINK2:
        from haploom.io.plink2 import write_plink2

        write_plink2(panel, path, force, header_lines)
    else:
        from haploom.io.vcf_zarr_writer import write_vcf_zarr

        write_vcf_zarr(panel, path, force)


def not_held(panel: Panel | DosagePanel, path: Path, output_type: str | None = None) -> tuple[str, ...]:
    """What of this panel a file of that name does not hold, in words."""
    kind = output_format(path, output_type)
    labels = list(panel.populations)
    if kind is TSKIT:
        labels = [level for level in labels if level != "population"]
    elif kind in (HDF5, PLINK2):
        labels = []
    lost = [f"the labels ({', '.join(labels)})"] if labels else []
    if kind is PLINK1:
        lost += ["the phase"] if isinstance(panel, Panel) else []
        lost += ["the contig lengths"] if panel.variants.contig_length_bp else []
    if kind is TSKIT:
        lost += ["the IDs of sites"] if (panel.variants.id != ".").any() else []
    return tuple(lost)


def is_hdf5_name(path: Path) -> bool:
    """Whether an output of this name is HDF5."""
    return path.name.endswith(HDF5.suffixes)


def check_output_name(path: Path, output_type: str | None = None) -> None:
    """Raise HaploomError when `write_panel` could not tell the format; asked before long work."""
    output_format(path, output_type)
