"""The formats of genotype files: how one is told from another, and what each does not hold.

What a file to read is, its first bytes say; what a file to write shall be, its name says.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from haploom.errors import FormatError, HaploomError
from haploom.io.byte_stream import GZIP_MAGIC, HDF5_MAGIC, STANDARD, first_bytes, open_bytes
from haploom.io.output import is_zarr_folder

_VCF_ONLY = ("header lines other than contigs", "QUAL", "FILTER", "INFO", "FORMAT fields other than GT")
_PLINK_ONLY = ("family IDs", "parents", "sex", "centimorgans")


@dataclass(frozen=True)
class Format:
    """name: as `source_format` gives it. suffixes: of files to write.

    not_kept: what such a file may have and a panel has no place for.
    not_held: what a panel may have and such a file has no place for.
    phased: whether haplotypes can be told apart.
    """

    name: str
    suffixes: tuple[str, ...]
    not_kept: tuple[str, ...]
    not_held: tuple[str, ...]
    phased: bool = True


VCF = Format("VCF", (".vcf", ".vcf.gz", ".vcf.bgz"), _VCF_ONLY, ("labels",))
BCF = Format("BCF", (".bcf",), _VCF_ONLY, ("labels",))
HDF5 = Format("HDF5", (".h5", ".hdf5"), (), ())
PLINK1 = Format("PLINK 1", (".bed",), (*_PLINK_ONLY, "phenotypes"), ("phase", "labels", "contig lengths"), phased=False)
PLINK2 = Format(
    "PLINK 2", (".pgen",), (*_VCF_ONLY[:4], *_PLINK_ONLY, "numeric phenotypes", "fractional dosages"), ()
)  # fmt: skip
ZARR = Format(
    "VCF Zarr", (".vcz", ".zarr", ".vcz.zip", ".zarr.zip"), (*_VCF_ONLY[:4], "arrays other than call_genotype"),
    ("labels",),
)  # fmt: skip
TSKIT = Format(
    "tskit", (".trees", ".tsz"), ("genealogies", "mutations' times", "metadata other than names"),
    ("IDs", "labels other than population", "contig lengths other than its own"),
)  # fmt: skip

FORMATS = (VCF, BCF, HDF5, PLINK1, PLINK2, ZARR, TSKIT)
NOT_KEPT = {each.name: each.not_kept for each in FORMATS}
NOT_HELD = {each.name: each.not_held for each in FORMATS}

ARCHIVE_MAGIC = b"HLM1"  # of our own archives
SAFETENSORS_BYTES = 9  # how many tell our models: see `is_safetensors`
_KASTORE_MAGIC = b"\x89KAS\r\n\x1a\n"
_ZIP_MAGIC = b"PK\x03\x04"
_PLINK_MAGIC = b"\x6c\x1b"
_BCF_MAGIC = b"BCF\x02"


def source_format(source: Path) -> str:
    """Name of the format of a file to read, a key of NOT_KEPT; "VCF" where nothing else fits, and for stdin.

    Raises HaploomError when there is no such file, FormatError for a folder that is no Zarr group, and for an
    archive or a model of ours.
    """
    if source == STANDARD:
        return VCF.name
    if source.is_dir():
        if not is_zarr_folder(source):
            raise FormatError(f"{source} is a folder, but not a Zarr group: wanted a file of genotypes, or VCF Zarr")
        return ZARR.name
    start = first_bytes(source, SAFETENSORS_BYTES)
    if start.startswith(ARCHIVE_MAGIC):
        raise FormatError(f"{source} is a Haploom archive, not genotypes: decompress it first (`haploom decompress`)")
    if is_safetensors(start):
        raise FormatError(f"{source} is a model, not genotypes: give the genotypes first and the model with --model")
    if start.startswith(HDF5_MAGIC):
        return HDF5.name
    if start.startswith(_KASTORE_MAGIC):
        return TSKIT.name
    if start.startswith(_ZIP_MAGIC):
        return _zip_format(source).name
    if start.startswith(_PLINK_MAGIC) and len(start) > 2:
        return PLINK1.name if start[2] < 2 else PLINK2.name
    return BCF.name if is_bcf(source, start) else VCF.name


def is_safetensors(start: bytes) -> bool:
    """Whether a file that begins so is of safetensors, as our models are: an 8-byte length, then a JSON object."""
    return len(start) >= SAFETENSORS_BYTES and start[8:9] == b"{"


def is_bcf(source: Path, start: bytes) -> bool:
    """Whether a file that begins with `start` is BCF, compressed or not."""
    if not start.startswith(GZIP_MAGIC):
        return start.startswith(_BCF_MAGIC)
    try:
        with open_bytes(source) as stream:
            return stream.read(len(_BCF_MAGIC)) == _BCF_MAGIC
    except FormatError:
        return False  # the reader of text will tell what is wrong with the gzip data


def output_format(path: Path, output_type: str | None = None) -> Format:
    """The format to write to `path` (`-` is stdout).

    output_type: bcftools' letter, which beats the name: "v", "z" (VCF), "u" or "b" (BCF).
    Raises HaploomError when neither tells.
    """
    if output_type is not None:
        if output_type not in ("v", "z", "u", "b"):
            raise HaploomError(f"output type {output_type!r} is not written: wanted v or z (VCF), u or b (BCF)")
        return VCF if output_type in "vz" else BCF
    if path == STANDARD:
        return VCF
    for each in FORMATS:
        if path.name.endswith(each.suffixes):
            return each
    wanted = ", ".join(suffix for each in FORMATS for suffix in each.suffixes)
    raise HaploomError(f"cannot tell the format of {path}: wanted a name ending in one of {wanted}")


def stem(path: Path) -> str:
    """The name of a file without the suffix of its format: `chr22` of chr22.vcf.gz."""
    suffixes = sorted((suffix for each in FORMATS for suffix in each.suffixes), key=len, reverse=True)
    return next((path.name.removesuffix(suffix) for suffix in suffixes if path.name.endswith(suffix)), path.stem)


def _zip_format(source: Path) -> Format:
    """tszip's files and zipped Zarr groups are both zip files: only the former has tables of edges."""
    try:
        with zipfile.ZipFile(source) as file:
            names = file.namelist()
    except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
        raise FormatError(f"{source}: the zip file is damaged ({error}): get the file again") from error
    return TSKIT if any(name.startswith("edges/") for name in names) else ZARR
