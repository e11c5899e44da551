"""Read and write panels, whatever the format."""

from collections.abc import Sequence
from pathlib import Path

from haploom.errors import HaploomError
from haploom.io.byte_stream import HDF5_MAGIC, STANDARD, starts_with
from haploom.io.selection import Selection
from haploom.panel import DosagePanel, Panel

HDF5_SUFFIXES = (".h5", ".hdf5")

# What a panel does not hold of a file, by the format's name.
NOT_KEPT = {
    "VCF": ("header lines other than contigs", "QUAL", "FILTER", "INFO", "FORMAT fields other than GT"),
    "HDF5": (),
}


def source_format(source: Path) -> str:
    """ "HDF5" or "VCF", by content; a key of NOT_KEPT."""
    return "HDF5" if starts_with(source, HDF5_MAGIC) else "VCF"


def read_panel(source: Path, selection: Selection = Selection()) -> Panel:  # noqa: B008 (frozen)
    """Phased haplotypes of a VCF (plain, gzip or BGZF; `-` is stdin) or an HDF5 file, told apart by content.

    Of a VCF, the contig lengths, CHROM, POS, ID, REF, ALT and GT are kept; QUAL, FILTER and INFO are not.
    A region of a VCF with a .tbi or .csi beside it is read through that index. A file without records gives
    a panel of 0 sites.

    Raises FormatError, with file, line, CHROM:POS and sample, for a file that is damaged or not in the format,
    sites with more than two alleles, positions that go back, and unphased, missing or haploid calls of the
    people chosen; HaploomError for a selection that does not fit the file.
    """
    if starts_with(source, HDF5_MAGIC):
        from haploom.io.hdf5 import read_hdf5

        return selection.finish(read_hdf5(source, selection))
    from haploom.io.vcf_reader import read_vcf_panel

    return selection.finish(read_vcf_panel(source, selection))


def read_dosages(source: Path, selection: Selection = Selection()) -> DosagePanel:  # noqa: B008 (frozen)
    """Counts of the alternate allele, from the files `read_panel` reads, and from VCF with unphased or missing calls.

    Calls that are missing in whole or in half are MISSING. Raises as `read_panel` does, but for phase and gaps.
    """
    if starts_with(source, HDF5_MAGIC):
        from haploom.io.hdf5 import read_hdf5

        return selection.finish_dosages(DosagePanel.from_panel(read_hdf5(source, selection)))
    from haploom.io.vcf_reader import read_vcf_dosages

    return selection.finish_dosages(read_vcf_dosages(source, selection))


def read_samples(source: Path) -> tuple[str, ...]:
    """Names of the people in a file of genotypes, without reading the genotypes. Raises FormatError."""
    if starts_with(source, HDF5_MAGIC):
        from haploom.io.hdf5 import read_hdf5_samples

        return read_hdf5_samples(source)
    from haploom.io.vcf_reader import read_vcf_samples

    return read_vcf_samples(source)


def write_panel(
    panel: Panel, path: Path, *, output_type: str | None = None, force: bool = False,
    header_lines: Sequence[str] = (), no_version: bool = False,
) -> None:  # fmt: skip
    """Write a panel to a file that is whole or not there.

    path: .vcf, .vcf.gz (BGZF), `-` (VCF to stdout), .h5 or .hdf5.
    output_type: "v" plain VCF or "z" BGZF, whatever the suffix. header_lines, no_version: see `write_vcf`;
    they do not touch HDF5. A VCF does not hold the labels. Raises HaploomError for another suffix or type,
    or when `path` exists and not `force`.
    """
    if output_type is None and is_hdf5_name(path):
        from haploom.io.hdf5 import write_hdf5

        return write_hdf5(panel, path, force)
    from haploom.io.vcf_writer import write_vcf

    bgzf = _vcf_type(path, output_type) == "z"
    return write_vcf(panel, path, bgzf=bgzf, force=force, header_lines=header_lines, no_version=no_version)


def is_hdf5_name(path: Path) -> bool:
    """Whether an output of this name is HDF5."""
    return path.suffix in HDF5_SUFFIXES


def check_output_name(path: Path, output_type: str | None = None) -> None:
    """Raise HaploomError when `write_panel` could not tell the format; asked before long work."""
    if output_type is not None or not is_hdf5_name(path):
        _vcf_type(path, output_type)


def _vcf_type(path: Path, output_type: str | None) -> str:
    if output_type is None:
        if path.name.endswith((".vcf.gz", ".vcf.bgz")):
            return "z"
        if path.name.endswith(".vcf") or path == STANDARD:
            return "v"
        raise HaploomError(f"cannot tell the format of {path}: wanted a name ending in .vcf, .vcf.gz, .h5 or .hdf5")
    if output_type not in ("v", "z"):
        raise HaploomError(f"output type {output_type!r} is not written: wanted v (VCF) or z (VCF, BGZF)")
    return output_type
